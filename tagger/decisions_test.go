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
		{"built in", " fear low asserted past self 50", nil},
		{"no default", " fear low asserted past self 50", []string{`"source", "default": "self"`, `"source"`}},
		{"no defaults", " fear low asserted past self 50", []string{
			`, "default": "med"`, ``, `, "default": "asserted"`, ``, `, "default": "present"`, ``, `, "default": "self"`, ``}},
		{"a word that two attributes have", " fear low asserted past self 50", []string{`"name": "group", "syn`, `"name": "past", "syn`}},
		{"a value that is a number", " fear low asserted past self 50", []string{`"name": "high"`, `"name": "50"`}},
		{"values of two words", " sudden_fear a_little asserted past self 50", []string{
			`"name": "fear"`, `"name": "sudden fear"`, `"name": "low"`, `"name": "a little"`}},
		{"quotation mark", " fear \"low\" asserted past self 50", []string{`"name": "low"`, `"name": "\"low\""`}},
		{"one value", " fear low asserted past self 50", []string{
			`{"name": "med", "synonyms": ["medium", "moderate", "mid", "middle", "average", "normal", "m"]},`, ``,
			`"default": "med"`, `"default": "low"`,
			`"l"]},`, `"l"]}`,
			`{"name": "high", "synonyms": ["strong", "intense", "extreme", "severe", "very high", "hi", "h"]}`, ``}},
		{"further attributes", " fear low asserted past self rude aloud 50", []string{`"attributes": [`, `"attributes": [` +
			`{"name": "politeness", "default": "plain", "values": [{"name": "rude"}, {"name": "plain"}, {"name": "very polite"}]},` +
			`{"name": "said_how", "values": [{"name": "aloud"}, {"name": "in silence"}]},`}},
		{"a further attribute's default", " fear low asserted past self rude 50", []string{`"attributes": [`, `"attributes": [` +
			`{"name": "politeness", "default": "rude", "values": [{"name": "rude"}, {"name": "plain"}]},`}},
		{"a further attribute with another's word", " fear low asserted past self past 50", []string{`"attributes": [`, `"attributes": [` +
			`{"name": "politeness", "values": [{"name": "past"}, {"name": "self"}]},`}},
		{"span types", " fear EMO low asserted past self 50", []string{`["EMO"]`, `["EMO", "CUE"]`}},
		{"a span type that is another's word", " fear past low asserted past self 50", []string{`["EMO"]`, `["past", "CUE"]`}},
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

// TestDecisionsOfSpan spells out what is read: no word may be left out, but by a prompt's example.
func TestDecisionsOfSpan(t *testing.T) {
	d := newDecisions(dataset.Default())
	attrs := func(intensity, certainty, temporality, source string, confidence float64) dataset.Attrs {
		return dataset.Attrs{
			Valence: "pos", EmotionGroup: "positive_affect", TargetRelation: "none",
			Intensity: intensity, Certainty: certainty, Temporality: temporality, Source: source, Confidence: confidence,
		}
	}
	about := func(a dataset.Attrs, target, relation string) dataset.Attrs {
		a.TargetText, a.TargetRelation = target, relation
		return a
	}
	check := func(s string, want dataset.Attrs) {
		t.Helper()
		got, err := d.parse(s)
		if err != nil || !reflect.DeepEqual(got, dataset.Span{Type: "EMO", Subtype: "Joy", Attrs: want}) {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
	check(" joy med asserted present self 7", attrs("med", "asserted", "present", "self", 0.07))
	check(" joy low asserted none self 100 cause a  b\tc 5", about(attrs("low", "asserted", "none", "self", 1), "a  b\tc 5", "cause"))
	check(" joy high questioned past unknown 0 target it", about(attrs("high", "questioned", "past", "unknown", 0), "it", "target"))
	for s, want := range map[string]string{
		" joy 7":                       `"7" is no intensity`,
		" joy high present self 7":     `"present" is no certainty`,
		" joy high asserted 7":         `"7" is no temporality`,
		" joy high asserted present 7": `"7" is no source`,
	} {
		if got, err := d.parse(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %+v, %v, want %q", s, got, err, want)
		}
	}
	d.examples = true
	check(" joy 7", attrs("med", "asserted", "present", "self", 0.07))
	check(" joy none 100 cause it", about(attrs("med", "asserted", "none", "self", 1), "it", "cause"))

	d = newDecisions(changedTaxonomy(t, `["EMO"]`, `["EMO", "CUE"]`, `"attributes": [`, `"attributes": [`+
		`{"name": "politeness", "values": [{"name": "plain"}, {"name": "rude"}]},`))
	if got, err := d.parse(" joy CUE high asserted past self rude 7 target it"); err != nil || got.Type != "CUE" || got.Attrs.Intensity != "high" ||
		!slices.Equal(got.Attrs.Further, []dataset.Attr{{Name: "politeness", Value: "rude"}}) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := d.parse(" joy CUE high asserted past self 7"); err == nil || !strings.Contains(err.Error(), `"7" is no politeness`) {
		t.Errorf("an attribute left out: %+v, %v", got, err)
	}
	d.examples = true
	if got, err := d.parse(" joy 7"); err != nil || got.Type != "EMO" || *got.Attrs.Field("politeness") != "plain" {
		t.Errorf("an example without it: %+v, %v", got, err)
	}
}
