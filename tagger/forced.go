package tagger

import (
	"bytes"
	"slices"

	"github.com/emospan/emospan/grammar"
)

// giveBack is how many tokens from the end of a forced run are examined for a longer token that could span the end.
// llguidance's docs/fast_forward.md counts how often one and two matter for Llama 3; none was seen beyond two.
const giveBack = 4

// forcedTokens returns the tokens of the bytes that the grammar forces next, as the tokenizer would split them after what
// was written so far. A token at the end that a longer one could span is given back: the model chooses there. The matcher
// is left as it is.
func forcedTokens(model Model, m *grammar.Matcher, written []byte) ([]int32, error) {
	run := m.Forced()
	if len(run) == 0 {
		return nil, nil
	}
	forced, err := tokenizeAfter(model, written, run)
	if err != nil || len(forced) == 0 {
		return nil, err
	}
	// Sizes of what is left of the run before each token, and a matcher that stands there.
	left := len(run)
	at := m.Clone()
	for i, id := range forced {
		if len(forced)-i <= giveBack {
			mask, err := at.Mask()
			if err != nil {
				return nil, err
			}
			if spansEnd(model, mask, run[len(run)-left:]) {
				return forced[:i], nil
			}
		}
		if err := at.AcceptToken(id); err != nil {
			return nil, err
		}
		left -= len(model.Piece(id))
	}
	return forced, nil
}

// tokenizeAfter splits run as it would be split behind written, if there is a boundary between the two; else the run alone is
// split. A tokenizer of SentencePiece's kind puts a space before every text: it is passed over where it stands before written,
// and leaves nothing to be split where it cannot be told from the run.
func tokenizeAfter(model Model, written, run []byte) ([]int32, error) {
	text := append(slices.Clone(written), run...)
	whole, err := model.Tokenize(string(text))
	if err != nil {
		return nil, err
	}
	for _, before := range [][]byte{written, append([]byte(" "), written...)} {
		rest := before
		for i, id := range whole {
			if len(rest) == 0 && spells(model, whole[i:], run) {
				return whole[i:], nil
			}
			piece := model.Piece(id)
			if len(piece) == 0 || !bytes.HasPrefix(rest, piece) {
				break
			}
			rest = rest[len(piece):]
		}
	}
	alone, err := model.Tokenize(string(run))
	if err != nil || !spells(model, alone, run) {
		return nil, err
	}
	return alone, nil
}

// spells reports whether the tokens' pieces are exactly text.
func spells(model Model, ids []int32, text []byte) bool {
	for _, id := range ids {
		piece := model.Piece(id)
		if len(piece) == 0 || !bytes.HasPrefix(text, piece) {
			return false
		}
		text = text[len(piece):]
	}
	return len(text) == 0
}

// spansEnd reports whether an allowed token goes on beyond rest.
func spansEnd(model Model, allowed grammar.Mask, rest []byte) bool {
	for id := range allowed.All() {
		if piece := model.Piece(id); len(piece) > len(rest) && bytes.HasPrefix(piece, rest) {
			return true
		}
	}
	return false
}
