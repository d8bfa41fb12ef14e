package tagger

import (
	"bytes"
	"slices"
	"strings"
)

// A splitter splits a text into tokens as the model's tokenizer does. A text that grows is split again and again, so the
// splitter cuts it where the tokenizer never makes a token across, and keeps the tokens of the parts.
type splitter struct {
	model      Model
	pieces     [][]byte
	cuts       bool     // whether the tokenizer can be relied on to part what isCut says, but for
	exceptions []across // these
	kept       map[string][]int32
}

// across is a token that lies across a cut.
type across struct {
	piece []byte
	cut   int
}

// The parts that are kept: so many, so long.
const (
	maxKept     = 1 << 14
	maxKeptPart = 128 // bytes

	maxExceptions = 16
)

// A placed token is one with its place in a text.
type placed struct {
	id         int32
	begin, end int
}

func newSplitter(model Model, pieces [][]byte) (*splitter, error) {
	s := &splitter{model: model, pieces: pieces, kept: map[string][]int32{}}
	err := s.try()
	clear(s.kept)
	return s, err
}

const marks = `",:[]{}`

func isMark(b byte) bool { return strings.IndexByte(marks, b) >= 0 }

func isAlphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// isCut reports whether a tokenizer parts text at i: before a letter or digit behind two of JSON's marks. The tokenizers of
// byte-level BPE first split a text by a regular expression that takes such marks together and without the letters, and
// merge only what lies within one match. (A single mark may go with the letters: Llama 3 has a token "The with its quotation
// mark.)
func isCut(text []byte, i int) bool {
	return i >= 2 && i < len(text) && isMark(text[i-2]) && isMark(text[i-1]) && isAlphanumeric(text[i])
}

func (s *splitter) cut(text []byte, i int) bool {
	return isCut(text, i) && !s.excepted(text[:i], text[i:])
}

// parts reports whether the tokenizer parts text from what follows it.
func (s *splitter) parts(text, next []byte) bool {
	n := len(text)
	return s.cuts && n >= 2 && isMark(text[n-2]) && isMark(text[n-1]) && isAlphanumeric(next[0]) && !s.excepted(text, next)
}

// excepted reports whether there is a token that lies across the end of left.
func (s *splitter) excepted(left, right []byte) bool {
	for _, x := range s.exceptions {
		n := min(len(right), len(x.piece)-x.cut) // what is not known may follow
		if bytes.HasSuffix(left, x.piece[:x.cut]) && bytes.HasPrefix(right, x.piece[x.cut:x.cut+n]) {
			return true
		}
	}
	return false
}

// try finds out whether the tokenizer can be relied on, by every token that could lie across a cut.
func (s *splitter) try() error {
	parted := func(text []byte, i int) (bool, error) {
		whole, err := s.part(text)
		if err != nil || !s.spells(whole, text) {
			return false, err
		}
		left, err := s.part(text[:i])
		if err != nil {
			return false, err
		}
		right, err := s.part(text[i:])
		return slices.Equal(whole, slices.Concat(left, right)), err
	}
	if ok, err := parted([]byte(`":"a`), 3); !ok || err != nil {
		return err
	}
	for _, piece := range s.pieces {
		for i := 1; i < len(piece); i++ {
			if !isMark(piece[i-1]) || !isAlphanumeric(piece[i]) {
				continue
			}
			leads := []string{""}
			if i == 1 {
				leads = strings.Split(marks, "")
			}
			for _, lead := range leads {
				text := append([]byte(lead), piece...)
				if !isCut(text, i+len(lead)) {
					continue
				}
				ok, err := parted(text, i+len(lead))
				if err != nil {
					return err
				}
				if !ok {
					s.exceptions = append(s.exceptions, across{piece, i})
					break
				}
			}
			if len(s.exceptions) > maxExceptions {
				return nil
			}
		}
	}
	s.cuts = true
	return nil
}

// tokens splits a text; what it returns begins at or before from, at a token's beginning. There is nothing where the
// tokenizer does not give a text back as it is. A tokenizer of SentencePiece's kind puts a space before every text: its
// token then begins at -1.
func (s *splitter) tokens(text []byte, from int) ([]placed, error) {
	begin := 0
	if s.cuts {
		for begin = from; begin > 0 && !s.cut(text, begin); begin-- {
		}
	}
	var list []placed
	for begin < len(text) {
		end := len(text)
		if s.cuts {
			for end = begin + 1; end < len(text) && !s.cut(text, end); end++ {
			}
		}
		ids, err := s.part(text[begin:end])
		if err != nil {
			return nil, err
		}
		at := begin
		if !s.spells(ids, text[begin:end]) {
			if begin > 0 || !s.spells(ids, append([]byte(" "), text[:end]...)) {
				return nil, nil
			}
			at = -1
		}
		for _, id := range ids {
			list = append(list, placed{id, at, at + len(s.pieces[id])})
			at += len(s.pieces[id])
		}
		begin = end
	}
	return list, nil
}

// part splits a text by itself.
func (s *splitter) part(text []byte) ([]int32, error) {
	if ids, ok := s.kept[string(text)]; ok {
		return ids, nil
	}
	key := string(text)
	ids, err := s.model.Tokenize(key)
	if err != nil || len(key) > maxKeptPart {
		return ids, err
	}
	if len(s.kept) == maxKept {
		clear(s.kept)
	}
	s.kept[key] = ids
	return ids, nil
}

// spells reports whether the tokens' pieces are exactly text.
func (s *splitter) spells(ids []int32, text []byte) bool {
	for _, id := range ids {
		if id < 0 || int(id) >= len(s.pieces) {
			return false
		}
		piece := s.pieces[id]
		if len(piece) == 0 || !bytes.HasPrefix(text, piece) {
			return false
		}
		text = text[len(piece):]
	}
	return len(text) == 0
}
