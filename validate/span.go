package validate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// maxWork bounds what is spent on looking for the targets of one record, in
// bytes compared and tokens passed.
const maxWork = 64 << 20

func (c *checker) spans() {
	spans, tokens := c.r.Data.Spans, len(c.r.Data.Tokens)
	if c.r.Prompt == PromptSimple && len(spans) > 0 {
		c.add(CodeSpanSimple, "/data/spans", "no spans under the prompt "+PromptSimple, strconv.Itoa(len(spans)))
	}
	// Neutral needs no words that carry it.
	if p := c.r.Predictions; c.r.Prompt != PromptSimple && len(spans) == 0 && len(p) > 0 && !slices.Contains(p, c.tax.Neutral()) {
		c.add(CodeSpanMissing, "/data/spans", "a span, because an emotion is predicted", "none")
	}
	inOrder := true
	for i := range spans {
		if c.full() {
			return
		}
		s := &spans[i]
		if !hasType(c.tax, s.Type) {
			c.add(CodeSpanType, at("/data/spans", i, "/type"), "one of "+strings.Join(c.tax.SpanTypes(), ", "), quote(s.Type))
		}
		c.subtype(i, s)
		switch {
		case s.Start < 0 || s.End < s.Start || s.End >= tokens:
			c.add(CodeSpanRange, at("/data/spans", i, ""), fmt.Sprintf("0 ≤ start ≤ end < %d", tokens), fmt.Sprintf("start %d, end %d", s.Start, s.End))
			inOrder = false
		case i > 0 && s.Start < spans[i-1].Start:
			c.add(CodeSpanOrder, at("/data/spans", i, "/start"), fmt.Sprintf("no less than %d", spans[i-1].Start), strconv.Itoa(s.Start))
			inOrder = false
		case i > 0 && s.Start <= spans[i-1].End:
			c.add(CodeSpanOverlap, at("/data/spans", i, "/start"), fmt.Sprintf("more than %d", spans[i-1].End), strconv.Itoa(s.Start))
			inOrder = false
		}
		c.spanText(i, s)
		c.attrs(i, &s.Attrs)
	}
	// Where spans contradict each other, no labels could follow them.
	if inOrder && len(c.r.Data.Labels) == tokens {
		c.labelsFollow(spans)
	}
}

func (c *checker) subtype(i int, s *dataset.Span) {
	e, ok := c.tax.EmotionBySubtype(s.Subtype)
	if !ok {
		path := at("/data/spans", i, "/subtype")
		if e, ok = c.tax.Emotion(strings.ToLower(s.Subtype)); !ok {
			c.add(CodeSubtypeUnknown, path, "an emotion of the taxonomy, capitalised", quote(s.Subtype))
			return
		}
		c.add(CodeSubtypeCase, path, quote(e.Subtype), quote(s.Subtype))
	}
	if !slices.ContainsFunc(c.r.Predictions, func(p string) bool { return strings.EqualFold(p, e.Name) }) {
		c.add(CodeSubtypeNotPredicted, at("/data/spans", i, "/subtype"), "one of the predictions", quote(s.Subtype))
	}
}

func (c *checker) spanText(i int, s *dataset.Span) {
	if s.Start < 0 || s.End < s.Start || s.End >= len(c.end) || c.start[s.Start] < 0 || c.end[s.End] < 0 {
		return // already reported, and there is nothing to compare with
	}
	if want := c.r.Text[c.start[s.Start]:c.end[s.End]]; s.Text != want {
		c.add(CodeSpanText, at("/data/spans", i, "/text"), quote(want), quote(s.Text))
	}
}

// labelsFollow compares the labels with those that the spans stand for.
func (c *checker) labelsFollow(spans []dataset.Span) {
	next := 0
	for i, label := range c.r.Data.Labels {
		for next < len(spans) && spans[next].End < i {
			next++
		}
		prefix, kind := byte(0), ""
		if next < len(spans) && spans[next].Start <= i {
			kind = spans[next].Type
			prefix = 'I'
			if spans[next].Start == i {
				prefix = 'B'
			}
		}
		gotPrefix, gotKind := splitLabel(label)
		if gotPrefix == prefix && gotKind == kind && (prefix != 0 || label == "O") {
			continue
		}
		want := "O"
		if prefix != 0 {
			want = string(prefix) + "-" + kind
		}
		c.add(CodeSpanLabels, at("/data/labels", i, ""), want+", as the spans have it", quote(label))
		if c.full() {
			return
		}
	}
}

func (c *checker) attrs(i int, a *dataset.Attrs) {
	tokens := len(c.r.Data.Tokens)
	for _, f := range [...]struct{ attr, code, value string }{
		{dataset.AttrValence, CodeValence, a.Valence},
		{dataset.AttrIntensity, CodeIntensity, a.Intensity},
		{dataset.AttrCertainty, CodeCertainty, a.Certainty},
		{dataset.AttrTemporality, CodeTemporality, a.Temporality},
		{dataset.AttrSource, CodeSource, a.Source},
		{dataset.AttrEmotionGroup, CodeEmotionGroup, a.EmotionGroup},
	} {
		c.vocabulary(i, f.attr, f.code, f.value)
	}
	for _, f := range [...]struct {
		name  string
		value int
	}{{"sentence_index", a.SentenceIndex}, {"clause_index", a.ClauseIndex}} {
		if f.value < 0 || f.value >= tokens {
			c.add(CodeIndex, at("/data/spans", i, "/attrs/"+f.name), fmt.Sprintf("at least 0 and less than %d", tokens), strconv.Itoa(f.value))
		}
	}
	if !(a.Confidence >= 0 && a.Confidence <= 1) {
		code := CodeConfidence
		if a.Confidence >= 2 && a.Confidence <= 100 {
			code = CodePercent
		}
		c.add(code, at("/data/spans", i, "/attrs/confidence"), "a number in [0,1]", fmt.Sprint(a.Confidence))
	}
	c.target(i, a)
	c.further(i, a)
}

// further checks the attributes that the taxonomy adds; where a record was not read but made, they may be others.
func (c *checker) further(i int, a *dataset.Attrs) {
	for k, v := range c.tax.Further() {
		if k >= len(a.Further) || a.Further[k].Name != v.Name {
			c.add(CodeMissingKey, at("/data/spans", i, "/attrs/"+v.Name), "a value", "no key")
			return
		}
		c.vocabulary(i, v.Name, CodeFurther, a.Further[k].Value)
	}
	if n := len(c.tax.Further()); len(a.Further) > n {
		name := a.Further[n].Name
		c.add(CodeUnknownKey, at("/data/spans", i, pointer("/attrs", name)), "one of "+strings.Join(c.tax.AttrKeys(), ", "), quote(name))
	}
}

func (c *checker) vocabulary(i int, attr, code, value string) {
	if v := c.tax.Attr(attr); !v.Has(value) {
		c.add(code, at("/data/spans", i, "/attrs/"+attr), "one of "+strings.Join(v.Values, ", "), quote(value))
	}
}

func (c *checker) target(i int, a *dataset.Attrs) {
	if a.TargetText != "" && !c.tax.IsPronoun(a.TargetText) && c.aligned {
		switch found, done := c.isTokenRun(a.TargetText); {
		case !done:
			c.add(CodeLimitWork, at("/data/spans", i, "/attrs/target_text"), "a record small enough to search", fmt.Sprintf("%d bytes of text and %d spans", len(c.r.Text), len(c.r.Data.Spans)))
		case !found:
			c.add(CodeTargetText, at("/data/spans", i, "/attrs/target_text"), "nothing, a run of the text's tokens or a listed pronoun", quote(a.TargetText))
		}
	}
	c.vocabulary(i, dataset.AttrTargetRelation, CodeTargetRelation, a.TargetRelation)
	switch none := a.TargetRelation == dataset.RelationNone; {
	case none && a.TargetText != "":
		c.add(CodeTargetNone, at("/data/spans", i, "/attrs/target_relation"), "a relation, because there is a target_text", quote(a.TargetRelation))
	case !none && a.TargetText == "":
		c.add(CodeTargetNone, at("/data/spans", i, "/attrs/target_relation"), dataset.RelationNone+", because target_text is empty", quote(a.TargetRelation))
	}
}

// isTokenRun reports whether s is the text from the start of a token to the end
// of one; done is false where the record's budget ran out before that was known.
func (c *checker) isTokenRun(s string) (found, done bool) {
	last := 0
	for _, start := range c.start {
		end := start + len(s)
		for last < len(c.end) && c.end[last] < end {
			last++
		}
		if last == len(c.end) {
			break
		}
		if c.work--; c.end[last] == end && s[0] == c.r.Text[start] {
			if c.r.Text[start:end] == s {
				return true, true
			}
			c.work -= len(s)
		}
		if c.work < 0 {
			return false, false
		}
	}
	return false, true
}
