package tagger

import (
	"slices"
	"unicode/utf8"

	"github.com/emospan/emospan/grammar"
)

// A speller keeps the model to the tokens that the tokenizer makes of a word behind a space. A grammar over bytes also allows
// the word's beginning in another token, a lone space to begin with; and where what the model likes best is not allowed at
// all, it may well choose that: then the word costs more tokens, and ones that the model never saw it written in.
//
// It relies on tokenizers that take a word, with the space before it, by itself, as those of byte-level BPE with
// pre-tokenization. It looks at words of ASCII letters alone, leaves all as it is where a word's tokens are not among those
// allowed, and has nothing to say of tokens that are more than a word.
type speller struct {
	model  Model
	pieces [][]byte
	begin  grammar.Mask // tokens that are a space, or one and letters
	letter grammar.Mask // tokens that are letters
	known  map[string][]int32
	words  []string // scratch, as the next two
	ids    []int32
	steps  int
}

const (
	maxWords     = 256     // that may follow, beyond which nothing is left out
	maxWordSteps = 4096    // bytes tried to find them
	maxSpelled   = 1 << 14 // words whose tokens are kept
)

func newSpeller(model Model, pieces [][]byte) *speller {
	size := (len(pieces) + 63) / 64
	s := &speller{model: model, pieces: pieces, begin: make(grammar.Mask, size), letter: make(grammar.Mask, size), known: map[string][]int32{}}
	for id, p := range pieces {
		switch {
		case len(p) == 0 || !allLetters(p[1:]):
		case p[0] == ' ':
			s.begin[id>>6] |= 1 << (id & 63)
		case isLetter(p[0]):
			s.letter[id>>6] |= 1 << (id & 63)
		}
	}
	return s
}

func isLetter(b byte) bool { return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' }

func allLetters(text []byte) bool {
	return !slices.ContainsFunc(text, func(b byte) bool { return !isLetter(b) })
}

// begun returns the last of tokens, from the one that begins a word, where only letters stand behind its space.
func (s *speller) begun(tokens []int32) []int32 {
	for i := len(tokens) - 1; i >= 0; i-- {
		piece := s.pieces[tokens[i]]
		switch {
		case len(piece) == 0 || !allLetters(piece[1:]):
			return nil
		case piece[0] == ' ':
			return tokens[i:]
		case !isLetter(piece[0]):
			return nil
		}
	}
	return nil
}

// keep leaves out of a mask the tokens that are not the tokenizer's. m is where the mask is of, tokens stand before it. The
// result may be in dst's memory.
func (s *speller) keep(mask grammar.Mask, m *grammar.Matcher, tokens []int32, dst *grammar.Mask) (grammar.Mask, error) {
	next := m.Next()
	kept := mask
	if begun := s.begun(tokens); len(begun) > 0 {
		var word []byte
		for _, id := range begun {
			word = append(word, s.pieces[id]...)
		}
		var err error
		if kept, err = s.spelled(kept, s.letter, m.Clone(), word, begun, dst); err != nil {
			return nil, err
		}
	}
	if !next[' '] {
		return kept, nil
	}
	behind := m.Clone()
	if err := behind.AcceptBytes([]byte{' '}); err != nil {
		return nil, err
	}
	return s.spelled(kept, s.begin, behind, []byte{' '}, nil, dst)
}

// spelled leaves out of a mask what is in out, but for the tokens that go on behind begun in a word that begins with word.
// m stands behind word, and is the speller's own.
func (s *speller) spelled(mask, out grammar.Mask, m *grammar.Matcher, word []byte, begun []int32, dst *grammar.Mask) (grammar.Mask, error) {
	s.words, s.ids, s.steps = s.words[:0], s.ids[:0], 0
	if known, err := s.collect(m, word); !known || err != nil {
		return mask, err
	}
	for _, word := range s.words {
		ids, err := s.spell(word)
		if err != nil {
			return nil, err
		}
		if len(ids) <= len(begun) || !slices.Equal(ids[:len(begun)], begun) {
			continue
		}
		id := ids[len(begun)]
		if !mask.Has(id) {
			return mask, nil
		}
		s.ids = append(s.ids, id)
	}
	*dst = mask.Without(out, *dst)
	for _, id := range s.ids {
		(*dst)[id>>6] |= 1 << (id & 63)
	}
	if dst.Empty() {
		return mask, nil
	}
	return *dst, nil
}

// collect finds the words that begin with word and end where something else than a letter may follow. It is false where they
// are not known: too many, or with letters beyond ASCII.
func (s *speller) collect(m *grammar.Matcher, word []byte) (known bool, err error) {
	next := m.Next()
	ends := m.Done()
	for b, allowed := range next {
		switch {
		case allowed && b >= utf8.RuneSelf:
			return false, nil
		case allowed && !isLetter(byte(b)):
			ends = true
		}
	}
	if ends {
		if len(s.words) == maxWords {
			return false, nil
		}
		s.words = append(s.words, string(word))
	}
	for b, allowed := range next {
		if !allowed || !isLetter(byte(b)) {
			continue
		}
		if s.steps++; s.steps > maxWordSteps {
			return false, nil
		}
		letter := []byte{byte(b)}
		if err := m.AcceptBytes(letter); err != nil {
			return false, err
		}
		if known, err := s.collect(m, append(word, letter...)); !known || err != nil {
			return false, err
		}
		m.Rollback(1)
	}
	return true, nil
}

// spell gives the tokenizer's tokens of a word behind a space.
func (s *speller) spell(word string) ([]int32, error) {
	if ids, ok := s.known[word]; ok {
		return ids, nil
	}
	ids, err := s.model.Tokenize(word)
	if err != nil {
		return nil, err
	}
	if len(s.known) == maxSpelled {
		clear(s.known)
	}
	s.known[word] = ids
	return ids, nil
}
