//go:build cgo

package llama

/*
#include "shim.h"
*/
import "C"

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"unsafe"
)

// A Context holds the KV cache and compute buffers of sequences that a model decodes. It belongs to one goroutine at a
// time, but for Abort. It must be closed.
type Context struct {
	c      *C.es_context
	model  *Model
	opts   ContextOptions
	size   int
	batch  int    // most rows of one Decode
	failed bool   // in the GPU's driver
	rows   []int8 // Wanted of the last batch decoded; its logits are in C's memory
	states states
}

// NewContext allocates a context for the model.
func NewContext(m *Model, o ContextOptions) (*Context, error) {
	if err := m.acquire(); err != nil {
		return nil, err
	}
	c, err := makeContext(m, o)
	if err != nil {
		if !errors.Is(err, ErrGPUFailed) {
			m.release()
		}
		return nil, err
	}
	_, file, line, _ := runtime.Caller(1)
	runtime.SetFinalizer(c, func(c *Context) {
		if c.c != nil {
			fmt.Fprintf(os.Stderr, "llama: a Context opened at %s:%d was never closed\n", file, line)
		}
	})
	return c, nil
}

// makeContext makes a context for a model that is held.
func makeContext(m *Model, o ContextOptions) (*Context, error) {
	if o.Size == 0 {
		o.Size = m.Info().TrainedSize
	}
	o.Batch = max(o.Batch, 0)
	if o.Batch == 0 {
		o.Batch = DefaultBatch
	}
	o.Sequences, o.Threads, o.Layers = max(o.Sequences, 1), max(o.Threads, 1), slices.Clone(o.Layers)
	o.Batch = max(o.Batch, o.Sequences) // llama.cpp ends the process for less
	size := max(o.Size, o.Sequences)
	if len(o.Layers) > 0 {
		o.Batch, size = max(o.Batch, trialRows), max(size, trialRows)
	}
	if o.Size < 0 || o.Sequences > 256 || o.Threads > 512 {
		return nil, fmt.Errorf("context of %d tokens, %d sequences, %d threads is out of range", o.Size, o.Sequences, o.Threads)
	}
	kv := slices.Index([]KVType{KVF16, KVQ8, KVF32}, cmp.Or(o.KV, KVF16))
	switch {
	case kv < 0:
		return nil, fmt.Errorf("no cache format %q", o.KV)
	case o.KV == KVQ8 && o.FlashAttention < 0:
		return nil, fmt.Errorf("a cache in %s takes flash attention", o.KV)
	}
	layers, err := checkLayers(m, o.Layers)
	if err != nil {
		return nil, err
	}
	flash := C.int32_t(-1)
	switch {
	case o.FlashAttention < 0:
		flash = 0
	case o.FlashAttention > 0:
		flash = 1
	}
	clearErrors()
	c := C.es_context_new(m.c, C.es_context_params{
		n_ctx: C.uint32_t(size), n_batch: C.uint32_t(o.Batch), n_ubatch: C.uint32_t(o.Batch),
		n_seq_max: C.uint32_t(o.Sequences), n_threads: C.int32_t(o.Threads),
		flash_attention: flash, kv_unified: C.bool(!o.SplitKV), kv_type: C.int32_t(kv),
	}, (*C.int32_t)(unsafe.SliceData(layers)), C.int32_t(len(layers)))
	switch {
	case mappedFileLost():
		err = ErrMappedFile
	case c == nil:
		err = lastError(fmt.Sprintf("cannot make a context of %d tokens", o.Size))
	}
	ctx := &Context{c: c, model: m, opts: o}
	if err == nil {
		ctx.size, ctx.batch = int(C.es_context_size(c)), int(C.es_context_batch(c))
		err = ctx.tryStates()
	}
	if err != nil {
		if c != nil && !ctx.failed {
			C.es_context_free(c)
		}
		return nil, err
	}
	return ctx, nil
}

// Close frees the context. Where the GPU failed its memory is left to the end of the process: what llama.cpp does on freeing it waits
// for the device, and would end the process at once.
func (c *Context) Close() error {
	if c.c != nil && !c.failed {
		C.es_context_free(c.c)
		c.model.release()
	}
	c.c, c.rows, c.states.order = nil, nil, nil
	return nil
}

// Model returns the model that the context decodes with.
func (c *Context) Model() *Model { return c.model }

// Size is the number of tokens that the KV cache holds; llama.cpp may have rounded up what was asked for.
func (c *Context) Size() int { return c.size }

// Options are what the context was made with, their defaults filled in.
func (c *Context) Options() ContextOptions { return c.opts }

// BatchSize is the most rows that one Decode takes: what was asked for, and no more than the cache was asked to hold.
func (c *Context) BatchSize() int { return c.batch }

// Decode runs the batch through the model and appends its tokens to their sequences. ErrNoRoom leaves the cache as it was.
func (c *Context) Decode(b *Batch) error {
	c.states.order = c.states.order[:0]
	if err := c.check(b); err != nil {
		return err
	}
	clearErrors()
	status := C.es_decode(c.c, C.int32_t(b.Len()),
		(*C.int32_t)(unsafe.SliceData(b.Tokens)), (*C.int32_t)(unsafe.SliceData(b.Positions)),
		(*C.int32_t)(unsafe.SliceData(b.Sequences)), (*C.int8_t)(unsafe.SliceData(b.Wanted)))
	runtime.KeepAlive(c)
	if err := c.outcome(status); err != nil {
		return err
	}
	c.rows = append(c.rows[:0], b.Wanted...)
	return c.orderStates(b)
}

// outcome is the error that llama_decode's status means.
func (c *Context) outcome(status C.int32_t) error {
	switch {
	case mappedFileLost():
		return ErrMappedFile
	case status == 0:
		return nil
	case status == 1:
		return ErrNoRoom
	case status == 2:
		return ErrAborted
	case c.model.offloaded:
		c.failed = true
		return fmt.Errorf("%w: %w", ErrGPUFailed, lastError(fmt.Sprintf("llama_decode gave %d", status)))
	}
	return lastError(fmt.Sprintf("decoding failed (llama_decode gave %d)", status))
}

// check refuses what llama.cpp would end the process for.
func (c *Context) check(b *Batch) error {
	n := b.Len()
	if n == 0 || n > c.batch {
		return fmt.Errorf("a batch of %d rows: it must hold 1 to %d", n, c.batch)
	}
	if len(b.Positions) != n || len(b.Sequences) != n || len(b.Wanted) != n {
		return errors.New("a batch whose columns differ in length")
	}
	for i := range n {
		switch {
		case !c.model.valid(b.Tokens[i]):
			return fmt.Errorf("batch row %d: token %d is not in the vocabulary of %d", i, b.Tokens[i], c.model.vocabSize)
		case b.Positions[i] < 0 || int(b.Positions[i]) >= c.size:
			return fmt.Errorf("batch row %d: position %d is outside the context of %d", i, b.Positions[i], c.size)
		case !c.sequence(b.Sequences[i]):
			return fmt.Errorf("batch row %d: sequence %d is not one of %d", i, b.Sequences[i], c.opts.Sequences)
		}
	}
	return nil
}

func (c *Context) sequence(id int32) bool { return id >= 0 && int(id) < c.opts.Sequences }

// Logits returns the unnormalised log-probabilities of the token after row i of the last batch, one for each id of the
// vocabulary. It is a view of llama.cpp's own memory, valid until the next Decode or Close; nil where row i did not ask
// for logits.
func (c *Context) Logits(i int) []float32 {
	if i < 0 || i >= len(c.rows) || c.rows[i] == 0 {
		return nil
	}
	p := C.es_logits(c.c, C.int32_t(i))
	if p == nil {
		return nil
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(p)), c.model.vocabSize)
}

// ClearKV empties the cache.
func (c *Context) ClearKV() { C.es_kv_clear(c.c) }

// RemoveKV forgets positions [from, to) of a sequence; to < 0 means to its end.
func (c *Context) RemoveKV(sequence, from, to int32) error {
	if !c.sequence(sequence) || from < 0 {
		return fmt.Errorf("cannot remove position %d of sequence %d", from, sequence)
	}
	if to < 0 {
		to = -1
	}
	if !C.es_kv_remove(c.c, C.int32_t(sequence), C.int32_t(from), C.int32_t(to)) {
		return lastError(fmt.Sprintf("cannot remove positions %d to %d of sequence %d", from, to, sequence))
	}
	return nil
}

// CopyKV makes positions [from, to) of one sequence those of another too; to < 0 means to its end. With a unified cache
// nothing is copied but which sequences a cell belongs to.
func (c *Context) CopyKV(source, destination, from, to int32) error {
	if !c.sequence(source) || !c.sequence(destination) || from < 0 {
		return fmt.Errorf("cannot copy sequence %d to %d from position %d", source, destination, from)
	}
	if to < 0 {
		to = -1
	}
	C.es_kv_copy(c.c, C.int32_t(source), C.int32_t(destination), C.int32_t(from), C.int32_t(to))
	return nil
}

// Abort makes the Decode that is running, and those that follow, return ErrAborted, until it is called with false. It may
// be called from any goroutine.
func (c *Context) Abort(on bool) { C.es_abort(c.c, C.bool(on)) }
