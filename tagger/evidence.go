package tagger

import (
	"math"
	"strings"
	"unicode"
)

// The number of state vectors, each of all layers, that the vectors of Evidence consist of.
const (
	TextVectors     = 2 // mean over the text, end
	SpanVectors     = 4 // mean over the span, the row before it, mean over the text, end
	RelationVectors = 3 // mean over the span, mean over the target, mean over the text
	WordVectors     = 2 // the word's last row, that of the next word
	WordExtras      = 6
	TargetExtras    = 9
)

func (c *Calibration) wordSize() int   { return WordVectors*c.size() + WordExtras }
func (c *Calibration) targetSize() int { return c.wordSize() + TargetExtras }

// Evidence is what a model's hidden states have of a text, or of a sentence of a long text. Words are numbered from 0 within it.
// The vectors' states are standardised where the calibration has Scales. It holds Layers x Width numbers for each token.
type Evidence struct {
	Text  string
	Words []Token // of Text

	// Values are those of the calibration's WordScores' words, none where it has no WordScores.
	Values []float64

	size     int // of a row: all layers
	rows     [][]float32
	end      []float32
	mean     []float32 // over rows
	first    []int     // row of each word
	last     []int
	function []bool // the word is a function word
	mark     []bool // the word holds no letter, digit or symbol
	document *document
	from     int // its first word's number in the document
}

// Text is the vector from which emotions are read.
func (e *Evidence) TextVector() []float32 { return concat(e.mean, e.end) }

// SpanVector is the vector from which the fields of a span are read. The last word is included.
func (e *Evidence) SpanVector(start, end int) []float32 {
	before := e.rows[max(e.first[start]-1, 0)]
	return concat(e.meanOf(start, end), before, e.mean, e.end)
}

// WordVector is the vector from which a word is read as part of a span.
func (e *Evidence) WordVector(i int) []float32 {
	next := min(i+1, len(e.Words)-1)
	v := concat(e.rows[e.last[i]], e.rows[e.last[next]])
	word := e.word(i)
	letters := strings.ToUpper(word) != strings.ToLower(word)
	return append(v, one(e.function[i]), one(e.mark[i]), one(isSymbol(word)), one(letters && len(word) > 1 && strings.ToUpper(word) == word),
		one(i == 0), one(i == len(e.Words)-1))
}

// TargetVector is the vector from which a word is read as part of the target of a span.
func (e *Evidence) TargetVector(i, start, end int) []float32 {
	v := e.WordVector(i)
	distance, same := 0, e.document.positions[e.from+i] == e.document.positions[e.from+start]
	switch {
	case i < start:
		distance = start - i
	case i > end:
		distance = i - end
	}
	near := float32(0)
	if distance > 0 {
		near = float32(1 / float64(distance))
	}
	lower := strings.ToLower(e.word(i))
	return append(v, one(distance == 0), one(i < start), one(i > end), near, one(i > end)*near, float32(math.Log1p(float64(distance))),
		one(same), one(selfWords[lower]), one(anyPronoun[lower]))
}

// RelationVector is the vector from which the relation of a target to a span is read.
func (e *Evidence) RelationVector(start, end, targetStart, targetEnd int) []float32 {
	return concat(e.meanOf(start, end), e.meanOf(targetStart, targetEnd), e.mean)
}

// CanBegin reports whether a word may be a span, or a target, by itself: it is neither a function word nor a mark.
func (e *Evidence) IsContent(i int) bool { return !e.function[i] && !e.mark[i] }

// IsMark reports whether a word holds punctuation marks alone.
func (e *Evidence) IsMark(i int) bool { return e.mark[i] }

func (e *Evidence) word(i int) string { return e.Text[e.Words[i].Start:e.Words[i].End] }

func (e *Evidence) meanOf(start, end int) []float32 {
	return meanRow(e.rows[e.first[start] : e.last[end]+1])
}

func meanRow(rows [][]float32) []float32 {
	mean := make([]float32, len(rows[0]))
	for _, r := range rows {
		for i, x := range r {
			mean[i] += x
		}
	}
	for i := range mean {
		mean[i] /= float32(len(rows))
	}
	return mean
}

func concat(vectors ...[]float32) []float32 {
	n := 0
	for _, v := range vectors {
		n += len(v)
	}
	out := make([]float32, 0, n+WordExtras+TargetExtras)
	for _, v := range vectors {
		out = append(out, v...)
	}
	return out
}

func one(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

// isSymbol reports whether a word holds neither letters, digits nor punctuation alone: an emoji, for one.
func isSymbol(word string) bool {
	for _, r := range word {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return false
		}
	}
	return !isPunctuation(word)
}

// standardise brings a vector of states into a scale.
func (s *Scale) standardise(v []float32) {
	if s.Means == nil {
		return
	}
	for i := range v {
		v[i] = (v[i] - s.Means[i]) / s.Deviations[i]
	}
}

// newEvidence joins the rows of a text's words, from and to in the document, and the row at the end. ends are the bytes at which
// the text's tokens end, one for each row. It takes the rows over.
func (c *Calibration) newEvidence(d *document, from, to int, rows [][]float32, ends []int, end []float32) *Evidence {
	begin := d.words[from].Start
	e := &Evidence{Text: d.text[begin:d.words[to-1].End], size: c.size(), rows: rows, end: end, document: d, from: from}
	for _, r := range rows {
		c.Rows.standardise(r)
	}
	c.End.standardise(end)
	e.mean = meanRow(rows)
	row := 0
	for i := from; i < to; i++ {
		w := Token{d.words[i].Start - begin, d.words[i].End - begin}
		e.Words = append(e.Words, w)
		for row < len(rows)-1 && ends[row] <= w.Start {
			row++
		}
		last := row
		for last < len(rows)-1 && ends[last] < w.End {
			last++
		}
		e.first, e.last = append(e.first, row), append(e.last, last)
		e.function = append(e.function, isFunctionWord(d.word(i)))
		e.mark = append(e.mark, !d.boundary[i])
	}
	return e
}

// Forget gives the states' memory back. Words, IsContent and IsMark stay; no vector can be had any more.
func (e *Evidence) Forget() { e.rows, e.end, e.mean = nil, nil, nil }

// WordsAt are the first and the last word that bytes of the document's text, the end excluded, have a part in; the nearest where there is none.
func (e *Evidence) WordsAt(start, end int) (first, last int) {
	offset := e.document.words[e.from].Start
	first = len(e.Words) - 1
	for i, w := range e.Words {
		if w.End+offset > start {
			first = i
			break
		}
	}
	last = first
	for i := first; i < len(e.Words) && e.Words[i].Start+offset < end; i++ {
		last = i
	}
	return first, last
}
