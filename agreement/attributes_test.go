package agreement

import (
	"strings"
	"testing"
)

func TestAttributes(t *testing.T) {
	with := func(line string, attrs ...string) string {
		for _, a := range attrs {
			line = strings.Replace(line, `"attrs":{"valence":""`, `"attrs":{`+a+`"valence":"pos"`, 1)
		}
		return line
	}
	plain := func(spans string) string {
		return strings.NewReplacer(
			`"confidence":0.0,`, ``, `"sentence_index":0,`, ``, `"intensity":"",`, ``, `"target_text":"",`, ``,
		).Replace(testRecord("a", 8, spans))
	}
	reference := with(plain("0-1 joy, 3-4 fear, 6-6 joy"),
		`"intensity":"high","confidence":0.5,"target_text":"A b",`, `"intensity":"low","confidence":0.7,"sentence_index":1,`, `"intensity":"low",`)
	file := with(plain("0-1 joy, 3-3 anger"),
		`"intensity":"strong","confidence":1,"target_text":"a  B",`, `"intensity":"high","confidence":0.6,`)
	c := testCompare(t, reference, file, Options{})
	scores := map[string]AttributeScores{}
	for _, a := range c.Attributes {
		scores[a.Name] = a
	}
	if len(scores) != 10 {
		t.Errorf("%d attributes and confidence", len(scores))
	}
	intensity := scores["intensity"]
	if want := []ValueCount{{"low", 2, 0}, {"med", 0, 0}, {"high", 1, 2}}; len(intensity.Values) != 3 || [3]ValueCount(intensity.Values) != [3]ValueCount(want) {
		t.Errorf("intensity: %v, want %v", intensity.Values, want)
	}
	// high and high, low and high: nothing beyond chance.
	if intensity.Pairs != 2 || intensity.Agreement.Value != 0.5 || intensity.Kappa.Value != 0 || intensity.Alpha.Value != 0 {
		t.Errorf("intensity: %+v", intensity)
	}
	if v := scores["valence"]; v.Pairs != 2 || v.Agreement.Value != 1 || v.Kappa.Value.Defined() {
		t.Errorf("valence: %+v", v)
	}
	if v := scores["certainty"]; v.Pairs != 0 || v.Agreement.Value.Defined() {
		t.Errorf("certainty, which no span has: %+v", v)
	}
	for name, want := range map[string]Number{"sentence_index": 0.5, "clause_index": 1, "target_text": 1} {
		if got := scores[name]; got.Agreement.Value != want || got.Pairs != 2 || got.Kappa.Value.Defined() {
			t.Errorf("%s: %+v, want %v", name, got, want)
		}
	}
	if f := c.Confidence; !near(float64(f.Reference), 0.4, 1e-6) || !near(float64(f.Predicted), 0.8, 1e-6) || !near(float64(f.Difference), 0.3, 1e-6) || f.Pairs != 2 {
		t.Errorf("confidence: %+v", f)
	}

	c = testCompare(t, testOffsets("a", 8, "0-1 joy"), file, Options{})
	for _, a := range c.Attributes {
		if a.Agreement.Value.Defined() || a.Pairs > 0 {
			t.Errorf("a reference without attributes agrees: %+v", a)
		}
	}
	if len(c.Attributes) != 7 || c.Confidence.Reference.Defined() || !c.Confidence.Predicted.Defined() {
		t.Errorf("%d attributes, confidence %+v", len(c.Attributes), c.Confidence)
	}
}
