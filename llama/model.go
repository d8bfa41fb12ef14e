//go:build cgo

package llama

/*
#include "shim.h"
#include <stdlib.h>
#include <unistd.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// A Model is a loaded GGUF file: weights, hyper-parameters and tokenizer. It may be shared by goroutines. It must be
// closed; contexts made from it hold it until they are closed too.
type Model struct {
	mu       sync.Mutex
	c        *C.es_model
	contexts int // open ones; the C model is freed when it is closed and none is left
	closed   bool
	path     string

	offloaded bool // layers of it are on a GPU
	vocabSize int
	template  Template
	metadata  map[string]string

	cutsOnce sync.Once
	cuts     []string // see partEnd
}

// Load opens the GGUF file at path. Split files (…-00001-of-0000N.gguf) are found from the first.
func Load(path string, o LoadOptions) (*Model, error) {
	if _, err := Start(); err != nil {
		return nil, err
	}
	cpath := C.CString(path)
	defer C.free(unsafe.Pointer(cpath))
	clearErrors()
	c := C.es_model_load(cpath, loadParams(o))
	return newModel(c, path, o)
}

// LoadFile reads a GGUF that begins at offset of an open file, which must be a multiple of the GGUF's alignment (32 unless
// its metadata says otherwise) for its tensors to be mapped. It moves the file's position; the file may be closed afterwards.
func LoadFile(f *os.File, offset int64, o LoadOptions) (*Model, error) {
	if _, err := Start(); err != nil {
		return nil, err
	}
	fd := C.dup(C.int(f.Fd()))
	if fd < 0 {
		return nil, fmt.Errorf("cannot duplicate the descriptor of %s", f.Name())
	}
	mode := C.CString("rb")
	defer C.free(unsafe.Pointer(mode))
	file := C.fdopen(fd, mode)
	if file == nil {
		C.close(fd)
		return nil, fmt.Errorf("cannot open a stream on %s", f.Name())
	}
	defer C.fclose(file)
	if C.fseeko(file, C.off_t(offset), C.SEEK_SET) != 0 {
		return nil, fmt.Errorf("cannot seek to byte %d of %s", offset, f.Name())
	}
	runtime.KeepAlive(f)
	clearErrors()
	c := C.es_model_load_file(file, loadParams(o))
	return newModel(c, f.Name(), o)
}

var loadingStopped atomic.Bool

// StopLoading has the Load or LoadFile that is running, and those that follow, return ErrAborted, until it is called with false. It may be
// called from any goroutine.
func StopLoading(on bool) {
	loadingStopped.Store(on)
	C.es_load_stop(C.bool(on))
}

// LoadProgress is how much of the model the Load or LoadFile that is running has loaded, from 0 to 1. It may be called from any goroutine.
func LoadProgress() float64 { return float64(C.es_load_progress()) }

func loadParams(o LoadOptions) C.es_load_params {
	return C.es_load_params{vocab_only: C.bool(o.VocabOnly), use_mmap: C.bool(!o.NoMmap), gpu_layers: C.int32_t(o.GPULayers)}
}

func newModel(c *C.es_model, path string, o LoadOptions) (*Model, error) {
	if mappedFileLost() {
		if c != nil {
			C.es_model_free(c)
		}
		return nil, fmt.Errorf("cannot load %s: %w", path, ErrMappedFile)
	}
	if c == nil && loadingStopped.Load() {
		return nil, ErrAborted
	}
	if c == nil {
		return nil, lastError("cannot load " + path)
	}
	m := &Model{c: c, path: path, offloaded: o.GPULayers > 0, vocabSize: int(C.es_vocab_size(c)), metadata: map[string]string{}}
	for i := range C.es_model_meta_count(c) {
		m.metadata[takeString(C.es_model_meta_key(c, i))] = takeString(C.es_model_meta_value(c, i))
	}
	m.template = DetectTemplate(m.metadata["tokenizer.chat_template"])
	_, file, line, _ := runtime.Caller(2)
	runtime.SetFinalizer(m, func(m *Model) {
		if !m.closed {
			fmt.Fprintf(os.Stderr, "llama: a Model opened at %s:%d was never closed\n", file, line)
		}
	})
	return m, nil
}

// Close frees the model once no Context uses it.
func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.freeIfUnused()
	return nil
}

func (m *Model) freeIfUnused() {
	if m.closed && m.contexts == 0 && m.c != nil {
		C.es_model_free(m.c)
		m.c = nil
	}
}

// acquire counts a context in; release counts it out.
func (m *Model) acquire() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return errors.New("the model is closed")
	}
	m.contexts++
	return nil
}

func (m *Model) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.contexts--
	m.freeIfUnused()
}

// Info returns the hyper-parameters.
func (m *Model) Info() ModelInfo {
	defer runtime.KeepAlive(m)
	return ModelInfo{
		Description: takeString(C.es_model_desc(m.c)),
		Size:        uint64(C.es_model_size(m.c)),
		Parameters:  uint64(C.es_model_n_params(m.c)),
		Layers:      int(C.es_model_n_layer(m.c)),
		Embedding:   int(C.es_model_n_embd(m.c)),
		Heads:       int(C.es_model_n_head(m.c)),
		KVHeads:     int(C.es_model_n_head_kv(m.c)),
		TrainedSize: int(C.es_model_n_ctx_train(m.c)),
		VocabSize:   m.vocabSize,
	}
}

// Generates reports whether the model continues text: it has a decoder, no encoder, and does not work by diffusion.
func (m *Model) Generates() bool {
	defer runtime.KeepAlive(m)
	return bool(C.es_model_generates(m.c))
}

// Metadata returns a key's value as text. Arrays are shortened by llama.cpp.
func (m *Model) Metadata(key string) (value string, ok bool) {
	value, ok = m.metadata[key]
	return value, ok
}

// Template is the chat template that the metadata names, [NoTemplate] where it is none of those emospan knows.
func (m *Model) Template() Template { return m.template }
