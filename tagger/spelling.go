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
// pre-tokenization. It looks at words of ASCII letters alone, and has nothing to say of tokens that are more than a word.
type speller struct {
	*splitter
	word  []byte // scratch, as the next two
	words [][]byte
	steps int
}

const (
	maxWords     = 256  // that may follow, beyond which every token fits
	maxWordSteps = 4096 // bytes tried to find them
)

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

// fits reports whether an allowed token is one that the tokenizer could make where it is to stand: m is at that place, tokens
// stand before it. It costs little where few words begin so, and is asked of tokens that were chosen, not of all.
func (s *speller) fits(m *grammar.Matcher, tokens []int32, id int32) (bool, error) {
	piece := s.pieces[id]
	if len(piece) == 0 || !allLetters(piece[1:]) || piece[0] != ' ' && !isLetter(piece[0]) {
		return true, nil
	}
	var begun []int32
	if piece[0] != ' ' {
		if begun = s.begun(tokens); begun == nil {
			return true, nil
		}
	}
	s.word = s.word[:0]
	for _, id := range begun {
		s.word = append(s.word, s.pieces[id]...)
	}
	s.word = append(s.word, piece...)
	behind := m.Clone()
	if err := behind.AcceptBytes(piece); err != nil {
		return false, err
	}
	if len(s.word) == 1 { // a space that stands by itself before a digit, say
		for b, allowed := range behind.Next() {
			if allowed && !isLetter(byte(b)) {
				return true, nil
			}
		}
	}
	s.words, s.steps = s.words[:0], 0
	if known, err := s.collect(behind, s.word); !known || err != nil {
		return true, err
	}
	for _, word := range s.words {
		ids, err := s.part(word)
		if err != nil {
			return false, err
		}
		if n := len(begun); len(ids) > n && ids[n] == id && slices.Equal(ids[:n], begun) {
			return true, nil
		}
	}
	return false, nil
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
		s.words = append(s.words, slices.Clone(word))
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
