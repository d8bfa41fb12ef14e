package dataset

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// columns says where in a table's rows what is read stands; -1 is nowhere.
type columns struct {
	text, id, labels             int
	provider, model, predictions int
}

// findColumns looks up the columns by their names. What is not named in o may be missing, but for the text, and for the labels
// where they are asked for.
func findColumns(names []string, file string, o *ReaderOptions) (c columns, err error) {
	find := func(name string) int { return slices.Index(names, name) }
	c = columns{id: -1, labels: -1, provider: find("provider"), model: find("model"), predictions: find("predictions")}
	want := o.fields()
	for _, field := range []struct {
		name     string
		among    []string
		required bool
		at       *int
	}{
		{"text", []string{want.text}, true, &c.text},
		{"id", want.ids, o.IDField != "" && o.IDField != NoID, &c.id},
		{"labels", want.labels, len(want.labels) > 0, &c.labels},
	} {
		i := slices.IndexFunc(field.among, func(name string) bool { return find(name) >= 0 })
		if i < 0 {
			if field.required {
				return c, &ColumnError{File: file, Field: field.name, Name: field.among[0], Columns: names}
			}
			continue
		}
		name := field.among[i]
		*field.at = find(name)
		if slices.Contains(names[*field.at+1:], name) {
			return c, &ColumnError{File: file, Field: field.name, Name: name, Columns: names}
		}
	}
	return c, nil
}

// columnName is a name as a table's first record holds it, with what some programs put around it taken off.
func columnName(field string) string { return TrimSpace(field) }

// tableRows are the rows of a CSV or TSV. A row in which no field is filled is blank, as spreadsheets append them.
type tableRows struct {
	*tableScanner
	names  []string
	at     columns
	tax    *Taxonomy
	blanks int
}

// newTableRows reads the row of names too. Where there is none, there are no rows.
func newTableRows(src *bufio.Reader, comma byte, file string, o *ReaderOptions) (*tableRows, error) {
	t := &tableRows{tableScanner: newTableScanner(src, comma, o), tax: o.Labels}
	bad, err := t.filled()
	if bad == nil && err == nil && sepLine(t.buf[t.start:t.pos]) != 0 {
		bad, err = t.filled()
	}
	switch {
	case err == io.EOF:
		return t, nil
	case err != nil:
		return nil, fmt.Errorf("%s:%d: %w", file, t.begins, err)
	case bad != nil:
		return nil, fmt.Errorf("%s:%d: the names of the columns: want %s, found %s", file, t.begins, bad.Expected, bad.Found)
	}
	for _, field := range t.fields {
		t.names = append(t.names, columnName(string(field)))
	}
	t.at, err = findColumns(t.names, file, o)
	return t, err
}

func newGoEmotionsRows(src *bufio.Reader, o *ReaderOptions) *tableRows {
	at := columns{text: 0, labels: 1, id: 2, provider: -1, model: -1, predictions: -1}
	if o.IDField == NoID {
		at.id = -1
	}
	return &tableRows{
		tableScanner: newTableScanner(src, '\t', o), tax: o.Labels, names: []string{"text", "labels", "id"},
		at: at,
	}
}

// filled goes on to a record that is not blank.
func (t *tableRows) filled() (*Reason, error) {
	for {
		bad, err := t.tableScanner.next()
		if bad != nil || err != nil || !isBlankLine(t.text) {
			return bad, err
		}
		t.blanks++
	}
}

func (t *tableRows) next() (row, *Reason, error) {
	bad, err := t.filled()
	r := row{line: t.begins}
	if bad == nil && err == nil {
		bad = t.read(&r)
	}
	return r, bad, err
}

func (t *tableRows) read(r *row) *Reason {
	if len(t.fields) != len(t.names) {
		return &Reason{Code: CodeInputColumns, Expected: columnCount(len(t.names)), Found: strconv.Itoa(len(t.fields))}
	}
	field := func(at int) string {
		if at < 0 {
			return ""
		}
		return string(t.fields[at])
	}
	r.id = stringID(field(t.at.id))
	r.text = field(t.at.text)
	if IsBlank(r.text) {
		return &Reason{Code: CodeInputEmpty, Path: pointer(t.names[t.at.text]), Expected: "a text", Found: "none but white space"}
	}
	r.generated = field(t.at.provider) != "" || field(t.at.model) != "" && t.at.predictions >= 0
	var bad *Reason
	if t.tax != nil {
		r.labels, bad = canonicalLabels(splitLabels(field(t.at.labels)), t.tax, pointer(t.names[t.at.labels]))
	}
	return bad
}

func columnCount(n int) string {
	if n == 1 {
		return "1 column"
	}
	return strconv.Itoa(n) + " columns"
}

func (t *tableRows) count() (n int, err error) {
	for {
		switch _, err := t.filled(); err {
		case nil:
			n++
		case io.EOF:
			return n, nil
		default:
			return n, err
		}
	}
}

func (t *tableRows) blank() int { return t.blanks }
