package tagger

import (
	"errors"
	"fmt"
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
	const text = `[["so\",low":[1,"x"," y  zé w`
	places := func(isCut func([]byte, byte) bool) string {
		list := ""
		for i := 1; i < len(text); i++ {
			if isCut([]byte(text[:i]), text[i]) {
				list += fmt.Sprint(" ", i)
			}
		}
		return list
	}
	if got := places(behindMarks); got != " 3 8 14 17" {
		t.Errorf("cuts behind marks at%s", got)
	}
	if got := places(beforeSpace); got != " 21 23" {
		t.Errorf("cuts before spaces at%s", got)
	}
	many := ""
	for b := 'a'; b <= 'z'; b++ {
		many += `,"` + string(b) + "|" + string(b) + "_y|"
	}
	for _, tt := range []struct {
		name, vocab string // tokens parted by |, a space written _
		marks       int    // exceptions, -1: not relied on
		spaces      int
	}{
		{"bytes", "", 0, 0},
		{"never behind two marks: the longer token wins", `"s|so|,"|:"|["|{"|""|]"|}"`, 0, 0},
		{"across", `,"s`, 1, 0},
		{"behind one mark", `"x1|[1`, 2, 0},
		{"too many", many, -1, -1},
		{"none behind marks can be relied on", `":"a`, -1, 0},
		{"none before a space can be relied on", `x_y`, 0, -1},
		{"across a space", `,"_y|"_|c_d`, 0, 3},
		{"words", `_y|_z|__z|__`, 0, 0},
	} {
		v := newFakeVocab(strings.FieldsFunc(strings.ReplaceAll(tt.vocab, "_", " "), func(r rune) bool { return r == '|' })...)
		s, err := newSplitter(&fakeModel{t: t, vocab: v}, v.pieces)
		if err != nil {
			t.Fatal(err)
		}
		marks, spaces := -1, -1
		for _, c := range s.cuts {
			if c.isCut([]byte("a"), ' ') {
				spaces = len(c.exceptions)
			} else {
				marks = len(c.exceptions)
			}
		}
		if marks != tt.marks || spaces != tt.spaces {
			t.Errorf("%s: %d exceptions behind marks, %d before spaces; want %d, %d", tt.name, marks, spaces, tt.marks, tt.spaces)
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
