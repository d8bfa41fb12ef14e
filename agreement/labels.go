package agreement

import (
	"context"
	"math"
)

// LabelScores are the scores of the labels of whole texts on one level.
type LabelScores struct {
	Level      Level        `json:"level"`
	Records    int          `json:"records"`
	Classes    []ClassScore `json:"classes"`     // all of the level's, in their order
	Micro      PRF          `json:"micro"`       // of all labels of all texts
	Macro      PRF          `json:"macro"`       // means over all classes
	Accuracy   Estimate     `json:"accuracy"`    // texts that have exactly the reference's labels
	FirstLabel Estimate     `json:"first_label"` // texts whose first label is among the reference's
	Kappa      Estimate     `json:"kappa"`       // the mean of the classes that have one
	Alpha      Estimate     `json:"alpha"`       // likewise
	SetAlpha   Estimate     `json:"alpha_masi"`  // of the sets of labels, by the distance MASI
}

// ClassScore are the scores of one label: whether a text has it.
type ClassScore struct {
	Name      string `json:"name"`
	Support   int    `json:"support"`   // texts that have it in the reference
	Predicted int    `json:"predicted"` // and in the file
	Over      int    `json:"over"`      // in the file alone
	Under     int    `json:"under"`     // in the reference alone
	Ratio     Number `json:"ratio"`     // predicted ÷ support
	PRF
	Kappa Estimate `json:"kappa"`
	Alpha Estimate `json:"alpha"`
}

func (s *LabelScores) estimates() []*Estimate {
	var list []*Estimate
	for i := range s.Classes {
		c := &s.Classes[i]
		list = append(c.estimates(list), &c.Kappa, &c.Alpha)
	}
	list = s.Macro.estimates(s.Micro.estimates(list))
	return append(list, &s.Accuracy, &s.FirstLabel, &s.Kappa, &s.Alpha, &s.SetAlpha)
}

// outcome is what a text's labels came to.
type outcome struct {
	reference, predicted Set
	first                uint8
}

// labelTally counts equal outcomes, in the order in which they were first seen.
type labelTally struct {
	index    map[outcome]int
	outcomes []outcome
	counts   []int
}

func (t *labelTally) add(o outcome) {
	i, ok := t.index[o]
	if !ok {
		if t.index == nil {
			t.index = map[outcome]int{}
		}
		i = len(t.outcomes)
		t.index[o] = i
		t.outcomes, t.counts = append(t.outcomes, o), append(t.counts, 0)
	}
	t.counts[i]++
}

// score scores the labels on every level that they allow. Nothing can be added
// behind it.
func (t *labelTally) score(ctx context.Context, book *Codebook, from Level, b Bootstrap) ([]*LabelScores, error) {
	if len(t.outcomes) == 0 {
		return nil, nil
	}
	t.index = nil // what follows needs as much memory
	var list []*LabelScores
	var levels []*labelLevel
	for _, p := range book.coarser(from) {
		l := newLabelLevel(t, book.Names(p.level), p)
		levels, list = append(levels, l), append(list, l.score(t.counts))
	}
	err := b.intervals(ctx, t.counts, func(weights []int) []*Estimate {
		var all []*Estimate
		for _, l := range levels {
			all = append(all, l.score(weights).estimates()...)
		}
		return all
	}, func() (all []*Estimate) {
		for _, s := range list {
			all = append(all, s.estimates()...)
		}
		return all
	}())
	return list, err
}

// labelLevel is a tally seen on one level.
type labelLevel struct {
	level    Level
	names    []string
	kinds    []labelKind // what the tally's outcomes come to on the level
	kind     []int32     // of each of them
	expected float64     // the mean distance of any two label sets of either side
}

type labelKind struct {
	outcome
	distance float64 // by MASI
}

func newLabelLevel(t *labelTally, names []string, p projection) *labelLevel {
	l := &labelLevel{level: p.level, names: names, kind: make([]int32, len(t.outcomes))}
	index := map[outcome]int32{}
	sets := map[Set]int{}
	var order []Set // so that sums come out the same in each run
	for i, o := range t.outcomes {
		first := uint8(noClass)
		if o.first != noClass {
			first = p.to[o.first]
		}
		o = outcome{o.reference.project(p.to), o.predicted.project(p.to), first}
		kind, ok := index[o]
		if !ok {
			kind = int32(len(l.kinds))
			index[o] = kind
			l.kinds = append(l.kinds, labelKind{o, masi(o.reference, o.predicted)})
		}
		l.kind[i] = kind
		for _, s := range [...]Set{o.reference, o.predicted} {
			if sets[s] == 0 {
				order = append(order, s)
			}
			sets[s] += t.counts[i]
		}
	}
	n := 0.
	for i, s := range order {
		n += float64(sets[s])
		for _, other := range order[:i] {
			l.expected += 2 * float64(sets[s]) * float64(sets[other]) * masi(s, other)
		}
	}
	l.expected /= n * (n - 1)
	return l
}

// score makes the figures of the outcomes, each as often as its weight says.
func (l *labelLevel) score(weights []int) *LabelScores {
	cells := make([]counts, len(l.names))
	var all counts
	n, equal, first, distance := 0, 0, 0, 0.
	for i, w := range weights {
		if w == 0 {
			continue
		}
		o := &l.kinds[l.kind[i]]
		n += w
		distance += float64(w) * o.distance
		if o.reference == o.predicted {
			equal += w
		}
		if o.reference.Has(o.first) {
			first += w
		}
		for c := range o.reference.All() {
			cells[c].reference += w
		}
		for c := range o.predicted.All() {
			cells[c].predicted += w
		}
		for c := range (o.reference & o.predicted).All() {
			cells[c].both += w
		}
	}
	s := &LabelScores{Level: l.level, Records: n, Classes: make([]ClassScore, len(cells))}
	var macro [3]float64
	kappas, alphas := make([]float64, len(cells)), make([]float64, len(cells))
	for i, c := range cells {
		all.both, all.reference, all.predicted = all.both+c.both, all.reference+c.reference, all.predicted+c.predicted
		kappas[i], alphas[i] = c.kappa(n), c.alpha(n)
		scores := c.prf()
		for k, e := range [...]Estimate{scores.Precision, scores.Recall, scores.F1} {
			macro[k] += float64(e.Value) / float64(len(cells))
		}
		overall := math.NaN()
		if c.reference > 0 {
			overall = float64(c.predicted) / float64(c.reference)
		}
		s.Classes[i] = ClassScore{
			Name: l.names[i], Support: c.reference, Predicted: c.predicted, Over: c.predicted - c.both, Under: c.reference - c.both,
			Ratio: Number(overall), PRF: scores, Kappa: estimate(kappas[i]), Alpha: estimate(alphas[i]),
		}
	}
	s.Micro = all.prf()
	s.Macro = PRF{estimate(macro[0]), estimate(macro[1]), estimate(macro[2])}
	s.Accuracy, s.FirstLabel = estimate(ratio(float64(equal), float64(n))), estimate(ratio(float64(first), float64(n)))
	s.Kappa, s.Alpha = estimate(mean(kappas)), estimate(mean(alphas))
	setAlpha := math.NaN()
	if l.expected > 0 {
		setAlpha = 1 - distance/float64(n)/l.expected
	}
	s.SetAlpha = estimate(setAlpha)
	return s
}
