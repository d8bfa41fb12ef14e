//go:build cgo

package llama

/*
#include "oracle.h"
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"unsafe"
)

// A GrammarSampler is llama.cpp's own matcher of GBNF (llama_sampler_init_grammar), over a model's vocabulary. It is there to
// be compared with: the tests hold package grammar to it, and a benchmark races them. The program decodes without it.
//
// It belongs to one goroutine at a time, must be closed, and keeps its Model alive.
type GrammarSampler struct {
	c     *C.es_grammar
	model *Model
}

// NewGrammarSampler parses a grammar whose first rule is root. The error holds what llama.cpp logged; of a syntax error it
// says no more than that there is one, and prints the rest, and the grammar, to standard error.
//
// The grammar must be one that package grammar compiles. llama.cpp does not return, or ends the process, for some others: left
// recursion that it does not notice, {m,n} with n < m, very deep nesting.
func NewGrammarSampler(m *Model, gbnf string) (*GrammarSampler, error) {
	if strings.TrimSpace(gbnf) == "" || strings.IndexByte(gbnf, 0) >= 0 {
		return nil, errors.New("cannot make a grammar sampler of an empty grammar, or of one with a zero byte in it")
	}
	if err := m.acquire(); err != nil {
		return nil, err
	}
	src := C.CString(gbnf)
	defer C.free(unsafe.Pointer(src))
	clearErrors()
	return newGrammarSampler(m, C.es_grammar_new(m.c, src), "cannot make a grammar sampler")
}

func newGrammarSampler(m *Model, c *C.es_grammar, what string) (*GrammarSampler, error) {
	if c == nil {
		m.release()
		return nil, lastError(what)
	}
	g := &GrammarSampler{c: c, model: m}
	_, file, line, _ := runtime.Caller(2)
	runtime.SetFinalizer(g, func(g *GrammarSampler) {
		if g.c != nil {
			fmt.Fprintf(os.Stderr, "llama: a GrammarSampler opened at %s:%d was never closed\n", file, line)
		}
	})
	return g, nil
}

// Close frees the sampler.
func (g *GrammarSampler) Close() error {
	if g.c != nil {
		C.es_grammar_free(g.c)
		g.c = nil
		g.model.release()
	}
	return nil
}

// Clone returns an independent sampler in the same position. Its time grows with the product of the sizes of the grammar and
// of the stacks.
func (g *GrammarSampler) Clone() (*GrammarSampler, error) {
	if g.c == nil {
		return nil, errClosedSampler
	}
	if err := g.model.acquire(); err != nil {
		return nil, err
	}
	clearErrors()
	return newGrammarSampler(g.model, C.es_grammar_clone(g.c), "cannot clone the grammar sampler")
}

// Reset takes the sampler back to the start, also after an error.
func (g *GrammarSampler) Reset() error {
	if g.c == nil {
		return errClosedSampler
	}
	clearErrors()
	if !C.es_grammar_reset(g.c) {
		return lastError("cannot reset the grammar sampler")
	}
	return nil
}

// Allowed writes the tokens that may come next into mask, which has a bit for each token of the vocabulary: bit id%64 of word
// id/64. Its time is llama.cpp's, save for a few percent: a logit for each token before, a bit for each after.
func (g *GrammarSampler) Allowed(mask []uint64) error {
	if g.c == nil {
		return errClosedSampler
	}
	if want := (g.model.vocabSize + 63) / 64; len(mask) != want {
		return fmt.Errorf("a mask of %d words for a vocabulary of %d tokens; want %d", len(mask), g.model.vocabSize, want)
	}
	clearErrors()
	if !C.es_grammar_apply(g.c, (*C.uint64_t)(unsafe.Pointer(unsafe.SliceData(mask)))) {
		return lastError("the grammar sampler cannot be applied")
	}
	return nil
}

// Accept appends a token to the output. It fails, and leaves the sampler as it is, where the token is not among those Allowed.
// llama.cpp does not accept all of those: then too it fails, and the sampler is of no use until Reset.
func (g *GrammarSampler) Accept(id int32) error {
	if g.c == nil {
		return errClosedSampler
	}
	if !g.model.valid(id) {
		return fmt.Errorf("the grammar sampler cannot accept token %d of %d", id, g.model.vocabSize)
	}
	clearErrors()
	if !C.es_grammar_accept(g.c, C.int32_t(id)) {
		return lastError(fmt.Sprintf("the grammar sampler does not accept token %d", id))
	}
	return nil
}

var errClosedSampler = errors.New("the grammar sampler is closed")
