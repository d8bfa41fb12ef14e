package grammar

import (
	"bytes"
	"slices"
	"sync"
	"testing"
)

// tokenGrammars have token terminals; testVocab has their tokens.
var tokenGrammars = []string{
	`root ::= <think> (!</think>)* </think> "a"+`,
	`root ::= <[3]> "a" | "<th" | !<[10]> !<[11]> | "ab" <[4]>? "c"`,
	`root ::= (x !<think>)* "é"` + "\nx ::= <[262]> | \"(\" x? \")\"",
	`root ::= !</s>{1,3}`,
}

func TestMaskType(t *testing.T) {
	m := newMask(130)
	for _, id := range []int32{0, 63, 64, 129} {
		m.set(id)
	}
	if got := slices.Collect(m.All()); !slices.Equal(got, []int32{0, 63, 64, 129}) || m.Count() != 4 {
		t.Errorf("All %v, Count %d", got, m.Count())
	}
	for id := range m.All() {
		if id == 64 {
			break
		}
	}
	if m.Has(-1) || m.Has(1) || m.Has(192) || !m.Has(129) {
		t.Error("Has")
	}
	m.fill(130)
	if m.Count() != 130 || m.Has(130) {
		t.Errorf("fill: %d ids", m.Count())
	}
}

// checkMask compares the mask with what a clone accepts, token by token, and the bytes that
// may come next with those that a clone accepts.
func checkMask(t *testing.T, m *Matcher) (allowed []int32) {
	t.Helper()
	v := m.constraint.vocab
	mask, err := m.Mask()
	if (err != nil) != (mask == nil) {
		t.Fatalf("mask %v, error %v", mask, err)
	}
	for id := range int32(v.Len()) {
		clone := m.Clone()
		got := clone.AcceptToken(id) == nil
		if mask.Has(id) != got {
			t.Errorf("after %q: token %d %q is in the mask: %v; accepted: %v", m.text, id, v.piece(id), mask.Has(id), got)
		}
		if v.isEOG(id) && got != (m.Done() && !m.ended) {
			t.Errorf("after %q: end of generation %d accepted: %v; done: %v", m.text, id, got, m.Done())
		}
		if !m.state.tokens && !m.ended && !v.isEOG(id) {
			byBytes := len(v.piece(id)) > 0 && m.Clone().AcceptBytes(v.piece(id)) == nil
			if got != byBytes {
				t.Errorf("after %q: token %d %q accepted: %v; its bytes: %v", m.text, id, v.piece(id), got, byBytes)
			}
		}
		if got {
			allowed = append(allowed, id)
		}
	}
	for b, got := range m.Next() {
		if want := m.Clone().AcceptBytes([]byte{byte(b)}) == nil; got != want {
			t.Errorf("after %q: byte %q may come next: %v; accepted: %v", m.text, []byte{byte(b)}, got, want)
		}
	}
	if !slices.Equal(slices.Collect(mask.All()), allowed) {
		t.Errorf("after %q: mask %v, accepted %v", m.text, slices.Collect(mask.All()), allowed)
	}
	return allowed
}

// follow follows choices through the grammar, checking at each step the mask, and that a
// constraint which forgets everything all the time gives the same.
func follow(t *testing.T, g *Grammar, v *Vocab, choices []byte) {
	t.Helper()
	c, err := NewConstraint(g, v)
	if err != nil {
		return
	}
	forgetful, err := NewConstraint(g, v)
	if err != nil {
		t.Fatal(err)
	}
	forgetful.automaton.limit = 0
	forgetful.fewNodes = 0
	m, f := c.NewMatcher(), forgetful.NewMatcher()
	for i := 0; ; i++ {
		allowed := checkMask(t, m)
		for range 2 { // the second from a state of an old generation
			mask, _ := f.Mask()
			if !slices.Equal(slices.Collect(mask.All()), allowed) || f.Done() != m.Done() {
				t.Fatalf("after %q: the forgetful constraint allows %v, not %v", m.text, slices.Collect(mask.All()), allowed)
			}
		}
		if i == len(choices) || len(allowed) == 0 {
			return
		}
		id := allowed[int(choices[i])%len(allowed)]
		if err := m.AcceptToken(id); err != nil {
			t.Fatal(err)
		}
		if err := f.AcceptToken(id); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMask(t *testing.T) {
	v := testVocab(t)
	srcs := slices.Clone(tokenGrammars)
	for _, test := range languageTests {
		srcs = append(srcs, test.src)
	}
	for _, src := range srcs {
		g, err := Compile(src)
		if err != nil {
			t.Fatal(err)
		}
		for _, choices := range []string{"\x00\x00\x00\x00", "\x01\x02\x03\x04\x05", "\xff\xfe\xfd\xfc\xfb", "\x10\x80\x33\x07\x61"} {
			follow(t, g, v, []byte(choices))
		}
	}
}

func FuzzMask(f *testing.F) {
	for i, src := range tokenGrammars {
		f.Add(src, uint8(i), []byte{0, 1, 2, 3})
	}
	for i, test := range languageTests {
		f.Add(test.src, uint8(i), []byte{3, 2, 1})
	}
	v := testVocab(f)
	f.Fuzz(func(t *testing.T, src string, pick uint8, choices []byte) {
		g, err := Compile(src)
		if err != nil || len(src) > 300 {
			g, err = Compile(languageTests[int(pick)%len(languageTests)].src)
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(g.insts) > 5000 {
			return
		}
		follow(t, g, v, choices[:min(len(choices), 8)])
	})
}

func TestTokenTerminals(t *testing.T) {
	v := testVocab(t)
	tests := []struct {
		src  string
		ids  []int32
		want verdict
	}{
		{`root ::= <think> "a"`, []int32{3, 6 + 'a'}, accepted},
		{`root ::= <think> "a"`, []int32{3}, unfinished},
		{`root ::= <think> "a"`, []int32{6 + 'a'}, rejected},
		{`root ::= <think> "a"`, []int32{6 + '<'}, rejected}, // not by its bytes
		{`root ::= "<think>"`, []int32{3}, accepted},         // it has text
		{`root ::= <[4]> "a"`, []int32{4, 6 + 'a'}, accepted},
		{`root ::= !<think>`, []int32{3}, rejected},
		{`root ::= !<think>`, []int32{4}, accepted}, // without text
		{`root ::= !<think>`, []int32{6 + 0xC3}, accepted},
		{`root ::= !<think>`, []int32{1}, rejected}, // ends the generation
		{`root ::= !<think>*`, []int32{1}, accepted},
		{`root ::= !<think>*`, []int32{0, 1, 0}, rejected}, // nothing after the end
		{`root ::= "a" <[264]>`, []int32{264}, rejected},   // "aa": half text, half terminal
		{`root ::= "a" <[264]>`, []int32{262, 264}, accepted},
		{`root ::= <[264]> "b" | "aa" "c"`, []int32{264, 6 + 'c'}, accepted}, // either reading
		{`root ::= <[264]> "b" | "aa" "c"`, []int32{264, 6 + 'b'}, accepted},
	}
	for _, test := range tests {
		m := mustConstraint(t, test.src, v).NewMatcher()
		var err error
		for _, id := range test.ids {
			checkMask(t, m)
			if err = m.AcceptToken(id); err != nil {
				break
			}
		}
		if got := verdictOf(m, err); got != test.want {
			t.Errorf("%s %v: %s, want %s (%v)", test.src, test.ids, got, test.want, err)
		}
	}
}

// FuzzForced checks that forced bytes are the only continuation, and that they go as far
// as that is so.
func FuzzForced(f *testing.F) {
	for _, src := range tokenGrammars {
		f.Add(src, []byte("a"))
	}
	for _, test := range languageTests {
		f.Add(test.src, []byte(append(test.unfinished, "")[0]))
	}
	f.Add(`root ::= "é" ("Stop it" | "Stop" " at") [é] [àá] | "b"`, []byte("é"))
	v := testVocab(f)
	f.Fuzz(func(t *testing.T, src string, text []byte) {
		g, err := Compile(src)
		if err != nil || len(src) > 300 || len(g.insts) > 5000 {
			return
		}
		c, err := NewConstraint(g, v)
		if err != nil {
			return
		}
		m := c.NewMatcher()
		for _, b := range text[:min(len(text), 20)] {
			if m.AcceptBytes([]byte{b}) != nil {
				break
			}
		}
		run := m.Forced()
		if len(run) > maxForced {
			t.Fatalf("%d bytes", len(run))
		}
		for i := 0; ; i++ {
			var next []byte
			for b := range 256 {
				if m.Clone().AcceptBytes([]byte{byte(b)}) == nil {
					next = append(next, byte(b))
				}
			}
			only := len(next) == 1 && !m.Done() && !m.state.tokens
			if i == len(run) {
				if only && i < maxForced {
					t.Errorf("%q stops before %q", run, next)
				}
				return
			}
			if !only || next[0] != run[i] {
				t.Fatalf("%q: at %d %q may follow; done %v, token terminals %v", run, i, next, m.Done(), m.state.tokens)
			}
			if err := m.AcceptBytes(next); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestNext(t *testing.T) {
	v := testVocab(t)
	for _, test := range []struct{ src, text, want string }{
		{`root ::= [ace]`, "", "ace"},
		{`root ::= [ace]`, "c", ""},
		{`root ::= [a-cx] | "y" | [^\x00-\x7F]`, "a", ""},
		{`root ::= ([a-cx] | "y" | "q" [é])*`, "yq", "\xc3"},
		{`root ::= ([a-cx] | "y")*`, "yb", "abcxy"},
		{`root ::= "\"" char* "\""` + "\nchar ::= [nt] | \"\\\\\" [nt]", `"`, `"\nt`},
		{`root ::= <think> "a" | "b"`, "", "b"},
	} {
		m := mustConstraint(t, test.src, v).NewMatcher()
		if err := m.AcceptBytes([]byte(test.text)); err != nil {
			t.Fatal(err)
		}
		var got []byte
		for b, allowed := range m.Next() {
			if allowed {
				got = append(got, byte(b))
			}
		}
		if string(got) != test.want {
			t.Errorf("%s after %q: %q, want %q", test.src, test.text, got, test.want)
		}
	}

	frame, err := CompileFrame(`root ::= "x" a | [yz]`, "a")
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewConstraint(frame.Grammar(), v)
	if err != nil {
		t.Fatal(err)
	}
	if next := c.NewMatcher().Next(); next['x'] || !next['y'] {
		t.Errorf("a hole that is not filled: x %v, y %v", next['x'], next['y'])
	}
	m := mustConstraint(t, `root ::= [ace]`, v).NewMatcher()
	if m.AcceptToken(6+'a') != nil || m.AcceptToken(1) != nil || m.Next()['a'] {
		t.Error("a byte may come after the end")
	}
}

func TestForced(t *testing.T) {
	v := testVocab(t)
	tests := []struct{ src, text, want string }{
		{`root ::= "abc"`, "", "abc"},
		{`root ::= "abc"`, "ab", "c"},
		{`root ::= "abc"`, "abc", ""},
		{`root ::= "a" "b"? "c"`, "", "a"},
		{`root ::= "ab" | "abcd"`, "", "ab"}, // complete there
		{`root ::= "ab" | "abcd"`, "abc", "d"},
		{`root ::= "xay" | "xaz" | w` + "\nw ::= \"xa\" [yz]", "", "xa"},
		{`root ::= "a" <think> "b"`, "", "a"},
		{`root ::= "[" [àá]`, "", "[\xc3"}, // inside a character
		{`root ::= "a" root`, "", string(bytes.Repeat([]byte("a"), maxForced))},
	}
	for _, test := range tests {
		m := mustConstraint(t, test.src, v).NewMatcher()
		if err := m.AcceptBytes([]byte(test.text)); err != nil {
			t.Fatal(err)
		}
		if got := string(m.Forced()); got != test.want {
			t.Errorf("%s after %q: %q, want %q", test.src, test.text, got, test.want)
		}
	}
}

// Whole subtrees of the trie are taken where a state goes on in the same way; a vocabulary
// with many long tokens shows whether they are taken too often.
func TestMaskOfRuns(t *testing.T) {
	v := withTokens(t, syntheticVocab(t, 8000), "a\u1000", "\u0900", "\u1800in", "\u1000")
	const char = "\nchar ::= [^\"\\\\] | \"\\\\\" [nt]"
	for _, test := range []struct{ src, text string }{
		{`root ::= [a-z]*`, ""},
		{`root ::= [\x00-\x7F]*`, ""},
		{`root ::= "é" [\x00-\x7F]{3,9} "é"`, "\xc3"},
		{`root ::= ([a-z] [a-z])* "."`, "a"},
		{`root ::= [a-f]{0,3} [a-z]{2,30} "."`, ""},
		{`root ::= "(" [a-z ]{4,9} ")"`, "(abc"},
		{`root ::= word (" " word)*` + "\nword ::= [a-zA-Z]{1,5}", "ab"},
		{"root ::= \"[\" string{2} \"]\"\nstring ::= \"'\" char* \"'\"" + char, "['a"},
		{"root ::= \"[\" string{2} \"]\"\nstring ::= \"'\" char{3,12} \"'\"" + char, "['a"},
		{"root ::= \"[\" string{2} \"]\"\nstring ::= \"'\" char{3,12} \"'\"" + char, "['abcdefgh"},
		{`root ::= ([a-z] | [\u0800-\u0FFF\u1800-\u1FFF])* "."`, ""},
		{`root ::= w ")"` + "\nw ::= \"S\" [a-z]{3,}", ""},
		{`root ::= "(" w ")" w "=" w "=" w` + "\nw ::= [a-z]{3,}", "("},
		{`root ::= "é(" w ")" w "=" w "=" w` + "\nw ::= [a-z]{3,90}", "\xc3"},
		{"root ::= string{2}\nstring ::= \"'\" char{0,1000} \"'\"" + char, "'a"},
	} {
		for _, few := range []int{fewNodes, 0} {
			c := mustConstraint(t, test.src, v)
			c.fewNodes = few
			m := c.NewMatcher()
			if err := m.AcceptBytes([]byte(test.text)); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				allowed := checkMask(t, m)
				if err := m.AcceptToken(allowed[len(allowed)/2]); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func TestMaskCacheBound(t *testing.T) {
	c := mustConstraint(t, `root ::= "a"{100}`, testVocab(t))
	c.automaton.masks.limit = 10
	m := c.NewMatcher()
	for range 100 {
		checkMask(t, m)
		if err := m.AcceptBytes([]byte("a")); err != nil {
			t.Fatal(err)
		}
	}
	held := 0
	for _, s := range c.automaton.states {
		if s.mask.Load() != nil {
			held++
		}
		if s.local.Load() != nil {
			held++
		}
	}
	if held < 5 || held > 10 {
		t.Errorf("%d masks are kept", held)
	}
}

// Goroutines share a constraint that starts a new generation every now and then.
func TestConcurrent(t *testing.T) {
	v := testVocab(t)
	const text = `[["anger","Stop it"],["joy","Now"]]`
	c := mustConstraint(t, languageTests[len(languageTests)-1].src, v)
	c.automaton.limit = 20_000
	c.automaton.masks.limit = 16
	fresh := mustConstraint(t, languageTests[len(languageTests)-1].src, v).NewMatcher()
	var want []Mask
	for i := range len(text) {
		mask, err := fresh.Mask()
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, mask)
		if err := fresh.AcceptBytes([]byte(text[i : i+1])); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			m := c.NewMatcher()
			for range 20 {
				m.Reset()
				for i := range len(text) {
					mask, err := m.Mask()
					if err != nil || !slices.Equal(mask, want[i]) {
						t.Errorf("mask after %q differs: %v", text[:i], err)
						return
					}
					if err := m.AcceptBytes([]byte(text[i : i+1])); err != nil {
						t.Error(err)
						return
					}
				}
				if !m.Done() {
					t.Error("not done")
				}
			}
		})
	}
	wg.Wait()
	if c.automaton.generation.Load() == 0 {
		t.Error("no new generation has begun")
	}
}
