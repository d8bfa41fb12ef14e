package grammar

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestShortest(t *testing.T) {
	v := testVocab(t)
	const json = `root ::= value
value ::= "{" (string ":" value ("," string ":" value)*)? "}" | "[" (value ("," value)*)? "]" | string | "null" | [0-9]+
string ::= "\"" [^"\\]{2,} "\""`
	tests := []struct{ src, text, want string }{
		{`root ::= "abc"`, "a", "bc"},
		{`root ::= "abc"?`, "", ""},
		{`root ::= "abc" | [^a]`, "", "b"},
		{`root ::= [^\r\n]+ "\n"`, "", "a\n"},
		{`root ::= [^a-z\r\n] "\n"`, "", "0\n"},
		{`root ::= [^!-~] "\n"`, "", " \n"},
		{`root ::= [\x00-\x0C]`, "", "\t"},
		{`root ::= [\x00-\x1Fé] | "x"`, "", "x"},
		{`root ::= "\x01" | "x" | "\x02"`, "", "x"},
		{`root ::= "abcd" | "x" "y" "z"`, "", "xyz"},
		{`root ::= [b-d]{40,90} "."`, "bcd", strings.Repeat("b", 37) + "."},
		{`root ::= ([b-d]{3} "-"){40,90} "."`, "bcd-b", "bb-" + strings.Repeat("bbb-", 38) + "."},
		{`root ::= "(" root ")" | "x"`, "((", "x))"},
		{`root ::= [é-ü] "x"`, "\xc3", "\xa9x"},
		{json, "", "0"},
		{json, `{"ab":[12,[`, "]]}"},
		{json, `{"a`, "a\":0}"},
	}
	for _, test := range tests {
		m := mustConstraint(t, test.src, v).NewMatcher()
		if err := m.AcceptBytes([]byte(test.text)); err != nil {
			t.Fatal(err)
		}
		got, ok, err := m.Shortest()
		if string(got) != test.want || !ok || err != nil {
			t.Errorf("%s after %q: %q, %v, %v; want %q", test.src, test.text, got, ok, err, test.want)
		}
	}
	for _, src := range []string{
		"root ::= \"a\" x\nx ::= \"b\" x",
		`root ::= "a" <think>`,
		`root ::= "a"{1000000000}`,
	} {
		if got, ok, err := mustConstraint(t, src, v).NewMatcher().Shortest(); ok || err != nil {
			t.Errorf("%s: %q, %v", src, got, err)
		}
	}
}

// From anywhere in a text the shortest end completes it, and no allowed byte leads to one
// that is shorter by more than itself.
func TestShortestIsShortest(t *testing.T) {
	v := testVocab(t)
	rng := rand.New(rand.NewPCG(3, 3))
	for _, test := range languageTests {
		m := mustConstraint(t, test.src, v).NewMatcher()
		for range 12 {
			end, ok, err := m.Shortest()
			if err != nil || !ok {
				t.Fatalf("%s after %q: %v, %v", test.name, m.text, ok, err)
			}
			if done := m.Clone(); done.AcceptBytes(end) != nil || !done.Done() {
				t.Errorf("%s after %q: %q does not complete it", test.name, m.text, end)
			}
			var bytes []byte
			for b := range 256 {
				next := m.Clone()
				if next.AcceptBytes([]byte{byte(b)}) != nil {
					continue
				}
				bytes = append(bytes, byte(b))
				if rest, _, _ := next.Shortest(); len(rest)+1 < len(end) {
					t.Errorf("%s after %q: %q is longer than %q", test.name, m.text, end, string(rune(b))+string(rest))
				}
			}
			if len(bytes) == 0 {
				break
			}
			if err := m.AcceptBytes([]byte{bytes[rng.IntN(len(bytes))]}); err != nil {
				t.Fatal(err)
			}
		}
	}
}
