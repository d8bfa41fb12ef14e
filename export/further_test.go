package export

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/parquet-go/parquet-go"
)

// furtherAttrs are the columns under furtherRecords' taxonomy.
type furtherAttrs struct {
	Valence        string  `parquet:"valence"`
	Intensity      string  `parquet:"intensity"`
	Certainty      string  `parquet:"certainty"`
	Temporality    string  `parquet:"temporality"`
	Source         string  `parquet:"source"`
	EmotionGroup   string  `parquet:"emotion_group"`
	SentenceIndex  int32   `parquet:"sentence_index"`
	ClauseIndex    int32   `parquet:"clause_index"`
	Confidence     float64 `parquet:"confidence"`
	TargetText     string  `parquet:"target_text"`
	TargetRelation string  `parquet:"target_relation"`
	SaidHow        string  `parquet:"said_how"`
	Politeness     string  `parquet:"politeness"`
}

// furtherRecords are the samples under a taxonomy with two attributes and one span type more.
func furtherRecords(t *testing.T) ([]*dataset.Record, *dataset.Taxonomy) {
	src := strings.NewReplacer(`["EMO"]`, `["EMO", "CUE"]`, `"attributes": [`, `"attributes": [`+
		`{"name": "said_how", "values": [{"name": "aloud"}, {"name": "in silence"}]}, {"name": "politeness", "default": "plain", "values": [{"name": "plain"}, {"name": "rude"}]},`).
		Replace(string(dataset.TaxonomyJSON()))
	tax, err := dataset.ParseTaxonomy([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	records := samples(t)
	n := 0
	for _, r := range records {
		for i := range r.Data.Spans {
			r.Data.Spans[i].Attrs.Further = []dataset.Attr{
				{Name: "said_how", Value: tax.Attr("said_how").Values[n%2]}, {Name: "politeness", Value: tax.Attr("politeness").Values[n/2%2]},
			}
			n++
		}
	}
	if n < 4 {
		t.Fatalf("%d spans", n)
	}
	return records, tax
}

// TestFurtherParquet: the attributes that a taxonomy adds are columns behind the others, and come back.
func TestFurtherParquet(t *testing.T) {
	records, tax := furtherRecords(t)
	path := filepath.Join(t.TempDir(), "further")
	hub(t, path, Options{Taxonomy: tax}, CardOptions{}, records, 0)
	data := []byte(content(t, filepath.Join(path, hubTable("data", "train"))))
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	base, _ := write(t, Parquet, Options{}, samples(t))
	plain, err := parquet.OpenFile(bytes.NewReader(base), int64(len(base)))
	if err != nil {
		t.Fatal(err)
	}
	last := "\t\t\t\t\t\trequired binary target_relation (STRING);\n"
	want := strings.Replace(plain.Schema().String(), last, last+strings.Replace(last, "target_relation", "said_how", 1)+strings.Replace(last, "target_relation", "politeness", 1), 1)
	if got := f.Schema().String(); got != want || got == plain.Schema().String() {
		t.Errorf("schema %s\nwant %s", got, want)
	}
	rows, err := parquet.Read[parquetRecord[furtherAttrs]](bytes.NewReader(data), int64(len(data)))
	if err != nil || len(rows) != len(records) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for i, r := range records {
		if rows[i].SrcID != r.SrcID || rows[i].Text != r.Text || !slices.Equal(rows[i].Predictions, r.Predictions) ||
			!slices.Equal(rows[i].Data.Tokens, r.Data.Tokens) || !slices.Equal(rows[i].Data.Labels, r.Data.Labels) || len(rows[i].Data.Spans) != len(r.Data.Spans) {
			t.Fatalf("%+v, want %+v", rows[i], r)
		}
		for k, s := range r.Data.Spans {
			a := s.Attrs
			want := parquetSpan[furtherAttrs]{
				Type: s.Type, Subtype: s.Subtype, Start: int32(s.Start), End: int32(s.End), Text: s.Text,
				Attrs: furtherAttrs{
					a.Valence, a.Intensity, a.Certainty, a.Temporality, a.Source, a.EmotionGroup, int32(a.SentenceIndex), int32(a.ClauseIndex),
					a.Confidence, a.TargetText, a.TargetRelation, a.Further[0].Value, a.Further[1].Value,
				},
			}
			if got := rows[i].Data.Spans[k]; got != want {
				t.Fatalf("%s: %+v, want %+v", r.SrcID, got, want)
			}
		}
	}
	card := content(t, filepath.Join(path, hubCard))
	for _, want := range []string{
		"        - name: target_relation\n          dtype: string\n        - name: said_how\n          dtype: string\n        - name: politeness\n",
		"each with 13 attributes", "| `said_how` | aloud ", "| `politeness` | plain ", "empty where there is no target), `said_how` (string), `politeness` (string) |",
		"B-CUE",
	} {
		if !strings.Contains(card, want) {
			t.Errorf("the README lacks %q", want)
		}
	}
}
