package tagger

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// NewCalibration is a calibration whose means and deviations are still to be estimated: the words of an emotion are its name and those
// of its synonyms that are one word.
func NewCalibration(prefix, before string, probes []string, tax *dataset.Taxonomy) *Calibration {
	c := &Calibration{Prefix: prefix, Before: before, Neutral: tax.Neutral()}
	for _, e := range tax.Emotions() {
		c.Emotions = append(c.Emotions, EmotionScale{Emotion: e.Name, Deviation: 1})
	}
	for _, after := range probes {
		p := Probe{After: after}
		for _, e := range tax.Emotions() {
			for _, w := range append([]string{e.Name}, e.Synonyms...) {
				if !strings.ContainsAny(w, " /") {
					p.Words = append(p.Words, ProbeWord{Word: " " + w, Emotion: e.Name, Deviation: 1})
				}
			}
		}
		c.Probes = append(c.Probes, p)
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

// Estimate sets the means and deviations of a calibration from readings of many texts. Where their emotions are known it sets
// thresholds for which the mean over emotions of F1 is highest, and probabilities by logistic regression; else a text has the one
// emotion that is likeliest.
func (c *Calibration) Estimate(readings []Reading) error {
	if len(readings) < minReadings {
		return fmt.Errorf("%d texts are too few to calibrate with; give %d at least, better a thousand", len(readings), minReadings)
	}
	n := 0
	for i := range c.Probes {
		for j := range c.Probes[i].Words {
			w := &c.Probes[i].Words[j]
			w.Mean, w.Deviation = meanDeviation(len(readings), func(r int) float64 { return readings[r].Values[n] })
			n++
		}
	}
	for e := range c.Emotions {
		c.Emotions[e].Deviation = 1
	}
	scores := make([][]float64, len(readings)) // by text, emotion
	for r := range readings {
		scores[r] = c.scores(readings[r].Values)
	}
	truth := make([][]bool, len(readings))
	known := false
	for r, reading := range readings {
		truth[r] = make([]bool, len(c.Emotions))
		for _, name := range reading.Emotions {
			e := c.index(name)
			if e < 0 {
				return fmt.Errorf("text %d has the emotion %q, which the calibration lacks", r+1, name)
			}
			truth[r][e], known = true, true
		}
	}
	for e := range c.Emotions {
		_, d := meanDeviation(len(scores), func(r int) float64 { return scores[r][e] })
		c.Emotions[e].Deviation = d
		for r := range scores {
			scores[r][e] /= d
		}
		c.Emotions[e].Threshold, c.Emotions[e].Slope, c.Emotions[e].Offset = unreached, 1, 0
	}
	if !known {
		return nil
	}
	for e := range c.Emotions {
		c.Emotions[e].Slope, c.Emotions[e].Offset = logistic(len(scores), func(r int) (float64, bool) { return scores[r][e], truth[r][e] })
	}
	c.setThresholds(scores, truth)
	return nil
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
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
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
