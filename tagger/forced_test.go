package tagger

import (
	"slices"
	"strings"
	"testing"
)

// pieces splits what ids stand for.
func pieces(v *fakeVocab, ids []int32) string {
	var s []string
	for _, id := range ids {
		s = append(s, string(v.pieces[id]))
	}
	return strings.Join(s, "|")
}

func TestForce(t *testing.T) {
	for _, tt := range []struct {
		name, grammar string // stages, ; between
		vocab         string // longer pieces
		decoded       string // tokens, | between
		chosen        string // since
		want          string // tokens that are not decoded
	}{
		{"canonical", `root ::= "abcd" [x-z]`, "ab abc cd", "", "", "abc|d"},
		{"whole grammar", `root ::= "abcd"`, "ab abc cd", "", "", "abc|d"},
		{"nothing forced", `root ::= [a-z]+`, "ab", "", "", ""},
		{"end possible", `root ::= "a"?`, "", "", "", ""},

		{"given back", `root ::= "abc" ("d" | "e")`, "ab cd", "", "", "ab"},
		{"longer token not allowed", `root ::= "abc" ("d" | "e")`, "ab cx", "", "", "ab|c"},
		{"longer token allowed later only", `root ::= "abc" ("d" | "e")`, "ab xcd", "", "", "ab|c"},
		{"token that goes on beyond", `root ::= "ab" ("c" "d" | "e")`, "abcd", "", "", ""},
		{"all of it given back", `root ::= "ab" ("c" | "d")`, "ab abc", "", "", ""},
		{"two tokens given back", `root ::= "abc" ("d" | "e")`, "ab bcd", "", "", "ab|c"},
		{"two tokens, from a boundary", `root ::= "xabc" ("d" | "e")`, "xa bc abcd bcde bcd", "", "", "xa"},
		{"four tokens", `root ::= "wxyz" ("d" | "e")`, "wxyzd", "", "", ""},
		{"second of four", `root ::= "vwxyz" ("d" | "e")`, "wxyzd", "", "", "v"},
		{"end of the answer is no choice", `root ::= "ab"`, "ab abc", "", "", "ab"},

		{"in context", `root ::= "abcd" [x-z]`, "bc cd", "a", "", "bc|d"},
		{"context decides", `root ::= "aab" [x-z]`, "aa ab", "aa", "", "b"},
		{"decoded otherwise than the tokenizer would", `root ::= "abcd" [x-z]`, "abc cd", "a|b", "", ""},
		{"would merge with what is decoded", `root ::= "abcd" [x-z]`, "abc bcd", "a", "", ""},

		{"chosen token made anew", `root ::= ("a" | "b") "bcd" [x-z]`, "abc", "", "a", "abc|d"},
		{"chosen token as it is", `root ::= ("a" | "b") "bcd" [x-z]`, "bcd", "", "a", "a|bcd"},
		{"two chosen tokens made one", `root ::= ("a" | "b") "bc" [x-z]`, "abc", "", "a|b", "abc"},
		{"boundary behind what was chosen only", `root ::= ("a" | "b") ("b" | "c") "cd" [x-z]`, "abx cd ab", "a", "b", "b|cd"},
		{"boundary nowhere", `root ::= ("a" | "b") ("b" | "c") "cd" [x-z]`, "abc", "a", "b", "b"},
		{"given back to within what was chosen", `root ::= ("a" | "b") "c" ("d" | "e")`, "ac acd", "", "a", "a"},

		{"half a character", `root ::= "x" ("é" | "è")`, "", "", "", "x"},
		{"half a character of a token", `root ::= "x" ("é" | "è")`, "é", "", "", "x"},
		{"other half chosen", `root ::= ("é" | "è") "x" [y-z]`, "\xc3\xa9x", "", "\xc3|\xa9", "\xc3\xa9x"},

		{"into the next stage", `root ::= "ab";root ::= "cd" [x-z]`, "abc", "", "", "abc|d"},
		{"to a choice of the next stage", `root ::= "ab";root ::= "cd" ("x" | "y")`, "abc dx", "", "", "abc"},
		{"through a stage", `root ::= "ab";root ::= "cd";root ::= "ef" [x-z]`, "abcdef", "", "", "abcdef"},
		{"from a choice into the next stage", `root ::= "a" ("b" | "c");root ::= "cd" [x-z]`, "bcd", "a", "b", "bcd"},
		{"stage that ends with a choice", `root ::= "ab" ("c" | "d");root ::= "e" [x-z]`, "ab bcx", "", "", "ab"},
		{"end of the last stage", `root ::= "ab";root ::= "cd"`, "bc de", "", "", "a|bc|d"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := newFakeVocab(strings.Fields(tt.vocab)...)
			m := &fakeModel{t: t, vocab: v, context: 9}
			out, err := newOutput(planOf(t, v, strings.Split(tt.grammar, ";")...))
			if err != nil {
				t.Fatal(err)
			}
			a := &answering{decoder: newDecoder(t, m, ""), out: out}
			write := func(tokens string) {
				for _, p := range strings.FieldsFunc(tokens, func(r rune) bool { return r == '|' }) {
					if err := a.accept(v.ids[p]); err != nil {
						t.Fatal(err)
					}
				}
			}
			write(tt.decoded)
			a.decoded = len(a.Tokens)
			out.marked = len(out.text)
			write(tt.chosen)
			before, _ := out.forced()
			whole := string(out.text) + string(before)
			if err := a.force(); err != nil {
				t.Fatal(err)
			}
			if got := pieces(v, a.Tokens[a.decoded:]); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if got := string(v.bytes(a.Tokens)); got != string(out.text) {
				t.Errorf("tokens %q of the text %q", got, out.text)
			}
			if after, _ := out.forced(); string(out.text)+string(after) != whole {
				t.Errorf("%q is forced, then %q", whole, string(out.text)+string(after))
			}
		})
	}
}

// TestGiveBack: where a longer token spans the end of a forced run the model chooses it, or not.
func TestGiveBack(t *testing.T) {
	for favourite, want := range map[string]string{"bcd": "a|bcd", "b": "a|b|c", "bc": "a|bc", "c": "a|b|c"} {
		v := newFakeVocab("bc", "bcd")
		m := &fakeModel{t: t, vocab: v, context: 64, batch: 8}
		var fed []int32
		m.script = func(m *fakeModel, sequence []int32, logits []float32) {
			fed = slices.Clone(sequence[len("prefix?"):])
			logits[v.ids[favourite]] = 3
			logits['e'] = 2
			logits['b'] = max(logits['b'], 1)
		}
		got, _, err := newDecoder(t, m, "prefix").answer([]int32{'?'}, planOf(t, v, `root ::= "abc" ("d" | "e") ("y" | "z")`), 9)
		if err != nil || len(got.Text) != 5 {
			t.Errorf("%q: %q, %v", favourite, got.Text, err)
		}
		if fed := pieces(v, fed); !strings.HasPrefix(fed, want) || favourite == "bcd" && fed != want {
			t.Errorf("with %q the model saw %s, want %s", favourite, fed, want)
		}
	}
}

// TestForcedWithoutTokenizer: a run that cannot be split is left to the model, byte by byte if need be.
func TestForcedWithoutTokenizer(t *testing.T) {
	v := newFakeVocab()
	m := &fakeModel{t: t, vocab: v, context: 64, batch: 8, script: func(*fakeModel, []int32, []float32) {}}
	d := newDecoder(t, m, "prefix")
	d.splitter.model = tokenizerModel{m, func(string) ([]int32, error) { return []int32{'?'}, nil }}
	got, n, err := d.answer([]int32{'?'}, planOf(t, v, `root ::= "abc" ("d" | "e")`), 9)
	if err != nil || string(got.Text) != "abcd" || n != (Counts{Prompt: 1, Forced: 3, Sampled: 1}) || got.Forced != nil {
		t.Errorf("%q, %v, %v", got.Text, n, err)
	}
}
