package corpus

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/tagger"
	"github.com/emospan/emospan/validate"
)

const (
	// Origin is the model and the provider of the records: their labels are those of a corpus's files, no run of emospan tag made them.
	Origin = "corpus"
	// Prompt is the prompt of the records, which have all that it asks for.
	Prompt = "level_2"
)

// unsaid is the target that need not stand in the text: whom an imperative addresses.
const unsaid = "you"

// Build makes a record of each entry, which passes [validate.Record]. The id is corpus_REGISTER_N, with N from 1 in the order of the
// register's entries. Predictions are in the order of the spans, the confidence is 1, and a valence that is not written is the
// taxonomy's. Spans are of the taxonomy's first type. No two entries may have the same text.
//
// The error holds an [Error] for each entry at fault, up to a limit.
func Build(entries []Entry, tax *dataset.Taxonomy) ([]dataset.Record, error) {
	records := make([]dataset.Record, 0, len(entries))
	var faults faults
	first := map[string]*Entry{} // by text
	count := map[string]int{}    // by register
	for i := range entries {
		e := &entries[i]
		count[e.Register]++
		r, err := e.record(tax)
		if before := first[e.Text]; before != nil && err == nil {
			err = fmt.Errorf("the text %q also stands at %s:%d; take one out", shorten(e.Text), before.File, before.Line)
		} else if before == nil {
			first[e.Text] = e
		}
		r.SrcID = fmt.Sprintf("corpus_%s_%d", e.Register, count[e.Register])
		if err == nil {
			err = check(&r, tax)
		}
		if err != nil {
			faults.add(&Error{File: e.File, Line: e.Line, Reason: err.Error()})
			continue
		}
		records = append(records, r)
	}
	if err := faults.err(); err != nil {
		return nil, err
	}
	return records, nil
}

// check finds what only entries that Parse has not read can have, such as text that is not UTF-8.
func check(r *dataset.Record, tax *dataset.Taxonomy) error {
	if problems := validate.Record(r, tax); len(problems) > 0 {
		p := problems[0]
		return fmt.Errorf("%s at %s: want %s, found %s", p.Code, p.Path, p.Expected, p.Found)
	}
	return nil
}

// record makes the entry's record, but for its id.
func (e *Entry) record(tax *dataset.Taxonomy) (dataset.Record, error) {
	r := dataset.Record{Model: Origin, Provider: Origin, Prompt: Prompt, Level: dataset.Level, Text: e.Text}
	if mark := unmarked(e.Text, tax); mark != "" {
		return r, fmt.Errorf("%q looks like a mark whose span has no brackets; write [span](…) without a space between", shorten(mark))
	}
	words := tagger.Words(e.Text)
	positions := tagger.Positions(e.Text, words)
	for _, w := range words {
		r.Data.Tokens = append(r.Data.Tokens, e.Text[w.Start:w.End])
		r.Data.Labels = append(r.Data.Labels, "O")
	}
	for i := range e.Marks {
		m := &e.Marks[i]
		if i > 0 && m.Start < e.Marks[i-1].End || m.Start >= m.End || m.Start < 0 || m.End > len(e.Text) {
			return r, fmt.Errorf("the span of bytes %d to %d is empty, overlaps the one before it or lies outside the text", m.Start, m.End)
		}
		emotion, attrs, err := m.attributes(tax)
		if err != nil {
			return r, err
		}
		first, last, err := e.tokens(m, words)
		if err != nil {
			return r, err
		}
		attrs.SentenceIndex, attrs.ClauseIndex = positions[first].Sentence, positions[first].Clause
		if m.Target != "" && m.Target != unsaid && !e.isRun(m.Target, words) {
			return r, fmt.Errorf("the target %q is no run of the text's words as they are written; copy it from the text, or write %q for whom an imperative addresses", shorten(m.Target), unsaid)
		}
		kind := tax.SpanTypes()[0]
		r.Data.Spans = append(r.Data.Spans, dataset.Span{Type: kind, Subtype: emotion.Subtype, Start: first, End: last, Text: e.Text[m.Start:m.End], Attrs: attrs})
		for k := first; k <= last; k++ {
			r.Data.Labels[k] = "I-" + kind
		}
		r.Data.Labels[first] = "B-" + kind
		if !slices.Contains(r.Predictions, emotion.Name) {
			r.Predictions = append(r.Predictions, emotion.Name)
		}
	}
	if len(e.Marks) == 0 {
		r.Predictions = []string{tax.Neutral()}
	}
	return r, nil
}

// tokens returns the first and the last token of a mark's span.
func (e *Entry) tokens(m *Mark, words []tagger.Token) (first, last int, err error) {
	first = slices.IndexFunc(words, func(w tagger.Token) bool { return w.End > m.Start })
	last = slices.IndexFunc(words, func(w tagger.Token) bool { return w.End >= m.End })
	if first < 0 || last < 0 || words[first].Start >= m.End || dataset.TrimSpace(e.Text[m.Start:m.End]) != e.Text[m.Start:m.End] {
		return 0, 0, fmt.Errorf("the span %q begins or ends with white space; take it out of the brackets", shorten(e.Text[m.Start:m.End]))
	}
	for _, w := range [...]tagger.Token{words[first], words[last]} {
		if w.Start < m.Start || w.End > m.End {
			return 0, 0, fmt.Errorf("the span %q cuts the token %q; mark whole tokens", shorten(e.Text[m.Start:m.End]), shorten(e.Text[w.Start:w.End]))
		}
	}
	return first, last, nil
}

// isRun reports whether s is a run of the text's tokens.
func (e *Entry) isRun(s string, words []tagger.Token) bool {
	for i, w := range words {
		end := w.Start + len(s)
		if end > len(e.Text) {
			return false
		}
		if e.Text[w.Start:end] != s {
			continue
		}
		if _, ok := slices.BinarySearchFunc(words[i:], end, func(last tagger.Token, end int) int { return last.End - end }); ok {
			return true
		}
	}
	return false
}

// attributes gives what is said of a mark, but for its place.
func (m *Mark) attributes(tax *dataset.Taxonomy) (*dataset.Emotion, dataset.Attrs, error) {
	var attrs dataset.Attrs
	emotion, ok := tax.Emotion(m.Emotion)
	if !ok {
		advice := "emospan taxonomy lists them"
		if meant, ok := tax.CanonicalEmotion(m.Emotion); ok {
			advice = "write " + meant.Name
		}
		return nil, attrs, fmt.Errorf("%q is no emotion of the taxonomy %s; %s", shorten(m.Emotion), tax.Name(), advice)
	}
	if emotion.Name == tax.Neutral() {
		return nil, attrs, fmt.Errorf("a span cannot be %s; take the mark out, a line without one is %[1]s", emotion.Name)
	}
	attrs = dataset.Attrs{Valence: emotion.Valence, EmotionGroup: emotion.Group, Confidence: 1, TargetText: m.Target, TargetRelation: dataset.RelationNone}
	names := []string{dataset.AttrIntensity, dataset.AttrCertainty, dataset.AttrTemporality, dataset.AttrSource}
	if len(emotion.Valences) > 1 {
		names = slices.Insert(names, 0, dataset.AttrValence)
	}
	least := len(names)
	for _, further := range tax.Further() {
		names = append(names, further.Name)
		attrs.Further = append(attrs.Further, dataset.Attr{Name: further.Name, Value: further.Default})
		if further.Default == "" {
			least = len(names)
		}
	}
	if n := len(m.Values); n < least || n > len(names) {
		return nil, attrs, fmt.Errorf("%s has %d values, %q; write the values of %s", emotion.Name, n, shorten(strings.Join(m.Values, " ")), strings.Join(names, ", "))
	}
	for i, value := range m.Values {
		if err := checkValue(tax, names[i], value); err != nil {
			return nil, attrs, err
		}
		*attrs.Field(names[i]) = value
	}
	if !slices.Contains(emotion.Valences, attrs.Valence) {
		return nil, attrs, fmt.Errorf("the valence of %s cannot be %s; write one of %s", emotion.Name, attrs.Valence, strings.Join(emotion.Valences, ", "))
	}
	if m.Target == "" && m.Relation == "" {
		return emotion, attrs, nil
	}
	if m.Relation == dataset.RelationNone || m.Target == "" {
		return nil, attrs, errors.New("a target needs a relation and a relation a target; write both, or neither")
	}
	attrs.TargetRelation = m.Relation
	return emotion, attrs, checkValue(tax, dataset.AttrTargetRelation, m.Relation)
}

func checkValue(tax *dataset.Taxonomy, name, value string) error {
	if v := tax.Attr(name); !v.Has(value) {
		return fmt.Errorf("%q is no %s; write one of %s", shorten(value), name, strings.Join(v.Values, ", "))
	}
	return nil
}

// unmarked returns what looks like the second half of a mark but is text, "" if nothing does: an emotion and a value of intensity
// or valence after a round bracket.
func unmarked(text string, tax *dataset.Taxonomy) string {
	const most = 200 // bytes of an emotion and a value
	for i := range len(text) {
		if text[i] != '(' {
			continue
		}
		emotion, rest, _ := strings.Cut(text[i+1:min(len(text), i+most)], " ")
		value, _, more := strings.Cut(rest, " ")
		if _, ok := tax.Emotion(emotion); ok && more && (tax.Attr(dataset.AttrIntensity).Has(value) || tax.Attr(dataset.AttrValence).Has(value)) {
			return text[i:]
		}
	}
	return ""
}
