package agreement

import (
	"fmt"
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

// TestAttributeIntervals: texts are drawn, so with one pair in each of n texts, of which a share p agrees, the bounds are those
// of a binomial share; where a text's two pairs agree or not together, they are as wide as with half as many.
func TestAttributeIntervals(t *testing.T) {
	const n, agree = 200, 160
	file := func(pairs int, of func(i int) string) string {
		var b strings.Builder
		for i := range n {
			spans := []string{"0-0 joy", "2-2 joy"}[:pairs]
			line := testRecord(fmt.Sprint(i), 3, strings.Join(spans, ", "))
			b.WriteString(strings.ReplaceAll(line, `"intensity":""`, `"intensity":"`+of(i)+`"`) + "\n")
		}
		return b.String()
	}
	for pairs := 1; pairs <= 2; pairs++ {
		reference := file(pairs, func(i int) string { return []string{"low", "high"}[i%2] })
		predicted := file(pairs, func(i int) string {
			if i < agree {
				return []string{"low", "high"}[i%2]
			}
			return "med"
		})
		c := testCompare(t, reference, predicted, Options{Bootstrap: Bootstrap{Replicates: 2000, Seed: 5}})
		a := c.Attributes[1]
		if a.Name != "intensity" || a.Pairs != pairs*n || a.Agreement.Value != 0.8 {
			t.Fatalf("%+v", a)
		}
		// 0.8 ± 1.96·√(0.8·0.2/200)
		if !near(float64(a.Agreement.Low), 0.7446, 0.006) || !near(float64(a.Agreement.High), 0.8554, 0.006) {
			t.Errorf("%d pairs a text: %+v", pairs, a.Agreement)
		}
		if !(a.Kappa.Low < a.Kappa.Value && a.Kappa.Value < a.Kappa.High && a.Alpha.Low < a.Alpha.Value && a.Alpha.Value < a.Alpha.High) {
			t.Errorf("kappa %+v, alpha %+v", a.Kappa, a.Alpha)
		}
		if same := c.Attributes[7]; same.Name != "sentence_index" || same.Agreement != (Estimate{1, 1, 1}) {
			t.Errorf("%+v", same)
		}
		if none := c.Attributes[2]; none.Pairs != 0 || none.Agreement.Low.Defined() {
			t.Errorf("no span has it: %+v", none)
		}
		again := testCompare(t, reference, predicted, Options{Bootstrap: Bootstrap{Replicates: 2000, Seed: 5}})
		if again.Attributes[1].Kappa != a.Kappa {
			t.Errorf("another time %+v, %+v", again.Attributes[1].Kappa, a.Kappa)
		}
	}
}
