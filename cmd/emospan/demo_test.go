package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// demo is what `make demo` leaves behind: the texts, the records of them, and the manifest.
type demo struct {
	texts    []string
	records  []*dataset.Record
	manifest dataset.Manifest
}

// plausibleDemo is a run that check_demo.py cannot tell from a model's: it is the form, not the truth, that can be checked.
func plausibleDemo() *demo {
	feelings := []string{"joy", "anger", "fear", "gratitude", "surprise", "sadness", "pride"}
	d := &demo{}
	for i := range 70 {
		feeling := feelings[i%len(feelings)]
		quote := fmt.Sprintf("%s%d", feeling, i)
		d.texts = append(d.texts, "Such "+quote)
		r := &dataset.Record{SrcID: dataset.DefaultID(i), Predictions: []string{feeling}, Text: d.texts[i]}
		r.Data.Tokens, r.Data.Labels = []string{"Such", quote}, []string{"O", "B-EMO"}
		r.Data.Spans = []dataset.Span{{Type: "EMO", Subtype: strings.ToUpper(feeling[:1]) + feeling[1:], Start: 1, End: 1, Text: quote}}
		if i%5 == 0 {
			r.Predictions, r.Data.Labels, r.Data.Spans = []string{"neutral"}, []string{"O", "O"}, nil
		}
		d.records = append(d.records, r)
	}
	d.recount()
	d.manifest.SampledTokens, d.manifest.PromptTokens = 1000, 3000
	return d
}

// recount has the manifest tell the truth about the records.
func (d *demo) recount() {
	m := &d.manifest
	m.Records, m.Accepted, m.Spans, m.Emotions = len(d.records), len(d.records), 0, map[string]int{}
	for _, r := range d.records {
		m.Spans += len(r.Data.Spans)
		for _, p := range r.Predictions {
			m.Emotions[p]++
		}
	}
}

func TestCheckDemo(t *testing.T) {
	everywhere := func(d *demo, edit func(*dataset.Record)) {
		for _, r := range d.records {
			edit(r)
		}
		d.recount()
	}
	tests := []struct {
		name string
		edit func(*demo)
		want []string // what the message names; without any, it must pass
	}{
		{"plausible", func(*demo) {}, nil},
		{"constant answer, model never run", func(d *demo) {
			everywhere(d, func(r *dataset.Record) { r.Predictions, r.Data.Spans = []string{"neutral"}, nil })
			d.manifest.SampledTokens, d.manifest.PromptTokens = 0, 0
		}, []string{
			"at least 5 distinct emotions; found ['neutral']", "no emotion in more than two thirds", "spans in at least half of the records; found 0",
			"spans of at least 5 emotions", "or sampled tokens: ", "prompt tokens: ",
		}},
		{"one emotion in most records", func(d *demo) {
			for _, r := range d.records[:50] {
				r.Predictions = []string{"joy"}
			}
			d.recount()
		}, []string{"no emotion in more than two thirds of the records; found [('joy', 5"}},
		{"one span, repeated", func(d *demo) {
			span := d.records[1].Data.Spans
			everywhere(d, func(r *dataset.Record) { r.Data.Spans = span })
		}, []string{"spans of at least 5 emotions; found ['Anger']", "quote different words; found 1 quotes in 70 spans"}},
		{"all spans in one record", func(d *demo) {
			var all []dataset.Span
			everywhere(d, func(r *dataset.Record) { all, r.Data.Spans = append(all, r.Data.Spans...), nil })
			d.records[0].Data.Spans = all
			d.recount()
		}, []string{"spans in at least half of the records; found 1"}},
		{"record missing", func(d *demo) {
			d.records = append(d.records[:7], d.records[8:]...)
			d.recount()
		}, []string{"one record for each text, in order; found 69 records of 70 texts"}},
		{"records out of order", func(d *demo) { d.records[3], d.records[4] = d.records[4], d.records[3] }, []string{"one record for each text, in order"}},
		{"few texts", func(d *demo) {
			d.texts, d.records = d.texts[:59], d.records[:59]
			d.recount()
		}, []string{"at least 60 texts; found 59"}},
		{"a record more in the manifest", func(d *demo) { d.manifest.Accepted++ }, []string{"the manifest's counts to be the file's"}},
		{"fewer spans in the manifest", func(d *demo) { d.manifest.Spans-- }, []string{"the manifest's counts to be the file's"}},
		{"another emotion in the manifest", func(d *demo) { d.manifest.Emotions["love"] = 1 }, []string{"the manifest's counts to be the file's"}},
		{"a reject", func(d *demo) { d.manifest.Rejected = 1 }, []string{"the manifest's counts to be the file's, without rejects"}},
		{"too few sampled tokens", func(d *demo) { d.manifest.SampledTokens = 3*d.manifest.Spans - 1 }, []string{"or sampled tokens: at least three for each span"}},
		{"no sampled tokens, but a calibration", func(d *demo) {
			d.manifest.SampledTokens, d.manifest.Calibration = 0, &dataset.Calibration{Name: "c"}
		}, nil},
		{"too few prompt tokens", func(d *demo) { d.manifest.PromptTokens = 139 }, []string{"prompt tokens: at least one for each word; found 139 for 140 words"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := plausibleDemo()
			tt.edit(d)
			output, code := checkDemo(t, d)
			if wanted := min(1, len(tt.want)); code != wanted {
				t.Errorf("exit code %d, want %d\n%s", code, wanted, output)
			}
			for _, reason := range tt.want {
				if !strings.Contains(output, reason) {
					t.Errorf("the message does not name %q:\n%s", reason, output)
				}
			}
			if named := strings.Count(output, "\n  want "); named != len(tt.want) {
				t.Errorf("%d reasons, want %d:\n%s", named, len(tt.want), output)
			}
		})
	}
}

func checkDemo(t *testing.T, d *demo) (output string, code int) {
	t.Helper()
	dir := t.TempDir()
	texts, out := filepath.Join(dir, "texts.txt"), filepath.Join(dir, "out.jsonl")
	var lines []byte
	for _, r := range d.records {
		var err error
		if lines, err = r.AppendJSON(lines); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, '\n')
	}
	for path, data := range map[string][]byte{texts: []byte(strings.Join(d.texts, "\n") + "\n"), out: lines} {
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.manifest.WriteFile(out + ".manifest.json"); err != nil {
		t.Fatal(err)
	}
	return python(t, filepath.Join(root, "scripts/check_demo.py"), texts, out)
}
