package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"syscall"
	"time"
)

// Conversion tells how a model in the store was made from another one.
type Conversion struct {
	From        string     `json:"from"`         // name of the model, as Model.Name
	SHA256      string     `json:"sha256"`       // of its file
	Format      Format     `json:"format"`       // what it was converted to
	WeightError float64    `json:"weight_error"` // see WeightError
	Agreement   *Agreement `json:"agreement,omitempty"`
}

// Agreement tells how a conversion changed what a model expects to come after
// each token of a text.
type Agreement struct {
	Tokens int     `json:"tokens"` // that were foretold
	Same   int     `json:"same"`   // those for which both models' first choice is the same
	Before float64 `json:"before"` // perplexity of the text for the source
	After  float64 `json:"after"`  // and for the result
}

// Make adds a model whose file write makes, of about size bytes; replace lets
// it take the place of one of that name. write is given the path of a temporary
// file in the store to fill, and returns what is known of the model.
//
// Make refuses before it calls write if the disk lacks the room, and after it
// if the file is not usable. progress, unless nil, is called now and then with
// the bytes written so far, from one goroutine at a time and not after Make
// returns. Nothing is left behind if Make fails or ctx is cancelled.
func (s *Store) Make(ctx context.Context, name string, size int64, replace bool,
	progress func(done, total int64), write func(path string) (Meta, error)) (e Entry, err error) {
	if err := s.CheckFree(name, replace); err != nil {
		return Entry{}, err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return Entry{}, err
	}
	defer unlock()
	if err := s.CheckFree(name, replace); err != nil { // another process may have made it meanwhile
		return Entry{}, err
	}
	free := s.free
	if free == nil {
		free = freeBytes
	}
	if err := checkRoom(free, s.dir, size, "make room, or set EMOSPAN_MODELS to another folder"); err != nil {
		return Entry{}, err
	}
	tmp, err := os.CreateTemp(s.dir, tempPrefix+"*.gguf")
	if err != nil {
		return Entry{}, err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	stop := watchFile(tmp, size, progress)
	meta, err := write(tmp.Name())
	stop()
	if err != nil && ctx.Err() == nil {
		// C++ tells that a write failed, not why: see what a write of ours says.
		if _, werr := tmp.WriteAt(make([]byte, 1<<16), max(size, fileSize(tmp))); werr != nil {
			return Entry{}, fmt.Errorf("%w: %w; make room, or set EMOSPAN_MODELS to another folder", err, werr)
		}
	}
	if err != nil {
		return Entry{}, err
	}
	hash := sha256.New()
	e = Entry{Name: name, Path: s.path(name, ".gguf"), Meta: meta}
	if e.Size, err = io.Copy(hash, contextReader{ctx, tmp}); err != nil {
		return Entry{}, err
	}
	e.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return s.finish(tmp, e)
}

// CheckFree returns an error if no model can be made under the name: it is
// pinned, no name, or, unless replace is set, taken.
func (s *Store) CheckFree(name string, replace bool) error {
	if err := checkName(name); err != nil {
		return err
	}
	if _, ok := lookupKnown(s.known, name); ok {
		return fmt.Errorf("model %q is pinned: choose another name for another model", name)
	}
	if _, err := s.Get(name); err == nil && !replace {
		return fmt.Errorf("model %q is %w; replace it with --force, or choose another name", name, ErrExists)
	}
	return nil
}

// checkRoom compares size with what the folder's disk has left for the user.
func checkRoom(free func(dir string) (int64, error), dir string, size int64, remedy string) error {
	have, err := free(dir)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if have < size {
		return fmt.Errorf("the disk of %s is too full: %d MB are needed and %d MB are free: %w; %s",
			dir, (size+999_999)/1e6, have/1e6, syscall.ENOSPC, remedy)
	}
	return nil
}

func freeBytes(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(min(st.Bavail*uint64(st.Bsize), math.MaxInt64)), nil
}

func fileSize(f *os.File) int64 {
	info, err := f.Stat()
	if err != nil {
		return 0
	}
	return info.Size()
}

// watchFile reports how large the file has become until stop is called.
func watchFile(f *os.File, total int64, progress func(done, total int64)) (stop func()) {
	if progress == nil {
		return func() {}
	}
	return poll(200*time.Millisecond, func() { progress(min(fileSize(f), total), total) })
}
