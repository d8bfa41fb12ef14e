// Package calibrate fits a tagger.Calibration to labelled texts: the maps from a model's hidden states, and from the words of a text, to the
// values of a record's fields. What it reports was measured by cross-validation: a text's values by maps that were fitted to other
// texts.
package calibrate

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/internal/linear"
	"github.com/emospan/emospan/tagger"
)

// A Text is a text with what is known of it.
type Text struct {
	dataset.Input                 // Labels are its emotions, if they are known
	Record        *dataset.Record // nil where no spans are known
}

// A Read passes texts through the model in the context of a calibration and gives what it has of each, in order. A text that cannot be read
// is left out.
type Read func(c *tagger.Calibration, texts iter.Seq2[Text, error], emit func(t Text, e *tagger.Evidence) error) error

// Options say how readings are fitted.
type Options struct {
	Threads  int
	Progress func(what string, done, total int) // may be nil; total is 0 where it is not known

	// NoLabels has emotions told by scores of words, which need no labels (tagger.WordScores).
	NoLabels bool
}

const (
	textComponents = 150 // principal components of each layer's states that a map of texts is fitted in
	wordComponents = 100 // likewise of words and spans
	sampledRows    = 12_000
	folds          = 5      // of texts, for scores by maps that were fitted to others
	manyTexts      = 10_000 // texts from which on there are fewer
	fewFolds       = 3
	seed           = 1
	minCount       = 2      // texts that a word of a vocabulary stands in
	maxWords       = 20_000 // of a vocabulary
)

// Weights of the squares of the maps' numbers (linear.Options), chosen on rows of GoEmotions' train set and on the corpus.
const (
	l2Emotions = 300
	l2Words    = 0.5
	l2Field    = 300
	l2InSpan   = 100

	wordScoresWeight = 0.8 // where few texts have labels
)

// Fit fits all readings of a calibration, which comes as tagger.ReadingContext. corpus are texts with records that have every value of
// every field; more are texts beside them, with labels or records, or where o.NoLabels without. With labels of more, the
// thresholds of emotions are chosen for its texts alone, else for those of corpus.
func Fit(ctx context.Context, read Read, c *tagger.Calibration, tax *dataset.Taxonomy, corpus []dataset.Record, more iter.Seq2[Text, error], o Options) error {
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	f := &fitter{ctx: ctx, c: c, tax: tax, o: o}
	for i := range tax.Emotions() {
		f.emotions = append(f.emotions, tax.Emotions()[i].Name)
	}
	if err := f.measureStates(read, corpus); err != nil {
		return err
	}
	if err := f.readAll(read, corpus, more); err != nil {
		return err
	}
	for _, step := range []func() error{f.fitEmotions, f.fitSpans, f.fitFields, f.fitTargets} {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// A fitter holds what readings are fitted to.
type fitter struct {
	ctx      context.Context
	c        *tagger.Calibration
	tax      *dataset.Taxonomy
	o        Options
	emotions []string

	space struct{ row, mean, end, text projection } // of states; row and mean with wordComponents, text and end with textComponents

	texts  []textExample
	words  []wordExample
	spans  []spanExample
	values [][]float64 // of WordScores, for each text read
}

// A projection has the principal components of each layer.
type projection []*linear.PCA

// A textExample is a text with its emotions, as indices of fitter.emotions.
type textExample struct {
	dense    []float32
	text     string
	values   []float64 // of WordScores
	emotions []int
	corpus   bool
}

type wordExample struct {
	text    int // number of the record
	dense   []float32
	emotion int // of the span that it lies in, -1 for none
}

type spanExample struct {
	text     int
	dense    []float32
	emotion  int
	span     *dataset.Span
	evidence *layout
	place    tagger.Place
	target   tagger.Place // where kind is TargetText
	kind     string
	relation []float32   // where there is a target
	words    [][]float32 // TargetVector of each word, where kind is TargetText
}

// A layout keeps of evidence what spans are found by.
type layout struct {
	*tagger.Evidence
	first int // of fitter.words
	gold  []int
}

func corpusTexts(corpus []dataset.Record) iter.Seq2[Text, error] {
	return func(yield func(Text, error) bool) {
		for i := range corpus {
			r := &corpus[i]
			if !yield(Text{dataset.Input{ID: r.SrcID, Text: r.Text, Labels: r.Predictions}, r}, nil) {
				return
			}
		}
	}
}

// measureStates finds the scales of states and their principal components, from the corpus' texts.
func (f *fitter) measureStates(read Read, corpus []dataset.Record) error {
	var rows, means, ends [][]float32
	n, size := 0, len(f.c.Layers)*f.c.Width
	every := max(1, 24*len(corpus)/sampledRows)
	err := read(f.c, corpusTexts(corpus), func(t Text, e *tagger.Evidence) error {
		v := e.TextVector()
		means, ends = append(means, slices.Clone(v[:size])), append(ends, slices.Clone(v[size:2*size]))
		for i := range e.Words {
			if i%every == 0 {
				rows = append(rows, slices.Clone(e.WordVector(i)[:size]))
			}
		}
		n++
		f.o.Progress("measuring the states", n, len(corpus))
		return context.Cause(f.ctx)
	})
	if err != nil {
		return err
	}
	if len(ends) < tagger.MinExamples {
		return fmt.Errorf("%d texts are too few to calibrate with", len(ends))
	}
	f.c.Rows, f.c.End = scaleOf(rows), scaleOf(ends)
	for _, group := range []struct {
		rows  [][]float32
		scale tagger.Scale
	}{{rows, f.c.Rows}, {means, f.c.Rows}, {ends, f.c.End}} {
		for _, r := range group.rows {
			for i := range r {
				r[i] = (r[i] - group.scale.Means[i]) / group.scale.Deviations[i]
			}
		}
	}
	f.o.Progress("principal components", 0, 0)
	for _, p := range []struct {
		space *projection
		rows  [][]float32
		k     int
	}{{&f.space.row, rows, wordComponents}, {&f.space.mean, means, wordComponents}, {&f.space.text, means, textComponents}, {&f.space.end, ends, textComponents}} {
		for l := range f.c.Layers {
			block := make([][]float32, len(p.rows))
			for i, r := range p.rows {
				block[i] = r[l*f.c.Width : (l+1)*f.c.Width]
			}
			pca, err := linear.FitPCA(block, min(p.k, f.c.Width, len(block)-1))
			if err != nil {
				return err
			}
			*p.space = append(*p.space, pca)
		}
	}
	return nil
}

func scaleOf(rows [][]float32) tagger.Scale {
	n, size := float64(len(rows)), len(rows[0])
	mean, square := make([]float64, size), make([]float64, size)
	for _, r := range rows {
		for i, x := range r {
			mean[i] += float64(x) / n
		}
	}
	for _, r := range rows {
		for i, x := range r {
			square[i] += (float64(x) - mean[i]) * (float64(x) - mean[i]) / n
		}
	}
	s := tagger.Scale{Means: make(tagger.Floats, size), Deviations: make(tagger.Floats, size)}
	for i := range mean {
		s.Means[i], s.Deviations[i] = float32(mean[i]), float32(max(sqrt(square[i]), 1e-3))
	}
	return s
}

// The spaces of the vectors of Evidence, one for each vector of states.
func (f *fitter) textSpaces() []projection { return []projection{f.space.text, f.space.end} }
func (f *fitter) spanSpaces() []projection {
	return []projection{f.space.mean, f.space.row, f.space.mean, f.space.end}
}
func (f *fitter) wordSpaces() []projection { return []projection{f.space.row, f.space.row} }
func (f *fitter) relationSpaces() []projection {
	return []projection{f.space.mean, f.space.mean, f.space.mean}
}

// project brings a vector of Evidence into the spaces of its states; what follows these stays.
func (f *fitter) project(vector []float32, spaces []projection) []float32 {
	var out []float32
	w := f.c.Width
	for _, s := range spaces {
		for _, pca := range s {
			out = append(out, pca.Project(vector[:w], nil)...)
			vector = vector[w:]
		}
	}
	return append(out, vector...)
}

// unproject gives the map from vectors of Evidence that a model of projected ones comes to.
func (f *fitter) unproject(m *linear.Model, spaces []projection) (tagger.Map, error) {
	bias, weights := slices.Clone(m.Bias), make([][]float32, len(m.Dense))
	for class, from := range m.Dense {
		var out []float32
		for _, s := range spaces {
			for _, pca := range s {
				row := make([]float64, f.c.Width)
				for j, b := range pca.Basis {
					for i, x := range b {
						row[i] += float64(from[j]) * float64(x)
					}
				}
				for i, x := range row {
					bias[class] -= x * float64(pca.Mean[i])
					out = append(out, float32(x))
				}
				from = from[len(pca.Basis):]
			}
		}
		weights[class] = append(out, from...)
	}
	return tagger.NewMap(bias, weights)
}

// readAll reads all texts and keeps what readings are fitted to.
func (f *fitter) readAll(read Read, corpus []dataset.Record, more iter.Seq2[Text, error]) error {
	f.c.Emotions.WordScores = tagger.NewWordScores(f.tax)
	n, total, records := 0, len(corpus), 0
	var lengths []int // in words
	keep := func(t Text, e *tagger.Evidence) error {
		n++
		f.o.Progress("reading the texts", n, total)
		words := 0
		for i := range e.Words {
			if !e.IsMark(i) {
				words++
			}
		}
		lengths = append(lengths, words)
		f.values = append(f.values, e.Values)
		if len(t.Labels) > 0 && !f.o.NoLabels {
			x := textExample{dense: f.project(e.TextVector(), f.textSpaces()), text: e.Text, values: e.Values, corpus: total > 0}
			for _, l := range t.Labels {
				x.emotions = append(x.emotions, slices.Index(f.emotions, l))
			}
			f.texts = append(f.texts, x)
		}
		if t.Record != nil {
			f.keepRecord(records, t.Record, e)
			records++
		}
		return context.Cause(f.ctx)
	}
	if err := read(f.c, corpusTexts(corpus), keep); err != nil {
		return err
	}
	total = 0
	if f.o.NoLabels && more != nil {
		f.values = nil // those texts are like the ones to be tagged
	}
	if more != nil {
		if err := read(f.c, more, keep); err != nil {
			return err
		}
	}
	slices.Sort(lengths)
	f.c.Longest = lengths[len(lengths)-1-len(lengths)/1000] // all but one in a thousand are no longer
	return nil
}

// keepRecord keeps the words and spans of a record.
func (f *fitter) keepRecord(number int, r *dataset.Record, e *tagger.Evidence) {
	l := &layout{Evidence: e, first: len(f.words), gold: make([]int, len(e.Words))}
	for i := range e.Words {
		l.gold[i] = -1
		for s := range r.Data.Spans {
			if span := &r.Data.Spans[s]; i >= span.Start && i <= span.End {
				emotion, _ := f.tax.EmotionBySubtype(span.Subtype)
				l.gold[i] = slices.Index(f.emotions, emotion.Name)
			}
		}
		f.words = append(f.words, wordExample{number, f.project(e.WordVector(i), f.wordSpaces()), l.gold[i]})
	}
	for s := range r.Data.Spans {
		span := &r.Data.Spans[s]
		emotion, _ := f.tax.EmotionBySubtype(span.Subtype)
		x := spanExample{
			text: number, dense: f.project(e.SpanVector(span.Start, span.End), f.spanSpaces()), emotion: slices.Index(f.emotions, emotion.Name), span: span,
			evidence: l, place: tagger.Place{Start: span.Start, End: span.End}, kind: tagger.TargetNone,
		}
		if target := span.Attrs.TargetText; target != "" {
			var ok bool
			if x.target, ok = findWords(e, target, x.place); ok {
				x.kind = tagger.TargetText
				for i := range e.Words {
					x.words = append(x.words, f.project(e.TargetVector(i, span.Start, span.End), f.wordSpaces()))
				}
			} else {
				x.kind, x.target = tagger.TargetUnsaid, x.place
			}
			x.relation = f.project(e.RelationVector(span.Start, span.End, x.target.Start, x.target.End), f.relationSpaces())
		}
		f.spans = append(f.spans, x)
	}
	e.Forget()
}

// findWords gives the run of words that is a target's text, outside the span if there is one, the nearest to it.
func findWords(e *tagger.Evidence, text string, span tagger.Place) (place tagger.Place, ok bool) {
	distance := func(p tagger.Place) int {
		if p.End < span.Start {
			return span.Start - p.End
		}
		return max(p.Start-span.End, 0)
	}
	for i := range e.Words {
		for j := i; j < len(e.Words) && e.Words[j].End-e.Words[i].Start <= len(text); j++ {
			if e.Text[e.Words[i].Start:e.Words[j].End] != text {
				continue
			}
			p := tagger.Place{Start: i, End: j}
			outside := p.End < span.Start || p.Start > span.End
			was := place.End < span.Start || place.Start > span.End
			if !ok || outside && !was || outside == was && distance(p) < distance(place) {
				place, ok = p, true
			}
		}
	}
	return place, ok
}
