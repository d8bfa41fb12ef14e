package report

import (
	"bufio"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

var (
	writeTo    = flag.String("report.write", "", "folder to write synthetic records and a reference of them to")
	writeCount = flag.Int("report.records", 100_000, "how many records -report.write makes")
)

var words = strings.Fields(`the a my our this that rain train garden letter coffee window neighbour bicycle meeting kitchen piano
	river market brother teacher ticket morning evening soup printer holiday exam ladder is was feels seems never always really
	quite so lovely awful strange late early broken quiet loud warm cold new old again today tomorrow thanks sorry hope wonder
	café naïve über 晚安 😀 ❤️ שלום مرحبا`)

// synthetic makes record i, which is valid and always the same, and the labels that a reference gives its text: each span's emotion
// is among them as often as its confidence says.
func synthetic(tax *dataset.Taxonomy, i int) (*dataset.Record, []string) {
	rng := rand.New(rand.NewPCG(7, uint64(i)))
	r := &dataset.Record{SrcID: dataset.DefaultID(i), Model: "synthetic", Provider: dataset.Provider, Prompt: "level_2", Level: dataset.Level}
	n := 4 + rng.IntN(12) + rng.IntN(12)
	for range n {
		r.Data.Tokens = append(r.Data.Tokens, words[rng.IntN(len(words))])
		r.Data.Labels = append(r.Data.Labels, "O")
	}
	r.Text = strings.Join(r.Data.Tokens, " ") + "."
	r.Data.Tokens, r.Data.Labels = append(r.Data.Tokens, "."), append(r.Data.Labels, "O")
	var gold []string
	emotions := tax.Emotions()
	most := rng.IntN(4) // spans
	for start := rng.IntN(4); start < n && len(r.Data.Spans) < most; start += 2 + rng.IntN(10) {
		e := &emotions[min(rng.IntN(len(emotions)-1), rng.IntN(len(emotions)-1))] // the first are more frequent; neutral, the last, stands alone
		s := dataset.Span{Type: tax.SpanTypes()[0], Subtype: e.Subtype, Start: start, End: min(start+rng.IntN(3), n-1)}
		s.Text = strings.Join(r.Data.Tokens[s.Start:s.End+1], " ")
		pick := func(attr string) string { v := tax.Attr(attr).Values; return v[rng.IntN(len(v))] }
		s.Attrs = dataset.Attrs{
			Valence: e.Valence, Intensity: pick(dataset.AttrIntensity), Certainty: pick(dataset.AttrCertainty), Temporality: pick(dataset.AttrTemporality),
			Source: pick(dataset.AttrSource), EmotionGroup: e.Group, Confidence: float64(30+rng.IntN(71)) / 100, TargetRelation: dataset.RelationNone,
		}
		if rng.IntN(3) == 0 {
			s.Attrs.TargetText, s.Attrs.TargetRelation = r.Data.Tokens[rng.IntN(n)], "cause"
		}
		for k := s.Start; k <= s.End; k++ {
			r.Data.Labels[k] = map[bool]string{true: "B-", false: "I-"}[k == s.Start] + s.Type
		}
		if !slices.Contains(r.Predictions, e.Name) {
			r.Predictions = append(r.Predictions, e.Name)
		}
		if rng.Float64() < s.Attrs.Confidence && !slices.Contains(gold, e.Name) {
			gold = append(gold, e.Name)
		}
		r.Data.Spans = append(r.Data.Spans, s)
		start = s.End
	}
	if len(r.Predictions) == 0 {
		r.Predictions = []string{tax.Neutral()}
	}
	if len(gold) == 0 {
		gold = []string{tax.Neutral()}
	}
	return r, gold
}

func TestSyntheticIsValid(t *testing.T) {
	tax := dataset.Default()
	for i := range 2000 {
		r, gold := synthetic(tax, i)
		if problems := validate.Record(r, tax); len(problems) > 0 || len(gold) == 0 {
			t.Fatalf("%d: %v", i, problems)
		}
	}
}

// TestWriteSynthetic writes records.jsonl and reference.jsonl where a flag asks for them, to measure a page with.
func TestWriteSynthetic(t *testing.T) {
	dir, n := *writeTo, *writeCount
	if dir == "" {
		dir, n = t.TempDir(), 10
	}
	create := func(name string) (*bufio.Writer, func()) {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		w := bufio.NewWriter(f)
		return w, func() {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	records, closeRecords := create("records.jsonl")
	reference, closeReference := create("reference.jsonl")
	for i := range n {
		r, gold := synthetic(dataset.Default(), i)
		line, err := r.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(records, "%s\n", line)
		fmt.Fprintf(reference, "{\"src_id\":%q,\"labels\":[\"%s\"]}\n", r.SrcID, strings.Join(gold, `","`))
	}
	closeRecords()
	closeReference()
}
