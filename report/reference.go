package report

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/go-json-experiment/json"
)

// Reference is another annotation of the same texts.
type Reference interface {
	// Lookup returns the emotions, by their names in the taxonomy where it knows them, and the spans of a text, found by its id
	// or by itself.
	Lookup(srcID, text string) (labels []string, spans []dataset.Span, ok bool)
}

// ReadReference reads records, or lines with src_id, text and labels, and holds them in memory. The name appears in errors.
func ReadReference(src io.Reader, name string, tax *dataset.Taxonomy) (Reference, error) {
	ref := &referenceLines{byID: make(map[string]int), byText: make(map[string]int)}
	for lines := dataset.NewLineReader(src, 0); ; {
		line, err := lines.Next()
		if err == io.EOF {
			return ref, nil
		}
		var e referenceLine
		if err == nil {
			err = e.parse(line, tax)
		}
		if err != nil {
			return nil, fmt.Errorf("reference %s:%d: %w", name, lines.Line(), err)
		}
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
		ref.add(&referenceLine{SrcID: text.ID, Text: text.Text, Labels: slices.Compact(labels)})
	}
}

type referenceLine struct {
	SrcID       string   `json:"src_id"`
	Text        string   `json:"text"`
	Labels      []string `json:"labels"`
	Predictions []string `json:"predictions"`
	Data        struct {
		Spans []dataset.Span `json:"spans"`
	} `json:"data"`
}

func (e *referenceLine) parse(line []byte, tax *dataset.Taxonomy) error {
	if err := json.Unmarshal(line, e); err != nil {
		return err
	}
	if e.Labels == nil {
		e.Labels = e.Predictions
	}
	if e.Labels == nil {
		return errors.New("neither labels nor predictions")
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

type referenceLines struct {
	entries []referenceEntry
	byID    map[string]int
	byText  map[string]int
}

type referenceEntry struct {
	text   string
	labels []string
	spans  []dataset.Span
}

// add keeps the first of two lines with one id or text.
func (r *referenceLines) add(e *referenceLine) {
	n := len(r.entries)
	r.entries = append(r.entries, referenceEntry{e.Text, e.Labels, e.Data.Spans})
	if _, ok := r.byID[e.SrcID]; !ok && e.SrcID != "" {
		r.byID[e.SrcID] = n
	}
	if _, ok := r.byText[e.Text]; !ok && e.Text != "" {
		r.byText[e.Text] = n
	}
}

// Lookup goes by the id where the text is the same too: ids that were given by number mean another text in another file.
func (r *referenceLines) Lookup(srcID, text string) ([]string, []dataset.Span, bool) {
	n, ok := r.byID[srcID]
	if e := r.entry(n); !ok || e.text != "" && e.text != text {
		n, ok = r.byText[text]
	}
	if !ok {
		return nil, nil, false
	}
	e := r.entry(n)
	return e.labels, e.spans, true
}

func (r *referenceLines) entry(n int) referenceEntry {
	if n >= len(r.entries) {
		return referenceEntry{}
	}
	return r.entries[n]
}
