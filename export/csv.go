package export

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
)

// What a sheet of Excel holds, in UTF-16 units and in rows.
const (
	excelCell = 32_767
	excelRows = 1 << 20
)

// byteOrderMark is how Excel tells UTF-8 from the machine's old code page.
const byteOrderMark = "\ufeff"

// A table writes rows as RFC 4180 has them, but with the line end \n outside of
// cells; inside, line ends stay what they are. No cell is taken for a formula:
// one that could be, or that begins with an apostrophe, gets an apostrophe in
// front, so that taking one off gives every cell back.
type table struct {
	notes
	out     *csv.Writer
	exact   bool // cells stay as they are
	row     []string
	guarded int // cells with an apostrophe in front
	long    int // cells that Excel cuts
	rows    int
}

func newTable(w io.Writer, o Options, columns ...string) (table, error) {
	t := table{out: csv.NewWriter(w), exact: o.Exact}
	if o.Delimiter != 0 {
		t.out.Comma = o.Delimiter
	}
	if o.BOM {
		if _, err := io.WriteString(w, byteOrderMark); err != nil {
			return t, err
		}
	}
	return t, t.out.Write(columns)
}

// text adds a cell of any text.
func (t *table) text(cell string) {
	if len(cell) > excelCell && utf16Len(cell) > excelCell {
		t.long++
	}
	if !t.exact && formula(cell) {
		t.guarded++
		cell = "'" + cell
	}
	t.row = append(t.row, cell)
}

func (t *table) number(n int) { t.row = append(t.row, strconv.Itoa(n)) }

// end writes the row.
func (t *table) end() error {
	t.rows++
	err := t.out.Write(t.row)
	t.row = t.row[:0]
	return err
}

func (t *table) Close() error {
	t.out.Flush()
	if t.guarded > 0 {
		t.notes = append(t.notes, "an apostrophe was put in front of "+counted(t.guarded, "cell")+", where a spreadsheet could take a text for a formula "+
			`or it begins with an apostrophe: in pandas, .str.removeprefix("'") takes it off; --exact writes none`)
	}
	if t.long > 0 {
		t.notes = append(t.notes, fmt.Sprintf("%s longer than the %d characters that Excel shows of one", counted(t.long, "cell"), excelCell))
	}
	if t.rows >= excelRows {
		t.notes = append(t.notes, fmt.Sprintf("%d rows: a sheet of Excel ends after %d, the first line included", t.rows, excelRows))
	}
	return t.out.Error()
}

// formula reports whether a spreadsheet could take a cell for a formula, in
// ASCII or in the full-width forms of East Asian keyboards, or whether it begins
// with an apostrophe, as those that were mended do.
func formula(cell string) bool {
	first, _ := utf8.DecodeRuneInString(cell)
	return strings.ContainsRune("=+-@\t\r\n＝＋－＠'", first)
}

func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}

// csvRecords writes a row for each record.
type csvRecords struct{ table }

func newCSV(w io.Writer, o Options) (Writer, error) {
	t, err := newTable(w, o, "src_id", "text", "predictions", "tokens", "spans", "model", "provider", "prompt", "level")
	return &csvRecords{t}, err
}

func (c *csvRecords) Write(r *dataset.Record) error {
	c.text(r.SrcID)
	c.text(r.Text)
	c.text(strings.Join(r.Predictions, ";"))
	c.number(len(r.Data.Tokens))
	c.number(len(r.Data.Spans))
	for _, s := range []string{r.Model, r.Provider, r.Prompt, r.Level} {
		c.text(s)
	}
	return c.end()
}

// csvSpans writes a row for each span.
type csvSpans struct {
	table
	at    layout
	attrs []string // that have a vocabulary
	empty int      // records without spans
}

func newCSVSpans(w io.Writer, o Options) (Writer, error) {
	c := &csvSpans{}
	columns := []string{"src_id", "span", "type", "subtype", "text", "start", "end", "char_start", "char_end", "confidence"}
	last := []string{"target_text", "sentence_index", "clause_index", "record_text"}
	for _, v := range o.Taxonomy.Attributes() {
		c.attrs = append(c.attrs, v.Name)
		name := v.Name
		if slices.Contains(columns, name) || slices.Contains(last, name) { // one that the taxonomy adds
			name = "attrs." + name
		}
		columns = append(columns, name)
	}
	var err error
	c.table, err = newTable(w, o, append(columns, last...)...)
	return c, err
}

func (c *csvSpans) Write(r *dataset.Record) error {
	if len(r.Data.Spans) == 0 {
		c.empty++
		return nil
	}
	if err := c.at.set(r); err != nil {
		return err
	}
	for i := range r.Data.Spans {
		s := &r.Data.Spans[i]
		at := c.at.span(s)
		c.text(r.SrcID)
		c.number(i)
		c.text(s.Type)
		c.text(s.Subtype)
		c.text(s.Text)
		for _, n := range []int{s.Start, s.End, at.from, at.to} {
			c.number(n)
		}
		c.row = append(c.row, strconv.FormatFloat(s.Attrs.Confidence, 'f', -1, 64))
		for _, name := range c.attrs {
			c.text(*s.Attrs.Field(name))
		}
		c.text(s.Attrs.TargetText)
		c.number(s.Attrs.SentenceIndex)
		c.number(s.Attrs.ClauseIndex)
		c.text(r.Text)
		if err := c.end(); err != nil {
			return err
		}
	}
	return nil
}

func (c *csvSpans) Close() error {
	err := c.table.Close()
	if c.empty > 0 {
		c.notes = append(c.notes, counted(c.empty, "record")+" without a span, so without a row")
	}
	return err
}
