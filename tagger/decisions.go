package tagger

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// decisions are how the compact form says what the model decides of a span: words, each behind a space, because tokenizers
// have most words with the space before as one token, and few of them behind a quotation mark.
//
//	" annoyance high 91 cause you"
//
// that is emotion, intensity, certainty, temporality, source, confidence in percent and, where there is one, the target
// behind its relation. An attribute that has its vocabulary's default is left out.
type decisions struct {
	tax        *dataset.Taxonomy
	emotions   lexicon
	attributes []attribute
	relations  lexicon
}

// An attribute is one of those that are written, with the value that is left out, if any.
type attribute struct {
	name    string
	words   lexicon
	omitted string
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
	all := lexicon{}
	distinct := true // so that one can tell which attribute a word is of
	for _, name := range []string{dataset.AttrIntensity, dataset.AttrCertainty, dataset.AttrTemporality, dataset.AttrSource} {
		v := tax.Attr(name)
		a := attribute{name, newLexicon(v.Values), v.Default}
		for w := range a.words {
			distinct = distinct && all[w] == "" && strings.Trim(w, "0123456789") != ""
			all[w] = w
		}
		d.attributes = append(d.attributes, a)
	}
	if !distinct {
		for i := range d.attributes {
			d.attributes[i].omitted = ""
		}
	}
	return d
}

// rules writes the GBNF of the decisions as rule root and of what follows the emotion in them as rule manner, in which the rule quote is
// a run of the text's tokens.
func (d *decisions) rules(b *strings.Builder, root, quote string) {
	rule(b, root, "emotion manner")
	rule(b, "emotion", spaced(spanEmotions(d.tax))...)
	manner := []string{}
	for _, a := range d.attributes {
		values, marks := slices.Clone(d.tax.Attr(a.name).Values), ""
		if a.omitted != "" {
			values, marks = slices.DeleteFunc(values, func(v string) bool { return v == a.omitted }), "?"
		}
		if len(values) > 0 {
			manner = append(manner, a.name+marks)
			rule(b, a.name, spaced(values)...)
		}
	}
	if len(manner) == 0 {
		manner = []string{`""`}
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

// write gives the decisions of a span.
func (d *decisions) write(s dataset.Span) string {
	emotion, _ := d.tax.EmotionBySubtype(s.Subtype)
	list := []string{"", word(emotion.Name)}
	for _, a := range d.attributes {
		if v := *attr(&s.Attrs, a.name); v != a.omitted {
			list = append(list, word(v))
		}
	}
	list = append(list, strconv.Itoa(int(math.Round(s.Attrs.Confidence*100))))
	if s.Attrs.TargetText != "" {
		list = append(list, word(s.Attrs.TargetRelation), s.Attrs.TargetText)
	}
	return strings.Join(list, " ")
}

// parse reads the decisions of a span. Sentence and clause are left to the caller.
func (d *decisions) parse(s string) (e *dataset.Emotion, a dataset.Attrs, err error) {
	rest, ok := strings.CutPrefix(s, " ")
	if !ok {
		return e, a, fmt.Errorf("%q does not begin with a space", s)
	}
	name, rest, _ := strings.Cut(rest, " ")
	if e, ok = d.tax.Emotion(d.emotions[name]); !ok {
		return e, a, fmt.Errorf("%q names no emotion", s)
	}
	a = dataset.Attrs{Valence: e.Valence, EmotionGroup: e.Group, TargetRelation: dataset.RelationNone}
	for _, v := range d.attributes {
		first, behind, _ := strings.Cut(rest, " ")
		value, ok := v.words[first]
		switch {
		case ok:
			rest = behind
		case v.omitted != "":
			value = v.omitted
		default:
			return e, a, fmt.Errorf("%q: %q is no %s", s, first, v.name)
		}
		*attr(&a, v.name) = value
	}
	number, rest, more := strings.Cut(rest, " ")
	percent, err := strconv.Atoi(number)
	if err != nil || percent < 0 || percent > 100 || strconv.Itoa(percent) != number {
		return e, a, fmt.Errorf("%q: %q is no confidence in percent", s, number)
	}
	a.Confidence = float64(percent) / 100
	if !more {
		return e, a, nil
	}
	name, a.TargetText, _ = strings.Cut(rest, " ")
	if a.TargetRelation, ok = d.relations[name]; !ok || a.TargetText == "" {
		return e, a, fmt.Errorf("%q ends in no relation and target", s)
	}
	return e, a, nil
}

// attr is one of the attributes that the compact form writes in a word.
func attr(a *dataset.Attrs, name string) *string {
	switch name {
	case dataset.AttrIntensity:
		return &a.Intensity
	case dataset.AttrCertainty:
		return &a.Certainty
	case dataset.AttrTemporality:
		return &a.Temporality
	default:
		return &a.Source
	}
}
