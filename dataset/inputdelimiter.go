package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Quoting says whether a table's fields may stand in quotation marks.
type Quoting string

const (
	QuotingStandard Quoting = "standard" // as RFC 4180 has it: separators and line ends may stand in a quoted field
	QuotingNone     Quoting = "none"     // a quotation mark is a character as others, and a line a record
)

// ErrNotATable says that a delimiter or a way of quoting was given for an input that has no columns of text.
var ErrNotATable = errors.New("a delimiter and quoting are for tables of text, as CSV and TSV")

// delimiters are those that are looked for in a CSV, likeliest first.
const delimiters = ",;\t|"

// findDelimiter finds out what separates the columns of a CSV or TSV: what the options say, what the first line says as Excel has it
// (sep=;), the format's own, or for CSV another that makes the first line the names of columns. The note says which it is where
// nobody asked for it.
func findDelimiter(buf *bufio.Reader, o *ReaderOptions) (delimiter byte, note string) {
	if o.Delimiter != 0 {
		return o.Delimiter, ""
	}
	line, _ := firstLine(buf)
	if c := sepLine(line); c != 0 {
		return c, fmt.Sprintf("columns are separated by %q, as its first line says", c)
	}
	if o.Format == FormatTSV {
		return '\t', ""
	}
	found := byte(0)
	for i := range len(delimiters) {
		names := strings.Split(string(line), delimiters[i:i+1])
		for k, name := range names {
			names[k] = columnName(strings.Trim(name, `"`))
		}
		isText := slices.Contains(names, o.fields().text)
		if isText || found == 0 && len(names) > 1 { // or else these are the names for the message
			found = delimiters[i]
		}
		if isText {
			break
		}
	}
	if found == 0 || found == ',' {
		return ',', ""
	}
	return found, fmt.Sprintf("columns are separated by %q", found)
}

// sepLine returns the delimiter that a line names as Excel has it, 0 where it is no such line.
func sepLine(line []byte) byte {
	line = bytes.Trim(bytes.TrimRight(line, "\r\n"), `"`)
	if len(line) == len("sep=;") && bytes.EqualFold(line[:4], []byte("sep=")) {
		return line[4]
	}
	return 0
}
