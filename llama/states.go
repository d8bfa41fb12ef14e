//go:build cgo

package llama

/*
#include "shim.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"
)

// states is what a context with layers knows of the last batch.
type states struct {
	width     int // of a row
	splitting splitting
	order     []int32 // where among the rows in C's memory each row of the batch is; empty where there are none
}

// trialRows is the length of the batch that tryStates decodes.
const trialRows = 4

// checkLayers returns the layers as C takes them.
func checkLayers(m *Model, layers []int) ([]int32, error) {
	var list []int32
	if len(layers) == 0 {
		return nil, nil
	}
	n := m.Info().Layers
	for _, l := range layers {
		if l < 0 || l >= n {
			return nil, fmt.Errorf("no layer %d: the model's layers are 0 to %d", l, n-1)
		}
		if slices.Contains(list, int32(l)) {
			return nil, fmt.Errorf("layer %d is asked for twice", l)
		}
		list = append(list, int32(l))
	}
	return list, nil
}

// tryStates finds out, of a new context, whether llama.cpp has the states of the layers for every row, and how it splits batches. To do so
// it starts to decode a batch, which llama.cpp breaks off before it computes the layers (on a GPU, after them).
func (c *Context) tryStates() error {
	if len(c.opts.Layers) == 0 {
		return nil
	}
	// Their tokens tell the rows of two sequences apart in whatever order they come. The rows of the second come first: only where
	// sequences need not be consecutive are both in one micro-batch.
	batch := &Batch{Tokens: []int32{0, 1, 2, 3}, Positions: []int32{0, 0, 1, 1}, Sequences: []int32{1, 0, 1, 0}, Wanted: []int8{1, 0, 0, 0}}
	if c.opts.Sequences == 1 {
		batch.Positions, batch.Sequences = []int32{0, 1, 2, 3}, make([]int32, trialRows)
	}
	if err := c.check(batch); err != nil {
		return err
	}
	status := C.es_states_try(c.c, trialRows, (*C.int32_t)(&batch.Tokens[0]), (*C.int32_t)(&batch.Positions[0]),
		(*C.int32_t)(&batch.Sequences[0]), (*C.int8_t)(&batch.Wanted[0]))
	if err := c.outcome(status); err != nil {
		return err
	}
	c.ClearKV()
	tokens, sizes := c.computed()
	if len(sizes) == 0 {
		return errors.New("llama.cpp keeps no states of layers for this model's architecture")
	}
	for i, layer := range c.opts.Layers {
		switch rows := C.es_states_shape(c.c, C.int32_t(i)); {
		case rows == C.int32_t(sizes[0]):
		case rows > 0:
			return fmt.Errorf("llama.cpp computes layer %d for wanted rows alone, as it does the last of %d; ask for an earlier one", layer, c.model.Info().Layers)
		default:
			return fmt.Errorf("llama.cpp has no states of layer %d for this model's architecture", layer)
		}
	}
	c.states.width = c.model.Info().Embedding
	for _, s := range []splitting{inOrder, equalParts, equalConsecutive} {
		order, parts := s.split(batch.Sequences, c.opts.Sequences, c.batch)
		if parts[0] == sizes[0] && slices.Equal(order[:parts[0]], tokens[:sizes[0]]) { // row i has token i
			c.states.splitting = s
			return nil
		}
	}
	return errUnknownOrder
}

var errUnknownOrder = errors.New("llama.cpp computed the rows of a batch in an order that is not known, so their states cannot be told apart; decode without Layers")

// computed returns views of the tokens of the last batch in the order in which llama.cpp computed them, and of the sizes of its micro-batches.
func (c *Context) computed() (tokens, sizes []int32) {
	o := C.es_states_order(c.c)
	return unsafe.Slice((*int32)(unsafe.Pointer(o.tokens)), o.n_tokens), unsafe.Slice((*int32)(unsafe.Pointer(o.sizes)), o.n_sizes)
}

// orderStates finds the states of a batch that was decoded. Tokens and micro-batches must be those that the splitting leads to.
func (c *Context) orderStates(b *Batch) error {
	if len(c.opts.Layers) == 0 {
		return nil
	}
	tokens, sizes := c.computed()
	if !C.es_states_complete(c.c, C.int32_t(b.Len())) {
		return errors.New("llama.cpp did not give the states of each layer for each row; decode without Layers")
	}
	for _, s := range []splitting{c.states.splitting, equalParts} { // a sliding window without room changes from inOrder
		order, parts := s.split(b.Sequences, c.opts.Sequences, c.batch)
		places, same := make([]int32, len(order)), slices.Equal(parts, sizes)
		for at, row := range order {
			places[row] = int32(at)
			same = same && b.Tokens[row] == tokens[at]
		}
		if same {
			c.states.order = places
			return nil
		}
	}
	return errUnknownOrder
}

// States returns the residual stream after a layer, as many numbers as the model's embedding is wide, for a row of the last batch,
// whether or not its logits were wanted. The layer is one of the ContextOptions' Layers. It is a view of C's memory, valid until the next
// Decode or Close; nil for another layer, for a row that the batch does not have, and after a Decode that failed.
func (c *Context) States(layer, row int) []float32 {
	i := slices.Index(c.opts.Layers, layer)
	if i < 0 || row < 0 || row >= len(c.states.order) {
		return nil
	}
	rows := unsafe.Slice((*float32)(unsafe.Pointer(C.es_states_rows(c.c, C.int32_t(i)))), len(c.states.order)*c.states.width)
	at := int(c.states.order[row]) * c.states.width
	return rows[at : at+c.states.width : at+c.states.width]
}
