package dataset

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// oneLineError checks that what was refused is told in one line.
func oneLineError(t *testing.T, err error) {
	t.Helper()
	if strings.ContainsAny(err.Error(), "\n\r") {
		t.Errorf("error of more than one line: %q", err)
	}
}

// FuzzTaxonomy: what is accepted finds each of its emotions again by name, subtype and synonym.
func FuzzTaxonomy(f *testing.F) {
	f.Add(TaxonomyJSON())
	f.Add(bytes.Replace(TaxonomyJSON(), []byte(`"joy"`), []byte(`"glee"`), 1))
	f.Add([]byte(`{"name":"x","neutral":"neutral","span_types":["EMO"],"emotions":[{"name":"neutral"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		tax, err := ParseTaxonomy(data)
		if err != nil {
			oneLineError(t, err)
			return
		}
		if _, ok := tax.Emotion(tax.Neutral()); !ok || len(tax.Emotions()) == 0 {
			t.Errorf("the neutral emotion %q is not among %v", tax.Neutral(), tax.Emotions())
		}
		for _, e := range tax.Emotions() {
			if found, ok := tax.Emotion(e.Name); !ok || found.Name != e.Name {
				t.Errorf("%q is not found by its name", e.Name)
			}
		}
	})
}

// FuzzManifest: what is read can be written, and is then read alike.
func FuzzManifest(f *testing.F) {
	whole := &Manifest{Model: "m", Seed: -3, Calibration: &Calibration{Name: "c"}, Flags: map[string]string{"a": "b"}, Parts: []Part{{Records: 1}},
		Retries: []Retry{{Model: "n"}}, Shards: []ShardRun{{Shard: "0/2"}}, Emotions: map[string]int{"joy": 2}}
	name := filepath.Join(f.TempDir(), "manifest.json")
	if err := whole.WriteFile(name); err != nil {
		f.Fatal(err)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"records":1e999,"started":"0000-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseManifest(data)
		if err != nil {
			oneLineError(t, err)
			return
		}
		text, err := m.marshal()
		if err != nil {
			return // a time or number that JSON has no form for
		}
		again, err := parseManifest(text)
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if second, err := again.marshal(); err != nil || !bytes.Equal(second, text) {
			t.Errorf("written as %s, and again as %s (%v)", text, second, err)
		}
		if d := m.Differences(again); d != nil {
			t.Errorf("it differs from itself in %v", d)
		}
	})
}

// FuzzSideFiles: a line of a reject log or of a file of sentences that is read can be written, and is then read alike.
func FuzzSideFiles(f *testing.F) {
	f.Add([]byte(`{"src_id":"x","line":7,"index":7,"model":"m","prompt":"level_2","decode":"compact","text":"What a morning.","labels":["joy"],"seed":0,"reasons":[{"code":"answer.limit","path":"answer","expected":"","found":""}],"raw":"[\u0000"}`))
	f.Add([]byte(`{"src_id":"a#0","text_id":"a","sentence":0,"start":1,"end":13,"line":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if r, err := ParseReject(data); err != nil {
			oneLineError(t, err)
		} else if line, err := r.AppendJSON(nil); err == nil {
			again, err := ParseReject(line)
			if err != nil || again.SrcID != r.SrcID || again.Text != r.Text || again.Index != r.Index || again.Raw != r.Raw || len(again.Reasons) != len(r.Reasons) {
				t.Errorf("%s: %v", line, err)
			}
		}
		if s, err := ParseSentence(data); err != nil {
			oneLineError(t, err)
		} else if line, err := s.AppendJSON(nil); err == nil {
			if again, err := ParseSentence(line); err != nil || !reflect.DeepEqual(again, s) {
				t.Errorf("%s: %v", line, err)
			}
		}
	})
}
