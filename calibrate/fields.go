package calibrate

import (
	"fmt"
	"math"
	"slices"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/internal/linear"
	"github.com/emospan/emospan/tagger"
)

// fitFields fits the map of each attribute of a span.
func (f *fitter) fitFields() error {
	for _, name := range tagger.FieldNames(f.tax) {
		var rows [][]float32
		var texts []int
		var values []string
		for i := range f.spans {
			s := &f.spans[i]
			if v := *tagger.FieldValue(s.span, name); v != "" {
				rows, texts, values = append(rows, s.dense), append(texts, s.text), append(values, v)
			}
		}
		r, err := f.fitField(name, tagger.FieldValues(f.tax, name), rows, texts, values, f.spanSpaces())
		if err != nil {
			return err
		}
		f.c.Fields = append(f.c.Fields, r)
	}
	return nil
}

// shares are how much of the values' frequencies a FieldReading's Shift may take back.
var shares = []float64{0, 0.25, 0.5, 0.75, 1}

// fitField fits one map from spans to values. texts are the numbers of the spans' texts; those of one are in one part.
func (f *fitter) fitField(name string, all []string, rows [][]float32, texts []int, values []string, spaces []projection) (r tagger.FieldReading, err error) {
	r = tagger.FieldReading{Name: name, Values: all, Examples: make([]int, len(all)), Shift: make([]float64, len(all)), Temperature: 1}
	labels := make([]int, len(values))
	for i, v := range values {
		if labels[i] = slices.Index(all, v); labels[i] < 0 {
			return r, fmt.Errorf("%s: %q is no value", name, v)
		}
		r.Examples[labels[i]]++
	}
	if err := tagger.CheckExamples(r.Values, r.Examples); err != nil {
		return r, fmt.Errorf("%s: %w; give more labelled spans", name, err)
	}
	scores := make([][]float64, len(rows))
	parts := linear.Folds(len(rows), folds, texts, seed)
	for part := range folds {
		d, l := &linear.Data{}, []int{}
		for i := range rows {
			if parts[i] != part {
				d.Dense, l = append(d.Dense, rows[i]), append(l, labels[i])
			}
		}
		m, err := linear.FitSoftmax(f.ctx, d, l, len(all), f.options(name, l2Field, 0))
		if err != nil {
			return r, err
		}
		for i := range rows {
			if parts[i] == part {
				scores[i] = m.Scores(rows[i], nil, nil)
			}
		}
	}
	r.Temperature = linear.FitTemperature(scores, labels)
	best := -1.0
	for _, share := range shares {
		shift := make([]float64, len(all))
		for v, n := range r.Examples {
			shift[v] = -share * math.Log(float64(n)/float64(len(labels)))
		}
		if f1 := linear.MacroF1(labels, decide(scores, shift), len(all)); f1 > best {
			best, r.Shift = f1, shift
		}
	}
	f.measure(name, scores, labels, &r, best)
	m, err := linear.FitSoftmax(f.ctx, &linear.Data{Dense: rows}, labels, len(all), f.options(name, l2Field, 0))
	if err != nil {
		return r, err
	}
	r.Map, err = f.unproject(m, spaces)
	return r, err
}

// decide gives the value with the highest score, once the shift is added.
func decide(scores [][]float64, shift []float64) []int {
	values := make([]int, len(scores))
	for i, s := range scores {
		most := math.Inf(-1)
		for v, x := range s {
			if x+shift[v] > most {
				values[i], most = v, x+shift[v]
			}
		}
	}
	return values
}

// measure notes how well scores of spans that a map was not fitted to tell their values.
func (f *fitter) measure(name string, scores [][]float64, labels []int, r *tagger.FieldReading, f1 float64) {
	constant := make([]int, len(labels))
	for i := range constant {
		constant[i] = slices.Index(r.Examples, slices.Max(r.Examples))
	}
	var confidence []float64
	var right []bool
	for i, s := range scores {
		p := tagger.Softmax(s, r.Temperature)
		v := slices.Index(p, slices.Max(p))
		confidence, right = append(confidence, p[v]), append(right, v == labels[i])
	}
	f.c.Measured = append(f.c.Measured, tagger.Measure{
		Field: name, Examples: len(labels), F1: f1, Constant: linear.MacroF1(labels, constant, len(r.Values)),
		CalibrationError: linear.CalibrationError(confidence, right, 10),
	})
}

// fitTargets fits whether a span has a target in the text, which words it is, and its relation.
func (f *fitter) fitTargets() (err error) {
	t := &f.c.Targets
	var rows, relations [][]float32
	var texts, with []int
	var kinds, names []string
	unsaid := 0
	for i := range f.spans {
		s := &f.spans[i]
		rows, texts, kinds = append(rows, s.dense), append(texts, s.text), append(kinds, s.kind)
		if s.kind == tagger.TargetUnsaid {
			unsaid++
		}
		if s.kind != tagger.TargetNone {
			relations, with, names = append(relations, s.relation), append(with, s.text), append(names, s.span.Attrs.TargetRelation)
		}
	}
	values := []string{tagger.TargetNone, tagger.TargetText, tagger.TargetUnsaid}
	if unsaid < tagger.MinExamples { // too few to be told from the others
		values = values[:2]
		for i, k := range kinds {
			if k == tagger.TargetUnsaid {
				kinds[i] = tagger.TargetNone
			}
		}
	}
	if t.Kind, err = f.fitField("target", values, rows, texts, kinds, f.spanSpaces()); err != nil {
		return err
	}
	if err := f.fitTargetWords(); err != nil {
		return err
	}
	values = slices.DeleteFunc(slices.Clone(tagger.FieldValues(f.tax, dataset.AttrTargetRelation)), func(v string) bool { return v == dataset.RelationNone })
	t.Relation, err = f.fitField(dataset.AttrTargetRelation, values, relations, with, names, f.relationSpaces())
	return err
}

// fitTargetWords fits which words of the text a target is, of those spans that have one there.
func (f *fitter) fitTargetWords() error {
	type at struct{ span, word int }
	var rows [][]float32
	var places []at
	var texts []int
	var labels [][]int
	for i := range f.spans {
		s := &f.spans[i]
		for w, v := range s.words {
			rows, places, texts = append(rows, v), append(places, at{i, w}), append(texts, s.text)
			var is []int
			if w >= s.target.Start && w <= s.target.End {
				is = []int{0}
			}
			labels = append(labels, is)
		}
	}
	scores, m, err := f.inFolds("targets", rows, labels, texts)
	if err != nil {
		return err
	}
	spans := map[int][]float64{}
	for i, p := range places {
		spans[p.span] = append(spans[p.span], scores[i])
	}
	var best, next overlap
	for _, extend := range []float64{-2, -1.5, -1, -0.5, 0, 0.5} {
		var found overlap
		for i := range f.spans {
			s := &f.spans[i]
			if s.kind != tagger.TargetText {
				continue
			}
			place, ok := tagger.FindTarget(s.evidence.Evidence, spans[i], s.place, extend)
			found.add(place, ok, s.target)
			if extend == -2 {
				place, ok = nextContent(s.evidence.Evidence, s.place)
				next.add(place, ok, s.target)
			}
		}
		if found.f1() > best.f1() {
			best, f.c.Targets.Extend = found, extend
		}
	}
	f.c.Measured = append(f.c.Measured, tagger.Measure{
		Field: "target_text", Examples: best.n, F1: best.f1(), Constant: next.f1(), Note: "words' F1, where there is a target; beside it that of the next content words",
	})
	f.c.Targets.Words, err = f.unproject(m, f.wordSpaces())
	return err
}

// nextContent is the nearest run of content words after a span, else before it.
func nextContent(e *tagger.Evidence, span tagger.Place) (tagger.Place, bool) {
	for i := span.End + 1; i < len(e.Words); i++ {
		if e.IsContent(i) {
			p := tagger.Place{Start: i, End: i}
			for p.End+1 < len(e.Words) && e.IsContent(p.End+1) {
				p.End++
			}
			return p, true
		}
	}
	for i := span.Start - 1; i >= 0; i-- {
		if e.IsContent(i) {
			p := tagger.Place{Start: i, End: i}
			for p.Start > 0 && e.IsContent(p.Start-1) {
				p.Start--
			}
			return p, true
		}
	}
	return tagger.Place{}, false
}

// An overlap counts the words of places that were found and of those that are right.
type overlap struct{ n, both, found, right int }

func (o *overlap) add(found tagger.Place, ok bool, right tagger.Place) {
	o.n++
	o.right += right.End - right.Start + 1
	if ok {
		o.found += found.End - found.Start + 1
		o.both += max(0, min(found.End, right.End)-max(found.Start, right.Start)+1)
	}
}

func (o overlap) f1() float64 {
	if o.found+o.right == 0 {
		return 0
	}
	return 2 * float64(o.both) / float64(o.found+o.right)
}

// inFolds fits a map to one score, and gives each row the score of a map that was fitted to other texts.
func (f *fitter) inFolds(what string, rows [][]float32, labels [][]int, texts []int) (scores []float64, whole *linear.Model, err error) {
	scores = make([]float64, len(rows))
	parts := linear.Folds(len(rows), folds, texts, seed)
	for part := range folds {
		d, l := &linear.Data{}, [][]int{}
		for i := range rows {
			if parts[i] != part {
				d.Dense, l = append(d.Dense, rows[i]), append(l, labels[i])
			}
		}
		m, err := linear.FitSigmoids(f.ctx, d, l, 1, f.options(what, l2InSpan, 0))
		if err != nil {
			return nil, nil, err
		}
		for i := range rows {
			if parts[i] == part {
				scores[i] = m.Scores(rows[i], nil, nil)[0]
			}
		}
	}
	whole, err = linear.FitSigmoids(f.ctx, &linear.Data{Dense: rows}, labels, 1, f.options(what, l2InSpan, 0))
	return scores, whole, err
}
