package agreement

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// A Comparison is how far one file agrees with a reference.
type Comparison struct {
	File    string  `json:"file"`
	Format  Format  `json:"format"`
	Pairing Pairing `json:"pairing"`

	// Unscored are matched records of which the reference has labels, but none
	// that the taxonomy knows; they are left out of the scores of labels.
	Unscored int            `json:"unscored_labels"`
	LeftOut  map[string]int `json:"unknown_labels"` // of the file's labels, those that the taxonomy does not know

	Labels     []*LabelScores    `json:"labels"`     // level by level
	Spans      *SpanScores       `json:"spans"`      // nil where SpansWhy says why
	SpansWhy   string            `json:"spans_why"`  // why not
	Attributes []AttributeScores `json:"attributes"` // of spans; of the reference's only where it has any
	Confidence *ConfidenceScores `json:"confidence"`

	// Sentences says that the file's first id is as that of a sentence, and
	// sentences were not joined.
	Sentences bool `json:"-"`
}

// Options say how to compare. The zero value pairs by id and text and makes no
// intervals.
type Options struct {
	By        By // "" means ByAuto
	Bootstrap Bootstrap

	// JoinSentences makes one annotation of the sentences of a text, whose ids
	// are as [dataset.SentenceID] makes them.
	JoinSentences bool
}

// ErrNoMatch says that nothing in a file belongs to anything in the reference.
var ErrNoMatch = errors.New("nothing matches")

// ErrSentences says besides that the file's ids are as those of sentences.
var ErrSentences = errors.New("its ids are those of sentences")

// Compare reads a file of annotations, whose name appears in errors, and says
// how far it agrees with the reference. Each line is read once and only counts
// are kept of it. The error is [ErrEmpty] or [ErrNoMatch] where there is nothing
// to compare, a *[dataset.LineError] where a line is at fault, [ErrReadBack] where
// the reference is.
func (r *Reference) Compare(ctx context.Context, src io.Reader, name string, o Options) (*Comparison, error) {
	c := &Comparison{File: name, LeftOut: map[string]int{}}
	reader := NewReader(src, name, r.book, LevelEmotion)
	next := reader.Next
	if o.JoinSentences {
		next = newSentenceReader(reader).Next
	}
	matcher := r.Matcher(o.By)
	toLevel := r.projection()
	var labels labelTally
	var spans spanTally
	attributes := newAttributeTally(r.book)
	comparer := spanComparer{project: toLevel, typed: r.format == FormatRecords}
	firstID := ""
	for a := new(Annotation); ; {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		err := next(a)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if firstID == "" {
			firstID = a.ID
		}
		ref, err := matcher.Match(a)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		if ref == nil {
			continue
		}
		for _, name := range a.LeftOut {
			c.LeftOut[name]++
		}
		if ref.onlyLeftOut {
			c.Unscored++
		} else {
			var predicted Set
			for class := range a.Labels.All() {
				predicted |= setOf(toLevel(uint8(class)))
			}
			labels.add(outcome{ref.Labels, predicted, toLevel(a.First)})
		}
		if ref.Spanned && a.Spanned && len(a.ends) > 0 && ref.text == a.text {
			spans.add(comparer.compare(ref, a))
			attributes.add(ref, a, &comparer)
		}
	}
	c.Format, c.Pairing = reader.Format(), matcher.Pairing()
	_, _, sentences := cutSentence(firstID)
	c.Sentences = sentences && !o.JoinSentences
	switch {
	case c.Pairing.Records == 0:
		return nil, fmt.Errorf("%s: %w", name, ErrEmpty)
	case c.Pairing.Matched == 0:
		err := fmt.Errorf("%w between %s and %s: %s", ErrNoMatch, r.name, name, r.noMatch(firstID, o.By))
		if c.Sentences {
			err = fmt.Errorf("%w; %w", err, ErrSentences)
		}
		return nil, err
	}
	var err error
	if c.Labels, err = labels.score(ctx, r.book, r.level, o.Bootstrap); err != nil {
		return nil, err
	}
	if c.SpansWhy = r.spansWhy(&spans, c); c.SpansWhy == "" {
		if c.Spans, err = spans.score(ctx, r.book, r.level, o.Bootstrap); err != nil {
			return nil, err
		}
		both := r.format == FormatRecords
		c.Attributes, err = attributes.scores(ctx, both, o.Bootstrap)
		c.Confidence = attributes.confidence(both)
	}
	return c, err
}

// projection returns what an emotion comes to on the reference's level.
func (r *Reference) projection() func(emotion uint8) uint8 {
	return func(emotion uint8) uint8 {
		if r.level == LevelEkman && emotion != noClass {
			return r.book.ekman[emotion]
		}
		return emotion
	}
}

// noMatch says what the ids look like, which mostly tells why they do not match.
func (r *Reference) noMatch(id string, by By) string {
	if by == ByText || r.firstID == "" || id == "" {
		return "no text of the one is in the other"
	}
	also := ""
	if by != ByID {
		also = ", nor do texts"
	}
	return fmt.Sprintf("src_ids are like %q there and like %q here%s", r.firstID, id, also)
}

// spansWhy says why there are no scores of spans, "" where there are. A side that
// was looked through for spans and has none is scored: it has missed those of
// the other.
func (r *Reference) spansWhy(t *spanTally, c *Comparison) string {
	switch {
	case len(t.counts) > 0 && t.reference+t.predicted > 0:
		return ""
	case len(t.counts) > 0:
		return "neither side has any in the matched records"
	case r.format != FormatRecords && r.format != FormatOffsets:
		return fmt.Sprintf("the reference has none: its format is %s", r.format)
	case c.Format != FormatRecords:
		return fmt.Sprintf("%s has none over tokens: its format is %s", c.File, c.Format)
	}
	return "no matched record was looked through for spans on both sides over the same text (the prompt simple asks for none)"
}
