package agreement

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/go-json-experiment/json"
)

// sentencesOf cuts a record before some of its tokens, as tag --split sentence would have tagged it.
func sentencesOf(t *testing.T, line string, before ...int) string {
	t.Helper()
	var whole dataset.Record
	if err := json.Unmarshal([]byte(line), &whole); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	from := 0
	for k, to := range append(before, len(whole.Data.Tokens)) {
		r := &dataset.Record{SrcID: dataset.SentenceID(whole.SrcID, k), Prompt: whole.Prompt, Text: strings.Join(whole.Data.Tokens[from:to], "  ")}
		r.Data.Tokens, r.Data.Labels = whole.Data.Tokens[from:to], whole.Data.Labels[from:to]
		for _, s := range whole.Data.Spans {
			if from <= s.Start && s.End < to {
				s.Start, s.End, s.Attrs.SentenceIndex = s.Start-from, s.End-from, 0
				r.Data.Spans = append(r.Data.Spans, s)
				if name := strings.ToLower(s.Subtype); !slices.Contains(r.Predictions, name) {
					r.Predictions = append(r.Predictions, name)
				}
			}
		}
		if r.Predictions == nil {
			r.Predictions = []string{"neutral"}
		}
		out, err := r.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(out, '\n'))
		from = to
	}
	return b.String()
}

// TestJoinSentences: the annotation of a text's sentences is that of the text.
func TestJoinSentences(t *testing.T) {
	book := testBook(t)
	rng := rand.New(rand.NewPCG(3, 4))
	irregular := 0
	for range 300 {
		line := testRecord("t#1", 8, []string{"0-1 joy, 3-3 fear, 6-7 joy", "2-2 anger, 4-5 joy", "", "7-7 love"}[rng.IntN(4)])
		line = strings.Replace(line, `"valence":""`, `"valence":"pos","politeness":"x"`, 1)
		cuts := []int{}
		for _, at := range []int{2, 4, 6} {
			if rng.IntN(2) == 0 {
				cuts = append(cuts, at)
			}
		}
		if rng.IntN(3) == 0 {
			line = strings.Replace(line, `"B-EMO"`, `"I-EMO"`, 1)
		}
		if rng.IntN(3) == 0 {
			line = strings.Replace(line, `"predictions":[]`, `"predictions":["neutral"]`, 1)
		}
		// A span of a sentence is in that sentence of the text.
		for k, at := range append([]int{0}, cuts...) {
			var r dataset.Record
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			for i := range r.Data.Spans {
				if s := &r.Data.Spans[i]; s.Start >= at {
					s.Attrs.SentenceIndex = k
				}
			}
			out, _ := r.AppendJSON(nil)
			line = string(out)
		}
		want := new(Annotation)
		if err := NewReader(strings.NewReader(line), "whole", book, LevelEmotion).Next(want); err != nil {
			t.Fatal(err)
		}
		if want.irregular {
			irregular++
		}
		if want.Labels == 0 { // sentences without an emotion are neutral
			want.Labels, want.First = setOf(book.class(LevelEmotion, "neutral", false)), book.class(LevelEmotion, "neutral", false)
		}
		const other = `{"src_id":"other","text":"x","predictions":["joy"]}` + "\n"
		in := newSentenceReader(NewReader(strings.NewReader(other+sentencesOf(t, line, cuts...)+other), "cut", book, LevelEmotion))
		var ids []string
		for a := new(Annotation); ; {
			err := in.Next(a)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, a.ID)
			if a.ID != "t#1" {
				continue
			}
			got := *a
			got.Line = want.Line
			if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", *want) {
				t.Fatalf("cut before %v: %s\n got %+v\nwant %+v", cuts, line, got, *want)
			}
		}
		if !reflect.DeepEqual(ids, []string{"other", "t#1", "other"}) {
			t.Fatalf("texts %q", ids)
		}
	}
	if irregular < 20 {
		t.Errorf("%d irregular", irregular)
	}
}

// TestSentencesThatDoNotMatch: sentences are no texts unless they are joined, and a text that lacks one is another.
func TestSentencesThatDoNotMatch(t *testing.T) {
	whole := testRecord("a", 8, "0-1 joy, 5-5 fear")
	cut := sentencesOf(t, whole, 3, 4)
	ref, err := ReadReference(context.Background(), strings.NewReader(whole), "ref", testBook(t), "")
	if err != nil {
		t.Fatal(err)
	}
	compare := func(file string, join bool) (*Comparison, error) {
		return ref.Compare(context.Background(), strings.NewReader(file), "file", Options{JoinSentences: join})
	}
	if _, err := compare(cut, false); !errors.Is(err, ErrNoMatch) || !errors.Is(err, ErrSentences) {
		t.Errorf("not joined: %v", err)
	}
	if c, err := compare(cut, true); err != nil || c.Pairing.ByID != 1 || c.Spans.Default.F1.Value != 1 || c.Sentences {
		t.Errorf("joined: %+v, %v", c, err)
	}
	lines := strings.SplitAfter(cut, "\n")
	if _, err := compare(lines[0]+lines[2], true); !errors.Is(err, ErrNoMatch) || errors.Is(err, ErrSentences) {
		t.Errorf("one is missing: %v", err)
	}
	if _, err := compare(lines[0]+lines[1]+"x\n", true); err == nil || !strings.Contains(err.Error(), "file:3") {
		t.Errorf("a damaged line: %v", err)
	}
	if c, err := compare(whole+"\n"+cut, false); err != nil || c.Sentences || c.Pairing.Unmatched != 3 {
		t.Errorf("a text, then sentences: %+v, %v", c, err)
	}
}

func TestCutSentence(t *testing.T) {
	for id, want := range map[string]string{
		"a#0": "a 0 true", "a#0#12": "a#0 12 true", "#3": " 3 true", "a": " 0 false", "a#": "a 0 false", "a#x": "a 0 false", "a#01": "a 1 false", "a#-1": "a -1 false", "a#+1": "a 1 false",
	} {
		text, n, ok := cutSentence(id)
		if got := fmt.Sprint(text, " ", n, " ", ok); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
}
