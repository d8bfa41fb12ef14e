package report

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
	"github.com/go-json-experiment/json"
)

// Reference is another annotation of the same texts.
type Reference interface {
	// Lookup returns what it says of a text, found by its id or by itself; nil where it does not have it.
	Lookup(srcID, text string) *Annotation
	// Ekman reports whether its labels are Ekman's classes, as which emotions are then compared with them.
	Ekman() bool
}

// Annotation is what a reference says of a text.
type Annotation struct {
	Labels []string // by their names in the taxonomy where it knows them, each once
	Spans  []dataset.Span

	// Characters says that the spans' Start and End count characters (code points) of the text, the end exclusive, and that
	// Subtype is the label as it is.
	Characters bool
}

// ReadReference reads records, lines with src_id, text and labels, or lines with src_id, text and spans with character offsets, whose
// labels are Ekman's classes, and holds them in memory. The name appears in errors.
func ReadReference(src io.Reader, name string, tax *dataset.Taxonomy) (Reference, error) {
	ref := &referenceLines{byID: make(map[string]int), byText: make(map[string]int)}
	for lines := dataset.NewJSONReader(src, 0); ; {
		line, err := lines.Next()
		if err == io.EOF {
			return ref, nil
		}
		var e referenceLine
		if err == nil {
			err = e.parse(line, tax)
		}
		if err != nil {
			return nil, fmt.Errorf("reference %s: %w", lines.At(name), err)
		}
		if e.characters != ref.characters && len(ref.entries) > 0 {
			return nil, fmt.Errorf("reference %s:%d: lines with spans by character beside others: make two files of them", name, lines.Line())
		}
		ref.characters = e.characters
		ref.add(&e)
	}
}

// ReadLabels reads texts and their labels from a table, as GoEmotions' TSV, and holds them in memory. in must have been opened with the
// taxonomy for its labels.
func ReadLabels(in *dataset.Reader) (Reference, error) {
	ref := &referenceLines{byID: make(map[string]int), byText: make(map[string]int)}
	for {
		text, err := in.Next()
		if err == io.EOF {
			return ref, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reference %w", err)
		}
		labels := slices.Clone(text.Labels)
		slices.Sort(labels)
		ref.add(&referenceLine{SrcID: dataset.ID(text.ID), Text: text.Text, Labels: slices.Compact(labels)})
	}
}

type referenceLine struct {
	ID          dataset.ID `json:"id"`
	SrcID       dataset.ID `json:"src_id"`
	Text        string     `json:"text"`
	Labels      []string   `json:"labels"`
	Predictions []string   `json:"predictions"`
	Data        struct {
		Spans []dataset.Span `json:"spans"`
	} `json:"data"`
	Spans []characterSpan `json:"spans"`

	characters bool // Data's spans are from Spans
}

// characterSpan is a span with character offsets, as the JSON form of REMAN has them (Kim and Klinger 2018). Kinds other than
// emotion are passed over.
type characterSpan struct {
	Kind  *string `json:"kind"`
	Label string  `json:"label"`
	Start int     `json:"start"`
	End   int     `json:"end"`
}

func (e *referenceLine) parse(line []byte, tax *dataset.Taxonomy) error {
	if err := json.Unmarshal(line, e); err != nil {
		return err
	}
	e.SrcID = cmp.Or(e.ID, e.SrcID)
	if e.Labels == nil {
		e.Labels = e.Predictions
	}
	if e.Labels == nil && e.Spans != nil {
		return e.parseSpans(tax)
	}
	if e.Labels == nil {
		return errors.New("neither labels, predictions nor spans")
	}
	if e.SrcID == "" && e.Text == "" {
		return errors.New("neither src_id nor text")
	}
	for i, label := range e.Labels {
		if emotion, ok := tax.CanonicalEmotion(label); ok {
			label = emotion.Name
		}
		e.Labels[i] = strings.Clone(label) // else it would keep the whole line in memory
	}
	slices.Sort(e.Labels)
	e.Labels = slices.Compact(e.Labels)
	return nil
}

// parseSpans makes labels of the spans: a text without one of kind emotion is neutral.
func (e *referenceLine) parseSpans(tax *dataset.Taxonomy) error {
	e.characters = true
	if e.Text == "" {
		return errors.New("no text that the spans lie in")
	}
	length := utf8.RuneCountInString(e.Text)
	for i, s := range e.Spans {
		if s.Kind != nil && *s.Kind != "emotion" {
			continue
		}
		if s.Start < 0 || s.End <= s.Start || s.End > length {
			return fmt.Errorf("/spans/%d: start %d and end %d, expected 0 ≤ start < end ≤ %d", i, s.Start, s.End, length)
		}
		label := ekmanClass(tax, strings.ToLower(s.Label))
		e.Labels = append(e.Labels, label)
		e.Data.Spans = append(e.Data.Spans, dataset.Span{Subtype: label, Start: s.Start, End: s.End})
	}
	if len(e.Labels) == 0 {
		e.Labels = []string{ekmanClass(tax, tax.Neutral())}
	}
	slices.Sort(e.Labels)
	e.Labels = slices.Compact(e.Labels)
	return nil
}

// ekmanClass is the class that a label is or that the emotion of that name belongs to, or else the label itself.
func ekmanClass(tax *dataset.Taxonomy, label string) string {
	for _, e := range tax.Emotions() {
		if e.Ekman == label {
			return label
		}
	}
	if e, ok := tax.Emotion(label); ok {
		return e.Ekman
	}
	return label
}

type referenceLines struct {
	entries []Annotation
	texts   []string // of the entries
	byID    map[string]int
	byText  map[string]int

	characters bool // spans lie by character, and labels are Ekman's classes
}

func (r *referenceLines) Ekman() bool { return r.characters }

// add keeps the first of two lines with one id or text.
func (r *referenceLines) add(e *referenceLine) {
	n := len(r.entries)
	r.entries, r.texts = append(r.entries, Annotation{e.Labels, e.Data.Spans, e.characters}), append(r.texts, e.Text)
	if _, ok := r.byID[string(e.SrcID)]; !ok && e.SrcID != "" {
		r.byID[string(e.SrcID)] = n
	}
	if _, ok := r.byText[e.Text]; !ok && e.Text != "" {
		r.byText[e.Text] = n
	}
}

// Lookup goes by the id where the text is the same too: ids that were given by number mean another text in another file.
func (r *referenceLines) Lookup(srcID, text string) *Annotation {
	n, ok := r.byID[srcID]
	if !ok || r.texts[n] != "" && r.texts[n] != text {
		if n, ok = r.byText[text]; !ok {
			return nil
		}
	}
	return &r.entries[n]
}
