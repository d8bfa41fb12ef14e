package agreement

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// labelLines makes lines of labels from "joy fear, anger, –": a text for each part.
func labelLines(list string) string {
	var b strings.Builder
	for i, part := range strings.Split(list, ", ") {
		labels := strings.Fields(strings.ReplaceAll(part, "–", ""))
		fmt.Fprintf(&b, `{"src_id":"%d","labels":["%s"]}`+"\n", i, strings.Join(labels, `","`))
	}
	return strings.ReplaceAll(b.String(), `[""]`, "[]")
}

func TestLabels(t *testing.T) {
	c := testCompare(t, labelLines("joy, joy love, anger, neutral, –"), labelLines("joy, love, annoyance joy, neutral, fear"), Options{})
	if len(c.Labels) != 3 {
		t.Fatalf("%d levels", len(c.Labels))
	}
	class := func(l *LabelScores, name string) ClassScore {
		for _, c := range l.Classes {
			if c.Name == name {
				return c
			}
		}
		t.Fatalf("no %s on the level %s", name, l.Level)
		return ClassScore{}
	}
	emotion, ekman, sentiment := c.Labels[0], c.Labels[1], c.Labels[2]
	joy := class(emotion, "joy")
	if joy.Support != 2 || joy.Predicted != 2 || joy.Over != 1 || joy.Under != 1 || joy.Ratio != 1 || prfText(joy.PRF) != "0.500 0.500 0.500" {
		t.Errorf("%+v", joy)
	}
	// 2 of 5 texts have joy on each side, 1 on both: observed 3/5, by chance 13/25.
	if want := (0.6 - 0.52) / (1 - 0.52); !near(float64(joy.Kappa.Value), want, 1e-12) {
		t.Errorf("kappa of joy %v, want %v", joy.Kappa.Value, want)
	}
	if grief := class(emotion, "grief"); grief.Kappa.Value.Defined() || grief.Alpha.Value.Defined() || grief.Ratio.Defined() || prfText(grief.PRF) != "0.000 0.000 0.000" {
		t.Errorf("%+v", grief)
	}
	// Right are joy, love, neutral; predicted 6, in the reference 5.
	if got := prfText(emotion.Micro); got != "0.500 0.600 0.545" {
		t.Errorf("micro %s", got)
	}
	if want := (0.5 + 1 + 1) / 28; !near(float64(emotion.Macro.F1.Value), want, 1e-12) {
		t.Errorf("macro F1 %v, want %v", emotion.Macro.F1.Value, want)
	}
	for _, f := range []struct {
		name string
		got  Estimate
		want float64
	}{
		{"accuracy", emotion.Accuracy, 2. / 5}, {"first label", emotion.FirstLabel, 3. / 5},
		{"Ekman accuracy", ekman.Accuracy, 3. / 5}, {"Ekman first label", ekman.FirstLabel, 4. / 5},
		{"sentiment accuracy", sentiment.Accuracy, 3. / 5},
	} {
		if !near(float64(f.got.Value), f.want, 1e-12) {
			t.Errorf("%s %v, want %v", f.name, f.got.Value, f.want)
		}
	}
	if anger := class(ekman, "anger"); anger.Support != 1 || anger.Predicted != 1 || anger.Over != 0 {
		t.Errorf("annoyance is not anger on Ekman's level: %+v", anger)
	}
	if negative := class(sentiment, "negative_affect"); negative.Support != 1 || negative.Predicted != 2 || negative.Ratio != 2 {
		t.Errorf("%+v", negative)
	}
}

// TestSetAlpha works the formula out over all pairs of values.
func TestSetAlpha(t *testing.T) {
	reference, file := "joy, joy love, anger, neutral, –, joy", "joy, love, anger joy, neutral, fear, joy love"
	c := testCompare(t, labelLines(reference), labelLines(file), Options{})
	book := testBook(t)
	sets := func(list string) (sets []Set) {
		for part := range strings.SplitSeq(list, ", ") {
			var s Set
			for name := range strings.FieldsSeq(strings.ReplaceAll(part, "–", "")) {
				s |= setOf(book.class(LevelEmotion, name, false))
			}
			sets = append(sets, s)
		}
		return sets
	}
	a, b := sets(reference), sets(file)
	observed, expected, pairs := 0., 0., 0.
	for i := range a {
		observed += masi(a[i], b[i]) / float64(len(a))
	}
	all := append(a, b...)
	for i := range all {
		for k := range all {
			if i != k {
				expected += masi(all[i], all[k])
				pairs++
			}
		}
	}
	if got, want := float64(c.Labels[0].SetAlpha.Value), 1-observed/(expected/pairs); !near(got, want, 1e-12) || math.Abs(want) > 0.9 {
		t.Errorf("alpha %v, want %v", got, want)
	}
}

// TestCountedOnce holds figures and bounds made of equal outcomes counted together against the same records one by one.
func TestCountedOnce(t *testing.T) {
	reference := strings.Repeat("joy, fear, joy love, neutral, ", 40) + "joy"
	file := strings.Repeat("joy, joy, love, neutral, ", 40) + "fear"
	c := testCompare(t, labelLines(reference), labelLines(file), Options{Bootstrap: Bootstrap{2000, 3}})
	accuracy := c.Labels[0].Accuracy
	if want := 80. / 161; !near(float64(accuracy.Value), want, 1e-12) {
		t.Errorf("accuracy %v, want %v", accuracy.Value, want)
	}
	deviation := math.Sqrt(0.25 / 161)
	if !near(float64(accuracy.Low), 80./161-1.96*deviation, 0.012) || !near(float64(accuracy.High), 80./161+1.96*deviation, 0.012) {
		t.Errorf("%v, want about ±%v", accuracy, 1.96*deviation)
	}
	for _, e := range c.Labels[0].estimates() {
		if e.Value.Defined() && !(e.Low <= e.Value && e.Value <= e.High) {
			t.Errorf("the value lies outside of its interval: %v", *e)
		}
	}
	if again := testCompare(t, labelLines(reference), labelLines(file), Options{Bootstrap: Bootstrap{2000, 3}}); again.Labels[0].Accuracy != accuracy {
		t.Errorf("%v, then %v", accuracy, again.Labels[0].Accuracy)
	}
}
