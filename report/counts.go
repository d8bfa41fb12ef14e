package report

import (
	"maps"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
)

const (
	confidenceBins  = 20   // of the histogram
	reliabilityBins = 10   // of the reliability diagram
	maxModels       = 20   // names that are kept
	longest         = 4096 // tokens; what is longer counts as this long
)

// counts are the numbers behind the page. Their memory depends on the taxonomy alone.
type counts struct {
	tax   *dataset.Taxonomy
	index map[string]int // of an emotion in tax.Emotions

	records int // valid
	tagged  int // of them, with a span
	spans   int
	models  map[string]int
	more    bool // than maxModels

	invalid int
	codes   map[string]*RejectCode // of invalid records

	predictions []int   // records that predict each emotion
	subtypes    []int   // spans of each emotion
	pairs       []int   // records that predict both emotions, at row*len(emotions)+column
	attrs       [][]int // spans with each value of each attribute
	types       []int   // spans of each type

	textTokens, spanTokens lengths
	confidence             [confidenceBins]int
	confidenceSum          float64

	reference agreement
	ekman     bool // emotions are compared with the reference's as their Ekman classes
}

// agreement counts what a reference says of the records.
type agreement struct {
	Found  int // records that are in the reference
	same   int // of them, with the same emotions
	shared int // of them, with an emotion in common
	bins   [reliabilityBins]reliabilityBin
}

// reliabilityBin counts the spans of one range of confidence.
type reliabilityBin struct {
	spans, right  int
	confidenceSum float64
}

func newCounts(tax *dataset.Taxonomy) *counts {
	n := len(tax.Emotions())
	c := &counts{
		tax: tax, index: make(map[string]int, n), models: make(map[string]int), codes: make(map[string]*RejectCode),
		predictions: make([]int, n), subtypes: make([]int, n), pairs: make([]int, n*n),
	}
	for i, e := range tax.Emotions() {
		c.index[e.Name] = i
	}
	for _, v := range tax.Attributes() {
		c.attrs = append(c.attrs, make([]int, len(v.Values)))
	}
	c.types = make([]int, len(tax.SpanTypes()))
	return c
}

// add counts a valid record.
func (c *counts) add(r *dataset.Record) {
	c.records++
	switch _, known := c.models[r.Model]; {
	case known:
		c.models[r.Model]++
	case len(c.models) < maxModels:
		c.models[strings.Clone(r.Model)] = 1 // else it would keep its line in memory
	default:
		c.more = true
	}
	for i, p := range r.Predictions {
		row := c.index[p]
		c.predictions[row]++
		for _, other := range r.Predictions[:i] {
			column := c.index[other]
			c.pairs[row*len(c.predictions)+column]++
			c.pairs[column*len(c.predictions)+row]++
		}
	}
	c.textTokens.add(len(r.Data.Tokens))
	if len(r.Data.Spans) > 0 {
		c.tagged++
	}
	for i := range r.Data.Spans {
		c.addSpan(&r.Data.Spans[i])
	}
}

func (c *counts) addSpan(s *dataset.Span) {
	c.spans++
	c.subtypes[c.emotionOf(s)]++
	c.spanTokens.add(s.End - s.Start + 1)
	c.confidence[binOf(s.Attrs.Confidence, confidenceBins)]++
	c.confidenceSum += s.Attrs.Confidence
	c.types[slices.Index(c.tax.SpanTypes(), s.Type)]++
	for i, v := range c.tax.Attributes() {
		c.attrs[i][slices.Index(v.Values, *s.Attrs.Field(v.Name))]++
	}
}

// addReference counts what the reference says of a valid record.
func (c *counts) addReference(r *dataset.Record, labels []string) {
	ref := &c.reference
	ref.Found++
	var own []string
	common := 0
	for _, p := range r.Predictions {
		label := c.compared(c.index[p])
		if slices.Contains(own, label) {
			continue
		}
		own = append(own, label)
		if slices.Contains(labels, label) {
			common++
		}
	}
	if common > 0 {
		ref.shared++
	}
	if common == len(own) && common == len(labels) {
		ref.same++
	}
	for i := range r.Data.Spans {
		s := &r.Data.Spans[i]
		bin := &ref.bins[binOf(s.Attrs.Confidence, reliabilityBins)]
		bin.spans++
		bin.confidenceSum += s.Attrs.Confidence
		if slices.Contains(labels, c.compared(c.emotionOf(s))) {
			bin.right++
		}
	}
}

// compared is what an emotion is called in comparing it with the reference.
func (c *counts) compared(emotion int) string {
	e := &c.tax.Emotions()[emotion]
	if c.ekman {
		return e.Ekman
	}
	return e.Name
}

// addInvalid counts a line that is not a valid record.
func (c *counts) addInvalid(problems []dataset.Reason, id string) {
	c.invalid++
	addReasons(c.codes, problems, id)
}

// emotionOf is the index of a valid span's emotion.
func (c *counts) emotionOf(s *dataset.Span) int {
	e, _ := c.tax.EmotionBySubtype(s.Subtype)
	return c.index[e.Name]
}

// modelNames are sorted, so that equal files make equal pages.
func (c *counts) modelNames() []string { return slices.Sorted(maps.Keys(c.models)) }

// binOf puts a confidence into one of n bins of equal width; the last one holds 1 too.
func binOf(confidence float64, n int) int {
	return min(int(confidence*float64(n)), n-1)
}

// lengths counts how often each length occurs.
type lengths struct {
	counts [longest + 1]int
	n, sum int
	max    int
}

func (l *lengths) add(length int) {
	l.counts[min(length, longest)]++
	l.n++
	l.sum += length
	l.max = max(l.max, length)
}

// quantile is the shortest length that a share q of all do not exceed.
func (l *lengths) quantile(q float64) int {
	seen := 0
	for length, n := range l.counts {
		if seen += n; float64(seen) >= q*float64(l.n) {
			return length
		}
	}
	return longest
}
