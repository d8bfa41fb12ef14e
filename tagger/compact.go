package tagger

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
)

// compactForm has the model write only its decisions, as an array of arrays:
//
//	[["Stop asking me the same question","annoyance","med","asserted","present","self",91,"you","cause"]]
//	[["neutral"]]
//
// that is quoted text, emotion, intensity, certainty, temporality, source, confidence in percent and, where there is one,
// the target with its relation. The quote comes first because a small model names the emotion better with the words that
// carry it just before. Everything else in the record follows: predictions from the emotions, start, end, tokens
// and labels from the quote, valence and emotion group from the emotion, sentence and clause from the text.
type compactForm struct {
	tax   *dataset.Taxonomy
	frame *frame
}

func newCompactForm(tax *dataset.Taxonomy) (*compactForm, error) {
	var b strings.Builder
	rule(&b, "root", `"[[\"" answer`)
	rule(&b, "attributes", `decisions (",\"" target "\",\"" relation "\"")? "]"`)
	rule(&b, "decisions", `"\",\"" emotion "\",\"" intensity "\",\"" certainty "\",\"" temporality "\",\"" source "\"," confidence`)
	var emotions []string
	for _, e := range tax.Emotions() {
		if e.Name != tax.Neutral() {
			emotions = append(emotions, e.Name)
		}
	}
	rule(&b, "emotion", literals(emotions)...)
	attributeRules(&b, tax, dataset.AttrIntensity, dataset.AttrCertainty, dataset.AttrTemporality, dataset.AttrSource)
	rule(&b, "confidence", `"100"`, `[1-9] [0-9]?`, `"0"`)
	rule(&b, "target", "pronoun", "quote")
	targetRules(&b, tax)
	frame, err := newFrame(b.String(), "answer", "quote")
	return &compactForm{tax, frame}, err
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
	end := g.Literal("]", grammar.End)
	var next []grammar.Place // the quotes of the span behind this one
	for range maxSpans {
		// A quote that stands in the text more than once is read as the leftmost: what follows that one includes what follows
		// the others, and it is made last.
		next = q.fill(g, func(i int) grammar.Place {
			if next == nil || i+1 == len(q.words) {
				return g.Cover("attributes", end)
			}
			return g.Cover("attributes", g.Any(end, g.Literal(`,["`, next[i+1])))
		})
	}
	g.Hole("answer", g.Any(g.Literal(f.tax.Neutral()+`"]]`, grammar.End), next[0]))
	return g
}

// decode expands an answer into the record's predictions, spans and labels.
func (f *compactForm) decode(answer []byte, d *document, r *dataset.Record) error {
	var items [][]any
	if err := json.Unmarshal(answer, &items); err != nil {
		return fmt.Errorf("the answer is not an array of arrays: %w", err)
	}
	if len(items) == 1 && len(items[0]) == 1 && items[0][0] == f.tax.Neutral() {
		setSpans(r, d, []string{f.tax.Neutral()}, nil)
		return nil
	}
	var predictions []string
	var spans []dataset.Span
	from := 0
	for n, item := range items {
		field := func(i int) string { s, _ := item[i].(string); return s }
		if len(item) != 7 && len(item) != 9 {
			return fmt.Errorf("span %d has %d fields, not 7 or 9", n, len(item))
		}
		emotion, ok := f.tax.Emotion(field(1))
		if !ok {
			return fmt.Errorf("span %d names no emotion", n)
		}
		start, end, ok := d.find(field(0), from)
		if !ok {
			return fmt.Errorf("span %d: %q is no run of tokens after token %d", n, field(0), from)
		}
		percent, ok := item[6].(float64)
		if !ok {
			return fmt.Errorf("span %d has no number for its confidence", n)
		}
		attrs := dataset.Attrs{
			Valence: emotion.Valence, EmotionGroup: emotion.Group,
			Intensity: field(2), Certainty: field(3), Temporality: field(4), Source: field(5),
			SentenceIndex: d.positions[start].Sentence, ClauseIndex: d.positions[start].Clause,
			Confidence: percent / 100, TargetRelation: dataset.RelationNone,
		}
		if len(item) == 9 {
			attrs.TargetText, attrs.TargetRelation = field(7), field(8)
		}
		spans = append(spans, dataset.Span{
			Type: f.tax.SpanTypes()[0], Subtype: emotion.Subtype, Start: start, End: end, Text: d.run(start, end), Attrs: attrs,
		})
		predictions = appendNew(predictions, emotion.Name)
		from = end + 1
	}
	setSpans(r, d, predictions, spans)
	return nil
}

// encode writes the answer that stands for a record; the prompt's examples are made by it.
func (f *compactForm) encode(r *dataset.Record) ([]byte, error) {
	if len(r.Data.Spans) == 0 {
		return []byte(`[["` + f.tax.Neutral() + `"]]`), nil
	}
	answer := []byte("[")
	for i, s := range r.Data.Spans {
		if i > 0 {
			answer = append(answer, ',')
		}
		answer = append(answer, '[')
		a := s.Attrs
		for _, v := range []string{s.Text, strings.ToLower(s.Subtype), a.Intensity, a.Certainty, a.Temporality, a.Source} {
			answer = append(appendJSON(answer, v), ',')
		}
		answer = strconv.AppendInt(answer, int64(math.Round(a.Confidence*100)), 10)
		if a.TargetText != "" {
			answer = append(appendJSON(append(answer, ','), a.TargetText), ',')
			answer = appendJSON(answer, a.TargetRelation)
		}
		answer = append(answer, ']')
	}
	return append(answer, ']'), nil
}

// limit: the language is finite, so it need only be kept from the longest answers: maxSpans quotes of the whole text, each
// with a target as long, and fewer than forty tokens of decisions each.
func (f *compactForm) limit(textTokens int) int { return maxSpans * (2*textTokens + 60) }
