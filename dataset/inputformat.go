package dataset

import (
	"bufio"
	"bytes"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Format is how texts lie in an input.
type Format string

const (
	FormatAuto       Format = "auto"       // by the file's name, on standard input by how it begins
	FormatTxt        Format = "txt"        // one text a line
	FormatJSONL      Format = "jsonl"      // objects, one a line, behind one another or in an array; see JSONReader
	FormatCSV        Format = "csv"        // RFC 4180, or with another delimiter; the first record names the columns
	FormatTSV        Format = "tsv"        // the same with tabs for commas
	FormatGoEmotions Format = "goemotions" // TSV of text, label ids and id, without names
	FormatParquet    Format = "parquet"
)

// Formats are all formats. It must not be modified.
var Formats = []Format{FormatAuto, FormatTxt, FormatJSONL, FormatCSV, FormatTSV, FormatGoEmotions, FormatParquet}

// IsTable reports whether the format has rows of text in columns.
func (f Format) IsTable() bool { return f == FormatCSV || f == FormatTSV || f == FormatGoEmotions }

// sniffSize is how much of an input the format may be judged by, in bytes.
const sniffSize = 64 << 10

// detectFormat goes by the name's extension. GoEmotions' files have that of any
// TSV, so there the first line decides; without an extension, as standard input
// is, it decides alone: a table is known by a column called as the text's field.
// What has a delimiter is a table, whatever its name.
func detectFormat(buf *bufio.Reader, name string, o *ReaderOptions) Format {
	f := formatOf(buf, name, o.fields().text)
	if f == FormatTxt && o.Delimiter != 0 {
		return FormatCSV
	}
	return f
}

func formatOf(buf *bufio.Reader, name, textField string) Format {
	base := strings.ToLower(filepath.Base(name))
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".zst")
	switch ext := filepath.Ext(base); ext {
	case ".txt", ".text":
		return FormatTxt
	case ".jsonl", ".ndjson", ".json":
		return FormatJSONL
	case ".csv":
		return FormatCSV
	case ".parquet":
		return FormatParquet
	case ".tsv", ".tab":
		if line, _ := firstLine(buf); isGoEmotions(line) {
			return FormatGoEmotions
		}
		return FormatTSV
	default:
		if startsWith(buf, parquetMagic) {
			return FormatParquet
		}
		if ext != "" {
			return FormatTxt
		}
	}
	line, whole := firstLine(buf)
	switch {
	case len(line) == 0:
		return FormatTxt
	case isObject(line, whole), (line[0] == '{' || line[0] == '[') && goesOverLines(buf):
		return FormatJSONL
	case isGoEmotions(line):
		return FormatGoEmotions
	case namesColumns(line, "\t", textField):
		return FormatTSV
	case namesColumns(line, ",", textField), namesColumns(line, ";", textField), sepLine(line) != 0:
		return FormatCSV
	}
	return FormatTxt
}

// firstLine returns the first line that is not blank without its end, as much of it as lies within sniffSize bytes; whole says
// that nothing is missing. It reads no further than that line.
func firstLine(buf *bufio.Reader) (line []byte, whole bool) {
	for n := 1; ; n = buf.Buffered() + 1 {
		seen, err := buf.Peek(n)
		if err == nil {
			seen, _ = buf.Peek(buf.Buffered())
		}
		seen = bytes.TrimLeft(seen, " \t\r\n")
		line, _, whole = bytes.Cut(seen, []byte("\n"))
		if whole || err != nil {
			return bytes.TrimSuffix(line, []byte("\r")), whole || err == io.EOF
		}
	}
}

// isObject takes a line too long to be seen whole for an object if it begins like one with a member.
func isObject(line []byte, whole bool) bool {
	if len(line) == 0 || line[0] != '{' {
		return false
	}
	if whole {
		return jsontext.Value(line).IsValid(jsontext.AllowDuplicateNames(true))
	}
	d := jsontext.NewDecoder(bytes.NewReader(line))
	for _, want := range []jsontext.Kind{'{', '"'} {
		if tok, err := d.ReadToken(); err != nil || tok.Kind() != want {
			return false
		}
	}
	return d.PeekKind() != 0
}

// isGoEmotions reports whether a line has three columns, the second of them numbers with commas between.
func isGoEmotions(line []byte) bool {
	columns := bytes.Split(line, []byte("\t"))
	if len(columns) != 3 || len(bytes.TrimSpace(columns[2])) == 0 {
		return false
	}
	for id := range bytes.SplitSeq(columns[1], []byte(",")) {
		if len(id) == 0 || bytes.ContainsFunc(id, func(r rune) bool { return r < '0' || r > '9' }) {
			return false
		}
	}
	return true
}

// namesColumns reports whether a line is what a table begins with: several names without spaces, the wanted one among them.
func namesColumns(line []byte, comma, want string) bool {
	names := strings.Split(string(line), comma)
	for i, name := range names {
		names[i] = columnName(strings.Trim(name, `"`))
		if names[i] == "" || strings.ContainsAny(names[i], " \t") && names[i] != want {
			return false
		}
	}
	return len(names) > 1 && slices.Contains(names, want)
}
