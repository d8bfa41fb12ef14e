package agreement

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

// Format is how annotations lie in a file. The first line tells.
type Format string

const (
	FormatRecords    Format = "records"    // the project's records
	FormatGoEmotions Format = "goemotions" // text, label ids with commas between, id; tabs between
	FormatLabels     Format = "labels"     // JSON objects of src_id, text and labels
	FormatOffsets    Format = "offsets"    // JSON objects of src_id, text and spans with character offsets
)

// A Reader reads annotations, one at a time. It must not be shared between
// goroutines.
type Reader struct {
	name   string
	book   *Codebook
	level  Level
	format Format
	lines  *dataset.JSONReader
	line   int

	// What one line needs, kept for the next.
	text, words []byte
	tags        []tag
	bytes       []int32 // of each character: where it begins in the text
	places      []int32 // and in the text without white space
}

// NewReader reads annotations from src, whose name appears in errors. The level
// "" is Ekman's classes for spans with character offsets, the taxonomy's
// emotions for everything else.
func NewReader(src io.Reader, name string, book *Codebook, level Level) *Reader {
	if name == "-" {
		name = "standard input"
	}
	return &Reader{name: name, book: book, level: level, lines: dataset.NewJSONReader(src, 0)}
}

// Format is how the annotations lie in the file, "" before the first is read.
func (r *Reader) Format() Format { return r.format }

// Level is the level of the labels, known once the first is read.
func (r *Reader) Level() Level { return r.level }

// Next reads the next annotation into a, whose lists are used again. At the end
// it returns [io.EOF]; a line at fault is a *[dataset.LineError].
func (r *Reader) Next(a *Annotation) error {
	line, err := r.lines.Next()
	r.line = r.lines.Line()
	switch {
	case err == io.EOF:
		return io.EOF
	case err == dataset.ErrLineTooLong:
		return r.fault(dataset.CodeInputTooLong, "", fmt.Sprintf("a line of at most %d bytes", r.lines.Max()), "a longer one")
	case err != nil:
		return fmt.Errorf("%s: %w", r.lines.At(r.name), err)
	}
	if !utf8.Valid(line) {
		return r.fault(dataset.CodeInputUTF8, "", "UTF-8", "other bytes")
	}
	*a = Annotation{
		Line: r.line, First: noClass, LeftOut: a.LeftOut[:0], Spans: a.Spans[:0], values: a.values[:0],
		chunks: a.chunks[:0], strict: a.strict[:0], ends: a.ends[:0],
	}
	return r.parse(line, a)
}

// Annotation returns what a record says, as a Reader would read it.
func (b *Codebook) Annotation(rec *dataset.Record) (*Annotation, error) {
	r := Reader{name: rec.SrcID, book: b, level: LevelEmotion, format: FormatRecords}
	a := &Annotation{ID: rec.SrcID, First: noClass}
	r.setText(a, rec.Text)
	for _, name := range rec.Predictions {
		r.addLabel(a, name, true)
	}
	if len(rec.Data.Tokens) == 0 || rec.Prompt == validate.PromptSimple {
		return a, nil
	}
	return a, r.parseData(&rec.Data, true, a)
}

func (r *Reader) parse(line []byte, a *Annotation) error {
	isObject := bytes.TrimLeft(line, " \t")[0] == '{'
	if r.format == "" && !isObject {
		r.setFormat(FormatGoEmotions)
	}
	var err error
	if r.format == FormatGoEmotions {
		err = r.parseTSV(string(line), a)
	} else {
		err = r.parseObject(line, a)
	}
	if err == nil && a.ID == "" && a.text == 0 {
		err = r.fault(dataset.CodeInputMissingText, "", "a text or an id", "neither")
	}
	return err
}

func (r *Reader) setFormat(f Format) {
	r.format = f
	switch {
	case r.level != "":
	case f == FormatOffsets:
		r.level = LevelEkman
	default:
		r.level = LevelEmotion
	}
}

// setText notes the text, of which only a hash is kept.
func (r *Reader) setText(a *Annotation, text string) {
	r.text = squeeze(r.text[:0], text)
	a.text = hash(r.text)
}

// addLabel adds a label by its name.
func (r *Reader) addLabel(a *Annotation, name string, synonyms bool) uint8 {
	class := r.book.class(r.level, name, synonyms)
	if class == noClass {
		a.LeftOut = append(a.LeftOut, name)
		return noClass
	}
	if a.First == noClass && len(a.LeftOut) == 0 {
		a.First = class
	}
	a.Labels |= setOf(class)
	return class
}

// setTags keeps what the BIO labels hold where it is not what the spans hold.
func (r *Reader) setTags(a *Annotation) {
	follow := func(list []entity) bool {
		return slices.EqualFunc(list, a.Spans, func(e entity, s Span) bool {
			return e.class == s.kind && e.start == s.Start && e.end == s.End
		})
	}
	toBytes := func(list []entity) {
		for i, e := range list {
			list[i].start, list[i].end = a.place(int(e.start)), a.ends[e.end-1]
		}
	}
	a.chunks, a.strict = chunks(a.chunks, r.tags, false), chunks(a.strict, r.tags, true)
	toBytes(a.chunks)
	toBytes(a.strict)
	if follow(a.chunks) && follow(a.strict) {
		a.chunks, a.strict = a.chunks[:0], a.strict[:0]
		return
	}
	a.irregular = true
}

func (r *Reader) fault(code, path, expected, found string) error {
	return &dataset.LineError{
		File: r.name, Line: r.line,
		Reason: dataset.Reason{Code: code, Path: path, Expected: expected, Found: found},
	}
}
