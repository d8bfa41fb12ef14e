package tagger

import (
	"bytes"
	"unicode/utf8"
)

// Limits of what is tried to find out whether the end of a forced run stays as it is.
const (
	maxAcross = 32 // bytes that a token across the end begins before it
	maxTried  = 32 // tokens across it
)

// force appends what the grammar forces, in the tokens of which the tokenizer makes the text so far and the forced bytes.
// Tokens that are not decoded yet are made anew with them: a chosen `"]` before a forced `,"data` becomes `"],"`. Where the
// tokenizer would have no token begin at the end of what is decoded, nor behind what was chosen since, nothing is forced:
// the model goes on choosing until they meet. So it does where tokens at the end depend on what follows.
func (a *answering) force() error {
	run, err := a.out.forced()
	if err != nil {
		return err
	}
	// A space goes into one token with the word behind it; to find that out by trying each word takes milliseconds.
	run = bytes.TrimSuffix(run, []byte{' '})
	size := len(a.out.text)
	text := wholeRunes(append(a.out.text, run...))
	if len(text) <= size {
		return nil
	}
	tokens, err := a.splitter.tokens(text, a.out.marked)
	if err != nil {
		return err
	}
	first, anew := beginAt(tokens, a.out.marked), true
	if first < 0 {
		first, anew = beginAt(tokens, size), false
	}
	if first < 0 {
		return nil
	}
	n, err := a.settled(text, tokens)
	if err != nil || n <= first || tokens[n-1].end <= size {
		return err
	}
	if anew {
		a.Tokens = a.Tokens[:a.decoded]
		for len(a.Forced) > 0 && a.Forced[len(a.Forced)-1].Begin >= a.decoded {
			a.Forced = a.Forced[:len(a.Forced)-1]
		}
	}
	begin := len(a.Tokens)
	for _, t := range tokens[first:n] {
		a.Tokens = append(a.Tokens, t.id)
	}
	a.Forced = append(a.Forced, Run{begin, len(a.Tokens)})
	return a.out.acceptForced(text[size:tokens[n-1].end])
}

// beginAt returns which token begins at a place, -1 where none does.
func beginAt(tokens []placed, place int) int {
	for i, t := range tokens {
		if t.begin == place {
			return i
		}
	}
	return -1
}

// settled returns how many of the tokens at the end of text, which is the output with a forced run behind it, stay whatever
// follows. In byte-level BPE what follows changes them only by a token that lies across the end. So those are looked for
// that the grammar allows, and for each the tokenizer is asked whether it would make it. (llguidance's docs/fast_forward.md
// gives back tokens that begin a longer one; a token across the end may also begin within one, or not be made.)
func (a *answering) settled(text []byte, tokens []placed) (int, error) {
	if ok, err := a.endStays(text); ok || err != nil {
		return len(tokens), err
	}
	p := &a.out.parts[len(a.out.parts)-1]
	m := p.constraint.NewMatcher()
	at := max(tokens[0].begin, p.begin, len(text)-maxAcross)
	if err := m.AcceptBytes(text[p.begin:at]); err != nil {
		return 0, err
	}
	n := len(tokens)
	for tried := 0; at < len(text); at++ {
		longer, err := m.Longer(text[at:])
		if err != nil {
			return 0, err
		}
		if longer {
			mask, err := m.Mask()
			if err != nil {
				return 0, err
			}
			for id := range mask.All() {
				beyond, ok := bytes.CutPrefix(a.splitter.pieces[id], text[at:])
				if !ok || len(beyond) == 0 {
					continue
				}
				with := append(text[:len(text):len(text)], beyond...)
				if tried++; tried > maxTried || len(wholeRunes(with)) < len(with) {
					return min(n, holding(tokens, at)), nil
				}
				other, err := a.splitter.tokens(with, a.out.marked)
				if err != nil {
					return 0, err
				}
				n = min(n, same(tokens, other))
			}
		}
		if err := m.AcceptBytes(text[at : at+1]); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// endStays reports whether the tokenizer parts text from all that may follow it.
func (a *answering) endStays(text []byte) (bool, error) {
	p := &a.out.parts[len(a.out.parts)-1]
	m, from := p.matcher.Clone(), p.begin
	if len(a.out.parts) == 1 {
		from = len(a.out.text)
	}
	if err := m.AcceptBytes(text[from:]); err != nil {
		return false, err
	}
	mask, err := m.Mask()
	if err != nil {
		return false, err
	}
	for id := range mask.All() {
		if piece := a.splitter.pieces[id]; len(piece) > 0 && !a.splitter.parts(text, piece) {
			return false, nil
		}
	}
	return true, nil
}

// holding returns the first token that ends behind a place.
func holding(tokens []placed, place int) int {
	i := 0
	for tokens[i].end <= place {
		i++
	}
	return i
}

// same returns how many tokens two lists begin with.
func same(a, b []placed) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// wholeRunes cuts off a character that is not all there.
func wholeRunes(text []byte) []byte {
	for i := len(text) - 1; i >= 0 && i >= len(text)-utf8.UTFMax; i-- {
		if utf8.RuneStart(text[i]) {
			if !utf8.FullRune(text[i:]) {
				return text[:i]
			}
			break
		}
	}
	return text
}
