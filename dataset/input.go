package dataset

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"unicode/utf8"
)

// Input is one text to be tagged.
type Input struct {
	Index     int    // record number, from 0: how many rows came before
	File      string // its input's name, as in LineError
	Line      int    // where it begins in its file, from 1: a line, in Parquet a row
	ID        string
	Text      string
	Labels    []string  // the emotions it comes with, as ReaderOptions.Labels names them; none where that is nil
	Generated bool      // a model has written its row: it names a provider, or a model beside its predictions
	Sentence  *Sentence // where it stands in the text that it was cut from; nil for a whole text
}

// DefaultID is the id of a text that comes without one, from its record number.
func DefaultID(index int) string { return "l2_" + strconv.Itoa(index) }

// ReaderOptions say how to read an input. The zero value reads what the name
// suggests, with the usual fields and limits, and no labels.
//
// A field is a member of a JSON object or a column of a table. Where several
// names are usual, the first of them that a row has (a table, for all its rows)
// counts.
type ReaderOptions struct {
	Format      Format    // "" means FormatAuto
	TextField   string    // "" means "text"
	IDField     string    // "" means "id", else "src_id"; NoID means that texts have none
	LabelsField string    // "" means "labels", else "predictions"
	Labels      *Taxonomy // what labels are read as; nil means that they are not read and never at fault
	Delimiter   byte      // between a table's columns; 0 means the format's, or what the first line shows
	Quoting     Quoting   // of a table's fields
	MaxLine     int       // bytes of a line, a table's record or a Parquet value; 0 means DefaultMaxLine
	First       int       // the number of the first record, where this input continues another
	IDs         *IDSet    // ids of the inputs before this one; nil means none
}

// fieldNames are the fields that are read; of ids and of labels the first that is there.
type fieldNames struct {
	text        string
	ids, labels []string
}

func (o *ReaderOptions) fields() fieldNames {
	f := fieldNames{text: cmp.Or(o.TextField, "text"), ids: []string{"id", "src_id"}}
	if o.IDField == NoID {
		f.ids = nil
	} else if o.IDField != "" {
		f.ids = []string{o.IDField}
	}
	if o.Labels != nil {
		f.labels = []string{"labels", "predictions"}
		if o.LabelsField != "" {
			f.labels = []string{o.LabelsField}
		}
	}
	return f
}

// Reader reads texts, one at a time, from one input. It must not be shared
// between goroutines.
//
// Every row that is not blank takes a record number, whether it turns out good
// or bad, so a text's number and default id do not depend on its neighbours. A
// text is taken as it stands, control characters, outer white space and line
// ends in the fields of a table included; only a byte order mark and the ends of
// lines are removed. UTF-16 with a byte order mark is read as UTF-8.
type Reader struct {
	name    string
	notes   []string
	atRest  bool // the source is a file, whose first rows can be looked at without waiting
	rows    rowReader
	opts    ReaderOptions
	index   int
	close   func() error
	closing bool
}

// A rowReader reads the rows of one format.
type rowReader interface {
	// next reads a row, or returns [io.EOF]. A reason says what is wrong with
	// the row, and the next call goes on behind it; an error is final. The row's
	// line is set whatever happens, and its id as far as it was read.
	next() (row, *Reason, error)
	// count reads to the end and counts the rows that are not blank.
	count() (int, error)
	// blank is the number of blank rows passed over so far.
	blank() int
}

// A row is what one row of an input holds.
type row struct {
	line      int
	id        string // "" where it has none
	text      string
	labels    []string
	generated bool
}

// LineError is one bad row of an input. The reader goes on behind it.
type LineError struct {
	File   string
	Line   int    // where the row begins, as in Input
	Index  int    // the record number that the row takes
	ID     string // the id, where the row got as far as having one
	Reason Reason
}

func (e *LineError) Error() string {
	msg := fmt.Sprintf("%s:%d: want %s, found %s", e.File, e.Line, e.Reason.Expected, e.Reason.Found)
	if e.Reason.Path != "" {
		msg += " at " + e.Reason.Path
	}
	return msg
}

// The codes of a LineError's reason.
const (
	CodeInputTooLong      = "input.line_too_long"
	CodeInputUTF8         = "input.invalid_utf8"
	CodeInputSyntax       = "input.syntax"
	CodeInputType         = "input.type"
	CodeInputRepeated     = "input.repeated_field"
	CodeInputMissingText  = "input.missing_text"
	CodeInputEmpty        = "input.empty"
	CodeInputColumns      = "input.columns"
	CodeInputUnknownLabel = "input.unknown_label"
	CodeInputDuplicateID  = "input.duplicate_id"
)

// OpenInput opens a file of texts, or standard input for "-". Gzip and zstd are
// seen by name or by first bytes. A table's columns, and the fields of the first
// objects of JSON, are looked at here: one that is missing is a *[ColumnError].
// The caller closes the Reader.
func OpenInput(path string, opts ReaderOptions) (*Reader, error) {
	if path == "-" {
		return NewReader(os.Stdin, "-", opts)
	}
	f, err := openFile(path)
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	r, err := NewReader(f, path, opts)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("input: %w", err)
	}
	release := r.close
	r.close = func() error { return errors.Join(release(), f.Close()) }
	return r, nil
}

// NewReader reads texts from src, whose name appears in errors and decides the
// format where opts does not; the name "-" has none and its content decides.
// Parquet is read only from what can be read at any place: see [ErrNotAFile].
func NewReader(src io.Reader, name string, opts ReaderOptions) (*Reader, error) {
	if name == "-" {
		name = "standard input"
	}
	name = ShownName(name)
	_, _, atRest := randomAccess(src)
	plain, release, err := decompress(bufio.NewReaderSize(whole(src), sniffSize), name)
	if err != nil {
		return nil, err
	}
	buf, ok := plain.(*bufio.Reader)
	if !ok {
		buf = bufio.NewReaderSize(plain, sniffSize)
		src = plain
	}
	if opts.IDs == nil {
		opts.IDs = new(IDSet)
	}
	r := &Reader{name: name, opts: opts, index: opts.First, atRest: atRest, close: func() error { release(); return nil }}
	if r.rows, err = r.open(src, buf); err != nil {
		release()
		return nil, err
	}
	return r, nil
}

// open begins to read in the format asked for or detected. What src holds is read from buf, or where it can be at any place.
func (r *Reader) open(src io.Reader, buf *bufio.Reader) (rowReader, error) {
	buf, encoding, err := plainText(buf)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.name, err)
	}
	if encoding != "" {
		r.notes = append(r.notes, "read as "+encoding)
	}
	o := &r.opts
	if o.Format == "" || o.Format == FormatAuto {
		o.Format = detectFormat(buf, r.name, o)
	}
	if !o.Format.IsTable() && (o.Delimiter != 0 || o.Quoting != "") {
		return nil, fmt.Errorf("%s: %w", r.name, ErrNotATable)
	}
	switch o.Format {
	case FormatTxt:
		return newLineRows(buf, o, parseText), nil
	case FormatJSONL:
		if err := r.checkFields(buf); err != nil {
			return nil, err
		}
		return &jsonRows{values: jsonSourceOf(buf, o.maxLine()), limit: o.maxLine(), parser: objectParser{fieldNames: o.fields(), tax: o.Labels}}, nil
	case FormatCSV, FormatTSV:
		comma, note := findDelimiter(buf, o)
		if note != "" {
			r.notes = append(r.notes, note)
		}
		return newTableRows(buf, comma, r.name, o)
	case FormatGoEmotions:
		return newGoEmotionsRows(buf, o), nil
	case FormatParquet:
		return newParquetRows(src, r.name, o)
	}
	return nil, fmt.Errorf("unknown input format %q", o.Format)
}

func (o *ReaderOptions) maxLine() int {
	if o.MaxLine <= 0 {
		return DefaultMaxLine
	}
	return o.MaxLine
}

// Format is the format in use.
func (r *Reader) Format() Format { return r.opts.Format }

// Notes say for people what was found out about the input where that is not what its name says, as how its columns are separated.
func (r *Reader) Notes() []string { return r.notes }

// Blank is the number of blank rows passed over so far: lines of white space, rows of a table without a filled field.
func (r *Reader) Blank() int { return r.rows.blank() }

// Index is the number that the next record will have.
func (r *Reader) Index() int { return r.index }

// Close releases the input. It does not close a source given to [NewReader].
func (r *Reader) Close() error {
	if r.closing {
		return nil
	}
	r.closing = true
	return r.close()
}

// Count reads to the end and returns how many records there are, good and bad,
// without looking into them.
func (r *Reader) Count() (int, error) { return r.rows.count() }

// Next returns the next text. At the end it returns [io.EOF]. A *[LineError]
// concerns one row, and the next call goes on behind it; any other error is
// final.
func (r *Reader) Next() (Input, error) {
	row, bad, err := r.rows.next()
	switch {
	case err == io.EOF:
		return Input{}, io.EOF
	case err != nil:
		return Input{}, fmt.Errorf("%s:%d: %w", r.name, row.line, err)
	}
	index := r.index
	r.index++
	if bad == nil {
		if row.id == "" {
			row.id = DefaultID(index)
		}
		if file, first, dup := r.opts.IDs.Add(row.id, r.name, row.line); dup {
			bad = &Reason{Code: CodeInputDuplicateID, Expected: "an id of its own", Found: fmt.Sprintf("%q, which %s:%d has", row.id, file, first)}
		}
	}
	if bad != nil {
		return Input{}, &LineError{File: r.name, Line: row.line, Index: index, ID: row.id, Reason: *bad}
	}
	return Input{Index: index, File: r.name, Line: row.line, ID: row.id, Text: row.text, Labels: row.labels, Generated: row.generated}, nil
}

func tooLong(what string, limit int) *Reason {
	return &Reason{Code: CodeInputTooLong, Expected: fmt.Sprintf("a %s of at most %d bytes", what, limit), Found: "a longer one"}
}

func invalidUTF8(b []byte) *Reason {
	return &Reason{Code: CodeInputUTF8, Expected: "UTF-8", Found: fmt.Sprintf("an invalid byte at column %d", invalidByte(b)+1)}
}

func invalidByte(b []byte) int {
	for i := 0; ; {
		c, n := utf8.DecodeRune(b[i:])
		if c == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
}
