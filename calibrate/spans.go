package calibrate

import (
	"slices"

	"github.com/emospan/emospan/internal/linear"
	"github.com/emospan/emospan/tagger"
)

// aloneScore is SpanReading.Alone, chosen on a quarter of REMAN's texts with an emotion: from -1.5 to 0.7 words' F1 there hardly differs.
const aloneScore = 0

// fitSpans fits which words are in a span, and in one of which emotion.
func (f *fitter) fitSpans() error {
	s := &f.c.Spans
	s.Names = slices.DeleteFunc(slices.Clone(f.emotions), func(e string) bool { return e == f.c.Neutral })
	rows, labels, texts := make([][]float32, len(f.words)), make([][]int, len(f.words)), make([]int, len(f.words))
	for i, w := range f.words {
		rows[i], texts[i] = w.dense, w.text
		if w.emotion >= 0 {
			labels[i] = []int{0}
		}
	}
	in, m, err := f.inFolds("spans", rows, labels, texts)
	if err != nil {
		return err
	}
	if s.Map, err = f.unproject(m, f.wordSpaces()); err != nil {
		return err
	}
	of, m, err := f.wordEmotions(texts)
	if err != nil {
		return err
	}
	if s.Emotions, err = f.unproject(m, f.wordSpaces()); err != nil {
		return err
	}
	s.Alone = aloneScore
	var best overlap
	for _, weight := range []float64{0, 0.1, 0.2, 0.35, 0.5} {
		for _, extend := range []float64{-2, -1.5, -1, -0.5, 0} {
			for _, second := range []float64{1, 2, 100} {
				if o := f.overlapOfSpans(in, of, weight, extend, second); o.f1() > best.f1() {
					best, s.Weight, s.Extend, s.Second = o, weight, extend, second
				}
			}
		}
	}
	f.c.Measured = append(f.c.Measured, tagger.Measure{
		Field: "spans", Examples: best.n, F1: best.f1(), Constant: f.overlapOfContent().f1(), Note: "words' F1, where the emotion is known; beside it that of all content words",
	})
	return nil
}

// wordEmotions fits of which emotion a word in a span is. Words in none have scores too.
func (f *fitter) wordEmotions(texts []int) (scores [][]float64, whole *linear.Model, err error) {
	scores = make([][]float64, len(f.words))
	parts := linear.Folds(len(f.words), folds, texts, seed)
	fit := func(use func(i int) bool) (*linear.Model, error) {
		d, l := &linear.Data{}, [][]int{}
		for i, w := range f.words {
			if w.emotion >= 0 && use(i) {
				d.Dense, l = append(d.Dense, w.dense), append(l, []int{slices.Index(f.c.Spans.Names, f.emotions[w.emotion])})
			}
		}
		return linear.FitSigmoids(f.ctx, d, l, len(f.c.Spans.Names), f.options("emotions of words", l2InSpan, 0))
	}
	for part := range folds {
		m, err := fit(func(i int) bool { return parts[i] != part })
		if err != nil {
			return nil, nil, err
		}
		for i, w := range f.words {
			if parts[i] == part {
				scores[i] = m.Scores(w.dense, nil, nil)
			}
		}
	}
	whole, err = fit(func(int) bool { return true })
	return scores, whole, err
}

// eachEmotion calls with each text that has spans and each emotion of its.
func (f *fitter) eachEmotion(do func(l *layout, emotion int, first bool, spans []tagger.Place)) {
	for i := 0; i < len(f.spans); {
		l := f.spans[i].evidence
		spans := map[int][]tagger.Place{}
		var order []int
		for ; i < len(f.spans) && f.spans[i].evidence == l; i++ {
			e := f.spans[i].emotion
			if spans[e] == nil {
				order = append(order, e)
			}
			spans[e] = append(spans[e], f.spans[i].place)
		}
		for n, e := range order {
			do(l, e, n == 0, spans[e])
		}
	}
}

func (f *fitter) overlapOfSpans(in []float64, of [][]float64, weight, extend, second float64) (o overlap) {
	f.eachEmotion(func(l *layout, emotion int, _ bool, spans []tagger.Place) {
		name := slices.Index(f.c.Spans.Names, f.emotions[emotion])
		scores := make([]float64, len(l.Words))
		for i := range scores {
			scores[i] = in[l.first+i] + weight*of[l.first+i][name]
		}
		o.addAll(tagger.FindSpans(l.Evidence, scores, extend, second), spans)
	})
	return o
}

// overlapOfContent is that of all content words of a text.
func (f *fitter) overlapOfContent() (o overlap) {
	f.eachEmotion(func(l *layout, _ int, _ bool, spans []tagger.Place) {
		var all []tagger.Place
		for i := range l.Words {
			if l.IsContent(i) {
				all = append(all, tagger.Place{Start: i, End: i})
			}
		}
		o.addAll(all, spans)
	})
	return o
}

// addAll adds places that were found and those that are right; the former do not overlap.
func (o *overlap) addAll(found, right []tagger.Place) {
	o.n++
	for _, r := range right {
		o.right += r.End - r.Start + 1
	}
	for _, p := range found {
		o.found += p.End - p.Start + 1
		for _, r := range right {
			o.both += max(0, min(p.End, r.End)-max(p.Start, r.Start)+1)
		}
	}
}
