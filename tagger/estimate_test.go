package tagger

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// madeReadings are of texts with known emotions: a word's value has its own mean and deviation, and is higher by lift deviations where
// its emotion is there. Words of some emotions say less than others.
func madeReadings(c *Calibration, n int, lift float64, seed uint64) []Reading {
	rng := rand.New(rand.NewPCG(seed, 1))
	list := make([]Reading, n)
	for i := range list {
		has := map[string]bool{}
		for range 1 + rng.IntN(2) {
			has[c.Emotions[min(rng.IntN(40), len(c.Emotions)-1)].Emotion] = true
		}
		if has[c.Neutral] {
			has = map[string]bool{c.Neutral: true}
		}
		for e := range has {
			list[i].Emotions = append(list[i].Emotions, e)
		}
		k := 0
		for _, p := range c.Probes {
			for _, w := range p.Words {
				emotion := emotionOf(w)
				value := rng.NormFloat64()
				switch {
				case !has[emotion]:
				case k%2 == 0:
					value += lift
				default:
					value -= lift / 2 // as a word may that stands for another emotion
				}
				list[i].Values = append(list[i].Values, -5-float64(3*(c.index(emotion)%7))+value*(0.5+float64(k%5)))
				k++
			}
		}
	}
	return list
}

// emotionOf is the emotion that a word is a name of.
func emotionOf(w ProbeWord) string {
	e, _ := dataset.Default().CanonicalEmotion(w.Word)
	return e.Name
}

// f1Of is the macro-F1 of what a calibration reads, computed from sets.
func f1Of(c *Calibration, readings []Reading) float64 {
	sum := 0.0
	for _, e := range c.Emotions {
		both, either := 0.0, 0.0
		for _, r := range readings {
			found, _ := c.Read(r.Values)
			a, b := slices.Contains(found, e.Emotion), slices.Contains(r.Emotions, e.Emotion)
			if a && b {
				both++
			}
			if a {
				either++
			}
			if b {
				either++
			}
		}
		if either > 0 {
			sum += 2 * both / either
		}
	}
	return sum / float64(len(c.Emotions))
}

func TestEstimate(t *testing.T) {
	long(t)
	c := NewCalibration("p", "b", []string{" is"}, dataset.Default())
	train, other := madeReadings(c, 1500, 1.5, 1), madeReadings(c, 400, 1.5, 2)
	before := f1Of(c, other)
	unlabelled := slices.Clone(train)
	for i := range unlabelled {
		unlabelled[i].Emotions = nil
	}
	if err := c.Estimate(unlabelled); err != nil {
		t.Fatal(err)
	}
	without := f1Of(c, other)
	for _, r := range other {
		if found, _ := c.Read(r.Values); len(found) != 1 {
			t.Fatalf("%v without thresholds", found)
		}
	}
	c = NewCalibration("p", "b", []string{" is"}, dataset.Default())
	if err := c.Estimate(train); err != nil {
		t.Fatal(err)
	}
	with := f1Of(c, other)
	if without < before+0.1 || with < without+0.05 {
		t.Errorf("macro-F1 %.3f before, %.3f with means and deviations, %.3f with thresholds too", before, without, with)
	}
	for i, w := range c.Probes[0].Words {
		if emotionOf(w) == c.Neutral {
			continue // a third of the texts have it
		}
		if d := 0.5 + float64(i%5); math.Abs(w.Mean+5+float64(3*(c.index(emotionOf(w))%7))) > d/2 || math.Abs(w.Deviation/d-1) > 0.3 {
			t.Errorf("word %d: mean %.2f, deviation %.2f of %.2f", i, w.Mean, w.Deviation, d)
		}
	}
	// Of what has a probability of about p, a share of about p is so.
	var sum, hits, n float64
	for _, r := range other {
		_, scores := c.Read(r.Values)
		for _, s := range scores {
			if s.Probability > 0.4 {
				n++
				sum += s.Probability
				if slices.Contains(r.Emotions, s.Emotion) {
					hits++
				}
			}
		}
	}
	if n < 100 || math.Abs(sum-hits)/n > 0.1 {
		t.Errorf("%v of %v above 0.4, %.1f expected", hits, n, sum)
	}
	if _, err := parse(t, c); err != nil {
		t.Error(err)
	}
}

func TestEstimateErrors(t *testing.T) {
	c := NewCalibration("p", "b", []string{" is"}, dataset.Default())
	if err := c.Estimate(madeReadings(c, minReadings-1, 1, 1)); err == nil {
		t.Error("too few texts are enough")
	}
	bad := madeReadings(c, minReadings, 1, 1)
	bad[3].Emotions = []string{"calm"}
	if err := c.Estimate(bad); err == nil {
		t.Error("an unknown emotion passes")
	}
}

// TestLogistic: the fit of two groups whose odds are known, and of groups that do not overlap.
func TestLogistic(t *testing.T) {
	// At x = -1 one of five, at x = 1 four of five: slope ln 4, offset 0.
	n := 10000
	slope, offset := logistic(n, func(i int) (float64, bool) {
		if i%2 == 0 {
			return -1, i/2%5 == 0
		}
		return 1, i/2%5 != 0
	})
	if math.Abs(slope-math.Log(4)) > 0.01 || math.Abs(offset) > 0.01 {
		t.Errorf("slope %v, offset %v", slope, offset)
	}
	slope, offset = logistic(20, func(i int) (float64, bool) { return float64(i), i >= 10 })
	if !(slope > 0 && slope < 10) || math.IsNaN(offset) {
		t.Errorf("apart: slope %v, offset %v", slope, offset)
	}
	slope, offset = logistic(20, func(i int) (float64, bool) { return float64(i), false })
	if p := 1 / (1 + math.Exp(-(slope*10 + offset))); !(p > 0 && p < 0.1) {
		t.Errorf("none: slope %v, offset %v", slope, offset)
	}
}

// TestRidge: the weights solve the equations that they are said to solve.
func TestRidge(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	values, truth := make([][]float64, 60), make([][]bool, 60)
	for r := range values {
		for range 7 {
			values[r] = append(values[r], rng.NormFloat64())
		}
		truth[r] = []bool{values[r][2]+values[r][5] > 0.5, rng.IntN(3) == 0}
	}
	used := func(r int) bool { return r%4 != 1 }
	for e, w := range ridge(values, truth, used) {
		n, mean := 0.0, 0.0
		for r := range values {
			if used(r) {
				n++
				if truth[r][e] {
					mean++
				}
			}
		}
		mean /= n
		for i := range w {
			left := penalty * n * w[i]
			for r, v := range values {
				if !used(r) {
					continue
				}
				is := 0.0
				if truth[r][e] {
					is = 1
				}
				left += v[i] * (dot(w, v) - (is - mean))
			}
			if math.Abs(left) > 1e-9 {
				t.Errorf("emotion %d: equation %d is off by %v", e, i, left)
			}
		}
	}
}
