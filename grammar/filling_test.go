package grammar

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

const quoteFrame = `root ::= "[" (pair ("," pair)*)? "]" | "none"
pair ::= "(\"" quotes "\"," word ")"
word ::= [a-c]{1,3} | "né"
mark ::= "!" word "?"?
`

// mustFill compiles a frame and fills it.
func mustFill(t testing.TB, v *Vocab, src string, holes []string, fill func(f *Filling)) (*Filling, *Constraint) {
	t.Helper()
	frame, err := CompileFrame(src, holes...)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewConstraint(frame.Grammar(), v)
	if err != nil {
		t.Fatal(err)
	}
	f := frame.NewFilling()
	fill(f)
	filled, err := c.Fill(f)
	if err != nil {
		t.Fatal(err)
	}
	return f, filled
}

// checkFilled follows choices through a filled frame, and checks that it allows at each
// step what its own GBNF allows.
func checkFilled(t *testing.T, f *Filling, c *Constraint, choices []byte) {
	t.Helper()
	m, want := c.NewMatcher(), mustConstraint(t, f.String(), c.vocab).NewMatcher()
	for i := 0; ; i++ {
		allowed := checkMask(t, m)
		if mask, _ := want.Mask(); !slices.Equal(slices.Collect(mask.All()), allowed) || want.Done() != m.Done() {
			t.Fatalf("after %q: %v, by the GBNF %v\n%s", m.text, allowed, slices.Collect(mask.All()), f)
		}
		if got, want := string(m.Forced()), string(want.Forced()); got != want {
			t.Fatalf("after %q: forced %q, by the GBNF %q", m.text, got, want)
		}
		if i == len(choices) || len(allowed) == 0 {
			return
		}
		id := allowed[int(choices[i])%len(allowed)]
		if err := errors.Join(m.AcceptToken(id), want.AcceptToken(id)); err != nil {
			t.Fatal(err)
		}
	}
}

// randomFilling makes a graph of places.
func randomFilling(f *Filling, rng *rand.Rand) {
	places := []Place{End}
	pick := func() Place { return places[rng.IntN(len(places))] }
	words := []string{"a", "b", "ab", "né", "", "Now", "\"", "\\n", "日"}
	for range 2 + rng.IntN(12) {
		var p Place
		switch rng.IntN(4) {
		case 0:
			p = f.Rule([]string{"word", "mark"}[rng.IntN(2)], pick())
		case 1:
			p = f.Any(pick(), pick(), pick())
		default:
			p = f.Literal(words[rng.IntN(len(words))], pick())
		}
		places = append(places, p)
	}
	f.Hole("quotes", places[len(places)-1])
}

func TestFilling(t *testing.T) {
	v := testVocab(t)
	rng := rand.New(rand.NewPCG(4, 2))
	choices := make([]byte, 12)
	for range 60 {
		f, c := mustFill(t, v, quoteFrame, []string{"quotes"}, func(f *Filling) { randomFilling(f, rng) })
		for range 4 {
			for i := range choices {
				choices[i] = byte(rng.Uint32())
			}
			checkFilled(t, f, c, choices)
		}
	}
}

func FuzzFilling(f *testing.F) {
	v := testVocab(f)
	f.Add(uint64(1), []byte("\x01\x02\x03"))
	f.Add(uint64(7), []byte("\x00\x00\x00\x00\x00\x00\x00\x09"))
	f.Fuzz(func(t *testing.T, seed uint64, choices []byte) {
		filling, c := mustFill(t, v, quoteFrame, []string{"quotes"}, func(f *Filling) { randomFilling(f, rand.New(rand.NewPCG(seed, 1))) })
		checkFilled(t, filling, c, choices[:min(len(choices), 16)])
	})
}

// A constraint serves many fillings, and what one of them matches does not reach another.
func TestFillings(t *testing.T) {
	frame, err := CompileFrame("root ::= \"<\" a \"|\" b \">\"\nx ::= [0-9]+", "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewConstraint(frame.Grammar(), testVocab(t))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		f := frame.NewFilling()
		word := fmt.Sprint("w", i)
		f.Hole("a", f.Literal(word, End))
		f.Hole("b", f.Any(f.Rule("x", End), f.Literal(word, f.Rule("x", End))))
		filled, err := c.Fill(f)
		if err != nil {
			t.Fatal(err)
		}
		m := filled.NewMatcher()
		if got, want := string(m.Forced()), "<"+word+"|"; got != want {
			t.Errorf("forced %q, want %q", got, want)
		}
		if err := m.AcceptBytes([]byte("<" + word + "|" + word + "12>")); err != nil || !m.Done() {
			t.Errorf("%s: %v", word, err)
		}
		m.Reset()
		if err := m.AcceptBytes([]byte("<other")); err == nil {
			t.Error("another filling's word is allowed")
		}
		want := "root ::= \"<\" a \"|\" b \">\"\nx ::= [0-9]+\n" +
			fmt.Sprintf("a ::= \"%s\"\nb ::= x | \"%s\" x\n", word, word)
		if f.String() != want {
			t.Errorf("got %s\nwant %s", f, want)
		}
	}
	if err := c.NewMatcher().AcceptBytes([]byte("<x")); err == nil {
		t.Error("an open hole matches something")
	}
}

// Of readings that a Cover joins, the one made last is followed, and the number of
// configurations does not grow with that of the readings.
func TestCover(t *testing.T) {
	const n = 300
	build := func(call func(f *Filling, next Place) Place) *Constraint {
		_, c := mustFill(t, testVocab(t), "root ::= a \".\"\nmid ::= \"=\" [a-z]", []string{"a"}, func(f *Filling) {
			starts := make([]Place, 0, n)
			after := End
			for range n { // from the last word to the first
				starts = append(starts, f.Literal("w", call(f, after)))
				after = f.Any(append([]Place{after}, starts...)...)
			}
			f.Hole("a", f.Any(starts...))
		})
		return c
	}
	rules := build(func(f *Filling, next Place) Place { return f.Rule("mid", next) }).NewMatcher()
	covers := build(func(f *Filling, next Place) Place { return f.Cover("mid", next) }).NewMatcher()
	for range 3 {
		for _, m := range []*Matcher{rules, covers} {
			if err := m.AcceptBytes([]byte("w=")); err != nil {
				t.Fatal(err)
			}
		}
		if a, b := len(rules.state.configs), len(covers.state.configs); a < n-3 || b != 1 {
			t.Errorf("%d configurations, covered %d", a, b)
		}
		checkMask(t, covers)
		for _, m := range []*Matcher{rules, covers} {
			if err := m.AcceptBytes([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		a, _ := rules.Mask()
		b, _ := covers.Mask()
		if !slices.Equal(a, b) {
			t.Error("the masks differ")
		}
	}
}

func TestFrameError(t *testing.T) {
	tests := []struct {
		src  string
		code ErrorCode
	}{
		{"root ::= a\na ::= \"x\"", ErrHoleDefined},
		{"root ::= b", ErrUndefinedRule},
		{"root ::= a root | \"x\"", ErrLeftRecursion}, // the hole may match nothing
	}
	for _, test := range tests {
		_, err := CompileFrame(test.src, "a")
		var e *Error
		if !errors.As(err, &e) || e.Code != test.code {
			t.Errorf("%s: %v", test.src, err)
		}
	}

	frame, err := CompileFrame("root ::= \"x\" a\nopen ::= \"y\" a\nback ::= a \"w\"", "a")
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewConstraint(frame.Grammar(), testVocab(t))
	if err != nil {
		t.Fatal(err)
	}
	fills := []struct {
		fill func(f *Filling)
		code ErrorCode
	}{
		{func(f *Filling) {}, ErrHoleEmpty},
		{func(f *Filling) { f.Hole("a", f.Any()) }, ErrHoleEmpty},
		{func(f *Filling) { f.Hole("b", End) }, ErrUndefinedRule},
		{func(f *Filling) { f.Hole("a", f.Rule("none", End)) }, ErrUndefinedRule},
		{func(f *Filling) { f.Hole("a", f.Literal(strings.Repeat("x", maxProgram+1), End)) }, ErrProgramSize},
	}
	for i, test := range fills {
		f := frame.NewFilling()
		test.fill(f)
		_, err := c.Fill(f)
		var e *Error
		if !errors.As(err, &e) || e.Code != test.code {
			t.Errorf("filling %d: %v", i, err)
		}
	}
	around := frame.NewFilling()
	around.Hole("a", around.Rule("open", around.Literal("z", End)))
	filled, err := c.Fill(around)
	if err != nil {
		t.Fatal(err)
	}
	if m := filled.NewMatcher(); m.AcceptBytes([]byte("xyyy")) != nil || m.AcceptBytes([]byte("z")) == nil {
		t.Error("a rule with a hole in it, called from there, goes on without end")
	}
	around = frame.NewFilling()
	around.Hole("a", around.Rule("back", End))
	if e := matchError(t, filledStep(c, around)); e.Code != ErrStackDepth {
		t.Errorf("a rule that comes back at once: %v", e)
	}
	if _, err := mustConstraint(t, `root ::= "x"`, c.vocab).Fill(frame.NewFilling()); err == nil {
		t.Error("a filling of another frame is taken")
	}
}

// filledStep fills the frame of c and accepts an x.
func filledStep(c *Constraint, f *Filling) error {
	filled, err := c.Fill(f)
	if err != nil {
		return err
	}
	return filled.NewMatcher().AcceptBytes([]byte("x"))
}
