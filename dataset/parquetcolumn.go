package dataset

import (
	"io"
	"strconv"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// A parquetColumn reads a column of a Parquet file row by row.
type parquetColumn struct {
	leaf     *parquet.Column
	unsigned bool
	values   []string // of the row that was read last: one, or none for null; of a list's column as many as it has

	pages  parquet.Pages
	page   parquet.Page // what buf was read from
	source parquet.ValueReader
	buf    []parquet.Value
	ahead  []parquet.Value // those of buf that are still to be taken
}

func newParquetColumn(leaf *parquet.Column) *parquetColumn {
	c := &parquetColumn{leaf: leaf, buf: make([]parquet.Value, 64)}
	if t := leaf.Type().LogicalType(); t != nil {
		integer, ok := t.Value.(*format.IntType)
		c.unsigned = ok && !integer.IsSigned
	}
	return c
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
	c.values = c.values[:0]
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
		if v := c.ahead[0]; !v.IsNull() {
			c.values = append(c.values, c.format(v))
		}
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

func (c *parquetColumn) format(v parquet.Value) string {
	switch v.Kind() {
	case parquet.Int32:
		if c.unsigned {
			return strconv.FormatUint(uint64(v.Uint32()), 10)
		}
		return strconv.FormatInt(int64(v.Int32()), 10)
	case parquet.Int64:
		if c.unsigned {
			return strconv.FormatUint(v.Uint64(), 10)
		}
		return strconv.FormatInt(v.Int64(), 10)
	}
	return string(v.ByteArray())
}
