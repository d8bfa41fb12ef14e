package export

import (
	"fmt"
	"io"

	"github.com/emospan/emospan/dataset"
)

// argilla writes what Argilla 2's records.from_json reads
// (https://docs.argilla.io/latest/how_to_guides/import_export/): an array of
// records for a dataset with a text field "text", a span question "span" on it
// and a multi-label question "emotion". Its server checks offsets against the
// text as Python counts it, in code points; its page cuts the text by UTF-16
// units. What is stored is right; what the page shows is shifted after an emoji.
type argilla struct {
	notes
	out     elements
	names   Names
	at      layout
	shifted int // records with a span that the page shows elsewhere
}

type argillaRecord struct {
	ID          string             `json:"id"`
	Fields      argillaFields      `json:"fields"`
	Metadata    argillaMetadata    `json:"metadata"`
	Suggestions argillaSuggestions `json:"suggestions"`
	Responses   struct{}           `json:"responses"`
	Vectors     struct{}           `json:"vectors"`
}

type argillaFields struct {
	Text string `json:"text"`
}

type argillaMetadata struct {
	Model    string `json:"model"`
	Provider string `json:"provider"`
	Prompt   string `json:"prompt"`
}

// argillaSuggestions leave the span question out where there is no span, since
// an empty suggestion would have as many scores as values: none.
type argillaSuggestions struct {
	Emotion argillaEmotion `json:"emotion"`
	Span    *argillaSpan   `json:"span,omitempty"`
}

type argillaEmotion struct {
	Value []string `json:"value"`
	Agent string   `json:"agent"`
}

type argillaSpan struct {
	Value []argillaSpanValue `json:"value"`
	Score []float64          `json:"score"`
	Agent string             `json:"agent"`
}

type argillaSpanValue struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Label string `json:"label"`
}

func newArgilla(w io.Writer, o Options) (Writer, error) {
	return &argilla{out: elements{w: w, array: true}, names: o.Names}, nil
}

func (a *argilla) Write(r *dataset.Record) error {
	if err := a.at.set(r); err != nil {
		return err
	}
	rec := argillaRecord{ID: r.SrcID, Fields: argillaFields{r.Text}, Metadata: argillaMetadata{r.Model, r.Provider, r.Prompt}}
	rec.Suggestions.Emotion = argillaEmotion{r.Predictions, r.Model}
	if len(r.Data.Spans) > 0 {
		rec.Suggestions.Span = &argillaSpan{Agent: r.Model}
	}
	shifted := false
	for i := range r.Data.Spans {
		s := &r.Data.Spans[i]
		at, span := a.at.span(s), rec.Suggestions.Span
		shifted = shifted || at.shifted()
		span.Value = append(span.Value, argillaSpanValue{at.from, at.to, a.names.of(s)})
		span.Score = append(span.Score, s.Attrs.Confidence)
	}
	if shifted {
		a.shifted++
	}
	return a.out.add(rec)
}

func (a *argilla) Close() error {
	if a.shifted > 0 {
		a.notes = append(a.notes, fmt.Sprintf("%s where a span lies after an emoji or another character above U+FFFF, or holds one: "+
			"Argilla's page shows it too far to the left; its API and its exports have it right", counted(a.shifted, "record")))
	}
	return a.out.close()
}
