package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Format is how texts lie in an input.
type Format string

const (
	FormatAuto  Format = "auto"  // by the file's name, or on standard input by its first line
	FormatTxt   Format = "txt"   // one text a line
	FormatJSONL Format = "jsonl" // one object a line
)

// Input is one text to be tagged.
type Input struct {
	Index int // record number, from 0: how many non-blank lines came before
	Line  int // line number in its file, from 1
	ID    string
	Text  string

	Labels    []string // names of the emotions that come with the text, in the input's order; nil where none do
	Generated bool     // whether the text's labels are a model's: it comes as a record of this shape
}

// DefaultID is the id of a text that comes without one, from its record number.
func DefaultID(index int) string { return "l2_" + strconv.Itoa(index) }

// ReaderOptions say how to read an input. The zero value reads what the name
// suggests, with the usual fields and limits.
type ReaderOptions struct {
	Format    Format // "" means FormatAuto
	TextField string // "" means "text"
	IDField   string // "" means "id", else "src_id"
	MaxLine   int    // bytes; 0 means DefaultMaxLine
	First     int    // the number of the first record, where this input continues another
	IDs       *IDSet // ids of the inputs before this one; nil means none
}

// Reader reads texts, one at a time, from one input. It must not be shared
// between goroutines.
//
// Every line that is not blank takes a record number, whether it turns out good
// or bad, so a text's number and default id do not depend on its neighbours. A
// text is taken as it stands, control characters and outer white space
// included; only a byte order mark and line ends are removed.
type Reader struct {
	name    string
	lines   *LineReader
	opts    ReaderOptions
	json    jsontext.Decoder
	index   int
	blank   int
	close   func() error
	closing bool
}

// LineError is one bad line of an input. The reader goes on behind it.
type LineError struct {
	File   string
	Line   int    // from 1
	Index  int    // the record number that the line takes
	ID     string // the id, where the line got as far as having one
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
	CodeInputTooLong     = "input.line_too_long"
	CodeInputUTF8        = "input.invalid_utf8"
	CodeInputSyntax      = "input.syntax"
	CodeInputType        = "input.type"
	CodeInputRepeated    = "input.repeated_field"
	CodeInputMissingText = "input.missing_text"
	CodeInputEmpty       = "input.empty"
	CodeInputDuplicateID = "input.duplicate_id"
)

// OpenInput opens a file of texts, or standard input for "-". Gzip and zstd are
// seen by name or by first bytes. The caller closes the Reader.
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
func NewReader(src io.Reader, name string, opts ReaderOptions) (*Reader, error) {
	if name == "-" {
		name = "standard input"
	}
	plain, release, err := decompress(bufio.NewReaderSize(src, sniffSize), name)
	if err != nil {
		return nil, err
	}
	buf, ok := plain.(*bufio.Reader)
	if !ok {
		buf = bufio.NewReaderSize(plain, sniffSize)
	}
	switch {
	case startsWith(buf, []byte("\ufeff")):
		buf.Discard(len("\ufeff"))
	case startsWith(buf, []byte{0xff, 0xfe}), startsWith(buf, []byte{0xfe, 0xff}):
		release()
		return nil, fmt.Errorf("%s: UTF-16 text: convert it to UTF-8", name)
	}
	switch opts.Format {
	case FormatTxt, FormatJSONL:
	case FormatAuto, "":
		opts.Format = detectFormat(buf, name)
	default:
		release()
		return nil, fmt.Errorf("unknown input format %q", opts.Format)
	}
	if opts.TextField == "" {
		opts.TextField = "text"
	}
	if opts.IDs == nil {
		opts.IDs = new(IDSet)
	}
	return &Reader{
		name: name, lines: NewLineReader(buf, opts.MaxLine), opts: opts, index: opts.First,
		close: func() error { release(); return nil },
	}, nil
}

// sniffSize is how much of an input the format may be judged by, in bytes.
const sniffSize = 64 << 10

func detectFormat(buf *bufio.Reader, name string) Format {
	base := strings.ToLower(filepath.Base(name))
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".zst")
	switch filepath.Ext(base) {
	case ".jsonl", ".ndjson", ".json":
		return FormatJSONL
	case "":
		if firstLineIsObject(buf) {
			return FormatJSONL
		}
	}
	return FormatTxt
}

// firstLineIsObject looks at the first line that is not blank. One too long to
// be seen whole counts as an object if it begins like one with a member.
func firstLineIsObject(buf *bufio.Reader) bool {
	for n := 1; ; n = buf.Buffered() + 1 {
		seen, err := buf.Peek(n)
		if err == nil {
			seen, _ = buf.Peek(buf.Buffered())
		}
		seen = bytes.TrimLeft(seen, " \t\r\n")
		if len(seen) > 0 && seen[0] != '{' {
			return false
		}
		line, _, whole := bytes.Cut(seen, []byte("\n"))
		if len(line) > 0 && (whole || err != nil) {
			return jsontext.Value(line).IsValid(jsontext.AllowDuplicateNames(true)) || !whole && err != io.EOF && beginsObject(line)
		}
		if err != nil {
			return false
		}
	}
}

func beginsObject(line []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(line))
	for _, want := range []jsontext.Kind{'{', '"'} {
		if tok, err := d.ReadToken(); err != nil || tok.Kind() != want {
			return false
		}
	}
	return d.PeekKind() != 0
}

// Format is the format in use.
func (r *Reader) Format() Format { return r.opts.Format }

// Blank is the number of blank lines passed over so far.
func (r *Reader) Blank() int { return r.blank }

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

// Next returns the next text. At the end it returns [io.EOF]. A *[LineError]
// concerns one line, and the next call goes on behind it; any other error is
// final.
func (r *Reader) Next() (Input, error) {
	for {
		line, err := r.lines.Next()
		switch {
		case err == io.EOF:
			return Input{}, io.EOF
		case err == ErrLineTooLong:
			return r.bad("", Reason{Code: CodeInputTooLong, Expected: fmt.Sprintf("a line of at most %d bytes", r.lines.Max()), Found: "a longer one"})
		case err != nil:
			return Input{}, fmt.Errorf("%s:%d: %w", r.name, r.lines.Line(), err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			r.blank++
			continue
		}
		return r.parse(line)
	}
}

func (r *Reader) parse(line []byte) (Input, error) {
	if !utf8.Valid(line) {
		return r.bad("", Reason{Code: CodeInputUTF8, Expected: "UTF-8", Found: fmt.Sprintf("an invalid byte at column %d", invalidByte(line)+1)})
	}
	var id, text string
	if r.opts.Format == FormatJSONL {
		var reason *Reason
		if id, text, reason = r.parseObject(line); reason != nil {
			return r.bad(id, *reason)
		}
	} else {
		text = string(line)
	}
	if id == "" {
		id = DefaultID(r.index)
	}
	if file, first, dup := r.opts.IDs.Add(id, r.name, r.lines.Line()); dup {
		return r.bad(id, Reason{Code: CodeInputDuplicateID, Expected: "an id of its own", Found: fmt.Sprintf("%q, which %s:%d has", id, file, first)})
	}
	in := Input{Index: r.index, Line: r.lines.Line(), ID: id, Text: text}
	r.index++
	return in, nil
}

func (r *Reader) bad(id string, reason Reason) (Input, error) {
	err := &LineError{File: r.name, Line: r.lines.Line(), Index: r.index, ID: id, Reason: reason}
	r.index++
	return Input{}, err
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
