package dataset

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// ErrNotAFile says that Parquet, whose table of contents is at its end, was to
// be read from a pipe or a compressed stream.
var ErrNotAFile = errors.New("a pipe or a compressed stream cannot be read as Parquet")

var parquetMagic = []byte("PAR1")

// parquetRows are the rows of a Parquet file. Of the columns that are not read
// nothing is looked at; of the others a page is held at a time.
type parquetRows struct {
	file                              *parquet.File
	columns                           []*parquetColumn // those that are read
	text, id, labels, provider, model *parquetColumn   // among them; nil where there is none
	predictions                       bool             // there is a column of that name
	tax                               *Taxonomy
	max                               int // bytes of a text

	groups []parquet.RowGroup // those not yet begun
	left   int64              // rows of the group that is read
	row    int
}

// newParquetRows reads the file's schema and its list of row groups.
func newParquetRows(src io.Reader, name string, o *ReaderOptions) (p *parquetRows, err error) {
	defer damagedParquet(name+": ", &err)
	at, size, ok := randomAccess(src)
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, ErrNotAFile)
	}
	if err := checkFooter(at, size); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	file, err := parquet.OpenFile(at, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(sniffSize))
	if err != nil {
		return nil, fmt.Errorf("%s: damaged Parquet file: %w", name, err)
	}
	var names []string
	for _, c := range file.Root().Columns() {
		names = append(names, c.Name())
	}
	where, err := findColumns(names, name, o)
	if err != nil {
		return nil, err
	}
	p = &parquetRows{file: file, groups: file.RowGroups(), predictions: where.predictions >= 0, tax: o.Labels, max: o.MaxLine}
	if p.max <= 0 {
		p.max = DefaultMaxLine
	}
	if p.text, ok = p.column(where.text, false, parquet.ByteArray); !ok {
		return nil, &ColumnError{File: name, Field: "text", Name: names[where.text], Columns: names, Want: "strings"}
	}
	if p.id, ok = p.column(where.id, false, parquet.ByteArray, parquet.Int32, parquet.Int64); !ok {
		return nil, &ColumnError{File: name, Field: "id", Name: names[where.id], Columns: names, Want: "strings or whole numbers"}
	}
	if p.labels, ok = p.column(where.labels, true, parquet.ByteArray, parquet.Int32, parquet.Int64); !ok {
		return nil, &ColumnError{File: name, Field: "labels", Name: names[where.labels], Columns: names, Want: "lists of strings or of whole numbers"}
	}
	// In a table that has nothing to do with the card's these may hold anything.
	p.provider, _ = p.column(where.provider, false, parquet.ByteArray)
	p.model, _ = p.column(where.model, false, parquet.ByteArray)
	return p, nil
}

// column begins to read the column at a place, if it is one: ok is false where it holds something else, or lists where not many
// values are wanted.
func (p *parquetRows) column(at int, many bool, kinds ...parquet.Kind) (c *parquetColumn, ok bool) {
	if at < 0 {
		return nil, true
	}
	leaf := p.file.Root().Columns()[at]
	for many && len(leaf.Columns()) == 1 { // a list is written as a group in a group
		leaf = leaf.Columns()[0]
	}
	if !leaf.Leaf() || !slices.Contains(kinds, leaf.Type().Kind()) || leaf.MaxRepetitionLevel() > 0 && !many {
		return nil, false
	}
	if i := slices.IndexFunc(p.columns, func(c *parquetColumn) bool { return c.leaf == leaf }); i >= 0 {
		return p.columns[i], true
	}
	c = newParquetColumn(leaf)
	p.columns = append(p.columns, c)
	return c, true
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

// damagedParquet is deferred wherever the library looks at a file's bytes: on some that no writer makes it panics.
func damagedParquet(prefix string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%sdamaged Parquet file: %v", prefix, r)
	}
}

func (p *parquetRows) next() (r row, bad *Reason, err error) {
	defer damagedParquet("", &err)
	r.line = p.row + 1
	for p.left <= 0 {
		if len(p.groups) == 0 {
			return r, nil, io.EOF
		}
		if err := p.begin(); err != nil {
			return r, nil, fmt.Errorf("damaged Parquet file: %w", err)
		}
	}
	p.left--
	p.row++
	for _, c := range p.columns { // all of them, to keep in step whatever is wrong with one
		if err := c.next(); err == io.EOF {
			return r, nil, fmt.Errorf("damaged Parquet file: a column ends %d rows before its row group", p.left+1)
		} else if err != nil {
			return r, nil, fmt.Errorf("damaged Parquet file: %w", err)
		}
	}
	bad = p.read(&r)
	return r, bad, nil
}

// begin goes on with the next row group.
func (p *parquetRows) begin() error {
	all := p.file.Metadata().RowGroups
	meta := &all[len(all)-len(p.groups)]
	group := p.groups[0]
	p.groups = p.groups[1:]
	p.left = group.NumRows()
	chunks := group.ColumnChunks()
	for _, c := range p.columns {
		if err := checkPages(p.file, &meta.Columns[c.leaf.Index()]); err != nil {
			return err
		}
		c.begin(chunks[c.leaf.Index()])
	}
	return nil
}

// read makes a row of what the columns hold.
func (p *parquetRows) read(r *row) *Reason {
	path := pointer(p.text.leaf.Name())
	for _, c := range p.columns {
		for _, value := range c.values {
			if !utf8.ValidString(value) {
				return &Reason{Code: CodeInputUTF8, Path: pointer(c.leaf.Path()[0]), Expected: "UTF-8", Found: "other bytes"}
			}
		}
	}
	if id := p.id.value(); strings.TrimSpace(id) != "" {
		r.id = id
	}
	r.text = p.text.value()
	switch {
	case len(p.text.values) == 0:
		return &Reason{Code: CodeInputType, Path: path, Expected: "a string", Found: "null"}
	case strings.TrimSpace(r.text) == "":
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

func (p *parquetRows) count() (int, error) {
	n := int64(0)
	for _, group := range p.file.RowGroups() {
		n += max(0, group.NumRows())
	}
	return int(n), nil
}

// blank is none: a row without a text is one all the same, as the table says how many it has.
func (p *parquetRows) blank() int { return 0 }
