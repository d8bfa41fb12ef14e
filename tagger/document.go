package tagger

import (
	"unicode"
	"unicode/utf8"
)

// A document is a text with its tokens. Indices are token indices, ends inclusive, as in the dataset.
type document struct {
	text      string
	words     []Token
	positions []Position // sentence and clause of each token
	boundary  []bool     // whether a span may begin or end at the token
	given     []string   // the emotions that are to be predicted; nil where the model chooses
	runs      []run      // likewise the spans, in order
}

// A run is a span that is given: tokens, the last included, and one of the emotions that are.
type run struct {
	start, end int
	emotion    string
}

func newDocument(text string) *document {
	d := &document{text: text, words: Words(text)}
	d.positions = Positions(text, d.words)
	d.boundary = make([]bool, len(d.words))
	any := false
	for i := range d.words {
		d.boundary[i] = !isPunctuation(d.word(i))
		any = any || d.boundary[i]
	}
	if !any { // a text of punctuation alone may still be felt
		for i := range d.boundary {
			d.boundary[i] = true
		}
	}
	return d
}

func (d *document) word(i int) string { return d.text[d.words[i].Start:d.words[i].End] }

// gap is what stands between token i and the next.
func (d *document) gap(i int) string { return d.text[d.words[i].End:d.words[i+1].Start] }

// run is the text from the first byte of token start to the last of token end.
func (d *document) run(start, end int) string { return d.text[d.words[start].Start:d.words[end].End] }

func (d *document) tokens() []string {
	tokens := make([]string, len(d.words))
	for i := range tokens {
		tokens[i] = d.word(i)
	}
	return tokens
}

// wordCount is how many tokens are words rather than marks, of a text of marks alone all of them.
func (d *document) wordCount() int {
	n := 0
	for _, b := range d.boundary {
		if b {
			n++
		}
	}
	return n
}

// lastBoundary is the last token at which a span may end, -1 where there is none.
func (d *document) lastBoundary() int {
	for i := len(d.boundary) - 1; i >= 0; i-- {
		if d.boundary[i] {
			return i
		}
	}
	return -1
}

// find returns the leftmost run of tokens from token from on whose text is s. Leftmost is enough: of several places for
// quotes that stand in order, the earliest leaves the most room for those after it.
func (d *document) find(s string, from int) (start, end int, ok bool) {
	for start = from; start < len(d.words); start++ {
		first := d.words[start].Start
		if !d.boundary[start] || len(s) > len(d.text)-first || d.text[first:first+len(s)] != s {
			continue
		}
		for end = start; end < len(d.words) && d.words[end].End <= first+len(s); end++ {
			if d.words[end].End == first+len(s) && d.boundary[end] {
				return start, end, true
			}
		}
	}
	return 0, 0, false
}

// place is where span n lies that quotes s: as it is given, else the leftmost run from token from on.
func (d *document) place(n int, s string, from int) (start, end int, ok bool) {
	if d.runs == nil {
		return d.find(s, from)
	}
	if n >= len(d.runs) {
		return 0, 0, false
	}
	r := d.runs[n]
	return r.start, r.end, s == d.run(r.start, r.end)
}

// isPunctuation reports whether a token holds punctuation marks alone. Emoji and emoticons with a letter are not.
func isPunctuation(token string) bool {
	for _, r := range token {
		if !unicode.IsPunct(r) || r == utf8.RuneError {
			return false
		}
	}
	return true
}
