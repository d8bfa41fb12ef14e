package export

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// The formats' names.
const (
	HuggingFace = "hf"
	Parquet     = "parquet"
	CoNLL       = "conll"
	LabelStudio = "label-studio"
	Doccano     = "doccano"
	Prodigy     = "prodigy"
	Argilla     = "argilla"
	GLiNER      = "gliner"
	SpaCy       = "spacy"
)

// A Format is one that records can be written in.
type Format struct {
	Name    string
	Carries string // and what a reader finds it in
	loses   string // what has no place in it; empty where that is nothing
	Binary  bool   // not to be shown on a terminal
	ByType  bool   // spans are called by their type unless told otherwise

	open func(w io.Writer, o Options) (Writer, error) // nil where it is no stream
}

// Options say how to write. Taxonomy must be set.
type Options struct {
	Taxonomy *dataset.Taxonomy
	Names    Names // what a span is called
	IDs      bool  // conll: a line "# src_id = ID" above each record
}

// Names chooses what a span is called.
type Names string

const (
	ByEmotion Names = "emotion" // its subtype: Annoyance
	ByType    Names = "type"    // EMO
)

// A Writer takes records one by one. It must not be shared between goroutines.
type Writer interface {
	// Write adds a record, and keeps nothing of it.
	Write(r *dataset.Record) error
	// Close completes what was written. It does not close the stream below.
	Close() error
	// Notes are what had to be changed or left out, for people to read. They
	// are complete after Close.
	Notes() []string
}

// formats are in the order in which help lists them.
var formats = []Format{
	{Name: HuggingFace, ByType: true,
		Carries: "a folder: every record whole as Parquet and as JSONL, a view for token classification, and a README with dataset_info"},
	{Name: Parquet, Binary: true, open: newParquet,
		Carries: "every record whole, one row each"},
	{Name: CoNLL, ByType: true, open: newCoNLL,
		Carries: "tokens and BIO labels",
		loses:   "the text's white space, ids (but with --ids), emotions of the whole text, attributes, model and prompt"},
	{Name: LabelStudio, open: newLabelStudio,
		Carries: "text, spans with their confidence, emotions and id, as predictions to correct",
		loses:   "tokens, the other attributes, provider and prompt"},
	{Name: Doccano, open: newDoccano,
		Carries: "text and spans; id and emotions as metadata",
		loses:   "tokens, attributes, model and prompt"},
	{Name: Prodigy, open: newProdigy,
		Carries: "text, tokens and spans; id, emotions and model as meta",
		loses:   "attributes, provider and prompt"},
	{Name: Argilla, open: newArgilla,
		Carries: "text, id, and as suggestions spans with their confidence and emotions; model and prompt as metadata",
		loses:   "tokens and the other attributes"},
	{Name: GLiNER, open: newGLiNER,
		Carries: "tokens and spans",
		loses:   "the text's white space, ids, emotions of the whole text, attributes, model and prompt"},
	{Name: SpaCy, Binary: true, open: newSpaCy,
		Carries: "text, tokens, spans as entities and as the span group sc, emotions as categories, and the id, as a DocBin",
		loses:   "attributes, model and prompt"},
}

// Formats are all formats. The slice is the caller's.
func Formats() []Format { return slices.Clone(formats) }

// Lookup finds a format by its name.
func Lookup(name string) (Format, bool) {
	i := slices.IndexFunc(formats, func(f Format) bool { return f.Name == name })
	if i < 0 {
		return Format{}, false
	}
	return formats[i], true
}

// IsFolder reports whether the format is a folder, which [CreateHub] writes,
// rather than a stream.
func (f Format) IsFolder() bool { return f.open == nil }

// New writes the format to w. Names may be left empty for the format's own.
func (f Format) New(w io.Writer, o Options) (Writer, error) {
	if f.IsFolder() {
		return nil, fmt.Errorf("%s is a folder, not a stream", f.Name)
	}
	if o.Names == "" {
		o.Names = f.Names()
	}
	return f.open(w, o)
}

// Names is what the format calls spans by unless told otherwise.
func (f Format) Names() Names {
	if f.ByType {
		return ByType
	}
	return ByEmotion
}

// LeftOut is what the format cannot carry; empty where that is nothing. Names
// may be left empty for the format's own.
func (f Format) LeftOut(n Names) string {
	if n = cmp.Or(n, f.Names()); n == ByType && f.loses != "" {
		return "the spans' emotions, " + f.loses
	}
	return f.loses
}

// of is what a span is called.
func (n Names) of(s *dataset.Span) string {
	if n == ByType {
		return s.Type
	}
	return s.Subtype
}

// all are the names that spans can have under a taxonomy, in its order.
func (n Names) all(tax *dataset.Taxonomy) []string {
	if n == ByType {
		return tax.SpanTypes()
	}
	var list []string
	for _, e := range tax.Emotions() {
		list = append(list, e.Subtype)
	}
	return list
}

// tags are the BIO tags of all names: O, then B and I of each.
func (n Names) tags(tax *dataset.Taxonomy) []string {
	tags := []string{"O"}
	for _, name := range n.all(tax) {
		tags = append(tags, "B-"+bioName(name), "I-"+bioName(name))
	}
	return tags
}

// tag appends a record's BIO tags to list. The record's own labels are just
// these where spans are called by type.
func (n Names) tag(list []string, r *dataset.Record) []string {
	if n == ByType {
		return append(list, r.Data.Labels...)
	}
	first := len(list)
	for range r.Data.Tokens {
		list = append(list, "O")
	}
	tags := list[first:]
	for i := range r.Data.Spans {
		s := &r.Data.Spans[i]
		prefix := "B-"
		for at := s.Start; at <= s.End; at++ {
			tags[at] = prefix + bioName(s.Subtype)
			prefix = "I-"
		}
	}
	return list
}

// bioName is a name as the tail of a BIO tag, where white space would end it.
func bioName(name string) string { return strings.ReplaceAll(name, " ", "_") }

// notes gathers what a writer has to say at its end.
type notes []string

func (n notes) Notes() []string { return n }

// counted is a number of things: "1 record", "2 records".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
