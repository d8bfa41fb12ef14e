//go:build cgo

package llama

/*
#include "shim.h"
*/
import "C"

import (
	"fmt"
	"math"
	"runtime"
	"unsafe"
)

// VocabSize is the number of tokens in the vocabulary; ids run from 0 to VocabSize-1.
func (m *Model) VocabSize() int { return m.vocabSize }

// Tokenize splits text into token ids, without a beginning-of-sequence token. With special, the text of a control token
// such as <|eot_id|> becomes that token: right for a template's own markers, never for a user's text.
//
// A long text for a byte-level BPE goes to llama.cpp in parts of a few kilobytes, cut where its tokenizer cuts as well. Where a part
// offers no such place (four kilobytes of digits, say) it is cut between two characters, and the tokens there may be others than
// those of the whole; they spell the text all the same.
func (m *Model) Tokenize(text string, special bool) ([]int32, error) {
	if len(text) > math.MaxInt32/4 {
		return nil, fmt.Errorf("cannot tokenize %d bytes at once", len(text))
	}
	return m.tokenizeParts(text, special, maxPart)
}

func (m *Model) tokenizeParts(text string, special bool, size int) ([]int32, error) {
	if len(text) <= size || !m.byteLevel() {
		return m.tokenize(text, special)
	}
	ids := make([]int32, 0, len(text)/2)
	for text != "" {
		n := m.partEnd(text, size)
		part, err := m.tokenize(text[:n], special)
		if err != nil {
			return nil, err
		}
		ids, text = append(ids, part...), text[n:]
	}
	return ids, nil
}

func (m *Model) tokenize(text string, special bool) ([]int32, error) {
	defer runtime.KeepAlive(m)
	if text == "" {
		return nil, nil
	}
	// A token is seldom shorter than two bytes; where they are, the first call says how many there are.
	ids := make([]int32, len(text)/2+16)
	for {
		n := C.es_tokenize(m.c, (*C.char)(unsafe.Pointer(unsafe.StringData(text))), C.int32_t(len(text)),
			(*C.int32_t)(unsafe.Pointer(unsafe.SliceData(ids))), C.int32_t(len(ids)), C.bool(special))
		switch {
		case n >= 0:
			return ids[:n], nil
		case n == math.MinInt32 || int(-n) <= len(ids):
			return nil, lastError("cannot tokenize the text")
		}
		ids = make([]int32, -n)
	}
}

// Piece returns the bytes that a token stands for, nil for a control token or one that is out of range. A token may end
// within a UTF-8 character.
func (m *Model) Piece(id int32) []byte {
	if !m.valid(id) || bool(C.es_vocab_is_control(m.c, C.int32_t(id))) {
		return nil
	}
	return m.piece(id, false)
}

// MarkerText returns the text of any token, control tokens included.
func (m *Model) MarkerText(id int32) string {
	if !m.valid(id) {
		return ""
	}
	return string(m.piece(id, true))
}

func (m *Model) piece(id int32, special bool) []byte {
	defer runtime.KeepAlive(m)
	buf := make([]byte, 32)
	for {
		n := C.es_piece(m.c, C.int32_t(id), (*C.char)(unsafe.Pointer(unsafe.SliceData(buf))), C.int32_t(len(buf)), C.bool(special))
		if n >= 0 {
			return buf[:n:n]
		}
		if n == math.MinInt32 {
			return nil
		}
		buf = make([]byte, -n)
	}
}

// IsEOG reports whether a token ends the generation, as end-of-turn and end-of-text do.
func (m *Model) IsEOG(id int32) bool {
	defer runtime.KeepAlive(m)
	return m.valid(id) && bool(C.es_vocab_is_eog(m.c, C.int32_t(id)))
}

// BOS returns the beginning-of-sequence token where the model wants one at the start of a sequence.
func (m *Model) BOS() (id int32, ok bool) {
	defer runtime.KeepAlive(m)
	id = int32(C.es_vocab_bos(m.c))
	return id, bool(C.es_vocab_add_bos(m.c)) && m.valid(id)
}

func (m *Model) valid(id int32) bool { return id >= 0 && int(id) < m.vocabSize }
