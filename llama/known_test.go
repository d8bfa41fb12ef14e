//go:build cgo

package llama

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/grammar"
)

// grammarFile is the text of a grammar of llama.cpp's tree.
func grammarFile(t testing.TB, name string) string {
	t.Helper()
	src, err := os.ReadFile(filepath.Join(tree(t, "grammars"), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(src)
}

// A tokenDifference is a token that only one side allows after some others.
type tokenDifference struct {
	reason string
	src    string
	after  []string // pieces
	token  string
	ours   bool // it is ours that allows it
}

// TestKnownTokenDifferences holds one position for each reason for which the allowed sets differ, and some that the walks do
// not come by: all must really differ.
func TestKnownTokenDifferences(t *testing.T) {
	v := llama3Vocabulary(t)
	const (
		unfinished = "llama.cpp has text finish the character whose start a token terminal took"
		surrogates = "llama.cpp allows the start of a surrogate where a class has some"
		unbounded  = "llama.cpp takes a bound above 2000 for none"
	)
	tests := []tokenDifference{
		{controlIsText, `root ::= "<|begin_of_text|>"`, nil, "<|begin_of_text|>", false},
		{controlIsText, `root ::= "<" [a-z|_]+ ">"`, nil, "<|begin_of_text|>", false},
		{zeroFirst, `root ::= [\x00-\x1F]`, nil, "\x00", true},
		{zeroFirst, `root ::= "a\x00"`, []string{"a"}, "\x00", true},
		{illFormed, `root ::= .`, nil, "\xf8", false},
		{illFormed, `root ::= .`, nil, "\xf5", false},
		{illFormed, `root ::= [^a]`, []string{"\xf4"}, "\x90", false}, // beyond U+10FFFF
		{illFormed, `root ::= .`, []string{"\xe0"}, "\x90", false},    // overlong
		{illFormed, `root ::= .`, []string{"\xed"}, "\xa0", false},    // a surrogate
		{endsWithin, `root ::= .*`, []string{" \xc3"}, "<|end_of_text|>", false},
		{negatedPartial, `root ::= [^é]`, nil, "\xc3", true},
		{negatedPartial, grammarFile(t, "list.gbnf"), []string{"-", " "}, "\xe2", true},
		{terminalWithin, `root ::= "a" !<[5]>`, nil, "ab", false},
		{terminalWithin, `root ::= "a" <[370]>`, nil, "ab", false},
		{terminalWithin, `root ::= [ a-z]+ !<[5]>`, nil, " t\xe1\xbb", false},
		{terminalPartial, `root ::= !<[5]>`, nil, "\xc3", true},
		{terminalPartial, `root ::= !<[5]>`, nil, "\xbb\xbf", true},
		{unfinished, `root ::= !<[5]> "b"`, []string{" \xc3"}, "b", true},
		{surrogates, `root ::= [\uD800-\uE000]`, nil, "\xed", false},
		{unbounded, `root ::= "a"{0,2001}`, slices.Repeat([]string{"a"}, 2001), "a", false},
	}
	for _, reason := range reasons {
		if !slices.ContainsFunc(tests, func(c tokenDifference) bool { return c.reason == reason }) {
			t.Errorf("no position shows that %s", reason)
		}
	}
	for _, test := range tests {
		p, err := newPair(t, v, test.src)
		if err != nil {
			t.Errorf("%s: %v", test.src, err)
			continue
		}
		for _, piece := range test.after {
			p.accept(t, v.id(t, piece))
		}
		id := v.id(t, test.token)
		mask, err := p.ours.Mask()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.theirs.Allowed(p.mask); err != nil {
			t.Fatal(err)
		}
		theirs := grammar.Mask(p.mask).Has(id)
		if mask.Has(id) != test.ours || theirs == test.ours {
			t.Errorf("%s: we allow %q: %v; llama.cpp: %v; it is not that %s", test.src, test.token, mask.Has(id), theirs, test.reason)
		}
	}
}

// id is the token with that piece or name.
func (v *vocabulary) id(t testing.TB, piece string) int32 {
	t.Helper()
	id, ok := v.ids[piece]
	if ok {
		return id
	}
	ids, err := v.model.Tokenize(piece, true)
	if err != nil || len(ids) != 1 {
		t.Fatalf("%q is not one token", piece)
	}
	return ids[0]
}

// TestKnownGrammarDifferences lists grammars that only one side takes.
func TestKnownGrammarDifferences(t *testing.T) {
	v := llama3Vocabulary(t)
	const (
		takes   = "llama.cpp takes it"
		refuses = "llama.cpp refuses it"
		hangs   = "llama.cpp does not return, or ends the process" // so it is not asked
	)
	tests := []struct{ reason, src, theirs string }{
		{"a rule that is only repeated zero times may be undefined", `root ::= "a" other{0}`, takes},
		{"so may root, and its place in memory is then read all the same", `a ::= "b" root{0}`, hangs},
		{"left recursion behind what is empty by way of a rule", "root ::= empty root \"a\" | \"b\"\nempty ::= blank\nblank ::= \" \"?", hangs},
		{"a repetition of what may be empty counts as left recursion", `root ::= ("a" | "")*`, refuses},
		{"a range that ends before it starts", `root ::= [z-a]`, takes},
		{"a class that matches nothing", `root ::= [^\x00-\U0010FFFF]`, takes},
		{"a bound below the least number", `root ::= "a"{2,1}`, hangs},
		{"an escape beyond U+10FFFF", `root ::= "\U00110000"`, takes},
		{"a surrogate in a literal", `root ::= "\uD800"`, takes},
		{"a grammar that is not UTF-8", "root ::= \"\x80\"", takes},
		{"a repetition of more than 2000 times", `root ::= "a"{2001}`, refuses},
		{"nested repetitions, which are multiplied", `root ::= ("a"{0,50} "b"){50}`, refuses},
		{"groups in a repetition, which count by their rules", `root ::= (("a" | "b") ("c" | "d") ("e" | "f")){700}`, refuses},
		{"a token that there is not", `root ::= <[128256]>`, takes},
		{"a token that ends the generation", `root ::= <|end_of_text|>`, takes},
		{"nesting", `root ::= ` + strings.Repeat("(", 1001) + `"a"` + strings.Repeat(")", 1001), takes},
	}
	for _, test := range tests {
		g, err := grammar.Compile(test.src)
		if err == nil {
			_, err = grammar.NewConstraint(g, v.Vocab)
		}
		if ours := err == nil; ours != (test.theirs == refuses) {
			t.Errorf("%s: %q: we take it: %v (%v)", test.reason, test.src, ours, err)
		}
		if test.theirs == hangs {
			continue
		}
		s, err := NewGrammarSampler(v.model, test.src)
		if err == nil {
			s.Close()
		}
		if theirs := err == nil; theirs != (test.theirs == takes) {
			t.Errorf("%s: %q: llama.cpp takes it: %v (%v)", test.reason, test.src, theirs, err)
		}
	}
}
