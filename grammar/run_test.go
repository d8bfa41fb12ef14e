package grammar

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// randomRuns is a grammar of repeated character classes, in one another and beside.
func randomRuns(rng *rand.Rand) string {
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	class := func() string {
		return pick("[a-z]", "[a-zA-Z ]", `[^"\\\x00-\x1F]`, `[^"\\]`, "[^a]", "[^é]", "[^a-m日]", "[一-龯]", "[à-ÿa-z]", ".", "[a-mo-z,.]", "[^\\x00-\\x7F]", `([a-z] | [\u0800-\u0FFF\u1800-\u1FFF])`, "char", "word", `([a-m] | [n-z] | "é")`)
	}
	times := func() string {
		return pick("*", "+", "{0,3}", "{2,5}", "{4}", "{0,40}", "{3,70}", "{5,}", "{20,}", "{30}")
	}
	part := func() string {
		return pick(class()+times(), `"\"" `+class()+times()+` "\""`, fmt.Sprintf("(%s %s)%s", class(), class(), times()),
			fmt.Sprintf("(%s%s %s)%s", class(), times(), pick(`" "`, `","?`, `[ -]`), pick("*", "{0,4}", "{2,50}")), class(), "rest", "three", `"an"`)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "root ::= %s (%s | %s) %s\n", part(), part(), part(), pick(part(), `"."`, "root?"))
	b.WriteString("char ::= [^\"\\\\\\x00-\\x1F] | \"\\\\\" [nt\"]\nword ::= [a-z]{1,6} \"-\"?\nrest ::= char{0,9} \"=\" word*\nthree ::= [^-é]{3,}\n")
	return b.String()
}

// TestRandomRuns: masks are what the automaton accepts byte by byte that never made a mask, with all that masks are made of:
// runs, stretches and rounds that are counted without being walked through.
func TestRandomRuns(t *testing.T) {
	v := withTokens(t, syntheticVocab(t, 1500), "a\u1000", "e\u0900", "\u1800in", "erin-", "anan-é", "\u1000")
	seeds := uint64(150)
	if testing.Short() {
		seeds = 30
	}
	found := 0
	for seed := range seeds {
		rng := rand.New(rand.NewPCG(seed, 9))
		src := randomRuns(rng)
		g, err := Compile(src)
		if err != nil { // a loop over what may be empty
			continue
		}
		c, err := NewConstraint(g, v)
		if err != nil {
			t.Fatal(err)
		}
		c.fewNodes = []int{0, fewNodes}[seed%2]
		bytewise, err := NewConstraint(g, v)
		if err != nil {
			t.Fatal(err)
		}
		m, want := c.NewMatcher(), bytewise.NewMatcher()
		for range 6 {
			mask, _ := m.Mask()
			for id := range int32(v.Len()) {
				if got, want := mask.Has(id), want.Clone().AcceptToken(id) == nil; got != want {
					t.Fatalf("seed %d, %s after %q: token %q is in the mask: %v; accepted: %v", seed, src, m.text, v.piece(id), got, want)
				}
			}
			if mask == nil {
				break
			}
			if x, err := c.automaton.stretches(m.state, v, false, new(int)); err != nil {
				t.Fatal(err)
			} else if x != nil {
				found++
			}
			ids := slices.Collect(mask.All())
			id := ids[rng.IntN(len(ids))]
			if m.AcceptToken(id) != nil || want.AcceptToken(id) != nil {
				t.Fatal("a token of the mask is not accepted")
			}
			if m.ended {
				break
			}
		}
	}
	if found < int(seeds) {
		t.Errorf("%d stretches in %d grammars", found, seeds)
	}
}

// A hole may be filled with bytes that are no text.
func TestRunsBesideBytes(t *testing.T) {
	v := withTokens(t, syntheticVocab(t, 1500), "y\x80", "y\x80x", "z\xC3", "\x80", "\xC3an", "é")
	_, c := mustFill(t, v, "root ::= (char | a)* \".\"\nchar ::= [^.]", []string{"a"}, func(f *Filling) {
		f.Hole("a", f.Any(f.Literal("\x80x", End), f.Literal("\xC3", f.Literal("an", End))))
	})
	m := c.NewMatcher()
	for _, b := range []byte("ab\x80x") {
		checkMask(t, m)
		if err := m.AcceptBytes([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
}

// withTokens returns v with some tokens more.
func withTokens(t *testing.T, v *Vocab, tokens ...string) *Vocab {
	t.Helper()
	var pieces [][]byte
	for id := range int32(v.Len()) {
		pieces = append(pieces, v.piece(id))
	}
	for _, token := range tokens {
		pieces = append(pieces, []byte(token))
	}
	more, err := NewVocab(pieces, VocabOptions{EOG: v.eog})
	if err != nil {
		t.Fatal(err)
	}
	return more
}

// The mask before a counted string looks at a few of its states, not at one for each character that it may hold.
func TestCountedStates(t *testing.T) {
	v := withTokens(t, syntheticVocab(t, 8000), strings.Repeat(" ", 128), `":"`, `":"a`, `":"an`)
	const rules = "\nname ::= \"\\\"\" char{0,255} \"\\\"\"\nchar ::= [^\"\\\\] | \"\\\\\" [nt]"
	for _, text := range []string{`{"name`, `{"name":"`, `{"name":"a`} {
		m := mustConstraint(t, `root ::= "{\"name\":" name "}"`+rules, v).NewMatcher()
		if err := m.AcceptBytes([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Mask(); err != nil {
			t.Fatal(err)
		}
		if n := len(m.constraint.automaton.states); n > 100 {
			t.Errorf("the mask after %s made %d states", text, n)
		}
	}
}

func TestTokensWithin(t *testing.T) {
	v := syntheticVocab(t, 1500)
	set := func(ranges ...Range) (s charSet) {
		for b := range 256 {
			for _, r := range ranges {
				if isStart(byte(b)) && r.Lo <= rune(b) && rune(b) <= r.Hi {
					s.add(byte(b))
				}
			}
		}
		return s
	}
	lower, printable, leads := set(Range{'a', 'z'}), set(Range{' ', '~'}), set(Range{0xC2, 0xF4})
	all := printable
	all.join(leads)
	for _, test := range []struct{ first, rest charSet }{
		{lower, lower}, {printable, lower}, {lower, printable}, {all, all}, {leads, leads}, {set(Range{' ', ' '}), all}, {all, set()},
	} {
		for _, length := range []int{1, 2, 5, 31, 32, 40, endless} {
			got := v.tokensWithin(test.first, test.rest, length)
			for id := range int32(v.Len()) {
				if got.Has(id) != withinSlowly(v.piece(id), test.first, test.rest, length) {
					t.Errorf("%q within %v, %v, %d: %v", v.piece(id), test.first, test.rest, length, got.Has(id))
				}
			}
		}
	}
	for i := range 2 * maxWithin {
		v.tokensWithin(set(Range{rune(i), rune(i)}), lower, endless)
	}
	if n := len(v.chars.within); n != maxWithin || len(v.chars.oldest) != maxWithin {
		t.Errorf("%d masks are kept", n)
	}
}

// withinSlowly is what tokensWithin does for one token, character by character.
func withinSlowly(piece []byte, first, rest charSet, length int) bool {
	if len(piece) == 0 {
		return false
	}
	for chars := 0; len(piece) > 0; chars++ {
		r, n := utf8.DecodeRune(piece)
		if r == utf8.RuneError && n == 1 {
			if utf8.FullRune(piece) { // wrong, not cut off
				return false
			}
			n = len(piece)
		}
		if chars == length || chars == 0 && !first.has(piece[0]) || chars > 0 && !rest.has(piece[0]) {
			return false
		}
		piece = piece[n:]
	}
	return true
}

// Of the characters that begin with a byte a class holds all or not, as each of them tells.
func TestWholeLeads(t *testing.T) {
	for _, src := range []string{`[^a]`, `[^é]`, `.`, `[à-ÿ]`, `[\u0080-\u00BF]`, `[一-龯]`, `[^\uD7FF]`, `[\uE000-\U0010FFFF]`, `[^\U00010000]`, `[\u0800-\u0FFF]`, `[^\U0010FFFF]`} {
		e := mustParse(t, "root ::= "+src).Rules[0].Expr
		var some, lacks charSet
		for r := rune(0x80); r <= utf8.MaxRune; r++ {
			if !utf8.ValidRune(r) {
				continue
			}
			in := slices.ContainsFunc(e.codePoints(), func(x Range) bool { return x.Lo <= r && r <= x.Hi })
			if b := string(r)[0]; in {
				some.add(b)
			} else {
				lacks.add(b)
			}
		}
		if got, want := wholeLeads(e.codePoints()), some.without(lacks); got != want {
			t.Errorf("%s: %v, want %v", src, got, want)
		}
	}
}

func mustParse(t *testing.T, src string) *Syntax {
	t.Helper()
	s, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
