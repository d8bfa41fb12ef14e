package dataset

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// A parquetColumn reads a column of a Parquet file row by row.
type parquetColumn struct {
	leaf   *parquet.Column
	form   parquetForm
	values []string      // of the row that was read last: one, or none for null; of a list's column as many as it has
	cells  []parquetCell // the same with nulls and where they stand
	taken  int           // of the cells

	pages  parquet.Pages
	page   parquet.Page // what buf was read from
	source parquet.ValueReader
	buf    []parquet.Value
	ahead  []parquet.Value // those of buf that are still to be taken
}

// maxRowValues is how many values of a column a row may have, which bounds what a row takes in memory.
const maxRowValues = 1 << 20

var errRowValues = fmt.Errorf("a row has a list of more than %d values", maxRowValues)

// A parquetCell is one value of a column, and where it stands among groups and lists.
type parquetCell struct {
	text                   string
	null                   bool
	repetition, definition int
}

func newParquetColumn(leaf *parquet.Column) *parquetColumn {
	return &parquetColumn{leaf: leaf, form: formOf(leaf), buf: make([]parquet.Value, 64)}
}

// peek returns the next of the row's cells, if there is one.
func (c *parquetColumn) peek() (cell parquetCell, ok bool) {
	if c.taken == len(c.cells) {
		return cell, false
	}
	return c.cells[c.taken], true
}

// take is peek and goes on to the next.
func (c *parquetColumn) take() (cell parquetCell, ok bool) {
	if cell, ok = c.peek(); ok {
		c.taken++
	}
	return cell, ok
}

// begin goes on with the column's part of a row group.
func (c *parquetColumn) begin(chunk parquet.ColumnChunk) {
	if c.pages != nil {
		c.pages.Close()
	}
	c.pages, c.source, c.ahead = chunk.Pages(), nil, nil
}

// value is the row's only value, "" where it has none. A nil column has none ever.
func (c *parquetColumn) value() string {
	if c == nil || len(c.values) == 0 {
		return ""
	}
	return c.values[0]
}

// next reads the values of a row. [io.EOF] says that the row group has no more.
func (c *parquetColumn) next() error {
	c.values, c.cells = c.values[:0], c.cells[:0]
	for first := true; ; first = false {
		err := c.look()
		switch {
		case err == io.EOF && !first:
			return nil
		case err != nil:
			return err
		case !first && c.ahead[0].RepetitionLevel() == 0:
			return nil
		}
		v := c.ahead[0]
		cell := parquetCell{null: true, repetition: v.RepetitionLevel(), definition: v.DefinitionLevel()}
		if !v.IsNull() {
			if text, ok := c.form.text(v); ok {
				cell.text, cell.null = text, false
				c.values = append(c.values, text)
			}
		}
		if len(c.cells) == maxRowValues {
			return errRowValues
		}
		c.cells = append(c.cells, cell)
		c.ahead = c.ahead[1:]
		if c.leaf.MaxRepetitionLevel() == 0 {
			return nil
		}
	}
}

// look sees to it that there is a value ahead.
func (c *parquetColumn) look() error {
	for len(c.ahead) == 0 {
		if c.source == nil {
			if c.page != nil {
				parquet.Release(c.page)
				c.page = nil
			}
			page, err := c.pages.ReadPage()
			if err != nil {
				return err
			}
			c.page, c.source = page, page.Values()
		}
		n, err := c.source.ReadValues(c.buf)
		c.ahead = c.buf[:n]
		switch {
		case err == io.EOF:
			c.source = nil
		case err != nil:
			return err
		case n == 0:
			return io.ErrNoProgress
		}
	}
	return nil
}
