package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// TestCompareAgreesWithPython holds every figure that scikit-learn, seqeval and krippendorff have against theirs on the same files.
func TestCompareAgreesWithPython(t *testing.T) {
	long(t)
	if os.Getenv("EMOSPAN_TEST_PYTHONPATH") == "" {
		t.Fatal("EMOSPAN_TEST_PYTHONPATH is not set: run make test")
	}
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			a := annotator{rng: rand.New(rand.NewPCG(seed, 1)), irregular: seed%2 == 1}
			n := []int{400, 60, 3, 1, 50, 50}[seed]
			var reference, predicted []string
			for i := range n {
				first, second := a.pair(i)
				switch seed { // one side without a span is scored like any other
				case 4:
					second = a.bare(i)
				case 5:
					first = a.bare(i)
				}
				reference, predicted = append(reference, first), append(predicted, second)
			}
			ref, file := writeLines(t, reference...), writeLines(t, predicted...)
			var stdout, stderr bytes.Buffer
			if code := run([]string{"compare", "--json", "--bootstrap", "0", ref, file}, strings.NewReader(""), &stdout, &stderr); code != 0 {
				t.Fatalf("exit code %d: %s", code, stderr.String())
			}
			var ours struct{ Files []map[string]any }
			if err := json.Unmarshal(stdout.Bytes(), &ours); err != nil {
				t.Fatal(err)
			}
			output, code := python(t, filepath.Join(root, "scripts/check_agreement.py"), filepath.Join(root, "dataset/taxonomy.json"), ref, file)
			if code != 0 {
				t.Fatalf("check_agreement.py: exit code %d\n%s", code, output)
			}
			var theirs map[string]any
			if err := json.Unmarshal([]byte(output), &theirs); err != nil {
				t.Fatalf("%v: %s", err, output)
			}
			figures := 0
			sameFigures(t, "", theirs, ours.Files[0], &figures)
			if figures < 300 {
				t.Errorf("%d figures were compared", figures)
			}
		})
	}
}

// sameFigures checks that ours has every figure that theirs has, to rounding. Ours may be an estimate, of which the value counts,
// and a list whose elements have names, where theirs is an object.
func sameFigures(t *testing.T, path string, theirs, ours any, count *int) {
	t.Helper()
	switch want := theirs.(type) {
	case map[string]any:
		got := map[string]any{}
		switch o := ours.(type) {
		case map[string]any:
			got = o
		case []any:
			for _, e := range o {
				e := e.(map[string]any)
				got[e["name"].(string)] = e
			}
			if len(got) != len(want) {
				t.Errorf("%s: %d of ours, %d of theirs", path, len(got), len(want))
			}
		}
		for name, value := range want {
			member, ok := got[name]
			if !ok {
				t.Errorf("%s has no %s", path, name)
			}
			sameFigures(t, path+"/"+name, value, member, count)
		}
	case []any:
		got, _ := ours.([]any)
		if len(got) != len(want) {
			t.Fatalf("%s: %d of ours, %d of theirs", path, len(got), len(want))
		}
		if len(want) > 0 && want[0].(map[string]any)["name"] != nil { // the order is another one
			named := map[string]any{}
			for _, e := range want {
				named[e.(map[string]any)["name"].(string)] = e
			}
			sameFigures(t, path, named, ours, count)
			return
		}
		for i := range want {
			sameFigures(t, fmt.Sprintf("%s/%d", path, i), want[i], got[i], count)
		}
	default:
		if e, ok := ours.(map[string]any); ok {
			ours = e["value"]
		}
		*count++
		a, isNumber := want.(float64)
		b, alsoNumber := ours.(float64)
		if isNumber != alsoNumber || isNumber && math.Abs(a-b) > 1e-9 || !isNumber && want != ours {
			t.Errorf("%s: %v, theirs is %v", path, ours, want)
		}
	}
}

// An annotator makes two annotations of a text that agree in part.
type annotator struct {
	rng       *rand.Rand
	words     []string // of the last pair
	irregular bool     // labels do not always follow the spans, nor are they always well-formed
}

func (a *annotator) pair(i int) (reference, predicted string) {
	words := strings.Fields("I never thought the old ferry would come back tonight and we all ran down to the pier")
	a.rng.Shuffle(len(words), func(i, j int) { words[i], words[j] = words[j], words[i] })
	a.words = append(words[:1+a.rng.IntN(len(words))], fmt.Sprint(i))
	first := a.record(i, a.words, nil)
	return line(first), line(a.record(i, a.words, first))
}

// bare is an annotation of the last pair's text that found nothing in it.
func (a *annotator) bare(i int) string {
	r := a.record(i, a.words, nil)
	r.Predictions, r.Data.Spans = []string{"neutral"}, nil
	for i := range r.Data.Labels {
		r.Data.Labels[i] = "O"
	}
	return line(r)
}

func line(r *dataset.Record) string {
	b, err := r.AppendJSON(nil)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// record annotates words, often as before does.
func (a *annotator) record(i int, words []string, before *dataset.Record) *dataset.Record {
	r := &dataset.Record{
		SrcID: fmt.Sprint("c", i), Model: "m", Provider: "p", Prompt: "level_2", Level: dataset.Level, Text: strings.Join(words, " "),
		Data: dataset.Data{Tokens: words, Labels: make([]string, len(words))},
	}
	emotions := dataset.Default().Emotions()[:20] // so that some are in no text
	for start := 0; start < len(words); start++ {
		if a.rng.IntN(4) > 0 {
			continue
		}
		end := min(start+a.rng.IntN(4), len(words)-1)
		r.Data.Spans = append(r.Data.Spans, dataset.Span{Type: "EMO", Subtype: emotions[a.rng.IntN(len(emotions))].Subtype, Start: start, End: end})
		start = end
	}
	if before != nil && a.rng.IntN(2) == 0 {
		r.Data.Spans = append([]dataset.Span(nil), before.Data.Spans...)
		if n := len(r.Data.Spans); n > 0 && a.rng.IntN(2) == 0 {
			r.Data.Spans[a.rng.IntN(n)].Subtype = "Surprise"
		}
	}
	for i := range r.Data.Labels {
		r.Data.Labels[i] = "O"
		if a.irregular && a.rng.IntN(6) == 0 {
			r.Data.Labels[i] = []string{"I-EMO", "B-EMO"}[a.rng.IntN(2)]
		}
	}
	known := map[string]bool{}
	for _, s := range r.Data.Spans {
		for i := s.Start; i <= s.End; i++ {
			r.Data.Labels[i] = "I-EMO"
			if i == s.Start && (!a.irregular || a.rng.IntN(3) > 0) {
				r.Data.Labels[i] = "B-EMO"
			}
		}
		if name := strings.ToLower(s.Subtype); !known[name] {
			known[name] = true
			r.Predictions = append(r.Predictions, name)
		}
	}
	if len(r.Predictions) == 0 && a.rng.IntN(8) > 0 { // else none, which is to be scored too
		r.Predictions = []string{"neutral"}
	}
	return r
}
