package tagger

import (
	"slices"
	"testing"

	"github.com/emospan/emospan/grammar"
)

// TestSpeller: of the tokens that a grammar allows those are left that the tokenizer makes of a word behind a space.
func TestSpeller(t *testing.T) {
	v := newFakeVocab(" j", " joy", " jo", " fear", " fe", "ar", "oy", "ful", " don't", " don", "yes", "ye", ", ")
	m := newFakeModel(t, nil)
	m.vocab = v
	pieces, eog := piecesOf(m)
	vocab, err := grammar.NewVocab(pieces, grammar.VocabOptions{EOG: eog})
	if err != nil {
		t.Fatal(err)
	}
	splitter, err := newSplitter(m, pieces)
	if err != nil {
		t.Fatal(err)
	}
	s := &speller{splitter: splitter}
	for _, tt := range []struct {
		name, grammar, before string
		want                  []string
	}{
		{"words", `root ::= "," (" joy" | " fear") "."`, ",", []string{" joy", " fear"}},
		{"words or digits", `root ::= "," (" joy" | " 9")`, ",", []string{" ", " joy"}},
		{"behind a lone space", `root ::= "," (" joy" | " 9")`, ", ", []string{"9"}},
		{"no space", `root ::= "," ("joy" | "yes")`, ",", []string{"j", "y", "ye", "yes"}},
		{"within a word", `root ::= ", joy" ("ful" | "ous" | " fear")`, ", joy", []string{"f", "ful", "o", " fear"}},
		{"two spaces", `root ::= ",  joy"`, ",", []string{" "}},
		{"the second", `root ::= ",  joy"`, ", ", []string{" joy"}},
		{"more than a word", `root ::= "," (" don't" | " joy")`, ",", []string{" don", " don't", " joy"}},
		{"beyond ASCII", `root ::= "," (" joyé" | " fear")`, ",", []string{" ", " j", " jo", " joy", " fear"}},
		{"no end of words", `root ::= "," " " [a-z]*`, ",", []string{" ", " j", " jo", " joy", " fe", " fear", " don"}},
		{"letters that are no range", `root ::= "," " jo" [ty] "."`, ",", []string{" jo", " joy"}},
		{"more words than can be looked at", `root ::= "," " " [a-z]{60}`, ",", []string{" ", " j", " jo", " joy", " fe", " fear", " don"}},
		{"in the middle of a token", `root ::= "," " "? "joy"`, ",", []string{" joy", "j"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g, err := grammar.Compile(tt.grammar)
			if err != nil {
				t.Fatal(err)
			}
			c, err := grammar.NewConstraint(g, vocab)
			if err != nil {
				t.Fatal(err)
			}
			matcher := c.NewMatcher()
			tokens := v.tokenize(tt.before)
			if tt.before == ", " {
				tokens = v.tokenize(",")
				tokens = append(tokens, v.tokenize(" ")...)
			}
			if err := matcher.AcceptBytes([]byte(tt.before)); err != nil {
				t.Fatal(err)
			}
			mask, err := matcher.Mask()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for id := range mask.All() {
				fits, err := s.fits(matcher, tokens, id)
				if err != nil {
					t.Fatal(err)
				}
				if fits {
					got = append(got, string(pieces[id]))
				}
			}
			slices.Sort(got)
			slices.Sort(tt.want)
			if !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
