package tagger

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// decisions are how the compact form says what the model decides of a span: words, each behind a space, because tokenizers
// have most words with the space before as one token, and few of them behind a quotation mark.
//
//	" annoyance high asserted present self 91 cause you"
//
// that is emotion, span type where there are several, intensity, certainty, temporality, source, the attributes that the taxonomy
// adds, confidence in percent and, where there is one, the target behind its relation. Defaults are written too: where they may be
// left out, a small model leaves nearly all attributes out.
type decisions struct {
	tax       *dataset.Taxonomy
	emotions  lexicon
	slots     []slot
	relations lexicon
	examples  bool // read are examples, which were not written under the grammar and may leave any word out
	extra     int  // tokens, beyond those of the built-in taxonomy: no more than bytes
}

// A slot is what one of the words is written for: an attribute, or the span type.
type slot struct {
	attr   string // "" for the span type
	rule   string
	values []string
	words  lexicon
}

// lexicon gives the values of a vocabulary by how they are written: in one piece. A taxonomy has no two values that differ
// in that alone.
type lexicon map[string]string

func word(value string) string { return strings.ReplaceAll(value, " ", "_") }

func newLexicon(values []string) lexicon {
	l := lexicon{}
	for _, v := range values {
		l[word(v)] = v
	}
	return l
}

func newDecisions(tax *dataset.Taxonomy) *decisions {
	d := &decisions{tax: tax, emotions: newLexicon(spanEmotions(tax)), relations: newLexicon(spanRelations(tax))}
	add := func(attr, rule string, values []string) {
		d.slots = append(d.slots, slot{attr, rule, values, newLexicon(values)})
	}
	if types := tax.SpanTypes(); len(types) > 1 {
		add("", "type", types)
		d.extra += 1 + longest(types)
	}
	for _, name := range []string{dataset.AttrIntensity, dataset.AttrCertainty, dataset.AttrTemporality, dataset.AttrSource} {
		add(name, name, tax.Attr(name).Values)
	}
	for _, v := range tax.Further() {
		add(v.Name, furtherRule(v), v.Values)
		d.extra += 1 + longest(v.Values)
	}
	return d
}

// rules writes the GBNF of the decisions as rule root and of what follows the emotion in them as rule manner, in which the rule quote is
// a run of the text's tokens.
func (d *decisions) rules(b *strings.Builder, root, quote string) {
	rule(b, root, "emotion manner")
	rule(b, "emotion", spaced(spanEmotions(d.tax))...)
	manner := []string{}
	for _, c := range d.slots {
		manner = append(manner, c.rule)
		rule(b, c.rule, spaced(c.values)...)
	}
	rule(b, "manner", strings.Join(manner, " ")+` " " confidence (" " relation " " target)?`)
	rule(b, "confidence", `"100"`, `[1-9] [0-9]?`, `"0"`)
	rule(b, "target", "pronoun", quote)
	rule(b, "pronoun", literals(d.tax.Pronouns())...)
	rule(b, "relation", literals(written(spanRelations(d.tax)))...)
}

func spaced(values []string) []string {
	list := written(values)
	for i, w := range list {
		list[i] = " " + w
	}
	return literals(list)
}

func written(values []string) []string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = word(v)
	}
	return list
}

// value is where a span has what a word is written for.
func (c *slot) value(s *dataset.Span) *string {
	if c.attr == "" {
		return &s.Type
	}
	return s.Attrs.Field(c.attr)
}

// write gives the decisions of a span.
func (d *decisions) write(s dataset.Span) string {
	emotion, _ := d.tax.EmotionBySubtype(s.Subtype)
	list := []string{"", word(emotion.Name)}
	for _, c := range d.slots {
		list = append(list, word(*c.value(&s)))
	}
	list = append(list, strconv.Itoa(int(math.Round(s.Attrs.Confidence*100))))
	if s.Attrs.TargetText != "" {
		list = append(list, word(s.Attrs.TargetRelation), s.Attrs.TargetText)
	}
	return strings.Join(list, " ")
}

// parse reads the decisions of a span: its type, its emotion and its attributes but for sentence and clause.
func (d *decisions) parse(text string) (s dataset.Span, err error) {
	rest, ok := strings.CutPrefix(text, " ")
	if !ok {
		return s, fmt.Errorf("%q does not begin with a space", text)
	}
	name, rest, _ := strings.Cut(rest, " ")
	e, ok := d.tax.Emotion(d.emotions[name])
	if !ok {
		return s, fmt.Errorf("%q names no emotion", text)
	}
	s.Type, s.Subtype = d.tax.SpanTypes()[0], e.Subtype
	s.Attrs = dataset.Attrs{Valence: e.Valence, EmotionGroup: e.Group, TargetRelation: dataset.RelationNone}
	for _, v := range d.tax.Further() {
		s.Attrs.Further = append(s.Attrs.Further, dataset.Attr{Name: v.Name})
	}
	for _, c := range d.slots {
		first, behind, _ := strings.Cut(rest, " ")
		value, ok := c.words[first]
		switch {
		case ok:
			rest = behind
		case d.examples:
			value = c.instead(d.tax)
		default:
			return s, fmt.Errorf("%q: %q is no %s", text, first, cmp.Or(c.attr, "span type"))
		}
		*c.value(&s) = value
	}
	number, rest, more := strings.Cut(rest, " ")
	percent, err := strconv.Atoi(number)
	if err != nil || percent < 0 || percent > 100 || strconv.Itoa(percent) != number {
		return s, fmt.Errorf("%q: %q is no confidence in percent", text, number)
	}
	s.Attrs.Confidence = float64(percent) / 100
	if !more {
		return s, nil
	}
	name, s.Attrs.TargetText, _ = strings.Cut(rest, " ")
	if s.Attrs.TargetRelation, ok = d.relations[name]; !ok || s.Attrs.TargetText == "" {
		return s, fmt.Errorf("%q ends in no relation and target", text)
	}
	return s, nil
}

// instead is what an example has that does not write a word: the default, or else the first value.
func (c *slot) instead(tax *dataset.Taxonomy) string {
	if v := tax.Attr(c.attr); v != nil && v.Default != "" {
		return v.Default
	}
	return c.values[0]
}
