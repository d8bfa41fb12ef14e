package models

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// publicShapes are those of public models, from the config.json that Meta
// publishes with each (meta-llama/Meta-Llama-3-8B, meta-llama/Llama-3.2-1B).
// Both rotate with a base of 500,000 and have a vocabulary of 128,256. What
// Llama 3.2 adds for long contexts, factors on the rotation, is left out.
var publicShapes = []struct {
	name  string
	shape Shape
}{
	{"llama3-8b", Shape{Layers: 32, Embedding: 4096, FeedForward: 14336, Heads: 32, KVHeads: 8, Context: 8192, Untied: true}},
	{"llama3.2-1b", Shape{Layers: 16, Embedding: 2048, FeedForward: 8192, Heads: 32, KVHeads: 8, Context: 131072}},
}

// syntheticSeed is the one from which the weights of every SyntheticModel are drawn.
const syntheticSeed = 1

// SyntheticShapes lists the names that NewSyntheticModel knows, the largest first.
func SyntheticShapes() []string {
	var names []string
	for _, p := range publicShapes {
		names = append(names, p.name)
	}
	return names
}

// SyntheticFormats lists the weight formats that NewSyntheticModel writes, the
// one that keeps most first.
func SyntheticFormats() []Format { return []Format{"F16", "Q8_0", "Q4_0"} }

// SyntheticDir returns the folder for synthetic models, in the user's cache.
func SyntheticDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for synthetic models: %w", err)
	}
	return filepath.Join(cache, "emospan", "synthetic"), nil
}

// SyntheticModel is a model with a public model's shape, Llama 3's vocabulary
// and random weights, to measure speed at that size without having the model.
// It may be shared by goroutines.
type SyntheticModel struct {
	Name string // such as synthetic-llama3-8b-q4_0
	file *syntheticFile
	gguf *GGUF
	free func(dir string) (int64, error) // bytes left on a disk
}

// NewSyntheticModel plans the model of one of SyntheticShapes in one of
// SyntheticFormats; nothing is written yet. The error wraps ErrNoVocabulary
// where the executable lacks the vocabulary.
func NewSyntheticModel(shape string, f Format) (*SyntheticModel, error) {
	i := slices.Index(SyntheticShapes(), shape)
	if i < 0 {
		return nil, fmt.Errorf("no synthetic model %q: choose one of %s", shape, strings.Join(SyntheticShapes(), ", "))
	}
	if !slices.Contains(SyntheticFormats(), f) {
		return nil, fmt.Errorf("a synthetic model cannot be written in format %q: choose one of %v", f, SyntheticFormats())
	}
	vocab, err := Llama3Vocabulary()
	if err != nil {
		return nil, err
	}
	s := publicShapes[i].shape
	s.WeightType, _ = ParseTensorType(string(f))
	return newSyntheticModel("synthetic-"+shape+"-"+strings.ToLower(string(f)), vocab, s)
}

func newSyntheticModel(name string, vocab *GGUF, s Shape) (*SyntheticModel, error) {
	f, err := newSyntheticFile(vocab, s)
	if err != nil {
		return nil, err
	}
	g, err := ReadGGUF(bytes.NewReader(f.header), f.size)
	if err != nil {
		return nil, err
	}
	return &SyntheticModel{Name: name, file: f, gguf: g, free: freeBytes}, nil
}

// Header returns the header that the file has or will have, to tell what the
// model takes before it is written.
func (m *SyntheticModel) Header() *GGUF { return m.gguf }

// Path is where the model's file is in a folder, or will be.
func (m *SyntheticModel) Path(dir string) string { return filepath.Join(dir, m.Name+".gguf") }

// Whole reports whether the folder has the model's file, with the header and
// the size that it must have.
func (m *SyntheticModel) Whole(dir string) bool {
	f, err := os.Open(m.Path(dir))
	if err != nil {
		return false
	}
	defer f.Close()
	header := make([]byte, len(m.file.header))
	_, err = io.ReadFull(f, header)
	return err == nil && fileSize(f) == m.file.size && bytes.Equal(header, m.file.header)
}

// Write makes sure that the folder has the model's whole file: it writes it
// unless Whole says that it is there. It refuses where the disk lacks the room.
// progress, unless nil, is called with the bytes written so far. Another process
// that writes to the folder is waited for. Nothing is left behind if Write fails
// or ctx is cancelled.
func (m *SyntheticModel) Write(ctx context.Context, dir string, progress func(done, total int64)) (err error) {
	if m.Whole(dir) {
		return nil
	}
	unlock, err := (&Store{dir: dir}).lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if m.Whole(dir) { // another process has written it meanwhile
		return nil
	}
	if err := checkRoom(m.free, dir, m.file.size, "make room, or set XDG_CACHE_HOME to another folder"); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, tempPrefix+"*.gguf")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if err := m.file.write(&progressWriter{ctx: ctx, w: tmp, total: m.file.size, progress: progress}, syntheticSeed); err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			err = fmt.Errorf("%w; make room, or set XDG_CACHE_HOME to another folder", err)
		}
		return err
	}
	return replace(tmp, m.Path(dir))
}

// RemoveSynthetic deletes the synthetic models in the folder and returns their names.
func RemoveSynthetic(ctx context.Context, dir string) (removed []string, err error) {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	unlock, err := (&Store{dir: dir}).lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ".gguf")
		if !ok || !strings.HasPrefix(name, "synthetic-") {
			continue
		}
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil {
			return removed, err
		}
		removed = append(removed, name)
	}
	return removed, nil
}

// progressWriter ends a long write when ctx is cancelled, and counts.
type progressWriter struct {
	ctx         context.Context
	w           io.Writer
	done, total int64
	progress    func(done, total int64)
}

func (p *progressWriter) Write(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := p.w.Write(b)
	p.done += int64(n)
	if p.progress != nil {
		p.progress(p.done, p.total)
	}
	return n, err
}
