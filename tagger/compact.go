package tagger

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
	"github.com/go-json-experiment/json/jsontext"
)

// maxSpans is the most spans of one record.
const maxSpans = 3

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
	tax    *dataset.Taxonomy
	common string // the rules that are the same for every text
}

func newCompactForm(tax *dataset.Taxonomy) *compactForm {
	var b strings.Builder
	var emotions []string
	for _, e := range tax.Emotions() {
		if e.Name != tax.Neutral() {
			emotions = append(emotions, e.Name)
		}
	}
	rule(&b, "emotion", literals(emotions)...)
	for _, name := range []string{dataset.AttrIntensity, dataset.AttrCertainty, dataset.AttrTemporality, dataset.AttrSource} {
		rule(&b, name, literals(tax.Attr(name).Values)...)
	}
	rule(&b, "confidence", `"100"`, `[1-9] [0-9]?`, `"0"`)
	var relations []string
	for _, v := range tax.Attr(dataset.AttrTargetRelation).Values {
		if v != dataset.RelationNone {
			relations = append(relations, v)
		}
	}
	rule(&b, "relation", literals(relations)...)
	rule(&b, "pronoun", literals(tax.Pronouns())...)
	rule(&b, "attributes", `"\",\"" emotion "\",\"" intensity "\",\"" certainty "\",\"" temporality "\",\"" source "\"," confidence (",\"" target "\",\"" relation "\"")? "]"`)
	return &compactForm{tax: tax, common: b.String()}
}

// grammar gives the GBNF of the answers about one text. It is right-linear in the text's tokens, and its size is linear in
// their number: p is the choice of a quote's first token, t the quote from a token on, e what follows it; each is numbered by how
// many spans come before and by the token. o is a target's quote, from any token.
func (f *compactForm) grammar(d *document) string {
	var b strings.Builder
	last := d.lastBoundary()
	root := []string{quote(`[["` + f.tax.Neutral() + `"]]`)}
	if last >= 0 {
		root = append(root, `"[[\"" p0-0`)
	}
	rule(&b, "root", root...)
	for k := range maxSpans {
		for i := k; i <= last; i++ {
			var begin []string
			if d.boundary[i] {
				begin = append(begin, fmt.Sprintf("t%d-%d", k, i))
			}
			if i < last {
				begin = append(begin, fmt.Sprintf("p%d-%d", k, i+1))
			}
			rule(&b, fmt.Sprintf("p%d-%d", k, i), begin...)
			var next []string
			if d.boundary[i] {
				next = append(next, fmt.Sprintf("e%d-%d", k, i))
			}
			if i < last {
				next = append(next, fmt.Sprintf("%s t%d-%d", jsonLiteral(d.gap(i)), k, i+1))
			}
			rule(&b, fmt.Sprintf("t%d-%d", k, i), jsonLiteral(d.word(i))+" ("+strings.Join(next, " | ")+")")
			if d.boundary[i] {
				more := `"]"`
				if k+1 < maxSpans && i < last {
					more = fmt.Sprintf(`("]" | ",[\"" p%d-%d)`, k+1, i+1)
				}
				rule(&b, fmt.Sprintf("e%d-%d", k, i), "attributes "+more)
			}
		}
	}
	target := []string{"pronoun"}
	for i := 0; i <= last; i++ {
		next := ""
		switch {
		case i < last && d.boundary[i]:
			next = fmt.Sprintf(" (%s o%d)?", jsonLiteral(d.gap(i)), i+1)
		case i < last:
			next = fmt.Sprintf(" %s o%d", jsonLiteral(d.gap(i)), i+1)
		}
		rule(&b, fmt.Sprintf("o%d", i), jsonLiteral(d.word(i))+next)
		if d.boundary[i] {
			target = append(target, fmt.Sprintf("o%d", i))
		}
	}
	rule(&b, "target", target...)
	b.WriteString(f.common)
	return b.String()
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

func (f *compactForm) perText() bool { return true }

// limit: the language is finite, so it need only be kept from the longest answers: maxSpans quotes of the whole text, each
// with a target as long, and fewer than forty tokens of decisions each.
func (f *compactForm) limit(textTokens int) int { return maxSpans * (2*textTokens + 60) }

// rule writes a GBNF rule.
func rule(b *strings.Builder, name string, alternatives ...string) {
	b.WriteString(name)
	b.WriteString(" ::= ")
	for i, a := range alternatives {
		if i > 0 {
			b.WriteString(" | ")
		}
		b.WriteString(a)
	}
	b.WriteByte('\n')
}

func quote(s string) string { return grammar.Literal(s) }

func literals(values []string) []string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = jsonLiteral(v)
	}
	return quoted
}

// jsonLiteral is the GBNF literal of s as it stands inside a JSON string.
func jsonLiteral(s string) string {
	q := appendJSON(nil, s)
	return quote(string(q[1 : len(q)-1]))
}

// appendJSON quotes s with no more escapes than JSON demands. Texts are valid UTF-8 here: the readers see to it.
func appendJSON(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}
