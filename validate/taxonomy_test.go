package validate

import (
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// weather has nothing in common with the built-in taxonomy but the names of the attributes.
const weather = `{
  "name": "weather", "neutral": "calm", "span_types": ["SKY", "AIR"], "ekman_classes": ["any"], "pronouns": ["yonder"],
  "attributes": [
    {"name": "valence", "values": [{"name": "fair", "synonyms": ["fine"]}, {"name": "foul", "synonyms": ["nasty"]}]},
    {"name": "intensity", "default": "breeze", "values": [{"name": "breeze", "synonyms": []}, {"name": "gale", "synonyms": ["very windy"]}]},
    {"name": "certainty", "values": [{"name": "seen", "synonyms": []}]},
    {"name": "temporality", "default": "now", "values": [{"name": "now", "synonyms": ["present"]}]},
    {"name": "source", "values": [{"name": "eye", "synonyms": ["self"]}]},
    {"name": "emotion_group", "values": [{"name": "wet", "synonyms": []}, {"name": "dry", "synonyms": []}]},
    {"name": "target_relation", "values": [{"name": "over", "synonyms": ["above"]}, {"name": "none", "synonyms": ["nothing"]}]}
  ],
  "emotions": [
    {"name": "rainy", "group": "wet", "ekman": "any", "valence": "foul", "valences": ["foul"], "synonyms": ["drizzle"]},
    {"name": "calm", "group": "dry", "ekman": "any", "valence": "fair", "valences": ["fair"], "synonyms": ["still"]}
  ]
}`

const weatherRecord = `{"src_id":"w","model":"m","provider":"p","prompt":"level_2","level":"level2","predictions":["rainy"],"text":"Low clouds pour","data":{"tokens":["Low","clouds","pour"],"labels":["O","B-SKY","B-AIR"],"spans":[` +
	`{"type":"SKY","subtype":"Rainy","start":1,"end":1,"text":"clouds","attrs":{"valence":"foul","intensity":"gale","certainty":"seen","temporality":"now","source":"eye","emotion_group":"wet","sentence_index":0,"clause_index":0,"confidence":0.5,"target_text":"Yonder","target_relation":"over"}},` +
	`{"type":"AIR","subtype":"Rainy","start":2,"end":2,"text":"pour","attrs":{"valence":"fair","intensity":"breeze","certainty":"seen","temporality":"now","source":"eye","emotion_group":"dry","sentence_index":0,"clause_index":0,"confidence":0.5,"target_text":"","target_relation":"none"}}]}}`

// TestTaxonomy: everything that a taxonomy's file can say is followed, and nothing of the built-in one is left.
func TestTaxonomy(t *testing.T) {
	tax, err := dataset.ParseTaxonomy([]byte(weather))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, old, new string
		problems       []string
		fixes          []string // nil where it cannot be mended
	}{
		{"valid", "x", "x", nil, nil},
		{"emotion of the built-in one", `["rainy"]`, `["joy"]`, []string{"emotion.unknown /predictions/0", "emotion.subtype_not_predicted /data/spans/0/subtype", "emotion.subtype_not_predicted /data/spans/1/subtype"}, nil},
		{"synonym", `["rainy"]`, `["drizzle"]`, []string{"emotion.unknown /predictions/0", "emotion.subtype_not_predicted /data/spans/0/subtype", "emotion.subtype_not_predicted /data/spans/1/subtype"}, []string{"fix.synonym"}},
		{"subtype", `"Rainy"`, `"Annoyance"`, []string{"emotion.subtype_unknown /data/spans/0/subtype"}, nil},
		{"subtype's case", `"Rainy"`, `"RAINY"`, []string{"emotion.subtype_case /data/spans/0/subtype"}, []string{"fix.case"}},
		{"its neutral stands alone", `["rainy"]`, `["rainy","still"]`, []string{"emotion.unknown /predictions/1"}, nil},
		{"type of the built-in one", `"AIR"`, `"EMO"`, []string{"span.type /data/spans/1/type", "span.labels /data/labels/2"}, nil},
		{"type's case", `"AIR"`, `"air"`, []string{"span.type /data/spans/1/type", "span.labels /data/labels/2"}, []string{"fix.case"}},
		{"label of the built-in one", `"B-AIR"`, `"B-EMO"`, []string{"label.value /data/labels/2", "span.labels /data/labels/2"}, []string{"fix.labels"}},
		{"label of the other type", `"B-AIR"`, `"B-SKY"`, []string{"span.labels /data/labels/2"}, []string{"fix.labels"}},
		{"value of the built-in one", `"foul"`, `"neg"`, []string{"vocab.valence /data/spans/0/attrs/valence"}, nil},
		{"value's synonym", `"foul"`, `"Nasty"`, []string{"vocab.valence /data/spans/0/attrs/valence"}, []string{"fix.synonym"}},
		{"its default", `"gale"`, `""`, []string{"vocab.intensity /data/spans/0/attrs/intensity"}, []string{"fix.attr_default"}},
		{"no default", `"seen"`, `""`, []string{"vocab.certainty /data/spans/0/attrs/certainty"}, nil},
		{"its group", `"wet"`, `"negative_affect"`, []string{"vocab.emotion_group /data/spans/0/attrs/emotion_group"}, []string{"fix.emotion_group"}},
		{"relation", `"over"`, `"above"`, []string{"vocab.target_relation /data/spans/0/attrs/target_relation"}, []string{"fix.synonym"}},
		{"pronoun of the built-in one", `"Yonder"`, `"you"`, []string{"target.text /data/spans/0/attrs/target_text"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkMended(t, strings.Replace(weatherRecord, tt.old, tt.new, 1), tax, tt.problems, tt.fixes)
		})
	}
	neutral := `{"src_id":"w","model":"m","provider":"p","prompt":"level_2","level":"level2","predictions":["calm"],"text":"Low","data":{"tokens":["Low"],"labels":["O"],"spans":[]}}`
	if res := validated(neutral, tax, false); len(res.Problems) > 0 {
		t.Errorf("its neutral: %q", res.Problems)
	}
	if res := validated(weatherRecord, dataset.Default(), false); len(res.Problems) < 15 {
		t.Errorf("by the built-in one it has only %q", res.Problems)
	}
}

// checkMended holds a line's problems and, when it is fixed, the codes of its changes against those wanted; no fixes means that a line
// with problems keeps some.
func checkMended(t *testing.T, line string, tax *dataset.Taxonomy, problems, fixes []string) {
	t.Helper()
	if got := codesAndPaths(validated(line, tax, false).Problems); !slices.Equal(got, problems) {
		t.Errorf("got  %q\nwant %q", got, problems)
	}
	res := validated(line, tax, true)
	var got []string
	for _, c := range res.Changes {
		got = append(got, c.Code)
	}
	if !slices.Equal(got, fixes) || (len(res.Problems) == 0) != (fixes != nil || problems == nil) {
		t.Errorf("fixes %q, want %q; %q", got, fixes, res.Problems)
	}
	if len(res.Problems) == 0 {
		checkFixed(t, res.Record, tax)
	}
}
