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
	Brat        = "brat"
	CSV         = "csv"
	CSVSpans    = "csv-spans"
)

// A Format is one that records can be written in.
type Format struct {
	Name    string
	Carries string // and what a reader finds it in
	loses   string // what has no place in it; empty where that is nothing
	Binary  bool   // not to be shown on a terminal
	ByType  bool   // spans are called by their type unless told otherwise

	ext        string                                                    // of a file in a folder
	open       func(w io.Writer, o Options) (Writer, error)              // nil where it is no stream
	openFolder func(dir *folder, part string, o Options) (Writer, error) // of brat's many files
	beside     string                                                    // the companion's name
	use        string                                                    // what the companion is, and where it goes in the tool
	companion  func(o Options) ([]byte, error)                           // nil where there is none
}

// Options say how to write. Taxonomy must be set.
type Options struct {
	Taxonomy  *dataset.Taxonomy
	Names     Names    // what a span is called
	IDs       bool     // conll: a line "# src_id = ID" above each record
	BIOES     bool     // conll: tags in the scheme BIOES in place of BIO
	Exact     bool     // csv: no apostrophe in front of what could be a formula
	BOM       bool     // csv: a byte order mark first
	Delimiter rune     // csv: between cells, a comma where it is 0
	Languages []string // hf, spacy: codes of the texts' languages
	Splits    Splits   // of a folder
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
	{Name: Parquet, Binary: true, ext: ".parquet", open: newParquet,
		Carries: "every record whole, one row each"},
	{Name: CoNLL, ByType: true, ext: ".conll", open: newCoNLL,
		Carries: "tokens and BIO labels",
		loses:   "the text's white space, ids (but with --ids), emotions of the whole text, attributes, model and prompt"},
	{Name: LabelStudio, ext: ".json", open: newLabelStudio, beside: "config.xml", companion: labelingConfig,
		use:     "the labeling configuration, for Settings, Labeling Interface, Code",
		Carries: "text, spans with their confidence, emotions and id, as predictions to correct",
		loses:   "tokens, the other attributes, provider and prompt"},
	{Name: Doccano, ext: ".jsonl", open: newDoccano, beside: "labels.json", companion: doccanoLabels,
		use:     "the labels, for Labels, Actions, Import Labels, before the records",
		Carries: "text and spans; id and emotions as metadata",
		loses:   "tokens, attributes, model and prompt"},
	{Name: Prodigy, ext: ".jsonl", open: newProdigy,
		Carries: "text, tokens and spans; id, emotions and model as meta",
		loses:   "attributes, provider and prompt"},
	{Name: Argilla, ext: ".json", open: newArgilla, beside: "settings.json", companion: argillaSettings,
		use:     "the dataset's settings, for argilla.Settings.from_json",
		Carries: "text, id, and as suggestions spans with their confidence and emotions; model and prompt as metadata",
		loses:   "tokens and the other attributes"},
	{Name: GLiNER, ext: ".json", open: newGLiNER,
		Carries: "tokens and spans",
		loses:   "the text's white space, ids, emotions of the whole text, attributes, model and prompt"},
	{Name: SpaCy, Binary: true, ext: ".spacy", open: newSpaCy,
		Carries: "text, tokens, spans as entities and as the span group sc, emotions as categories, and the id, as a DocBin",
		loses:   "attributes, model and prompt"},
	{Name: Brat, openFolder: openBrat, beside: bratConfig, companion: bratConfiguration,
		use:     "the names of spans and attributes, which brat finds by itself",
		Carries: "a folder: a text and an annotation file for each record, spans with their attributes, ids in documents.tsv, and annotation.conf",
		loses:   "tokens, emotions of the whole text, sentence and clause, model and prompt"},
	{Name: CSV, ext: ".csv", open: newCSV,
		Carries: "a row for each record: id, text, emotions, numbers of tokens and spans, model and prompt",
		loses:   "tokens, labels and the spans themselves (csv-spans has them)"},
	{Name: CSVSpans, ext: ".csv", open: newCSVSpans,
		Carries: "a row for each span: the record's id, emotion, text, tokens, offsets, all attributes, and the record's text",
		loses:   "records without spans, tokens, labels, emotions of the whole text, model and prompt (csv has them)"},
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

// IsFolder reports whether the format is a folder, which [CreateHub] or
// [CreateFolder] writes, rather than a stream.
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

// TakesNames reports whether a span has one name in the format. The others have
// both its emotion and its type.
func (f Format) TakesNames() bool { return !slices.Contains([]string{Parquet, CSV, CSVSpans}, f.Name) }

// LeftOut is what the format cannot carry; empty where that is nothing. Names
// may be left empty for the format's own.
func (f Format) LeftOut(n Names) string {
	if n = cmp.Or(n, f.Names()); n == ByType && f.loses != "" && f.TakesNames() {
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
