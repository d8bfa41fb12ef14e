package tagger

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// NewCalibration is a calibration of which nothing is estimated yet. Its words are the names of the taxonomy's emotions and those of
// their synonyms that are one word.
func NewCalibration(prefix, before string, probes []string, tax *dataset.Taxonomy) *Calibration {
	c := &Calibration{Prefix: prefix, Before: before, Neutral: tax.Neutral()}
	var words []ProbeWord
	var own [][]int // the words of each emotion
	for _, e := range tax.Emotions() {
		own = append(own, nil)
		for _, w := range append([]string{e.Name}, e.Synonyms...) {
			if !strings.ContainsAny(w, " /") {
				own[len(own)-1] = append(own[len(own)-1], len(words))
				words = append(words, ProbeWord{Word: " " + w, Deviation: 1})
			}
		}
	}
	for _, after := range probes {
		c.Probes = append(c.Probes, Probe{After: after, Words: slices.Clone(words)})
	}
	for i, e := range tax.Emotions() {
		scale := EmotionScale{Emotion: e.Name, Threshold: unreached, Slope: 1, Weights: make([]float64, len(words)*len(probes))}
		for p := range probes {
			for _, w := range own[i] {
				scale.Weights[p*len(words)+w] = 1 / float64(len(own[i])*len(probes))
			}
		}
		c.Emotions = append(c.Emotions, scale)
	}
	return c
}

// A Reading is what the words of a calibration came to for a text (Result.Values), and the emotions that the text is known to have, if it is.
type Reading struct {
	Values   []float64
	Emotions []string
}

// minReadings is the fewest texts from which anything is estimated.
const minReadings = 50

// Estimate sets the means and deviations of a new calibration from readings of many texts. Where emotions of theirs are known it
// sets weights, thresholds for which the mean over emotions of F1 is highest, and probabilities by logistic regression; else a text
// has the one emotion that is likeliest.
func (c *Calibration) Estimate(readings []Reading) error {
	if len(readings) < minReadings {
		return fmt.Errorf("%d texts are too few to calibrate with; give %d at least, better thousands", len(readings), minReadings)
	}
	n := 0
	for i := range c.Probes {
		for j := range c.Probes[i].Words {
			w := &c.Probes[i].Words[j]
			w.Mean, w.Deviation = meanDeviation(len(readings), func(r int) float64 { return readings[r].Values[n] })
			w.Mean, w.Deviation = rounded(w.Mean), rounded(w.Deviation)
			n++
		}
	}
	values, truth, known := make([][]float64, len(readings)), make([][]bool, len(readings)), false
	for r, reading := range readings {
		values[r], truth[r] = c.standardise(reading.Values), make([]bool, len(c.Emotions))
		for _, name := range reading.Emotions {
			e := c.index(name)
			if e < 0 {
				return fmt.Errorf("text %d has the emotion %q, which the calibration lacks", r+1, name)
			}
			truth[r][e], known = true, true
		}
	}
	scores := make([][]float64, len(readings)) // by text, emotion
	if known {
		scores = c.fit(values, truth)
	} else {
		for r := range readings {
			scores[r] = c.scores(readings[r].Values)
		}
	}
	for e := range c.Emotions {
		_, d := meanDeviation(len(scores), func(r int) float64 { return scores[r][e] })
		for r := range scores {
			scores[r][e] /= d
		}
		scale := &c.Emotions[e]
		for i := range scale.Weights {
			scale.Weights[i] = rounded(scale.Weights[i] / d)
		}
		if known {
			scale.Slope, scale.Offset = logistic(len(scores), func(r int) (float64, bool) { return scores[r][e], truth[r][e] })
			scale.Slope, scale.Offset = rounded(scale.Slope), rounded(scale.Offset)
		}
	}
	if known {
		c.setThresholds(scores, truth)
	}
	return nil
}

// rounded keeps files small: the rest of a number says nothing.
func rounded(x float64) float64 { return math.Round(x*1e5) / 1e5 }

// folds is how many parts texts are in for scores of a text by weights that were fitted to others.
const folds = 5

// fit sets the weights and returns the scores that each text has by weights that were fitted without it.
func (c *Calibration) fit(values [][]float64, truth [][]bool) [][]float64 {
	scores := make([][]float64, len(values))
	for part := range folds {
		weights := ridge(values, truth, func(r int) bool { return r%folds != part })
		for r := part; r < len(values); r += folds {
			for _, w := range weights {
				scores[r] = append(scores[r], dot(w, values[r]))
			}
		}
	}
	for e, w := range ridge(values, truth, func(int) bool { return true }) {
		c.Emotions[e].Weights = w
	}
	return scores
}

// unreached is a threshold that no score reaches.
const unreached = 1e6

func meanDeviation(n int, value func(i int) float64) (mean, deviation float64) {
	for i := range n {
		mean += value(i) / float64(n)
	}
	for i := range n {
		d := value(i) - mean
		deviation += d * d / float64(n)
	}
	return mean, max(math.Sqrt(deviation), 1e-6)
}

// quantiles are the shares of texts that may lie under a threshold.
var quantiles = []float64{0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995}

// setThresholds climbs: one emotion's threshold at a time, to the quantile of its scores with the highest macro-F1 for all, three times over.
func (c *Calibration) setThresholds(scores [][]float64, truth [][]bool) {
	sorted := make([][]float64, len(c.Emotions))
	for e := range c.Emotions {
		share := 0.0
		for r := range scores {
			sorted[e] = append(sorted[e], scores[r][e])
			if truth[r][e] {
				share += 1 / float64(len(scores))
			}
		}
		slices.Sort(sorted[e])
		c.Emotions[e].Threshold = quantile(sorted[e], 1-min(0.5, 1.2*max(share, 0.003)))
	}
	best := c.macroF1(scores, truth)
	for range 3 {
		for e := range c.Emotions {
			t := &c.Emotions[e].Threshold
			for _, q := range quantiles {
				before := *t
				*t = quantile(sorted[e], q)
				if f := c.macroF1(scores, truth); f > best {
					best = f
				} else {
					*t = before
				}
			}
		}
	}
}

func quantile(sorted []float64, q float64) float64 {
	return rounded(sorted[min(int(q*float64(len(sorted))), len(sorted)-1)])
}

// macroF1 is the mean over emotions of the F1 of what choose finds.
func (c *Calibration) macroF1(scores [][]float64, truth [][]bool) float64 {
	both, found, there := make([]float64, len(c.Emotions)), make([]float64, len(c.Emotions)), make([]float64, len(c.Emotions))
	var chosen []int
	for r := range scores {
		chosen = c.choose(scores[r], chosen[:0])
		for _, e := range chosen {
			found[e]++
			if truth[r][e] {
				both[e]++
			}
		}
		for e, is := range truth[r] {
			if is {
				there[e]++
			}
		}
	}
	sum := 0.0
	for e := range both {
		if found[e]+there[e] > 0 {
			sum += 2 * both[e] / (found[e] + there[e])
		}
	}
	return sum / float64(len(both))
}

// choose appends which emotions scores speak for, the surest first: those that reach their thresholds, or the nearest to its own. The
// neutral one stands alone.
func (c *Calibration) choose(scores []float64, chosen []int) []int {
	best := 0
	margin := func(e int) float64 { return scores[e] - c.Emotions[e].Threshold }
	for e := range scores {
		if margin(e) > margin(best) {
			best = e
		}
	}
	chosen = append(chosen, best)
	if c.Emotions[best].Emotion == c.Neutral {
		return chosen
	}
	for e := range scores {
		if e != best && margin(e) >= 0 && c.Emotions[e].Emotion != c.Neutral {
			chosen = append(chosen, e)
		}
	}
	slices.SortStableFunc(chosen, func(a, b int) int { return cmp.Compare(margin(b), margin(a)) })
	return chosen[:min(len(chosen), maxPredictions)]
}

// logistic fits 1 / (1 + exp(-(slope x + offset))) by Newton's method, with Platt's targets, which keep it finite where classes do not overlap.
func logistic(n int, at func(i int) (x float64, is bool)) (slope, offset float64) {
	positive := 0.0
	for i := range n {
		if _, is := at(i); is {
			positive++
		}
	}
	negative := float64(n) - positive
	high, low := (positive+1)/(positive+2), 1/(negative+2)
	offset = math.Log((positive + 1) / (negative + 1))
	for range 50 {
		var ga, gb, haa, hab, hbb float64
		for i := range n {
			x, is := at(i)
			target := low
			if is {
				target = high
			}
			p := 1 / (1 + math.Exp(-(slope*x + offset)))
			ga += (p - target) * x
			gb += p - target
			w := p * (1 - p)
			haa, hab, hbb = haa+w*x*x, hab+w*x, hbb+w
		}
		haa, hbb = haa+1e-6, hbb+1e-6
		det := haa*hbb - hab*hab
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		// A step too far would leave the region in which the second derivative says anything.
		if most := max(math.Abs(da), math.Abs(db)); most > 2 {
			da, db = da*2/most, db*2/most
		}
		slope, offset = slope-da, offset-db
		if math.Abs(da)+math.Abs(db) < 1e-9 {
			break
		}
	}
	return slope, offset
}
