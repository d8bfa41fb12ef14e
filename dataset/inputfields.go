package dataset

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
)

// ColumnError says that an input lacks a column or field that is to be read, has
// several columns of that name, or one of another type.
type ColumnError struct {
	File    string
	Field   string // what was to be read from it: "text", "id" or "labels"
	Name    string
	Columns []string // those that there are
	JSON    bool     // they are fields of JSON objects; none has that name among the first of these
	Want    string   // what the column should hold and does not; "" where that is not the matter
}

func (e *ColumnError) Error() string {
	if e.Want != "" {
		return fmt.Sprintf("%s: the column %q does not hold %s", e.File, clipped(e.Name), e.Want)
	}
	what := "no column"
	switch {
	case e.JSON && len(e.Columns) == 0:
		return fmt.Sprintf("%s: no object with a field %q", e.File, clipped(e.Name))
	case e.JSON:
		what = "no field"
	case slices.Contains(e.Columns, e.Name):
		what = "more than one column"
	}
	const most = 12
	var names []string
	for _, name := range e.Columns[:min(most, len(e.Columns))] {
		names = append(names, shownName(name))
	}
	if len(e.Columns) > most {
		names = append(names, "…")
	}
	return fmt.Sprintf("%s: %s %q among %s", e.File, what, clipped(e.Name), strings.Join(names, ", "))
}

// shownName is a name as it stands in a list, quoted where it could be taken for something else.
func shownName(name string) string {
	plain := func(r rune) bool { return r != ',' && r != '"' && !IsSpace(r) && unicode.IsPrint(r) }
	if name = clipped(name); name == "" || strings.ContainsFunc(name, func(r rune) bool { return !plain(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// maxFieldNames is how many different names of fields are looked at.
const maxFieldNames = 1000

// checkFields looks at the first objects of JSON, those that lie within sniffSize bytes or have come already, and refuses an input in
// which none has the text, or another field that was asked for by its name.
func (r *Reader) checkFields(buf *bufio.Reader) error {
	seen, _ := buf.Peek(buf.Buffered())
	if r.atRest {
		seen, _ = buf.Peek(sniffSize)
	}
	names, objects, others := fieldNamesOf(seen)
	if objects+others == 0 {
		return nil
	}
	want := r.opts.fields()
	for _, field := range []struct{ what, name string }{{"text", want.text}, {"id", r.opts.IDField}, {"labels", r.opts.LabelsField}} {
		if field.name == "" || field.what == "id" && field.name == NoID || field.what == "labels" && r.opts.Labels == nil {
			continue
		}
		if !slices.Contains(names, field.name) {
			return &ColumnError{File: r.name, Field: field.what, Name: field.name, Columns: names, JSON: true}
		}
	}
	return nil
}

// fieldNamesOf gives the names of the members of all objects in a text that may be cut, in the order in which they first stand, and
// counts the objects and the other values.
func fieldNamesOf(text []byte) (names []string, objects, others int) {
	values := jsonSourceOf(bufio.NewReaderSize(bytes.NewReader(text), sniffSize), len(text))
	var d jsontext.Decoder
	for {
		value, err := values.next()
		if err != nil {
			return names, objects, others
		}
		if !jsontext.Value(value).IsValid(jsontext.AllowDuplicateNames(true)) {
			continue // damaged, or cut
		}
		d.Reset(bytes.NewReader(value), jsontext.AllowDuplicateNames(true))
		if d.PeekKind() != '{' {
			others++
			continue
		}
		objects++
		d.ReadToken()
		for d.PeekKind() == '"' {
			name, _ := d.ReadToken()
			if name := name.String(); len(names) < maxFieldNames && !slices.Contains(names, name) {
				names = append(names, name)
			}
			d.SkipValue()
		}
	}
}
