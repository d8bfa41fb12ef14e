package tagger

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
)

// compactForm has the model write only its decisions, as an array with two strings for each span, the quoted text and what is
// decided of it:
//
//	["Stop asking me the same question"," annoyance high asserted present self 91 cause you"]
//	["neutral"]
//
// The quote comes first because a small model names the emotion better with the words that carry it just before. Everything
// else in the record follows: predictions from the emotions, start, end, tokens and labels from the quote, valence and
// emotion group from the emotion, sentence and clause from the text.
type compactForm struct {
	tax       *dataset.Taxonomy
	decisions *decisions
	frame     *frame
}

func newCompactForm(tax *dataset.Taxonomy) (*compactForm, error) {
	decisions := newDecisions(tax)
	var b strings.Builder
	rule(&b, "root", `"[\"" answer`)
	rule(&b, "decisions", `"\",\"" span "\""`)
	rule(&b, "decided", `manner "\""`)
	decisions.rules(&b, "span", "quote")
	frame, err := newFrame(b.String(), "answer", "quote")
	return &compactForm{tax, decisions, frame}, err
}

func (f *compactForm) frames() []*frame { return []*frame{f.frame} }

func (f *compactForm) stages(d *document) plan {
	return single(stage{name: "answer", frame: f.frame, filling: f.fill(d)})
}

// fill gives what may be said about one text. Its size is linear in that of the text: for each number of spans before,
// there are the ways to go on from each token of a quote, and from those to the next quote.
func (f *compactForm) fill(d *document) *grammar.Filling {
	g := f.frame.NewFilling()
	q := newQuotes(d)
	g.Hole("quote", q.fill(g, func(int) grammar.Place { return grammar.End })[0])
	switch {
	case d.runs != nil:
		g.Hole("answer", f.fillRuns(g, d))
		return g
	case d.given != nil:
		g.Hole("answer", f.fillGiven(g, q, d))
		return g
	}
	end := g.Literal("]", grammar.End)
	var next []grammar.Place // the quotes of the span behind this one
	for range maxSpans {
		// A quote that stands in the text more than once is read as the leftmost: what follows that one includes what follows
		// the others, and it is made last.
		next = q.fill(g, func(i int) grammar.Place {
			if next == nil || i+1 == len(q.words) {
				return g.Cover("decisions", end)
			}
			return g.Cover("decisions", g.Any(end, g.Literal(`,"`, next[i+1])))
		})
	}
	g.Hole("answer", g.Any(g.Literal(escape(f.tax.Neutral())+`"]`, grammar.End), next[0]))
	return g
}

// decode expands an answer into the record's predictions, spans and labels.
func (f *compactForm) decode(answer []byte, d *document, r *dataset.Record) error {
	var parts []*string
	if err := json.Unmarshal(answer, &parts); err != nil {
		return fmt.Errorf("the answer is not an array of strings: %w", err)
	}
	for i, p := range parts {
		if p == nil {
			return fmt.Errorf("the answer is not an array of strings: number %d is null", i)
		}
	}
	if len(parts) == 1 && *parts[0] == f.tax.Neutral() {
		setSpans(r, d, []string{f.tax.Neutral()}, nil)
		return nil
	}
	if len(parts) == 0 || len(parts)%2 != 0 {
		return fmt.Errorf("the answer holds %d strings; a span has two, and no span is written [%q]", len(parts), f.tax.Neutral())
	}
	var predictions []string
	var spans []dataset.Span
	from := 0
	for n := 0; 2*n < len(parts); n++ {
		quote := *parts[2*n]
		s, err := f.decisions.parse(*parts[2*n+1])
		if err != nil {
			return fmt.Errorf("span %d: %w", n, err)
		}
		start, end, ok := d.place(n, quote, from)
		if !ok {
			return fmt.Errorf("span %d: %q is no run of tokens after token %d", n, quote, from)
		}
		s.Start, s.End, s.Text = start, end, d.run(start, end)
		s.Attrs.SentenceIndex, s.Attrs.ClauseIndex = d.positions[start].Sentence, d.positions[start].Clause
		spans = append(spans, s)
		emotion, _ := f.tax.EmotionBySubtype(s.Subtype)
		predictions = appendNew(predictions, emotion.Name)
		from = end + 1
	}
	if d.given != nil {
		predictions = d.given
	}
	setSpans(r, d, predictions, spans)
	return nil
}

// encode writes the answer that stands for a record; the prompt's examples are made by it.
func (f *compactForm) encode(r *dataset.Record) ([]byte, error) {
	if len(r.Data.Spans) == 0 {
		return append(appendJSON([]byte("["), f.tax.Neutral()), ']'), nil
	}
	answer := []byte("[")
	for i, s := range r.Data.Spans {
		if i > 0 {
			answer = append(answer, ',')
		}
		answer = append(appendJSON(answer, s.Text), ',')
		answer = appendJSON(answer, f.decisions.write(s))
	}
	return append(answer, ']'), nil
}

// limit: the language is finite, so it need only be kept from the longest answers: maxSpans quotes of the whole text, each
// with a target as long, and fewer than forty tokens of decisions each, beside those for what a taxonomy adds.
func (f *compactForm) limit(textTokens int) int {
	return maxSpans * (2*textTokens + 60 + f.decisions.extra)
}
