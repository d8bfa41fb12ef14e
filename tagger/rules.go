package tagger

import (
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
	"github.com/go-json-experiment/json/jsontext"
)

// The most predictions and spans of one record.
const (
	maxPredictions = 3
	maxSpans       = 3
)

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

// literals are the GBNF literals of values as they stand inside a JSON string.
func literals(values []string) []string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = grammar.Literal(escape(v))
	}
	return quoted
}

// attributeRules writes a rule for the values of each of some attributes, called what they are with dashes.
func attributeRules(b *strings.Builder, tax *dataset.Taxonomy, names ...string) {
	for _, name := range names {
		rule(b, strings.ReplaceAll(name, "_", "-"), literals(tax.Attr(name).Values)...)
	}
}

// furtherRules writes a rule for the values of each attribute that the taxonomy adds.
func furtherRules(b *strings.Builder, tax *dataset.Taxonomy) {
	for _, v := range tax.Further() {
		rule(b, furtherRule(v), literals(v.Values)...)
	}
}

// furtherRule is the name of such a rule, which no other has.
func furtherRule(v *dataset.Vocabulary) string { return "attr-" + strings.ReplaceAll(v.Name, "_", "-") }

// furtherLength bounds the tokens that those attributes take in JSON: no more than bytes.
func furtherLength(tax *dataset.Taxonomy) int {
	n := 0
	for _, v := range tax.Further() {
		n += len(`,"":""`) + len(v.Name) + longest(v.Values)
	}
	return n
}

// longest is the length of the longest of some strings, in bytes.
func longest(list []string) int {
	n := 0
	for _, s := range list {
		n = max(n, len(s))
	}
	return n
}

// targetRules writes the rules of what a target may be beside words of the text, and how it may relate to a span.
func targetRules(b *strings.Builder, tax *dataset.Taxonomy) {
	rule(b, "pronoun", literals(tax.Pronouns())...)
	rule(b, "relation", literals(spanRelations(tax))...)
}

// spanEmotions are the emotions that a span may have.
func spanEmotions(tax *dataset.Taxonomy) []string {
	var names []string
	for _, e := range tax.Emotions() {
		if e.Name != tax.Neutral() {
			names = append(names, e.Name)
		}
	}
	return names
}

// spanRelations are the relations that a target may have.
func spanRelations(tax *dataset.Taxonomy) []string {
	values := slices.Clone(tax.Attr(dataset.AttrTargetRelation).Values)
	return slices.DeleteFunc(values, func(v string) bool { return v == dataset.RelationNone })
}

// escape writes s as it stands inside a JSON string.
func escape(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] == '"' || s[i] == '\\' {
			q := appendJSON(nil, s)
			return string(q[1 : len(q)-1])
		}
	}
	return s
}

// appendJSON quotes s with no more escapes than JSON demands. Texts are valid UTF-8 here: the readers see to it.
func appendJSON(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

// appendStrings writes a JSON array of strings.
func appendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSON(dst, s)
	}
	return append(dst, ']')
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
