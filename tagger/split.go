package tagger

import (
	"bytes"
	"slices"
	"strings"
)

// A splitter splits a text into tokens as the model's tokenizer does. A text that grows is split again and again, so the
// splitter cuts it where the tokenizer never makes a token across, and keeps the tokens of the parts.
type splitter struct {
	model   Model
	pieces  [][]byte
	longest int    // bytes of the longest piece
	cuts    []cuts // that the tokenizer can be relied on to make
	kept    map[string][]int32
}

// cuts are the places of one kind where a tokenizer parts a text, but for the exceptions.
type cuts struct {
	isCut      func(before []byte, next byte) bool // before is never empty
	exceptions []across
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
	for _, piece := range pieces {
		s.longest = max(s.longest, len(piece))
	}
	for _, kind := range []struct {
		isCut   func([]byte, byte) bool
		example string
		place   int
	}{{behindMarks, `":"a`, 3}, {beforeSpace, "x y", 1}} {
		c := cuts{isCut: kind.isCut}
		ok, err := s.parted([]byte(kind.example), kind.place)
		if ok && err == nil {
			ok, err = s.try(&c)
		}
		if err != nil {
			return nil, err
		}
		if ok {
			s.cuts = append(s.cuts, c)
		}
	}
	clear(s.kept)
	return s, nil
}

const marks = `",:[]{}`

// withMark is what may stand before a token that begins with a mark, where one mark alone is no place to cut.
var withMark = append([]string{""}, strings.Split(marks, "")...)

func isMark(b byte) bool { return strings.IndexByte(marks, b) >= 0 }

func isAlphanumeric(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

// behindMarks is before a letter or digit behind two of JSON's marks. The tokenizers of byte-level BPE first split a text by a
// regular expression that takes such marks together and without the letters, and merge only what lies within one match. (A
// single mark may go with the letters: Llama 3 has a token "The with its quotation mark.)
func behindMarks(before []byte, next byte) bool {
	n := len(before)
	return n >= 2 && isMark(before[n-2]) && isMark(before[n-1]) && isAlphanumeric(next)
}

// beforeSpace is before a space that stands behind something else: those expressions take a space with what follows it. What
// stands before is ASCII, since there are other spaces beyond it.
func beforeSpace(before []byte, next byte) bool {
	last := before[len(before)-1]
	return next == ' ' && ' ' < last && last < 0x7f
}

// parts reports whether the tokenizer parts a text, which is not empty, from what follows it.
func (s *splitter) parts(text, next []byte) bool {
	if len(next) == 0 {
		return false
	}
	for i := range s.cuts {
		if c := &s.cuts[i]; c.isCut(text, next[0]) && !c.excepted(text, next) {
			return true
		}
	}
	return false
}

// excepted reports whether there is a token that lies across the end of left.
func (c *cuts) excepted(left, right []byte) bool {
	for _, x := range c.exceptions {
		n := min(len(right), len(x.piece)-x.cut) // what is not known may follow
		if bytes.HasSuffix(left, x.piece[:x.cut]) && bytes.HasPrefix(right, x.piece[x.cut:x.cut+n]) {
			return true
		}
	}
	return false
}

// parted reports whether the tokenizer makes the same tokens of a text and of its parts.
func (s *splitter) parted(text []byte, i int) (bool, error) {
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

// try finds the exceptions among the tokens that could lie across a cut. It is false where they are too many.
func (s *splitter) try(c *cuts) (bool, error) {
	for _, piece := range s.pieces {
		for i := 1; i < len(piece); i++ {
			leads := []string{""}
			if i == 1 && isMark(piece[0]) {
				leads = withMark
			}
			for _, lead := range leads {
				before := piece[:i]
				if lead != "" {
					before = append([]byte(lead), before...)
				}
				if !c.isCut(before, piece[i]) {
					continue
				}
				ok, err := s.parted(slices.Concat(before, piece[i:]), len(before))
				if err != nil {
					return false, err
				}
				if !ok {
					c.exceptions = append(c.exceptions, across{piece, i})
					break
				}
			}
			if len(c.exceptions) > maxExceptions {
				return false, nil
			}
		}
	}
	return true, nil
}

// tokens splits a text; what it returns begins at or before from, at a token's beginning. There is nothing where the
// tokenizer does not give a text back as it is. A tokenizer of SentencePiece's kind puts a space before every text: its
// token then begins at -1.
func (s *splitter) tokens(text []byte, from int) ([]placed, error) {
	begin := 0
	if len(s.cuts) > 0 {
		for begin = from; begin > 0 && !s.parts(text[:begin], text[begin:]); begin-- {
		}
	}
	var list []placed
	for begin < len(text) {
		end := len(text)
		if len(s.cuts) > 0 {
			for end = begin + 1; end < len(text) && !s.parts(text[:end], text[end:]); end++ {
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
