package agreement

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// testRecord makes a record of the words a, b, c… from spans like "0-2 joy, 4-4 fear".
func testRecord(id string, words int, spans string) string {
	r := &dataset.Record{SrcID: id, Prompt: "level_2", Predictions: []string{}}
	for i := range words {
		r.Data.Tokens, r.Data.Labels = append(r.Data.Tokens, string(rune('a'+i))), append(r.Data.Labels, "O")
	}
	r.Text = strings.Join(r.Data.Tokens, " ")
	for part := range strings.SplitSeq(spans, ", ") {
		var s dataset.Span
		var emotion string
		if n, _ := fmt.Sscanf(part, "%d-%d %s", &s.Start, &s.End, &emotion); n != 3 {
			continue
		}
		s.Type, s.Subtype = "EMO", dataset.Default().Subtype(emotion)
		for i := s.Start; i <= s.End; i++ {
			r.Data.Labels[i] = "I-EMO"
		}
		r.Data.Labels[s.Start] = "B-EMO"
		r.Data.Spans = append(r.Data.Spans, s)
		r.Predictions = append(r.Predictions, emotion)
	}
	line, err := r.AppendJSON(nil)
	if err != nil {
		panic(err)
	}
	return string(line)
}

// testOffsets makes a line of character offsets over the same words: "0-2 joy" is again the first three of them.
func testOffsets(id string, words int, spans string) string {
	var text, list []string
	for i := range words {
		text = append(text, string(rune('a'+i)))
	}
	for part := range strings.SplitSeq(spans, ", ") {
		var start, end int
		var label string
		if n, _ := fmt.Sscanf(part, "%d-%d %s", &start, &end, &label); n == 3 {
			list = append(list, fmt.Sprintf(`{"kind":"emotion","label":%q,"start":%d,"end":%d}`, label, 2*start, 2*end+1))
		}
	}
	return fmt.Sprintf(`{"src_id":%q,"text":%q,"spans":[%s]}`, id, strings.Join(text, " "), strings.Join(list, ","))
}

func testCompare(t *testing.T, reference, file string, o Options) *Comparison {
	t.Helper()
	ref, err := ReadReference(context.Background(), strings.NewReader(reference), "ref", testBook(t), "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ref.Compare(context.Background(), strings.NewReader(file), "file", o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func misaligned(s *SpanScores) string {
	var list []string
	for _, m := range s.Misalignment {
		if m.Spans > 0 {
			list = append(list, fmt.Sprintf("%s %d", m.Class, m.Spans))
		}
	}
	return strings.Join(list, ", ")
}

func prfText(s PRF) string {
	return fmt.Sprintf("%.3f %.3f %.3f", float64(s.Precision.Value), float64(s.Recall.Value), float64(s.F1.Value))
}

func TestSpans(t *testing.T) {
	for _, test := range []struct {
		reference, predicted                                        string
		misaligned, seqeval, emotion, overlap, proportional, tokens string
	}{
		{"1-3 joy", "1-3 joy", "exact 1", "1.000 1.000 1.000", "1.000 1.000 1.000", "1.000 1.000 1.000", "1.000 1.000 1.000", "1.000 1.000 1.000"},
		{"1-3 joy", "1-3 fear", "wrong_emotion 1", "1.000 1.000 1.000", "0.000 0.000 0.000", "1.000 1.000 1.000", "1.000 1.000 1.000", "1.000 1.000 1.000"},
		{"1-4 joy", "2-3 joy", "boundary_short 1", "0.000 0.000 0.000", "0.000 0.000 0.000", "1.000 1.000 1.000", "1.000 0.500 0.667", "1.000 0.500 0.667"},
		{"1-4 joy", "1-3 joy", "boundary_short 1", "0.000 0.000 0.000", "0.000 0.000 0.000", "1.000 1.000 1.000", "1.000 0.750 0.857", "1.000 0.750 0.857"},
		{"2-3 joy", "2-5 joy", "boundary_long 1", "0.000 0.000 0.000", "0.000 0.000 0.000", "1.000 1.000 1.000", "0.500 1.000 0.667", "0.500 1.000 0.667"},
		{"1-3 joy", "2-5 joy", "boundary_shifted 1", "0.000 0.000 0.000", "0.000 0.000 0.000", "1.000 1.000 1.000", "0.500 0.667 0.571", "0.500 0.667 0.571"},
		{"1-3 joy", "2-5 fear", "boundary_and_emotion 1", "0.000 0.000 0.000", "0.000 0.000 0.000", "1.000 1.000 1.000", "0.500 0.667 0.571", "0.500 0.667 0.571"},
		{"1-1 joy", "3-3 joy", "spurious 1, missed 1", "0.000 0.000 0.000", "0.000 0.000 0.000", "0.000 0.000 0.000", "0.000 0.000 0.000", "0.000 0.000 0.000"},
		// One predicted span over two: it belongs to that with the longer overlap.
		{"0-0 joy, 2-4 fear", "0-4 fear", "boundary_long 1, missed 1", "0.000 0.000 0.000", "0.000 0.000 0.000", "1.000 1.000 1.000", "0.800 1.000 0.889", "0.800 1.000 0.889"},
		// Two over one: the longer belongs to it, the other is spurious.
		{"0-5 joy", "0-1 joy, 3-5 joy", "boundary_short 1, spurious 1", "0.000 0.000 0.000", "0.000 0.000 0.000", "1.000 1.000 1.000", "1.000 0.833 0.909", "1.000 0.833 0.909"},
		// Of overlaps as long the right emotion comes first.
		{"0-1 joy, 2-3 fear", "1-2 fear", "boundary_shifted 1, missed 1", "0.000 0.000 0.000", "0.000 0.000 0.000", "1.000 1.000 1.000", "1.000 0.500 0.667", "1.000 0.500 0.667"},
	} {
		// A second text, so that there are always spans on both sides.
		c := testCompare(t, testRecord("a", 8, test.reference), testRecord("a", 8, test.predicted), Options{})
		s := c.Spans
		for _, f := range []struct{ name, got, want string }{
			{"misaligned", misaligned(s), test.misaligned}, {"seqeval", prfText(s.Default), test.seqeval}, {"strict", prfText(s.Strict), test.seqeval},
			{"emotion", prfText(s.Emotion.Micro), test.emotion}, {"overlap", prfText(s.Overlap), test.overlap},
			{"proportional", prfText(s.Proportional), test.proportional}, {"tokens", prfText(s.Tokens), test.tokens},
		} {
			if f.got != f.want {
				t.Errorf("%s against %s: %s %s, want %s", test.predicted, test.reference, f.name, f.got, f.want)
			}
		}
	}
}

// TestOffsets has what REMAN has: spans over each other, labels that are no Ekman class, places in characters.
func TestOffsets(t *testing.T) {
	for _, test := range []struct {
		reference, predicted, misaligned, emotion, tokens string
		unscored                                          int
		labels                                            string
	}{
		// Merged into one for the tokens, two entities for the emotions.
		{"0-4 joy, 2-3 anger", "0-4 gratitude", "exact 1", "1.000 0.500 0.667", "1.000 1.000 1.000", 0, "1.000 0.500 0.667"},
		{"0-2 joy, 1-4 joy", "0-4 love", "exact 1", "1.000 1.000 1.000", "1.000 1.000 1.000", 0, "1.000 1.000 1.000"},
		// What names no Ekman class makes no emotion wrong.
		{"0-1 trust, 4-4 fear", "0-1 joy, 4-4 nervousness", "exact 2", "1.000 1.000 1.000", "1.000 1.000 1.000", 0, "0.500 1.000 0.667"},
		{"0-1 trust", "0-1 joy, 3-3 fear", "exact 1, spurious 1", "0.000 0.000 0.000", "0.667 1.000 0.800", 1, ""},
	} {
		c := testCompare(t, testOffsets("a", 6, test.reference), testRecord("a", 6, test.predicted), Options{})
		s := c.Spans
		labels := ""
		if len(c.Labels) > 0 {
			labels = prfText(c.Labels[0].Micro)
		}
		for _, f := range []struct{ name, got, want string }{
			{"misaligned", misaligned(s), test.misaligned}, {"emotion", prfText(s.Emotion.Micro), test.emotion},
			{"tokens", prfText(s.Tokens), test.tokens}, {"unscored", fmt.Sprint(c.Unscored), fmt.Sprint(test.unscored)}, {"labels", labels, test.labels},
		} {
			if f.got != f.want {
				t.Errorf("%s against %s: %s %s, want %s", test.predicted, test.reference, f.name, f.got, f.want)
			}
		}
	}
}

// TestOtherTokens lays spans over tokens that are cut another way.
func TestOtherTokens(t *testing.T) {
	line := func(tokens, spans string) string {
		return `{"src_id":"a","prompt":"level_2","predictions":["joy"],"text":"can't wait","data":{"tokens":` + tokens + `,"spans":` + spans + `}}`
	}
	reference := line(`["ca","n't","wait"]`, `[{"type":"EMO","subtype":"Joy","start":1,"end":2}]`)
	for _, test := range []struct{ file, want string }{
		{line(`["can't","wait"]`, `[{"type":"EMO","subtype":"Joy","start":0,"end":1}]`), "exact 1"},
		{line(`["can't wait"]`, `[{"type":"EMO","subtype":"Joy","start":0,"end":0}]`), "exact 1"},
		{line(`["can","'t","wait"]`, `[{"type":"EMO","subtype":"Joy","start":1,"end":2}]`), "boundary_short 1"},
	} {
		if got := misaligned(testCompare(t, reference, test.file, Options{}).Spans); got != test.want {
			t.Errorf("%s: %s, want %s", test.file, got, test.want)
		}
	}
}

// TestSpanSums holds the counts of random spans against each other and against plain loops over tokens.
func TestSpanSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const words = 20
	random := func() (string, []bool) {
		inside := make([]bool, words)
		var list []string
		for start := rng.IntN(4); start < words; start += 1 + rng.IntN(4) {
			end := min(start+rng.IntN(4), words-1)
			list = append(list, fmt.Sprintf("%d-%d %s", start, end, []string{"joy", "fear", "anger"}[rng.IntN(3)]))
			for ; start < end; start++ {
				inside[start] = true
			}
			inside[end] = true
		}
		return strings.Join(list, ", "), inside
	}
	var reference, file strings.Builder
	var both, left, right int
	for i := range 500 {
		r, a := random()
		p, b := random()
		fmt.Fprintln(&reference, testRecord(fmt.Sprint(i), words, r))
		fmt.Fprintln(&file, testRecord(fmt.Sprint(i), words, p))
		for i := range words {
			both, left, right = both+count(a[i] && b[i]), left+count(a[i]), right+count(b[i])
		}
	}
	s := testCompare(t, reference.String(), file.String(), Options{}).Spans
	n := map[string]int{}
	sum := 0
	for _, m := range s.Misalignment {
		n[m.Class] = m.Spans
		sum += m.Spans
	}
	if sum-n["missed"] != s.Predicted || sum-n["spurious"] != s.Reference {
		t.Errorf("%d predicted, %d of the reference: %v", s.Predicted, s.Reference, n)
	}
	for class, spans := range n {
		if spans == 0 {
			t.Errorf("no span is %s", class)
		}
	}
	if got, want := prfText(s.Tokens), prfText(counts{both, left, right}.prf()); got != want {
		t.Errorf("tokens %s, want %s", got, want)
	}
	if exact := float64(n["exact"]+n["wrong_emotion"]) / float64(s.Predicted); !near(float64(s.Default.Precision.Value), exact, 1e-12) {
		t.Errorf("precision %v, but equal runs are %v", s.Default.Precision.Value, exact)
	}
	if exact := float64(n["exact"]) / float64(s.Predicted); !near(float64(s.Emotion.Micro.Precision.Value), exact, 1e-12) {
		t.Errorf("precision with the emotion %v, but exact spans are %v", s.Emotion.Micro.Precision.Value, exact)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

const noneAlike = "no matched record was looked through for spans on both sides over the same text (the prompt simple asks for none)"

// TestOtherText compares the labels of texts that only their ids say are the same, not the spans.
func TestOtherText(t *testing.T) {
	c := testCompare(t, testRecord("a", 5, "1-2 joy"), testRecord("a", 6, "1-2 joy"), Options{By: ByID})
	if c.Spans != nil || c.SpansWhy != noneAlike || c.Labels[0].Accuracy.Value != 1 {
		t.Errorf("%+v", c)
	}
}

func TestNoSpans(t *testing.T) {
	spans := testRecord("a", 5, "1-2 joy")
	for _, test := range []struct{ reference, file, want string }{
		{"a b c d e\t17\ta", spans, "the reference has none: its format is goemotions"},
		{`{"src_id":"a","labels":["joy"]}`, spans, "the reference has none: its format is labels"},
		{strings.ReplaceAll(spans, "level_2", "simple"), spans, noneAlike},
		{testRecord("a", 5, ""), testRecord("a", 5, ""), "neither side has any in the matched records"},
		{testRecord("a", 5, "") + "\n" + testRecord("b", 5, "0-1 joy"), testRecord("a", 5, ""), "neither side has any in the matched records"},
		{spans, "a b c d e\t17\ta", "file has none over tokens: its format is goemotions"},
		{spans, testOffsets("a", 5, "1-2 joy"), "file has none over tokens: its format is offsets"},
		{spans, strings.ReplaceAll(spans, "level_2", "simple"), noneAlike},
	} {
		c := testCompare(t, test.reference, test.file, Options{Bootstrap: Bootstrap{10, 1}})
		if c.Spans != nil || c.Attributes != nil || c.SpansWhy != test.want {
			t.Errorf("%s against %s: %v, %q, want %q", test.file, test.reference, c.Spans, c.SpansWhy, test.want)
		}
	}
}

// TestSpansOfOneSide: a side that was looked through for spans and has none is scored, as seqeval scores it.
func TestSpansOfOneSide(t *testing.T) {
	spans, none := testRecord("a", 5, "1-2 joy"), testRecord("a", 5, "")
	for _, test := range []struct {
		reference, file     string
		expected, predicted int
		class               string
	}{
		{spans, none, 1, 0, "missed"},
		{none, spans, 0, 1, "spurious"},
		{testOffsets("a", 5, "1-2 joy"), none, 1, 0, "missed"},
		{testOffsets("a", 5, ""), spans, 0, 1, "spurious"},
		{spans + "\n" + testRecord("b", 5, "0-1 joy"), none, 1, 0, "missed"},
	} {
		c := testCompare(t, test.reference, test.file, Options{Bootstrap: Bootstrap{10, 1}})
		s := c.Spans
		if s == nil {
			t.Errorf("%s against %s: no scores: %s", test.file, test.reference, c.SpansWhy)
			continue
		}
		if s.Reference != test.expected || s.Predicted != test.predicted || s.Default.Recall.Value != 0 || s.Default.F1.Value != 0 || s.Tokens.Recall.Value != 0 {
			t.Errorf("%s against %s: %+v", test.file, test.reference, s)
		}
		for _, m := range s.Misalignment {
			if want := map[bool]int{true: 1}[m.Class == test.class]; m.Spans != want {
				t.Errorf("%s against %s: %d spans are %s", test.file, test.reference, m.Spans, m.Class)
			}
		}
	}
}

// TestSpanTally holds the sums of encoded outcomes, of small and of large numbers, against those of the outcomes.
func TestSpanTally(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 1))
	const classes = 28
	var tally spanTally
	want := spanSums{emotions: make([]counts, classes)}
	var weights []int
	for i := range 3000 {
		top := []int{2, 300, 100_000}[i%3]
		n := func() int32 { return int32(rng.IntN(top)) }
		o := spanOutcome{
			reference: n(), predicted: n(), predictedMet: n(), referenceMet: n(),
			chunks: cell{n(), n(), n()}, strict: cell{n(), n(), n()}, tokens: cell{n(), n(), n()},
			predictedPart: float64(i), referencePart: float64(2*i) / 8,
		}
		for k := range o.misaligned {
			o.misaligned[k] = n()
		}
		for class := uint8(rng.IntN(9)); class < classes; class += 9 {
			o.emotions = append(o.emotions, emotionCell{class, cell{n(), n(), n()}})
		}
		tally.add(&o)
		tally.add(&o)
		w := rng.IntN(3)
		weights = append(weights, w)
		want.records += w
		for k, v := range []int32{
			o.reference, o.predicted, o.predictedMet, o.referenceMet, o.chunks.both, o.chunks.reference, o.chunks.predicted,
			o.strict.both, o.strict.reference, o.strict.predicted, o.tokens.both, o.tokens.reference, o.tokens.predicted,
		} {
			want.numbers[k] += w * int(v)
		}
		for k, v := range o.misaligned {
			want.numbers[13+k] += w * int(v)
		}
		want.predictedPart, want.referencePart = want.predictedPart+float64(w)*o.predictedPart, want.referencePart+float64(w)*o.referencePart
		for _, e := range o.emotions {
			want.emotions[e.class].add(e.cell, w)
		}
	}
	if len(tally.counts) != len(weights) || tally.counts[7] != 2 {
		t.Fatalf("%d outcomes, want %d", len(tally.counts), len(weights))
	}
	if got := tally.sum(weights, classes); !reflect.DeepEqual(*got, want) {
		t.Errorf("%+v\nwant %+v", *got, want)
	}
}
