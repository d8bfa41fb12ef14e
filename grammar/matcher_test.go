package grammar

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func matchError(t *testing.T, err error) *MatchError {
	t.Helper()
	var e *MatchError
	if !errors.As(err, &e) {
		t.Fatalf("error %v is no *MatchError", err)
	}
	return e
}

func TestMatchError(t *testing.T) {
	v := testVocab(t)
	c := mustConstraint(t, "root ::= \"[\" item (\",\" item)* \"]\"\nitem ::= \"(\" word \")\" | \"1\"\nword ::= [a-z]+", v)
	m := c.NewMatcher()
	if err := m.AcceptBytes([]byte("[1,(ab")); err != nil {
		t.Fatal(err)
	}
	before := *m

	e := matchError(t, m.AcceptBytes([]byte("c1x")))
	want := &MatchError{ErrByteNotAllowed, `"1"`, 7, "[1,(abc", []string{"root > item > word", "root > item"}}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got %+v\nwant %+v", e, want)
	}
	const message = `grammar: byte not allowed: "1" at byte 7, after "[1,(abc", in root > item > word or root > item`
	if e.Error() != message {
		t.Errorf("got %s", e)
	}

	e = matchError(t, m.AcceptToken(6+'1'))
	want = &MatchError{ErrTokenNotAllowed, `55 ("1")`, 6, "[1,(ab", []string{"root > item > word", "root > item"}}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got %+v\nwant %+v", e, want)
	}
	if e := matchError(t, m.AcceptToken(1)); e.Code != ErrTokenNotAllowed {
		t.Errorf("end of generation: %v", e)
	}
	for _, id := range []int32{-1, int32(v.Len())} {
		if e := matchError(t, m.AcceptToken(id)); e.Code != ErrInvalidID {
			t.Errorf("token %d: %v", id, e)
		}
	}
	if !reflect.DeepEqual(*m, before) {
		t.Errorf("after errors %+v, before %+v", *m, before)
	}

	if err := m.AcceptBytes([]byte(")]")); err != nil {
		t.Fatal(err)
	}
	if err := m.AcceptToken(2); err != nil || !m.Done() || m.Forced() != nil {
		t.Errorf("end of generation: %v, done %v", err, m.Done())
	}
	for _, err := range []error{m.AcceptToken(2), m.AcceptToken(300), m.AcceptBytes([]byte("a")), func() error { _, err := m.Mask(); return err }()} {
		if e := matchError(t, err); e.Code != ErrEnded {
			t.Error(e)
		}
	}
}

func TestMatchErrorTail(t *testing.T) {
	c := mustConstraint(t, `root ::= [a-z]* "."`, testVocab(t))
	m := c.NewMatcher()
	text := strings.Repeat("abcdefghijklmnopqrstuvwxyz", 4)
	for i := range 8 {
		if err := m.AcceptBytes([]byte(text[13*i : 13*i+13])); err != nil {
			t.Fatal(err)
		}
	}
	e := matchError(t, m.AcceptBytes([]byte("abc-")))
	if want := (text + "abc")[len(text)+3-40:]; e.Tail != want || e.Offset != 107 {
		t.Errorf("tail %q at %d, want %q at 107", e.Tail, e.Offset, want)
	}
}

// A mask is empty if the vocabulary cannot write what the grammar wants.
func TestEmptyMask(t *testing.T) {
	v, err := NewVocab([][]byte{[]byte("a"), []byte("b"), nil}, VocabOptions{EOG: []int32{2}})
	if err != nil {
		t.Fatal(err)
	}
	m := mustConstraint(t, "root ::= \"a\" x\nx ::= \"c\"", v).NewMatcher()
	if err := m.AcceptToken(0); err != nil {
		t.Fatal(err)
	}
	_, err = m.Mask()
	const want = `grammar: no token of the vocabulary is allowed at byte 1, after "a", in x`
	if matchError(t, err).Code != ErrNoToken || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestCloneAndReset(t *testing.T) {
	c := mustConstraint(t, `root ::= ("a" | "b")+ "."`, testVocab(t))
	m := c.NewMatcher()
	if err := m.AcceptBytes([]byte("ab")); err != nil {
		t.Fatal(err)
	}
	clone := m.Clone()
	if err := m.AcceptBytes([]byte("a.")); err != nil {
		t.Fatal(err)
	}
	if err := clone.AcceptBytes([]byte("b")); err != nil || clone.Done() || !m.Done() {
		t.Errorf("clone: %v, done %v; original: done %v", err, clone.Done(), m.Done())
	}
	if got := matchError(t, clone.AcceptBytes([]byte("x"))).Tail; got != "abb" {
		t.Errorf("clone's tail %q", got)
	}
	if err := m.AcceptToken(1); err != nil {
		t.Fatal(err)
	}
	m.Reset()
	if m.Done() || m.AcceptBytes([]byte("b")) != nil {
		t.Error("reset")
	}
	if got := matchError(t, m.AcceptBytes([]byte("x"))); got.Tail != "b" || got.Offset != 1 {
		t.Errorf("after reset %v", got)
	}
}

// Right recursion takes no stack and no new states.
func TestRightRecursion(t *testing.T) {
	for _, src := range []string{
		`root ::= "ab" root | "."`,
		"root ::= \"a\" x\nx ::= \"b\" (y | \"\")\ny ::= root | \".\"",
		`root ::= ("a" ("b" root)? | ".")?`,
		`root ::= ("ab")* "."`,
	} {
		c := mustConstraint(t, src, testVocab(t))
		m := c.NewMatcher()
		for range 50_000 {
			if err := m.AcceptBytes([]byte("ab")); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.AcceptBytes([]byte(".")); err != nil || !m.Done() {
			t.Errorf("%s: %v, done %v", src, err, m.Done())
		}
		if a := c.automaton; len(a.frames) > 4 || len(a.states) > 10 {
			t.Errorf("%s: %d frames, %d states", src, len(a.frames), len(a.states))
		}
	}
}

func TestLimits(t *testing.T) {
	v := testVocab(t)
	accept := func(text string) func(*Matcher) error {
		return func(m *Matcher) error { return m.AcceptBytes([]byte(text)) }
	}
	mask := func(m *Matcher) error { _, err := m.Mask(); return err }

	var exponential strings.Builder // 2 to the 20th stacks
	for i := range 20 {
		fmt.Fprintf(&exponential, "r%d ::= r%d \"a\" | r%d \"b\"\n", i, i+1, i+1)
	}
	exponential.WriteString("r20 ::= \"c\"\n")
	words := "root ::= \"(\"+ (" + strings.Repeat(`[a-z]+ "x" | `, 15_000) + `"a")`

	tests := []struct {
		name, src string
		do        func(*Matcher) error
		code      MatchErrorCode
		rule      string
	}{
		{"depth", "root ::= nest\nnest ::= \"(\" nest \")\" | \"x\"", accept(strings.Repeat("(", 20_000)), ErrStackDepth, "nest"},
		{"readings", "root ::= \"(\" r0\n" + exponential.String(), accept("("), ErrConfigurations, ""},
		{"readings in a mask", "root ::= \"(\" r0\n" + exponential.String(), mask, ErrConfigurations, ""},
		{"work", words, func(m *Matcher) error {
			m.constraint.workLimit = 1000
			return mask(m)
		}, ErrMaskWork, "root"},
		{"many alternatives", words, mask, "", ""},
	}
	for _, test := range tests {
		m := mustConstraint(t, test.src, v).NewMatcher()
		err := test.do(m)
		if test.code == "" {
			if err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		e := matchError(t, err)
		if e.Code != test.code || !strings.HasPrefix(e.Text, "rule "+test.rule) || e.Offset != 0 {
			t.Errorf("%s: %+v", test.name, e)
		}
	}

	g, err := Compile("root ::= r0\n" + exponential.String())
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewConstraint(g, v)
	if e := matchError(t, err); e.Code != ErrConfigurations {
		t.Errorf("at the start: %v", e)
	}
}

func TestDeepNesting(t *testing.T) {
	c := mustConstraint(t, "root ::= \"(\" root \")\" | \"x\"", testVocab(t))
	c.automaton.limit = 2 << 20
	m := c.NewMatcher()
	const depth = 10_000
	text := strings.Repeat("(", depth) + "x" + strings.Repeat(")", depth)
	if err := m.AcceptBytes([]byte(text)); err != nil || !m.Done() {
		t.Errorf("%v, done %v", err, m.Done())
	}
}

func TestNewConstraintError(t *testing.T) {
	v := testVocab(t)
	bare, err := NewVocab([][]byte{[]byte("a")}, VocabOptions{})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		src  string
		v    *Vocab
		want Error
	}{
		{"root ::= x\nx ::= \"a\" <none> <[0]>", v, Error{ErrUnknownToken, 2, 11, "x", "<none>"}},
		{"root ::= !<[100000]>", v, Error{ErrUnknownToken, 1, 10, "root", "<[100000]>"}},
		{"root ::= <think>", bare, Error{ErrUnknownToken, 1, 10, "root", "<think>"}},
		{"root ::= \"a\" | </s>", v, Error{ErrEndOfGeneration, 1, 16, "root", "</s>"}},
	}
	for _, test := range tests {
		g, err := Compile(test.src)
		if err != nil {
			t.Fatal(err)
		}
		_, err = NewConstraint(g, test.v)
		var e *Error
		if !errors.As(err, &e) || *e != test.want {
			t.Errorf("%s: %v, want %v", test.src, err, &test.want)
		}
	}
}

// rollBack has some Matchers accept, roll back and be cloned as choices say, and checks
// that each ends where replaying its tokens ends.
func rollBack(t *testing.T, c *Constraint, choices []byte) {
	t.Helper()
	type follower struct {
		*Matcher
		ids []int32
	}
	all := []*follower{{Matcher: c.NewMatcher()}}
	for ; len(choices) >= 3; choices = choices[3:] {
		f, pick := all[int(choices[0])%len(all)], int(choices[2])
		switch choices[1] % 5 {
		case 0:
			n := pick % (len(f.ids) + 1)
			f.Rollback(n)
			f.ids = f.ids[:len(f.ids)-n]
		case 1:
			if len(all) < 6 {
				all = append(all, &follower{f.Clone(), slices.Clone(f.ids)})
			}
		default:
			if mask, err := f.Mask(); err == nil {
				ids := slices.Collect(mask.All())
				id := ids[pick%len(ids)]
				if err := f.AcceptToken(id); err != nil {
					t.Fatal(err)
				}
				f.ids = append(f.ids, id)
			}
		}
	}
	for _, f := range all {
		replay := c.NewMatcher()
		for _, id := range f.ids {
			if err := replay.AcceptToken(id); err != nil {
				t.Fatal(err)
			}
		}
		a, aErr := f.Mask()
		b, bErr := replay.Mask()
		if string(f.text) != string(replay.text) || f.Done() != replay.Done() || !slices.Equal(a, b) || (aErr == nil) != (bErr == nil) {
			t.Errorf("after %q, replayed %q", f.text, replay.text)
		}
	}
}

func TestRollback(t *testing.T) {
	v := testVocab(t)
	rng := rand.New(rand.NewPCG(8, 8))
	choices := make([]byte, 360)
	for _, test := range languageTests {
		for i := range choices {
			choices[i] = byte(rng.Uint32())
		}
		rollBack(t, mustConstraint(t, test.src, v), choices)
	}
}

func FuzzRollback(f *testing.F) {
	for i := range languageTests {
		f.Add(uint8(i), []byte("\x00\x02\x01\x00\x02\x01\x00\x01\x00\x00\x00\x01\x01\x02\x03\x00\x02\x05"))
	}
	v := testVocab(f)
	f.Fuzz(func(t *testing.T, grammar uint8, choices []byte) {
		rollBack(t, mustConstraint(t, languageTests[int(grammar)%len(languageTests)].src, v), choices[:min(len(choices), 600)])
	})
}

func TestLonger(t *testing.T) {
	v := testVocab(t)
	for _, test := range languageTests {
		m := mustConstraint(t, test.src, v).NewMatcher()
		for range 6 {
			mask, err := m.Mask()
			if err != nil {
				break
			}
			ids := slices.Collect(mask.All())
			for id := range int32(v.Len()) {
				piece := v.piece(id)
				if len(piece) == 0 {
					continue
				}
				want := m.state.tokens
				for _, other := range ids {
					want = want || !v.isEOG(other) && len(v.piece(other)) > len(piece) && strings.HasPrefix(string(v.piece(other)), string(piece))
				}
				if got, err := m.Longer(piece); err != nil || got != want {
					t.Errorf("%s after %q: longer than %q: %v, %v", test.name, m.text, piece, got, err)
				}
			}
			if v.isEOG(ids[len(ids)-1]) || m.AcceptToken(ids[len(ids)-1]) != nil {
				break
			}
		}
	}
}
