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

// steps names what passed, failed and went unchecked in each of the card's checks.
func steps(counts [7][3]int) (list []StepCount) {
	for i, name := range Steps() {
		list = append(list, StepCount{name, counts[i][0], counts[i][1], counts[i][2]})
	}
	return list
}

func TestStream(t *testing.T) {
	badVocab := func(r *dataset.Record) {
		r.Data.Spans[0].Attrs.Valence, r.Data.Spans[1].Attrs.Valence = "positive", "Pos"
	}
	input := "\ufeff" + line(t, "a", nil) +
		line(t, "b", badVocab) +
		"\n" +
		strings.Repeat("x", 5000) + "\n" +
		`{"src_id":"c"}` + "\n" +
		line(t, "a", nil) +
		line(t, "d", func(r *dataset.Record) { r.Data.Spans[0].Attrs.Confidence = 1.5 }) +
		strings.TrimSuffix(line(t, "e", nil), "\n")
	tests := []struct {
		fix  bool
		want Summary
	}{
		{false, Summary{Records: 7, Valid: 2, Invalid: 5, Fixes: map[string]int{},
			Steps: steps([7][3]int{{4, 3, 0}, {5, 0, 2}, {5, 0, 2}, {4, 1, 2}, {5, 0, 2}, {4, 1, 2}, {7, 0, 0}}),
			Codes: map[string]int{"vocab.valence": 1, "schema.line_too_long": 1, "schema.missing_key": 1, "schema.duplicate_id": 1, "confidence.range": 1},
			Samples: map[string][]string{"vocab.valence": {"b"}, "schema.line_too_long": {"line 4"},
				"schema.missing_key": {"c"}, "schema.duplicate_id": {"a"}, "confidence.range": {"d"}}}},
		{true, Summary{Records: 7, Valid: 3, Invalid: 4, Fixed: 1, Changes: 2,
			Fixes: map[string]int{"fix.synonym": 1, "fix.case": 1},
			Steps: steps([7][3]int{{4, 3, 0}, {5, 0, 2}, {5, 0, 2}, {5, 0, 2}, {5, 0, 2}, {4, 1, 2}, {7, 0, 0}}),
			Codes: map[string]int{"schema.line_too_long": 1, "schema.missing_key": 1, "schema.duplicate_id": 1, "confidence.range": 1},
			Samples: map[string][]string{"schema.line_too_long": {"line 4"},
				"schema.missing_key": {"c"}, "schema.duplicate_id": {"a"}, "confidence.range": {"d"},
				"fix.synonym": {"b"}, "fix.case": {"b"}}}},
	}
	for _, tt := range tests {
		var lines []int
		sum, err := Stream(iotest.OneByteReader(strings.NewReader(input)), dataset.Default(), StreamOptions{
			MaxLine: 4000, Fix: tt.fix,
			Each: func(res Result) error { lines = append(lines, res.Line); return nil },
		})
		if err != nil || !reflect.DeepEqual(sum, tt.want) {
			t.Errorf("fix %v: %+v, %v\nwant %+v", tt.fix, sum, err, tt.want)
		}
		if want := []int{1, 2, 4, 5, 6, 7, 8}; !slices.Equal(lines, want) {
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

func ExampleStream() {
	input := `{"src_id":"a","model":"tiny","provider":"emospan","prompt":"simple","level":"level2","predictions":["Happiness"],"text":"Finally!","data":{"tokens":["Finally","!"],"labels":["O","O"],"spans":[]}}
{"src_id":"b","model":"tiny","provider":"emospan","prompt":"simple","level":"level2","predictions":["joy"],"text":"Finally!","data":{"tokens":["Finally"],"labels":["O","O"],"spans":[]}}
`
	sum, err := Stream(strings.NewReader(input), dataset.Default(), StreamOptions{Fix: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d records, %d valid, %d fixed\n", sum.Records, sum.Valid, sum.Fixed)
	for _, code := range slices.Sorted(maps.Keys(sum.Codes)) {
		fmt.Println(code, sum.Codes[code], sum.Samples[code])
	}
	// Output:
	// 2 records, 1 valid, 1 fixed
	// alignment.gap 1 [b]
	// alignment.length 1 [b]
}

// TestStreamLayouts: records are the same however they lie, and their places those that a reader looks for.
func TestStreamLayouts(t *testing.T) {
	one, two := strings.TrimSpace(line(t, "a", nil)), strings.TrimSpace(line(t, "b", nil))
	pretty := strings.NewReplacer(`{"`, "{\n  \"", `","`, "\",\n  \"").Replace
	for _, tt := range []struct {
		name, input string
		places      []int
	}{
		{"lines", one + "\r\n\n" + two, []int{1, 3}},
		{"an array", "\ufeff[" + one + ",\n" + two + "]", []int{1, 2}},
		{"an array over lines", "[\n  " + pretty(one) + ",\n  " + pretty(two) + "\n]\n", []int{1, 2}},
		{"objects over lines", pretty(one) + "\n" + pretty(two) + "\n", []int{1, 2 + strings.Count(pretty(one), "\n")}},
	} {
		var places []int
		var ids []string
		sum, err := Stream(strings.NewReader(tt.input), dataset.Default(), StreamOptions{Each: func(res Result) error {
			places, ids = append(places, res.Line), append(ids, res.Record.SrcID)
			return nil
		}})
		if err != nil || sum.Valid != 2 || sum.Invalid != 0 || !slices.Equal(places, tt.places) || !slices.Equal(ids, []string{"a", "b"}) {
			t.Errorf("%s: %d valid, %d invalid, %q at %v, %v", tt.name, sum.Valid, sum.Invalid, ids, places, err)
		}
	}
	sum, err := Stream(strings.NewReader("["+one+",\n{\"src_id\":\"x},\n"+two+"]"), dataset.Default(), StreamOptions{})
	if err != nil || sum.Valid != 2 || sum.Codes[CodeSyntax] != 1 {
		t.Errorf("a damaged element: %+v, %v", sum, err)
	}
	sum, err = Stream(strings.NewReader("["+one+",\n{\"src_id\":"), dataset.Default(), StreamOptions{Name: "in"})
	if sum.Valid != 1 || !errors.Is(err, dataset.ErrArrayCut) || !strings.HasPrefix(err.Error(), "in:2: ") {
		t.Errorf("a cut array: %+v, %v", sum, err)
	}
}
