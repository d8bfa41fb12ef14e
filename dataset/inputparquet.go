package dataset

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"unicode/utf8"
)

// ErrNotAFile says that Parquet, whose table of contents is at its end, was to
// be read from a pipe or a compressed stream.
var ErrNotAFile = errors.New("a pipe or a compressed stream cannot be read as Parquet")

var parquetMagic = []byte("PAR1")

// parquetRows are the texts of a Parquet file.
type parquetRows struct {
	*parquetTable
	text, id, labels, provider, model *parquetColumn // those that are read; nil where there is none
	predictions                       bool           // there is a column of that name
	tax                               *Taxonomy
	max                               int // bytes of a text
}

// newParquetRows finds the columns of texts, ids and labels.
func newParquetRows(src io.Reader, name string, o *ReaderOptions) (p *parquetRows, err error) {
	defer func() {
		if _, column := err.(*ColumnError); err != nil && !column {
			err = fmt.Errorf("%s: %w", name, err)
		}
	}()
	defer damagedParquet(&err)
	table, err := openParquet(src)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, c := range table.file.Root().Columns() {
		names = append(names, c.Name())
	}
	where, err := findColumns(names, name, o)
	if err != nil {
		return nil, err
	}
	p = &parquetRows{parquetTable: table, predictions: where.predictions >= 0, tax: o.Labels, max: o.MaxLine}
	if p.max <= 0 {
		p.max = DefaultMaxLine
	}
	ok := true
	if p.text, ok = p.column(where.text, false, parquetString); !ok {
		return nil, &ColumnError{File: name, Field: "text", Name: names[where.text], Columns: names, Want: "strings"}
	}
	if p.id, ok = p.column(where.id, false, parquetString, parquetNumber, parquetTime, parquetUUID, parquetNull); !ok {
		return nil, &ColumnError{File: name, Field: "id", Name: names[where.id], Columns: names, Want: "strings, numbers or times"}
	}
	if p.labels, ok = p.column(where.labels, true, parquetString, parquetNumber); !ok {
		return nil, &ColumnError{File: name, Field: "labels", Name: names[where.labels], Columns: names, Want: "lists of strings or of whole numbers"}
	}
	// In a table that has nothing to do with the card's these may hold anything.
	p.provider, _ = p.column(where.provider, false, parquetString)
	p.model, _ = p.column(where.model, false, parquetString)
	return p, nil
}

// column has the column at a place read, if it is one: ok is false where it holds something else, or lists where not many values
// are wanted.
func (p *parquetRows) column(at int, many bool, kinds ...parquetKind) (c *parquetColumn, ok bool) {
	if at < 0 {
		return nil, true
	}
	leaf := p.file.Root().Columns()[at]
	for many && len(leaf.Columns()) == 1 { // a list is written as a group in a group
		leaf = leaf.Columns()[0]
	}
	if !leaf.Leaf() || !slices.Contains(kinds, formOf(leaf).kind) || leaf.MaxRepetitionLevel() > 0 && !many {
		return nil, false
	}
	if formOf(leaf).kind == parquetNull {
		return nil, true
	}
	return p.read(leaf), true
}

// randomAccess finds out whether src can be read at any place, and how much there is.
func randomAccess(src io.Reader) (at io.ReaderAt, size int64, ok bool) {
	switch s := src.(type) {
	case *os.File:
		info, err := s.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return nil, 0, false
		}
		return s, info.Size(), true
	case interface {
		io.ReaderAt
		Size() int64
	}:
		return s, s.Size(), true
	}
	return nil, 0, false
}

// maxParquetFooter is that of some 10,000 row groups of as many columns as texts have. Decoded it takes up to a hundred times as much.
const maxParquetFooter = 16 << 20

// checkFooter looks at the lengths in a file's footer, its own among them, before so much memory is asked for.
func checkFooter(src io.ReaderAt, size int64) error {
	var end [8]byte // the length, and the magic again
	if size < int64(len(parquetMagic)+len(end)) {
		return errors.New("not a Parquet file")
	}
	if _, err := src.ReadAt(end[:], size-int64(len(end))); err != nil {
		return err
	}
	if string(end[4:]) != string(parquetMagic) {
		return errors.New("not a Parquet file, or one that was cut short: it does not end in PAR1")
	}
	if footer := int64(binary.LittleEndian.Uint32(end[:])); footer > size-int64(len(parquetMagic)+len(end)) {
		return fmt.Errorf("damaged Parquet file: its footer of %d bytes would not fit into it", footer)
	} else if footer > maxParquetFooter {
		return fmt.Errorf("its footer has %d bytes, more than %d: write it with fewer row groups", footer, maxParquetFooter)
	} else if err := skimThrift(bufio.NewReader(io.NewSectionReader(src, size-int64(len(end))-footer, footer)), 0); err != nil {
		return fmt.Errorf("damaged Parquet file: its footer: %w", err)
	}
	return nil
}

func (p *parquetRows) next() (r row, bad *Reason, err error) {
	r.line = p.row + 1
	if err := p.advance(); err != nil {
		return r, nil, err
	}
	bad = p.fill(&r)
	return r, bad, nil
}

// fill makes a row of what the columns hold.
func (p *parquetRows) fill(r *row) *Reason {
	path := pointer(p.text.leaf.Name())
	for _, c := range p.columns {
		for _, value := range c.values {
			if !utf8.ValidString(value) {
				return &Reason{Code: CodeInputUTF8, Path: pointer(c.leaf.Path()[0]), Expected: "UTF-8", Found: "other bytes"}
			}
		}
	}
	r.id = stringID(p.id.value())
	r.text = p.text.value()
	switch {
	case len(p.text.values) == 0:
		return &Reason{Code: CodeInputType, Path: path, Expected: "a string", Found: "null"}
	case IsBlank(r.text):
		return &Reason{Code: CodeInputEmpty, Path: path, Expected: "a text", Found: "none but white space"}
	case len(r.text) > p.max:
		return tooLong("text", p.max)
	}
	r.generated = p.provider.value() != "" || p.model.value() != "" && p.predictions
	if p.labels == nil {
		return nil
	}
	labels := p.labels.values
	if p.labels.leaf.MaxRepetitionLevel() == 0 {
		labels = splitLabels(p.labels.value())
	}
	var bad *Reason
	r.labels, bad = canonicalLabels(labels, p.tax, pointer(p.labels.leaf.Path()[0]))
	return bad
}

func (p *parquetRows) count() (int, error) { return p.rows(), nil }

// blank is none: a row without a text is one all the same, as the table says how many it has.
func (p *parquetRows) blank() int { return 0 }
