package tagger

import (
	"errors"
	"strings"
	"testing"
)

// A tokenizerModel is a model with another tokenizer.
type tokenizerModel struct {
	*fakeModel
	tokenize func(string) ([]int32, error)
}

func (m tokenizerModel) Tokenize(text string) ([]int32, error) { return m.tokenize(text) }

func TestSplitter(t *testing.T) {
	v := newFakeVocab("ab", " a")
	plain := v.tokenize
	broken := errors.New("no tokenizer")
	for _, tt := range []struct {
		name     string
		tokenize func(string) ([]int32, error)
		text     string
		want     string
		begin    int
		err      error
	}{
		{"plain", func(s string) ([]int32, error) { return plain(s), nil }, "xabc", "x|ab|c", 0, nil},
		{"space in front", func(s string) ([]int32, error) { return plain(" " + s), nil }, "xabc", " |x|ab|c", -1, nil},
		{"space in front, merged", func(s string) ([]int32, error) { return plain(" " + s), nil }, "abc", " a|b|c", -1, nil},
		{"normalised", func(s string) ([]int32, error) { return plain(strings.ToUpper(s)), nil }, "xabc", "", 0, nil},
		{"cut short", func(s string) ([]int32, error) { return plain(s)[:1], nil }, "xabc", "", 0, nil},
		{"control token added", func(s string) ([]int32, error) { return append(plain(s), v.control(stop)), nil }, "xabc", "", 0, nil},
		{"unknown token", func(s string) ([]int32, error) { return []int32{-1}, nil }, "xabc", "", 0, nil},
		{"no tokens", func(string) ([]int32, error) { return nil, nil }, "xabc", "", 0, nil},
		{"no text", func(s string) ([]int32, error) { return plain(s), nil }, "", "", 0, nil},
		{"error", func(string) ([]int32, error) { return nil, broken }, "xabc", "", 0, broken},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &splitter{model: tokenizerModel{&fakeModel{t: t, vocab: v}, tt.tokenize}, pieces: v.pieces, kept: map[string][]int32{}}
			for range 2 { // the second time from what was kept
				got, err := s.tokens([]byte(tt.text), 0)
				var ids []int32
				at := tt.begin
				for _, p := range got {
					ids = append(ids, p.id)
					if p.begin != at {
						t.Errorf("a token at %d, want %d", p.begin, at)
					}
					at = p.end
				}
				if !errors.Is(err, tt.err) || pieces(v, ids) != tt.want || len(got) > 0 && at != len(tt.text) {
					t.Errorf("%s, %v; want %s, %v", pieces(v, ids), err, tt.want, tt.err)
				}
			}
		})
	}
}

// TestSplitterCuts: a text is cut where no token goes across, unless a tokenizer makes one.
func TestSplitterCuts(t *testing.T) {
	const text = `[["so\",low":[1,"x"]`
	cuts := ""
	for i := range text {
		if isCut([]byte(text), i) {
			cuts += text[i : i+1]
		}
	}
	if cuts != "sl1x" {
		t.Errorf("cuts before %s", cuts)
	}
	many := ""
	for b := 'a'; b <= 'z'; b++ {
		many += `,"` + string(b) + " "
	}
	for _, tt := range []struct {
		name, vocab string
		want        bool
		exceptions  int
	}{
		{"bytes", "", true, 0},
		{"never behind two marks: the longer token wins", `"s so ," :" [" {" "" ]" }"`, true, 0},
		{"across", `,"s`, true, 1},
		{"behind one mark", `"x1 [1`, true, 2},
		{"too many", many, false, maxExceptions + 1},
		{"none can be relied on", `":"a`, false, 0},
	} {
		v := newFakeVocab(strings.Fields(tt.vocab)...)
		s, err := newSplitter(&fakeModel{t: t, vocab: v}, v.pieces)
		if err != nil || s.cuts != tt.want || len(s.exceptions) != tt.exceptions {
			t.Errorf("%s: cuts %v but for %d, %v", tt.name, s.cuts, len(s.exceptions), err)
		}
		var want []int32
		want = append(want, v.tokenize(text)...)
		for from := range text {
			got, err := s.tokens([]byte(text), from)
			if err != nil || len(got) == 0 || got[0].begin > from {
				t.Fatalf("%s from %d: %v, %v", tt.name, from, got, err)
			}
			for i, p := range got {
				if id := want[len(want)-len(got)+i]; p.id != id {
					t.Errorf("%s from %d: %s, want %s", tt.name, from, v.pieces[p.id], v.pieces[id])
				}
			}
		}
	}
}
