package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
)

// errModelFile ends a run whose model's file was changed while it was in use: the weights are read from it as long as the run lasts.
var errModelFile = errors.New("the model's file")

// modelFiles are a model's files as they were when it was loaded.
type modelFiles struct {
	files []*os.File
	was   []os.FileInfo
}

// watchModel is called before the model is loaded; the files stay open until close.
func watchModel(m models.Model) (*modelFiles, error) {
	paths, err := m.Files()
	if err != nil {
		return nil, err
	}
	w := new(modelFiles)
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
		w.files = append(w.files, f)
		info, err := f.Stat()
		if err != nil {
			return nil, errors.Join(err, w.close())
		}
		w.was = append(w.was, info)
	}
	return w, nil
}

func (w *modelFiles) close() (err error) {
	for _, f := range w.files {
		err = errors.Join(err, f.Close())
	}
	w.files = nil
	return err
}

// check returns an error where one of the files is another than it was. A file that was replaced or removed is still there as it
// was, for those that have it open.
func (w *modelFiles) check() error {
	for i, f := range w.files {
		now, err := f.Stat()
		if err != nil {
			return fmt.Errorf("%w %s can no longer be read: %w; see to its disk", errModelFile, f.Name(), errors.Unwrap(err))
		}
		was := w.was[i]
		switch {
		case now.Size() < was.Size():
			return fmt.Errorf("%w %s was cut from %d to %d bytes while it was in use; put it back as it was", errModelFile, f.Name(), was.Size(), now.Size())
		case now.Size() != was.Size() || !now.ModTime().Equal(was.ModTime()):
			return fmt.Errorf("%w %s was written to while it was in use; put it back as it was", errModelFile, f.Name())
		}
	}
	return nil
}

// fault says what is the matter where err is of a mapped file; other errors it returns as they are. Without an error it is that of check.
func (w *modelFiles) fault(err error) error {
	if err != nil && !errors.Is(err, llama.ErrMappedFile) {
		return err
	}
	if changed := w.check(); changed != nil || err == nil {
		return changed
	}
	return fmt.Errorf("%w %s can no longer be read: its disk failed; see to that", errModelFile, w.files[0].Name())
}
