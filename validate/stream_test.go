package validate

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/emospan/emospan/dataset"
)

func line(t testing.TB, id string, edit func(*dataset.Record)) string {
	r := validRecord()
	r.SrcID = id
	if edit != nil {
		edit(r)
	}
	b, err := r.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

func TestStream(t *testing.T) {
	badVocab := func(r *dataset.Record) {
		r.Data.Spans[0].Attrs.Valence, r.Data.Spans[1].Attrs.Valence = "positive", "Pos"
	}
	input := line(t, "a", nil) +
		line(t, "b", badVocab) +
		"\n" +
		strings.Repeat("x", 5000) + "\n" +
		`{"src_id":"c"}` + "\n" +
		line(t, "a", nil) +
		line(t, "d", func(r *dataset.Record) { r.Data.Spans[0].Attrs.Confidence = 1.5 }) +
		strings.TrimSuffix(line(t, "e", nil), "\n")
	tests := []struct {
		normalize bool
		want      Summary
	}{
		{false, Summary{Records: 8, Valid: 2, Invalid: 6,
			Codes: map[string]int{"vocab.valence": 1, "schema.syntax": 1, "schema.line_too_long": 1, "schema.missing_key": 1, "schema.duplicate_id": 1, "confidence.range": 1},
			Samples: map[string][]string{"vocab.valence": {"b"}, "schema.syntax": {"line 3"}, "schema.line_too_long": {"line 4"},
				"schema.missing_key": {"c"}, "schema.duplicate_id": {"a"}, "confidence.range": {"d"}}}},
		{true, Summary{Records: 8, Valid: 3, Invalid: 5, Changes: 2,
			Codes: map[string]int{"schema.syntax": 1, "schema.line_too_long": 1, "schema.missing_key": 1, "schema.duplicate_id": 1, "confidence.range": 1},
			Samples: map[string][]string{"schema.syntax": {"line 3"}, "schema.line_too_long": {"line 4"},
				"schema.missing_key": {"c"}, "schema.duplicate_id": {"a"}, "confidence.range": {"d"}}}},
	}
	for _, tt := range tests {
		var lines []int
		sum, err := Stream(iotest.OneByteReader(strings.NewReader(input)), dataset.Default(), StreamOptions{
			MaxLine: 4000, Normalize: tt.normalize,
			Each: func(res Result) error { lines = append(lines, res.Line); return nil },
		})
		if err != nil || !reflect.DeepEqual(sum, tt.want) {
			t.Errorf("normalize %v: %+v, %v\nwant %+v", tt.normalize, sum, err, tt.want)
		}
		if want := []int{1, 2, 3, 4, 5, 6, 7, 8}; !slices.Equal(lines, want) {
			t.Errorf("lines %v", lines)
		}
	}
}

func TestStreamSharedIDs(t *testing.T) {
	ids := new(dataset.IDSet)
	for i, name := range []string{"a.jsonl", "b.jsonl"} {
		var found []string
		sum, err := Stream(strings.NewReader(line(t, "x", nil)), dataset.Default(), StreamOptions{
			Name: name, IDs: ids,
			Each: func(res Result) error {
				for _, p := range res.Problems {
					found = append(found, p.Found)
				}
				return nil
			},
		})
		if err != nil || sum.Invalid != i {
			t.Errorf("%s: %+v, %v", name, sum, err)
		}
		if i == 1 && (len(found) != 1 || found[0] != `"x", which a.jsonl line 1 has`) {
			t.Errorf("found %q", found)
		}
	}
}

func TestStreamEmpty(t *testing.T) {
	sum, err := Stream(strings.NewReader(""), dataset.Default(), StreamOptions{})
	if err != nil || sum.Records != 0 {
		t.Errorf("%+v, %v", sum, err)
	}
}

func TestStreamErrors(t *testing.T) {
	stop := errors.New("stop")
	broken := errors.New("broken")
	src := io.MultiReader(strings.NewReader(line(t, "a", nil)), iotest.ErrReader(broken))
	sum, err := Stream(src, dataset.Default(), StreamOptions{Name: "in.jsonl"})
	if !errors.Is(err, broken) || sum.Valid != 1 || !strings.Contains(err.Error(), "in.jsonl:2") {
		t.Errorf("%+v, %v", sum, err)
	}
	sum, err = Stream(strings.NewReader(line(t, "a", nil)+line(t, "b", nil)), dataset.Default(), StreamOptions{
		Each: func(Result) error { return stop },
	})
	if err != stop || sum.Records != 1 {
		t.Errorf("%+v, %v", sum, err)
	}
}

func TestStreamSamples(t *testing.T) {
	var b strings.Builder
	for i := range 10 {
		b.WriteString(line(t, fmt.Sprint("id", i), func(r *dataset.Record) { r.Level = "2" }))
	}
	sum, _ := Stream(strings.NewReader(b.String()), dataset.Default(), StreamOptions{Samples: 2})
	if got := sum.Samples["schema.level"]; !slices.Equal(got, []string{"id0", "id1"}) || sum.Codes["schema.level"] != 10 {
		t.Errorf("samples %q of %d", got, sum.Codes["schema.level"])
	}
}

func BenchmarkStream(b *testing.B) {
	const n = 1000
	for _, size := range []struct {
		name string
		line func(id string) string
	}{
		{"one-span", func(id string) string { return strings.Replace(cardExample, "l2_11023", id, 1) + "\n" }},
		{"two-spans", func(id string) string { return line(b, id, nil) }},
	} {
		var input strings.Builder
		for i := range n {
			input.WriteString(size.line(fmt.Sprint("l2_", i)))
		}
		b.Run(size.name, func(b *testing.B) {
			b.SetBytes(int64(input.Len()))
			b.ReportAllocs()
			for b.Loop() {
				sum, err := Stream(strings.NewReader(input.String()), dataset.Default(), StreamOptions{})
				if err != nil || sum.Valid != n {
					b.Fatal(sum, err)
				}
			}
			b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func ExampleStream() {
	input := `{"src_id":"a","model":"tiny","provider":"emospan","prompt":"simple","level":"level2","predictions":["joy"],"text":"Finally!","data":{"tokens":["Finally","!"],"labels":["O","O"],"spans":[]}}
{"src_id":"b","model":"tiny","provider":"emospan","prompt":"simple","level":"level2","predictions":["Happiness"],"text":"Finally!","data":{"tokens":["Finally"],"labels":["O","O"],"spans":[]}}
`
	sum, err := Stream(strings.NewReader(input), dataset.Default(), StreamOptions{Normalize: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d records, %d valid, %d values normalised\n", sum.Records, sum.Valid, sum.Changes)
	for _, code := range slices.Sorted(maps.Keys(sum.Codes)) {
		fmt.Println(code, sum.Codes[code], sum.Samples[code])
	}
	// Output:
	// 2 records, 1 valid, 1 values normalised
	// alignment.gap 1 [b]
	// alignment.length 1 [b]
}
