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
	r.Names, r.Sureness = f.emotions, tagger.Sureness{Slope: 1}
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
	if len(f.texts) < manyTexts {
		r.WordScores.Estimate(f.values)
		r.WordScores.Weight = wordScoresWeight
	} else {
		r.WordScores = nil
	}
	parts, labels, own := f.emotionParts(), [][]int{}, []int{}
	for i, t := range f.texts {
		labels = append(labels, t.emotions)
		if !t.corpus {
			own = append(own, i)
		}
	}
	if len(own) == 0 {
		own = indices(len(f.texts))
	}
	scores, err := f.heldOut(parts, labels, own)
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
	models, err := f.fitParts("", parts, labels, indices(len(labels)))
	if err != nil {
		return err
	}
	for i, m := range models {
		if v := parts[i].vocabulary; v != nil {
			for c, x := range m.Bias {
				r.Map.Bias[c] += x
			}
			r.Bags = append(r.Bags, tagger.Bag{Vocabulary: v, Weights: linear.Pack(m.Sparse)})
			continue
		}
		whole, err := f.unproject(m, f.textSpaces())
		if err != nil {
			return err
		}
		r.Map = &whole
	}
	return nil
}

// An emotionPart is one kind of evidence for a text's emotions.
type emotionPart struct {
	name       string
	share      float64                // of the sum of the parts' scores
	vocabulary *bagofwords.Vocabulary // nil for states
	data       linear.Data
}

// emotionParts are the states, which come first, the words and the characters in a row of the texts. Few texts have too few of the words.
func (f *fitter) emotionParts() []emotionPart {
	states, bag := emotionPart{name: "states", share: 1. / 3}, 1./3
	if len(f.texts) < manyTexts {
		states.share, bag = 0.5, 0.25
	}
	for _, t := range f.texts {
		states.data.Dense = append(states.data.Dense, t.dense)
	}
	parts := []emotionPart{states}
	for _, kind := range []bagofwords.Kind{bagofwords.Words, bagofwords.Characters} {
		counter := bagofwords.NewCounter(kind)
		for _, t := range f.texts {
			counter.Add(t.text)
		}
		v := counter.Vocabulary(bagofwords.Options{MinCount: minCount, MaxWords: maxWords})
		p := emotionPart{name: string(kind), share: bag, vocabulary: v, data: linear.Data{Columns: v.Len()}}
		for _, t := range f.texts {
			p.data.Sparse = append(p.data.Sparse, v.Features(t.text, nil))
		}
		parts = append(parts, p)
	}
	return parts
}

// scoresOf are those of models of the parts and of word scores, for a text.
func (f *fitter) scoresOf(parts []emotionPart, models []*linear.Model, text int) []float64 {
	sum := make([]float64, len(f.emotions))
	if s := f.c.Emotions.WordScores; s != nil {
		s.Add(f.texts[text].values, sum)
	}
	for i, m := range models {
		var dense []float32
		var sparse []linear.Term
		if d := &parts[i].data; d.Dense != nil {
			dense = d.Dense[text]
		} else {
			sparse = d.Sparse[text]
		}
		for c, s := range m.Scores(dense, sparse, nil) {
			sum[c] += s
		}
	}
	return sum
}

// fitParts fits a map to each part of some texts. The scores of the maps, each times its share, add up. Together in one fit the words, which
// tell rare emotions apart, leave the states less to do, and the result was worse.
func (f *fitter) fitParts(stage string, parts []emotionPart, labels [][]int, texts []int) ([]*linear.Model, error) {
	var models []*linear.Model
	chosen := make([][]int, len(texts))
	for i, t := range texts {
		chosen[i] = labels[t]
	}
	for _, p := range parts {
		d, o := &linear.Data{Columns: p.data.Columns}, f.options("emotions by "+p.name+stage, l2Emotions, l2Words)
		for _, t := range texts {
			if p.vocabulary == nil {
				d.Dense = append(d.Dense, p.data.Dense[t])
			} else {
				d.Sparse = append(d.Sparse, p.data.Sparse[t])
			}
		}
		m, err := linear.FitSigmoids(f.ctx, d, chosen, len(f.emotions), o)
		if err != nil {
			return nil, err
		}
		for c := range m.Bias {
			m.Bias[c] *= p.share
		}
		for _, rows := range [][][]float32{m.Dense, m.Sparse} {
			for _, row := range rows {
				for i := range row {
					row[i] *= float32(p.share)
				}
			}
		}
		models = append(models, m)
	}
	return models, nil
}

func (f *fitter) options(what string, dense, sparse float64) linear.Options {
	return linear.Options{
		L2Dense: dense, L2Sparse: sparse, Threads: f.o.Threads, Iterations: 150,
		Progress: func(done, total int) { f.o.Progress("fitting "+what, done, total) },
	}
}

// heldOut gives each text of own the scores of maps that were fitted to others. Many texts are parted less often, to save time.
func (f *fitter) heldOut(parts []emotionPart, labels [][]int, own []int) ([][]float64, error) {
	n := folds
	if len(labels) >= manyTexts {
		n = fewFolds
	}
	fold := linear.Folds(len(labels), n, nil, seed)
	isOwn := make([]bool, len(labels))
	for _, i := range own {
		isOwn[i] = true
	}
	all := make([][]float64, len(labels))
	for out := range n {
		var train []int
		for i := range labels {
			if fold[i] != out || !isOwn[i] {
				train = append(train, i)
			}
		}
		models, err := f.fitParts(fmt.Sprintf(", part %d of %d", out+1, n+1), parts, labels, train)
		if err != nil {
			return nil, err
		}
		for i := range labels {
			if fold[i] == out && isOwn[i] {
				all[i] = f.scoresOf(parts, models, i)
			}
		}
	}
	return all, nil
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
	// What is chosen, but for neutral, which has no span and so no confidence.
	chosen := func(on []int, thresholds []float64) (evidence [][]float32, right [][]int) {
		for _, t := range on {
			for _, e := range linear.Choose(scores[t], thresholds, neutral, 3) {
				if e == neutral {
					continue
				}
				evidence, right = append(evidence, []float32{float32(scores[t][e]), float32(thresholds[e])}), append(right, nil)
				if slices.Contains(labels[t], e) {
					right[len(right)-1] = []int{0}
				}
			}
		}
		return evidence, right
	}
	sureness := func(evidence [][]float32, right [][]int) (tagger.Sureness, error) {
		if len(evidence) == 0 {
			return tagger.Sureness{Slope: 1}, nil
		}
		m, err := linear.FitSigmoids(f.ctx, &linear.Data{Dense: evidence}, right, 1, linear.Options{L2Dense: 1})
		if err != nil {
			return tagger.Sureness{}, err
		}
		return tagger.Sureness{Slope: float64(m.Dense[0][0]), Threshold: float64(m.Dense[0][1]), Offset: m.Bias[0]}, nil
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
		sure, err := sureness(chosen(half[side], thresholds))
		if err != nil {
			return err
		}
		for _, t := range half[1-side] {
			truth, predicted = append(truth, labels[t]), append(predicted, linear.Choose(scores[t], thresholds, neutral, 3))
		}
		evidence, right := chosen(half[1-side], thresholds)
		for i, x := range evidence {
			confidence, rights = append(confidence, sure.Probability(float64(x[0]), float64(x[1]))), append(rights, right[i] != nil)
		}
	}
	r := &f.c.Emotions
	r.Thresholds = choose(measured)
	var err error
	if r.Sureness, err = sureness(chosen(measured, r.Thresholds)); err != nil {
		return err
	}
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
