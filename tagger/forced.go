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
func forcedTokens(model Model, m *grammar.Matcher, written []byte, ids []int32) ([]int32, error) {
	run := m.Forced()
	if len(run) == 0 {
		return nil, nil
	}
	forced, err := tokenizeAfter(model, written, ids, run)
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

// tokenizeAfter splits run as it would be split behind written, whose tokens are ids. Where the model wrote otherwise than
// the tokenizer would have, only the run itself can be split.
func tokenizeAfter(model Model, written []byte, ids []int32, run []byte) ([]int32, error) {
	whole, err := model.Tokenize(string(written) + string(run))
	if err != nil {
		return nil, err
	}
	if len(whole) > len(ids) && slices.Equal(whole[:len(ids)], ids) {
		if tail := whole[len(ids):]; spells(model, tail, run) {
			return tail, nil
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
