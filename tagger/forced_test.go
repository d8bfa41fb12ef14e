package tagger

import (
	"errors"
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

func TestForcedTokens(t *testing.T) {
	for _, tt := range []struct {
		name, grammar string
		vocab         string // longer pieces
		written       string // tokens, | between
		want          string
	}{
		{"canonical", `root ::= "abcd" [x-z]`, "ab abc cd", "", "abc|d"},
		{"whole grammar", `root ::= "abcd"`, "ab abc cd", "", "abc|d"},
		{"nothing forced", `root ::= [a-z]+`, "ab", "", ""},
		{"end possible", `root ::= "a"?`, "", "", ""},

		{"given back", `root ::= "abc" ("d" | "e")`, "ab cd", "", "ab"},
		{"longer token not allowed", `root ::= "abc" ("d" | "e")`, "ab cx", "", "ab|c"},
		{"longer token allowed later only", `root ::= "abc" ("d" | "e")`, "ab xcd", "", "ab|c"},
		{"token that goes on beyond", `root ::= "ab" ("c" "d" | "e")`, "abcd", "", ""},
		{"all of it given back", `root ::= "ab" ("c" | "d")`, "ab abc", "", ""},
		{"two tokens given back", `root ::= "abc" ("d" | "e")`, "ab bcd", "", "ab|c"},
		{"two tokens, from a boundary", `root ::= "xabc" ("d" | "e")`, "xa bc abcd bcde bcd", "", "xa"},
		{"four tokens", `root ::= "wxyz" ("d" | "e")`, "wxyzd", "", ""},
		{"second of four", `root ::= "vwxyz" ("d" | "e")`, "wxyzd", "", "v"},
		{"end of the answer is no choice", `root ::= "ab"`, "ab abc", "", "ab"},

		{"in context", `root ::= "abcd" [x-z]`, "bc cd", "a", "bc|d"},
		{"context decides", `root ::= "aab" [x-z]`, "aa ab", "aa", "b"},
		{"written otherwise than the tokenizer would", `root ::= "abcd" [x-z]`, "abc cd", "a|b", "cd"},
		{"would merge with what is written", `root ::= "abcd" [x-z]`, "abc bcd", "a", "bcd"},

		{"half a character", `root ::= "x" ("é" | "è")`, "", "", "x|\xc3"},
		{"half a character of a token", `root ::= "x" ("é" | "è")`, "é", "", "x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v := newFakeVocab(strings.Fields(tt.vocab)...)
			m := matcherOf(t, tt.grammar, v)
			var ids []int32
			for _, p := range strings.Split(tt.written, "|") {
				if p != "" {
					ids = append(ids, v.ids[p])
				}
			}
			for _, id := range ids {
				if err := m.AcceptToken(id); err != nil {
					t.Fatal(err)
				}
			}
			run := string(m.Forced())
			got, err := forcedTokens(&fakeModel{t: t, vocab: v}, m, v.bytes(ids))
			if err != nil || pieces(v, got) != tt.want {
				t.Errorf("%s, %v, want %s", pieces(v, got), err, tt.want)
			}
			if string(m.Forced()) != run {
				t.Error("the matcher has moved")
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
		got, _, err := newDecoder(t, m, "prefix").answer([]int32{'?'}, constraintOf(t, `root ::= "abc" ("d" | "e") ("y" | "z")`, v), 9)
		if err != nil || len(got) != 5 {
			t.Errorf("%q: %q, %v", favourite, got, err)
		}
		if fed := pieces(v, fed); !strings.HasPrefix(fed, want) || favourite == "bcd" && fed != want {
			t.Errorf("with %q the model saw %s, want %s", favourite, fed, want)
		}
	}
}

// A splitter is a model whose tokenizer fails or does not give text back as it is.
type splitter struct {
	*fakeModel
	tokenize func(string) ([]int32, error)
}

func (s splitter) Tokenize(text string) ([]int32, error) { return s.tokenize(text) }

func TestTokenizeAfter(t *testing.T) {
	v := newFakeVocab("ab", " a")
	plain := v.tokenize
	broken := errors.New("no tokenizer")
	for _, tt := range []struct {
		name     string
		tokenize func(string) ([]int32, error)
		want     string
		err      error
	}{
		{"plain", func(s string) ([]int32, error) { return plain(s), nil }, "ab|c", nil},
		{"space in front", func(s string) ([]int32, error) { return plain(" " + s), nil }, "ab|c", nil},
		{"space in front of a whole text only", func(s string) ([]int32, error) {
			if strings.HasPrefix(s, "x") {
				s = " " + s
			}
			return plain(s), nil
		}, "ab|c", nil},
		{"normalised", func(s string) ([]int32, error) { return plain(strings.ToUpper(s)), nil }, "", nil},
		{"cut short", func(s string) ([]int32, error) { return plain(s)[:1], nil }, "", nil},
		{"control token added", func(s string) ([]int32, error) { return append(plain(s), v.control(stop)), nil }, "", nil},
		{"no tokens", func(string) ([]int32, error) { return nil, nil }, "", nil},
		{"error", func(string) ([]int32, error) { return nil, broken }, "", broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := splitter{&fakeModel{t: t, vocab: v}, tt.tokenize}
			got, err := tokenizeAfter(m, []byte("x"), []byte("abc"))
			if !errors.Is(err, tt.err) || pieces(v, got) != tt.want {
				t.Errorf("%s, %v; want %s, %v", pieces(v, got), err, tt.want, tt.err)
			}
		})
	}
}

// TestForcedWithoutTokenizer: a run that cannot be split is left to the model, byte by byte if need be.
func TestForcedWithoutTokenizer(t *testing.T) {
	v := newFakeVocab()
	m := &fakeModel{t: t, vocab: v, context: 64, batch: 8, script: func(*fakeModel, []int32, []float32) {}}
	s := splitter{m, func(string) ([]int32, error) { return []int32{'?'}, nil }}
	d := newDecoder(t, m, "prefix")
	d.model = s
	got, n, err := d.answer([]int32{'?'}, constraintOf(t, `root ::= "abc" ("d" | "e")`, v), 9)
	if err != nil || string(got) != "abcd" || n != (Counts{Prompt: 1, Forced: 3, Sampled: 1}) {
		t.Errorf("%q, %v, %v", got, n, err)
	}
}
