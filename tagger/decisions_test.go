package tagger

import (
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// changedTaxonomy is the built-in one with some of its text replaced, each once.
func changedTaxonomy(t *testing.T, oldnew ...string) *dataset.Taxonomy {
	t.Helper()
	src := string(dataset.TaxonomyJSON())
	for i := 0; i < len(oldnew); i += 2 {
		if !strings.Contains(src, oldnew[i]) {
			t.Fatalf("the taxonomy holds no %s", oldnew[i])
		}
		src = strings.Replace(src, oldnew[i], oldnew[i+1], 1)
	}
	tax, err := dataset.ParseTaxonomy([]byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return tax
}

// TestDecisionsOfTaxonomies: whatever a taxonomy calls its values, what is written is read as it was meant, and the grammar
// takes it.
func TestDecisionsOfTaxonomies(t *testing.T) {
	long(t)
	const text = "no one likes it, high 9 in past 5"
	for _, tt := range []struct {
		name, example string // of fear, low, asserted, past, self, 50
		changes       []string
	}{
		{"built in", " fear low past 50", nil},
		{"no default", " fear low past self 50", []string{`"source", "default": "self"`, `"source"`}},
		{"no defaults", " fear low asserted past self 50", []string{
			`, "default": "med"`, ``, `, "default": "asserted"`, ``, `, "default": "present"`, ``, `, "default": "self"`, ``}},
		{"a word that two attributes have", " fear low past 50", []string{`"name": "group", "syn`, `"name": "past", "syn`}},
		{"a value that is a number", " fear low past 50", []string{`"name": "high"`, `"name": "50"`}},
		{"values of two words", " sudden_fear a_little past 50", []string{
			`"name": "fear"`, `"name": "sudden fear"`, `"name": "low"`, `"name": "a little"`}},
		{"quotation mark", " fear \"low\" past 50", []string{`"name": "low"`, `"name": "\"low\""`}},
		{"one value", " fear past 50", []string{
			`{"name": "med", "synonyms": ["medium", "moderate", "mid", "middle", "average", "normal", "m"]},`, ``,
			`"default": "med"`, `"default": "low"`,
			`"l"]},`, `"l"]}`,
			`{"name": "high", "synonyms": ["strong", "intense", "extreme", "severe", "very high", "hi", "h"]}`, ``}},
		{"further attributes", " fear low past rude aloud 50", []string{`"attributes": [`, `"attributes": [` +
			`{"name": "politeness", "default": "plain", "values": [{"name": "rude"}, {"name": "plain"}, {"name": "very polite"}]},` +
			`{"name": "said_how", "values": [{"name": "aloud"}, {"name": "in silence"}]},`}},
		{"a further attribute's default", " fear low past 50", []string{`"attributes": [`, `"attributes": [` +
			`{"name": "politeness", "default": "rude", "values": [{"name": "rude"}, {"name": "plain"}]},`}},
		{"a further attribute with another's word", " fear low past self past 50", []string{`"attributes": [`, `"attributes": [` +
			`{"name": "politeness", "values": [{"name": "past"}, {"name": "self"}]},`}},
		{"span types", " fear low past 50", []string{`["EMO"]`, `["EMO", "CUE"]`}},
		{"a span type that is another's word", " fear past low past 50", []string{`["EMO"]`, `["past", "CUE"]`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tax := changedTaxonomy(t, tt.changes...)
			f, err := newCompactForm(tax)
			if err != nil {
				t.Fatal(err)
			}
			bindBytes(t, f)
			fear := tax.Emotions()[14]
			attrs := dataset.Attrs{
				Valence: fear.Valence, EmotionGroup: fear.Group, Certainty: "asserted", Temporality: "past", Source: "self", Confidence: 0.5,
				Intensity: tax.Attr(dataset.AttrIntensity).Values[0], TargetRelation: dataset.RelationNone,
			}
			for _, v := range tax.Further() {
				attrs.Further = append(attrs.Further, dataset.Attr{Name: v.Name, Value: v.Values[0]})
			}
			if got := f.decisions.write(dataset.Span{Type: tax.SpanTypes()[0], Subtype: fear.Subtype, Attrs: attrs}); got != tt.example {
				t.Errorf("%q, want %q", got, tt.example)
			}
			rng := rand.New(rand.NewPCG(9, 10))
			for range 100 {
				want := randomRecord(t, rng, text, tax)
				answer, err := f.encode(want)
				if err != nil {
					t.Fatal(err)
				}
				if ok, at := newReader(t, f, text).takes(string(answer)); !ok {
					t.Fatalf("the grammar does not take %s at byte %d", answer, at)
				}
				got := envelope(want)
				if err := f.decode(answer, newDocument(text), got); err != nil {
					t.Fatalf("%s: %v", answer, err)
				}
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("%s\n got %+v\nwant %+v", answer, got.Data, want.Data)
				}
			}
		})
	}
}

// TestDecisionsOfSpan spells out what is read; a default that is written, as in a prompt's example, is no mistake.
func TestDecisionsOfSpan(t *testing.T) {
	d := newDecisions(dataset.Default())
	for s, want := range map[string]dataset.Attrs{
		" joy 7":                              {Intensity: "med", Certainty: "asserted", Temporality: "present", Source: "self", Confidence: 0.07, TargetRelation: "none"},
		" joy med present 7":                  {Intensity: "med", Certainty: "asserted", Temporality: "present", Source: "self", Confidence: 0.07, TargetRelation: "none"},
		" joy none 100 cause a  b\tc 5":       {Intensity: "med", Certainty: "asserted", Temporality: "none", Source: "self", Confidence: 1, TargetText: "a  b\tc 5", TargetRelation: "cause"},
		" joy questioned unknown 0 target it": {Intensity: "med", Certainty: "questioned", Temporality: "present", Source: "unknown", TargetText: "it", TargetRelation: "target"},
	} {
		want.Valence, want.EmotionGroup = "pos", "positive_affect"
		got, err := d.parse(s)
		if err != nil || !reflect.DeepEqual(got, dataset.Span{Type: "EMO", Subtype: "Joy", Attrs: want}) {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
	d = newDecisions(changedTaxonomy(t, `["EMO"]`, `["EMO", "CUE"]`, `"attributes": [`, `"attributes": [`+
		`{"name": "politeness", "values": [{"name": "plain"}, {"name": "rude"}]},`))
	if got, err := d.parse(" joy CUE high rude 7 target it"); err != nil || got.Type != "CUE" || got.Attrs.Intensity != "high" ||
		!slices.Equal(got.Attrs.Further, []dataset.Attr{{Name: "politeness", Value: "rude"}}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := d.parse(" joy 7"); err == nil || !strings.Contains(err.Error(), `"7" is no politeness`) {
		t.Errorf("an attribute without a default left out: %+v, %v", got, err)
	}
	d.examples = true
	if got, err := d.parse(" joy 7"); err != nil || *got.Attrs.Field("politeness") != "plain" {
		t.Errorf("an example without it: %+v, %v", got, err)
	}
}
