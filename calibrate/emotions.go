package calibrate

import (
	"fmt"
	"math"
	"slices"

	"github.com/emospan/emospan/internal/bagofwords"
	"github.com/emospan/emospan/internal/linear"
	"github.com/emospan/emospan/tagger"
)

func sqrt(x float64) float64 { return math.Sqrt(x) }

// unreached is a threshold that no score reaches, so that a text has the one likeliest emotion.
const unreached = 1e6

// fitEmotions fits the map from texts to emotions, the thresholds and the probability of a chosen emotion.
func (f *fitter) fitEmotions() error {
	r := &f.c.Emotions
	r.Names, r.Slope = f.emotions, 1
	if f.o.NoLabels {
		return f.estimateWordScores()
	}
	if len(f.texts) == 0 {
		return fmt.Errorf("no text has labels")
	}
	r.Examples = make([]int, len(r.Names))
	for _, t := range f.texts {
		for _, e := range t.emotions {
			r.Examples[e]++
		}
	}
	if err := tagger.CheckExamples(r.Names, r.Examples); err != nil {
		return fmt.Errorf("%w; give more labelled texts", err)
	}
	vocabulary := f.counts.Vocabulary(bagofwords.Options{MinCount: 2, MaxWords: maxWords})
	d, labels, own := &linear.Data{Columns: vocabulary.Len()}, [][]int{}, []int{}
	for i, t := range f.texts {
		d.Dense = append(d.Dense, t.dense)
		d.Sparse = append(d.Sparse, vocabulary.Features(t.text, nil))
		labels = append(labels, t.emotions)
		if !t.corpus {
			own = append(own, i)
		}
	}
	if len(own) == 0 {
		own = indices(len(f.texts))
	}
	scores, err := f.heldOut(d, labels, own)
	if err != nil {
		return err
	}
	measured := make([]int, 0, len(scores)) // texts whose scores are of maps fitted to others
	for _, i := range own {
		if scores[i] != nil {
			measured = append(measured, i)
		}
	}
	if err := f.setThresholds(scores, labels, measured); err != nil {
		return err
	}
	m, err := f.fitBoth("", d, labels)
	if err != nil {
		return err
	}
	whole, err := f.unproject(m, f.textSpaces())
	if err != nil {
		return err
	}
	packed := linear.Pack(m.Sparse)
	r.Map, r.Vocabulary, r.Words = &whole, vocabulary, &packed
	return nil
}

// fitBoth fits one map to the states and one to the words, and gives half the sum of their scores. Together in one fit the words, which
// tell rare emotions apart, leave the states less to do, and the result was worse.
func (f *fitter) fitBoth(part string, d *linear.Data, labels [][]int) (*linear.Model, error) {
	states := f.options("emotions by states"+part, l2EmotionShare*float64(len(labels)), 0)
	m, err := linear.FitSigmoids(f.ctx, &linear.Data{Dense: d.Dense}, labels, len(f.emotions), states)
	if err != nil {
		return nil, err
	}
	words, err := linear.FitSigmoids(f.ctx, &linear.Data{Sparse: d.Sparse, Columns: d.Columns}, labels, len(f.emotions), f.options("emotions by words"+part, 0, l2Words))
	if err != nil {
		return nil, err
	}
	for c := range m.Bias {
		m.Bias[c] = (m.Bias[c] + words.Bias[c]) / 2
		for i := range m.Dense[c] {
			m.Dense[c][i] /= 2
		}
		for i := range words.Sparse[c] {
			words.Sparse[c][i] /= 2
		}
	}
	m.Sparse = words.Sparse
	return m, nil
}

func (f *fitter) options(what string, dense, sparse float64) linear.Options {
	return linear.Options{
		L2Dense: dense, L2Sparse: sparse, Threads: f.o.Threads, Iterations: 150,
		Progress: func(done, total int) { f.o.Progress("fitting "+what, done, total) },
	}
}

// heldOut gives each text of own the scores of a map that was fitted to others. Many texts are parted less often, to save time.
func (f *fitter) heldOut(d *linear.Data, labels [][]int, own []int) ([][]float64, error) {
	n := folds
	if len(labels) >= manyTexts {
		n = fewFolds
	}
	parts := linear.Folds(len(labels), n, nil, seed)
	isOwn := make([]bool, len(labels))
	for _, i := range own {
		isOwn[i] = true
	}
	scores := make([][]float64, len(labels))
	for part := range n {
		train, l := &linear.Data{Columns: d.Columns}, [][]int{}
		for i := range labels {
			if parts[i] != part || !isOwn[i] {
				train.Dense, train.Sparse, l = append(train.Dense, d.Dense[i]), append(train.Sparse, d.Sparse[i]), append(l, labels[i])
			}
		}
		m, err := f.fitBoth(fmt.Sprintf(", part %d of %d", part+1, n+1), train, l)
		if err != nil {
			return nil, err
		}
		for i := range labels {
			if parts[i] == part && isOwn[i] {
				scores[i] = m.Scores(d.Dense[i], d.Sparse[i], nil)
			}
		}
	}
	return scores, nil
}

// setThresholds chooses the thresholds on half of the measured texts, sets the probabilities there, and measures both on the other half;
// then it chooses them again on all.
func (f *fitter) setThresholds(scores [][]float64, labels [][]int, measured []int) error {
	neutral := slices.Index(f.emotions, f.c.Neutral)
	choose := func(on []int) []float64 {
		s, l, n := make([][]float64, len(on)), make([][]int, len(on)), 0
		for i, t := range on {
			s[i], l[i] = scores[t], labels[t]
			n += len(labels[t])
		}
		return linear.Thresholds(s, l, neutral, float64(n)/float64(len(on)))
	}
	platt := func(on []int, thresholds []float64) (x []float64, right []bool) {
		for _, t := range on {
			for _, e := range linear.Choose(scores[t], thresholds, neutral, 3) {
				x, right = append(x, scores[t][e]), append(right, slices.Contains(labels[t], e))
			}
		}
		return x, right
	}
	var half [2][]int
	for i, t := range measured {
		half[i%2] = append(half[i%2], t)
	}
	var truth, predicted [][]int
	var confidence []float64
	var rights []bool
	for side := range 2 {
		thresholds := choose(half[side])
		slope, offset := linear.FitPlatt(platt(half[side], thresholds))
		for _, t := range half[1-side] {
			truth, predicted = append(truth, labels[t]), append(predicted, linear.Choose(scores[t], thresholds, neutral, 3))
		}
		x, right := platt(half[1-side], thresholds)
		for i := range x {
			confidence, rights = append(confidence, 1/(1+math.Exp(-(slope*x[i]+offset)))), append(rights, right[i])
		}
	}
	r := &f.c.Emotions
	r.Thresholds = choose(measured)
	r.Slope, r.Offset = linear.FitPlatt(platt(measured, r.Thresholds))
	constant := make([][]int, len(truth))
	most := commonest(labels, measured)
	for i := range constant {
		constant[i] = []int{most}
	}
	f.c.Measured = append(f.c.Measured, tagger.Measure{
		Field: "emotions", Examples: len(truth), F1: linear.MacroF1Sets(truth, predicted, len(f.emotions)),
		Constant: linear.MacroF1Sets(truth, constant, len(f.emotions)), CalibrationError: linear.CalibrationError(confidence, rights, 10),
	})
	return nil
}

func commonest(labels [][]int, texts []int) int {
	n := map[int]int{}
	best := 0
	for _, t := range texts {
		for _, e := range labels[t] {
			if n[e]++; n[e] > n[best] {
				best = e
			}
		}
	}
	return best
}

func indices(n int) []int {
	list := make([]int, n)
	for i := range list {
		list[i] = i
	}
	return list
}

// estimateWordScores has each text have the emotion whose words are likeliest.
func (f *fitter) estimateWordScores() error {
	r := &f.c.Emotions
	r.WordScores.Estimate(f.values)
	for range r.Names {
		r.Thresholds = append(r.Thresholds, unreached)
	}
	return nil
}
