package dataset

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// A parquetTable goes over the rows of a Parquet file. Of the columns that are
// not read nothing is looked at; of the others a page is held at a time.
type parquetTable struct {
	file    *parquet.File
	columns []*parquetColumn // those that are read

	groups []parquet.RowGroup // those not yet begun
	left   int64              // rows of the group that is read
	row    int
}

// openParquet reads the file's schema and its list of row groups.
func openParquet(src io.Reader) (t *parquetTable, err error) {
	defer damagedParquet(&err)
	at, size, ok := randomAccess(src)
	if !ok {
		return nil, ErrNotAFile
	}
	if err := checkFooter(at, size); err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(at, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.ReadBufferSize(sniffSize))
	if err != nil {
		return nil, fmt.Errorf("damaged Parquet file: %w", err)
	}
	return &parquetTable{file: file, groups: file.RowGroups()}, nil
}

// read has a leaf of the schema read in every row. It must be called before the first.
func (t *parquetTable) read(leaf *parquet.Column) *parquetColumn {
	for _, c := range t.columns {
		if c.leaf == leaf {
			return c
		}
	}
	c := newParquetColumn(leaf)
	t.columns = append(t.columns, c)
	return c
}

// advance goes on to the next row, or returns [io.EOF].
func (t *parquetTable) advance() (err error) {
	defer damagedParquet(&err)
	for t.left <= 0 {
		if len(t.groups) == 0 {
			return io.EOF
		}
		if err := t.begin(); err != nil {
			return fmt.Errorf("damaged Parquet file: %w", err)
		}
	}
	t.left--
	t.row++
	for _, c := range t.columns { // all of them, to keep in step whatever is wrong with one
		if err := c.next(); err == io.EOF {
			return fmt.Errorf("damaged Parquet file: a column ends %d rows before its row group", t.left+1)
		} else if err != nil {
			return fmt.Errorf("damaged Parquet file: %w", err)
		}
	}
	return nil
}

// begin goes on with the next row group.
func (t *parquetTable) begin() error {
	all := t.file.Metadata().RowGroups
	meta := &all[len(all)-len(t.groups)]
	group := t.groups[0]
	t.groups = t.groups[1:]
	t.left = group.NumRows()
	chunks := group.ColumnChunks()
	for _, c := range t.columns {
		if err := checkPages(t.file, &meta.Columns[c.leaf.Index()]); err != nil {
			return err
		}
		c.begin(chunks[c.leaf.Index()])
	}
	return nil
}

// rows is how many there are.
func (t *parquetTable) rows() int {
	n := int64(0)
	for _, group := range t.file.RowGroups() {
		n += max(0, group.NumRows())
	}
	return int(n)
}

// damagedParquet is deferred wherever the library looks at a file's bytes: on some that no writer makes it panics.
func damagedParquet(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("damaged Parquet file: %v", r)
	}
}

var errParquetLevels = errors.New("damaged Parquet file: its columns do not make a row")

// parquetValues are the rows of a Parquet file as JSON objects.
type parquetValues struct {
	*parquetTable
	fields []parquetField
	max    int
	buf    []byte
}

// A parquetField is a node of the schema, with the columns below it.
type parquetField struct {
	node   *parquet.Column
	name   []byte // as JSON
	fields []parquetField
	leaf   *parquetColumn // that is the field, or the first below it
	leaves []*parquetColumn
}

func newParquetValues(src io.Reader, max int) (p *parquetValues, err error) {
	defer damagedParquet(&err)
	t, err := openParquet(src)
	if err != nil {
		return nil, err
	}
	p = &parquetValues{parquetTable: t, max: max}
	for _, node := range t.file.Root().Columns() {
		field, err := p.field(node)
		if err != nil {
			return nil, err
		}
		p.fields = append(p.fields, field)
	}
	return p, nil
}

// field has the columns of a node read.
func (p *parquetValues) field(node *parquet.Column) (f parquetField, err error) {
	f = parquetField{node: node, name: appendQuoted(nil, node.Name())}
	if node.Leaf() {
		f.leaf = p.read(node)
		f.leaves = []*parquetColumn{f.leaf}
		return f, nil
	}
	for _, child := range node.Columns() {
		below, err := p.field(child)
		if err != nil {
			return f, err
		}
		f.fields = append(f.fields, below)
		f.leaves = append(f.leaves, below.leaves...)
	}
	if len(f.leaves) == 0 {
		return f, fmt.Errorf("damaged Parquet file: the column %q holds nothing", node.Name())
	}
	f.leaf = f.leaves[0]
	return f, nil
}

func (p *parquetValues) place() int  { return p.row }
func (p *parquetValues) ready() bool { return true }
func (p *parquetValues) blank() int  { return 0 }

func (p *parquetValues) next() ([]byte, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	for _, c := range p.columns {
		c.taken = 0
	}
	p.buf = p.buf[:0]
	if err := p.object(p.fields); err != nil {
		return nil, err
	}
	if len(p.buf) > p.max {
		return nil, ErrLineTooLong
	}
	return p.buf, nil
}

func (p *parquetValues) object(fields []parquetField) error {
	p.buf = append(p.buf, '{')
	for i := range fields {
		if i > 0 {
			p.buf = append(p.buf, ',')
		}
		p.buf = append(append(p.buf, fields[i].name...), ':')
		if err := p.value(&fields[i]); err != nil {
			return err
		}
	}
	p.buf = append(p.buf, '}')
	return nil
}

// value writes what a field has next: null, a list or one value.
func (p *parquetValues) value(f *parquetField) error {
	cell, ok := f.leaf.peek()
	if !ok {
		return errParquetLevels
	}
	switch there := cell.definition >= f.node.MaxDefinitionLevel(); {
	case f.node.Repeated():
		return p.list(f, f, there)
	case f.node.Optional() && !there:
		p.buf = append(p.buf, "null"...)
		return f.skip()
	case isParquetList(f.node):
		repeated := &f.fields[0]
		return p.list(repeated, &repeated.fields[0], cell.definition >= repeated.node.MaxDefinitionLevel())
	}
	return p.one(f)
}

// list writes what a repeated field has next, of each time that of one below it.
func (p *parquetValues) list(f, of *parquetField, there bool) error {
	p.buf = append(p.buf, '[')
	if !there {
		p.buf = append(p.buf, ']')
		return f.skip()
	}
	for level := f.node.MaxRepetitionLevel(); ; p.buf = append(p.buf, ',') {
		write := p.value
		if f == of {
			write = p.one
		}
		if err := write(of); err != nil {
			return err
		}
		if cell, more := f.leaf.peek(); !more || cell.repetition < level {
			break
		}
	}
	p.buf = append(p.buf, ']')
	return nil
}

// one writes what a field has next, which is there.
func (p *parquetValues) one(f *parquetField) error {
	if !f.node.Leaf() {
		return p.object(f.fields)
	}
	cell, ok := f.leaf.take()
	switch {
	case !ok:
		return errParquetLevels
	case cell.null:
		p.buf = append(p.buf, "null"...)
	case f.leaf.form.bare:
		p.buf = append(p.buf, cell.text...)
	default:
		p.buf = appendQuoted(p.buf, cell.text)
	}
	return nil
}

// skip takes the null that stands for a field in each of its columns.
func (f *parquetField) skip() error {
	for _, leaf := range f.leaves {
		if _, ok := leaf.take(); !ok {
			return errParquetLevels
		}
	}
	return nil
}

// isParquetList reports whether a node is a list as the format has them: a group with a repeated group with the elements.
func isParquetList(node *parquet.Column) bool {
	if node.Leaf() || len(node.Columns()) != 1 {
		return false
	}
	repeated := node.Columns()[0]
	return repeated.Repeated() && !repeated.Leaf() && len(repeated.Columns()) == 1 && isListType(node)
}

// appendQuoted appends a JSON string. Bytes that are not UTF-8 stay as they are, for the reader of the JSON to refuse.
func appendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
