package validate

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// randomRecord makes a valid record from words that are awkward on purpose.
func randomRecord(rng *rand.Rand, tax *dataset.Taxonomy) *dataset.Record {
	pick := func(list []string) string { return list[rng.IntN(len(list))] }
	words := []string{"a", "aa", "sun", "Sun", ",", "...", "[NAME]", "é", "e\u0301", "👩\u200d🚀", "\"", "\\", "don’t", "I", "\x01", "零"}
	gaps := []string{"", " ", "  ", "\t", "\u00a0", "\u2003"}
	r := &dataset.Record{SrcID: "l2_0", Model: "m", Provider: "p", Prompt: "level_2", Level: "level2"}
	n := 1 + rng.IntN(12)
	var text strings.Builder
	starts, ends := make([]int, n), make([]int, n)
	text.WriteString(pick(gaps))
	for i := range n {
		w := pick(words)
		starts[i] = text.Len()
		text.WriteString(w)
		ends[i] = text.Len()
		text.WriteString(pick(gaps))
		r.Data.Tokens = append(r.Data.Tokens, w)
		r.Data.Labels = append(r.Data.Labels, "O")
	}
	r.Text = text.String()
	emotions := slices.Clone(tax.Emotions())
	rng.Shuffle(len(emotions), func(i, j int) { emotions[i], emotions[j] = emotions[j], emotions[i] })
	for _, e := range emotions[:1+rng.IntN(3)] {
		if e.Name != tax.Neutral() {
			r.Predictions = append(r.Predictions, e.Name)
		}
	}
	if r.Predictions == nil {
		r.Predictions = []string{tax.Neutral()}
	}
	for at := rng.IntN(min(3, n)); at < n; at += 1 + rng.IntN(3) {
		end := min(n-1, at+rng.IntN(3))
		a := dataset.Attrs{
			Valence: pick(tax.Attr("valence").Values), Intensity: pick(tax.Attr("intensity").Values),
			Certainty: pick(tax.Attr("certainty").Values), Temporality: pick(tax.Attr("temporality").Values),
			Source: pick(tax.Attr("source").Values), EmotionGroup: pick(tax.Attr("emotion_group").Values),
			SentenceIndex: rng.IntN(n), ClauseIndex: rng.IntN(n), Confidence: float64(rng.IntN(101)) / 100,
			TargetRelation: "none",
		}
		if first := rng.IntN(2 * n); first < n {
			last := first + rng.IntN(n-first)
			a.TargetText, a.TargetRelation = r.Text[starts[first]:ends[last]], "cause"
		}
		r.Data.Spans = append(r.Data.Spans, dataset.Span{
			Type: "EMO", Subtype: tax.Subtype(pick(r.Predictions)), Start: at, End: end, Text: r.Text[starts[at]:ends[end]], Attrs: a,
		})
		r.Data.Labels[at] = "B-EMO"
		for i := at + 1; i <= end; i++ {
			r.Data.Labels[i] = "I-EMO"
		}
		at = end
	}
	return r
}

func TestRandomRecords(t *testing.T) {
	tax := dataset.Default()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		r := randomRecord(rng, tax)
		b, err := r.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		decoded, problems := Decode(b, dataset.Default())
		if len(problems) > 0 {
			t.Fatalf("decode %s: %v", b, problems)
		}
		if problems := Record(decoded, tax); len(problems) > 0 {
			t.Fatalf("record %s: %v", b, problems)
		}
		s := &decoded.Data.Spans[rng.IntN(len(r.Data.Spans))]
		i := rng.IntN(s.End-s.Start+1) + s.Start
		switch rng.IntN(7) {
		case 0:
			s.End++
		case 1:
			s.Start--
		case 2:
			s.Text += "x"
		case 3:
			decoded.Data.Labels[i] = "O"
		case 4:
			decoded.Data.Tokens[i] += "x"
		case 5:
			decoded.Text = strings.Replace(decoded.Text, decoded.Data.Tokens[i], "z", 1)
		case 6:
			decoded.Predictions = append(decoded.Predictions, decoded.Predictions[0])
		}
		if problems := Record(decoded, tax); len(problems) == 0 {
			t.Fatalf("mutated without a problem: %+v\nfrom %s", decoded, b)
		}
	}
}
