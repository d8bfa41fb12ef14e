package validate

import (
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// furtherWeather is weather with two attributes more, and a record under it.
func furtherWeather(t *testing.T) (tax *dataset.Taxonomy, line string) {
	t.Helper()
	tax, err := dataset.ParseTaxonomy([]byte(strings.Replace(weather, `"attributes": [`, `"attributes": [`+
		`{"name": "height", "default": "low", "values": [{"name": "low"}, {"name": "very high", "synonyms": ["aloft"]}]},`+
		`{"name": "colour", "values": [{"name": "grey"}, {"name": "blue"}]},`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	line = strings.ReplaceAll(weatherRecord, `"target_relation":"over"}`, `"target_relation":"over","height":"very high","colour":"grey"}`)
	line = strings.ReplaceAll(line, `"target_relation":"none"}`, `"target_relation":"none","height":"low","colour":"blue"}`)
	return tax, line
}

// TestFurtherAttributes: those that a taxonomy adds are checked and mended as the card's are.
func TestFurtherAttributes(t *testing.T) {
	tax, line := furtherWeather(t)
	const path = "/data/spans/0/attrs/"
	for _, tt := range []struct {
		name, old, new string
		problems       []string
		fixes          []string // nil where it cannot be mended
	}{
		{"valid", "x", "x", nil, nil},
		{"another order", `"height":"very high","colour":"grey"`, `"colour":"grey","height":"very high"`, nil, nil},
		{"synonym", `"very high"`, `"aloft"`, []string{"vocab.further " + path + "height"}, []string{"fix.synonym"}},
		{"case", `"very high"`, `"Very_High"`, []string{"vocab.further " + path + "height"}, []string{"fix.case"}},
		{"unknown", `"very high"`, `"deep"`, []string{"vocab.further " + path + "height"}, nil},
		{"of the other", `"very high"`, `"blue"`, []string{"vocab.further " + path + "height"}, nil},
		{"missing", `,"height":"very high"`, ``, []string{"schema.missing_key " + path + "height"}, []string{"fix.attr_default"}},
		{"missing without a default", `,"colour":"grey"`, ``, []string{"schema.missing_key " + path + "colour"}, nil},
		{"empty", `"very high"`, `""`, []string{"vocab.further " + path + "height"}, []string{"fix.attr_default"}},
		{"a number", `"very high"`, `3`, []string{"schema.type " + path + "height"}, nil},
		{"twice", `"colour":"grey"`, `"colour":"grey","colour":"grey"`, []string{"schema.duplicate_key " + path + "colour"}, nil},
		{"unknown key", `"colour":"grey"`, `"colour":"grey","smell":"wet"`, []string{"schema.unknown_key " + path + "smell"}, []string{"fix.unknown_key"}},
		{"beside attrs", `"attrs":{"valence":"foul","intensity":"gale"`, `"height":"low","attrs":{"valence":"foul","intensity":"gale"`, []string{"schema.unknown_key /data/spans/0/height"}, []string{"fix.unknown_key"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkMended(t, strings.Replace(line, tt.old, tt.new, 1), tax, tt.problems, tt.fixes)
		})
	}
	// Records that were made, not read.
	r, _ := Decode([]byte(line), tax)
	r.Data.Spans[0].Attrs.Further = r.Data.Spans[0].Attrs.Further[:1]
	if got := codesAndPaths(Record(r, tax)); !slices.Equal(got, []string{"schema.missing_key " + path + "colour"}) {
		t.Errorf("without one: %q", got)
	}
	if got := codesAndPaths(Record(r, dataset.Default())); !slices.Contains(got, "schema.unknown_key "+path+"height") {
		t.Errorf("under another taxonomy: %q", got)
	}
}
