package validate

import (
	"reflect"
	"testing"

	"github.com/emospan/emospan/dataset"
)

func TestNormalize(t *testing.T) {
	r := validRecord()
	r.Predictions = []string{"Happiness", "thankful", "hunger"}
	s := &r.Data.Spans[0]
	s.Subtype = "happy"
	s.Attrs.Valence = " Positive "
	s.Attrs.Intensity = "Medium"
	s.Attrs.EmotionGroup = "positive affect"
	s.Attrs.Certainty = "perhaps-so"
	r.Data.Spans[1].Type, r.Data.Spans[1].Subtype = "emo", "GRATITUDE"
	want := []Change{
		{"fix.synonym", "/predictions/0", "Happiness", "joy"},
		{"fix.synonym", "/predictions/1", "thankful", "gratitude"},
		{"fix.synonym", "/data/spans/0/subtype", "happy", "Joy"},
		{"fix.synonym", "/data/spans/0/attrs/valence", " Positive ", "pos"},
		{"fix.synonym", "/data/spans/0/attrs/intensity", "Medium", "med"},
		{"fix.case", "/data/spans/0/attrs/emotion_group", "positive affect", "positive_affect"},
		{"fix.case", "/data/spans/1/type", "emo", "EMO"},
		{"fix.case", "/data/spans/1/subtype", "GRATITUDE", "Gratitude"},
	}
	if got := Normalize(r, dataset.Default()); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if r.Predictions[2] != "hunger" || s.Attrs.Certainty != "perhaps-so" {
		t.Errorf("a value that means nothing was changed: %q, %q", r.Predictions, s.Attrs.Certainty)
	}
	if again := Normalize(r, dataset.Default()); again != nil {
		t.Errorf("a second time: %q", again)
	}
}

// TestNormalizeLeavesValid holds every value of the taxonomy to its own form.
func TestNormalizeLeavesValid(t *testing.T) {
	tax := dataset.Default()
	for _, e := range tax.Emotions() {
		r := validRecord()
		r.Predictions = []string{e.Name}
		r.Data.Spans[0].Subtype = e.Subtype
		for _, v := range tax.Attr(dataset.AttrSource).Values {
			r.Data.Spans[0].Attrs.Source = v
			if got := Normalize(r, tax); got != nil {
				t.Errorf("%s, %s: %v", e.Name, v, got)
			}
		}
	}
}

func TestNormalizeKeepsDuplicates(t *testing.T) {
	r := validRecord()
	r.Predictions = []string{"joy", "gratitude", "happy"}
	Normalize(r, dataset.Default())
	got := codesAndPaths(Record(r, dataset.Default()))
	if len(got) != 1 || got[0] != "emotion.duplicate /predictions/2" {
		t.Errorf("got %q", got)
	}
}
