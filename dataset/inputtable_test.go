package dataset

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func TestTables(t *testing.T) {
	csvFile, tsv, emotions := ReaderOptions{Format: FormatCSV}, ReaderOptions{Format: FormatTSV}, ReaderOptions{Format: FormatGoEmotions}
	tests := []struct {
		name  string
		input string
		opts  ReaderOptions
		want  []string
	}{
		{"empty", "", csvFile, nil},
		{"names alone", "id,text\n", csvFile, nil},
		{"columns by name", "n,text,id\n1,one,a\n2,two,b", csvFile, []string{"0 2 a one", "1 3 b two"}},
		{"one column", "text\none\ntwo\n", csvFile, []string{"0 2 l2_0 one", "1 3 l2_1 two"}},
		{"src_id", "src_id,text\ns,one\n", csvFile, []string{"0 2 s one"}},
		{"id before src_id", "src_id,text,id\ns,one,i\n", csvFile, []string{"0 2 i one"}},
		{"no id in a row", "id,text\n,one\n \t,two\n", csvFile, []string{"0 2 l2_0 one", "1 3 l2_1 two"}},
		{"fields on request", "key,body\nk,one\n", ReaderOptions{Format: FormatCSV, TextField: "body", IDField: "key"}, []string{"0 2 k one"}},
		{"one column for both", "t\none\n", ReaderOptions{Format: FormatCSV, TextField: "t", IDField: "t"}, []string{"0 2 one one"}},
		{"byte order mark, CRLF, spaces around names", "\ufeff\"id\", text\r\na,one\r\nb,\"two\"\r\n", csvFile, []string{"0 2 a one", "1 3 b two"}},
		{"blank rows", "\n,\nid,text\n\n , \na,one\n\"\",\"\"\nb,two\n,\n", csvFile, []string{"0 6 a one", "1 8 b two"}},
		{"outer white space stays", "id,text\na, one \n", csvFile, []string{"0 2 a  one "}},

		{"quotes", "id,text\na,\"one, \"\"two\"\"\"\nb,\"\"\"\"\n", csvFile, []string{`0 2 a one, "two"`, `1 3 b "`}},
		{"line ends in quotes", "id,text\na,\"one\ntwo\r\n\r\nthree\"\nb,four\n", csvFile, []string{"0 2 a one\ntwo\r\n\r\nthree", "1 6 b four"}},
		{"quotes inside a field", "id,text\na,5\" of \"snow\"\nb,two\n", csvFile, []string{`0 2 a 5" of "snow"`, "1 3 b two"}},
		{"carriage returns", "id,text\r\na,one\rtwo\r\nb,\"x\ry\r\"\r\nc,end\r", csvFile, []string{"0 2 a one\rtwo", "1 3 b x\ry\r", "2 4 c end"}},
		{"no line end at the end", "id,text\na,\"one\"", csvFile, []string{"0 2 a one"}},

		{"ragged rows", "id,text\na\nb,two,more\nc,three\n", csvFile, []string{"0 2 ! input.columns", "1 3 ! input.columns", "2 4 c three"}},
		{"no text", "id,text\na,\nb,\" \u00a0\"\nc,three\n", csvFile, []string{"0 2 ! input.empty", "1 3 ! input.empty", "2 4 c three"}},
		{"invalid UTF-8", "id,text\na,\xff\nb,two\n", csvFile, []string{"0 2 ! input.invalid_utf8", "1 3 b two"}},
		{"duplicate ids", "id,text\na,one\na,two\n", csvFile, []string{"0 2 a one", "1 3 ! input.duplicate_id"}},
		{"text behind a closing quote", "id,text\na,\"one\" two\nb,three\n", csvFile, []string{"0 2 ! input.syntax", "1 3 b three"}},
		{"a quote never closed", "id,text\na,\"one\nb,two\nc,three\n", csvFile, []string{"0 2 ! input.syntax", "1 3 b two", "2 4 c three"}},
		{"a quote closed by a later row's", "id,text\na,\"one\nb,two\nc,\"three\"\nd,four\n", csvFile,
			[]string{"0 2 ! input.syntax", "1 3 b two", "2 4 c three", "3 5 d four"}},
		{"two quotes never closed", "id,text\na,\"one\nb,\"two\nc,\"three\"\nd,four\n", csvFile,
			[]string{"0 2 ! input.syntax", "1 3 ! input.syntax", "2 4 c three", "3 5 d four"}},
		{"a record of the limit and one more", "text\n\"4567\"\r\n\"45678\"\n1\n", ReaderOptions{Format: FormatCSV, MaxLine: 6},
			[]string{"0 2 l2_0 4567", "1 3 ! input.line_too_long", "2 4 l2_2 1"}},
		{"a long record of many lines", "id,text\na,\"1\n2\n\"\"3\"\"\n4567890123\n\"\nb,two\n", ReaderOptions{Format: FormatCSV, MaxLine: 10},
			[]string{"0 2 ! input.line_too_long", "1 7 b two"}},
		{"a long record with a wrong quote", "id,text\na,\"1\n2345678901\" x\"\nb,two\n", ReaderOptions{Format: FormatCSV, MaxLine: 10},
			[]string{"0 2 ! input.line_too_long", "1 4 b two"}},
		{"a long record that does not end", "id,text\na,\"1\n2345678901\n", ReaderOptions{Format: FormatCSV, MaxLine: 10}, []string{"0 2 ! input.line_too_long"}},

		{"tabs", "id\ttext\na\tone, \"two\"\nb\t\"tab\there\"\n", tsv, []string{`0 2 a one, "two"`, "1 3 b tab\there"}},
		{"GoEmotions", "Good day\t17,2\tx1\n\"\"\"Well\"\" then\"\t27\tx2\n spaced \t0\t\n", emotions, []string{"0 1 x1 Good day", `1 2 x2 "Well" then`, "2 3 l2_2  spaced "}},
		{"no quoting", "id\ttext\na\t\"one\nb\ttwo \"three\"\n", ReaderOptions{Format: FormatTSV, Quoting: QuotingNone}, []string{`0 2 a "one`, `1 3 b two "three"`}},
		{"a delimiter", "id:text\na:one, two\nb:\"three:four\"\n", ReaderOptions{Delimiter: ':'}, []string{"0 2 a one, two", "1 3 b three:four"}},
		{"semicolons", "\ufeffid;text;n\r\na;\"one; \"\"two\"\"\";1,5\r\n;;\r\n", csvFile, []string{`0 2 a one; "two"`}},
		{"semicolons on standard input", "id;text\na;one\n", ReaderOptions{}, []string{"0 2 a one"}},
		{"the first line names the delimiter", "sep=|\r\nid|text\r\na|one, two\r\n", csvFile, []string{"0 3 a one, two"}},
		{"the first line names the delimiter, in quotes", "\"sep=;\"\nid;text\na;one\n", ReaderOptions{}, []string{"0 3 a one"}},
		{"tabs in a CSV", "id\ttext\na\tone, two\n", csvFile, []string{"0 2 a one, two"}},
		{"a table without ids", "id,text\na,one\na,two\n", ReaderOptions{Format: FormatCSV, IDField: NoID}, []string{"0 2 l2_0 one", "1 3 l2_1 two"}},
		{"GoEmotions without ids", "Good day\t17\tx1\n", ReaderOptions{Format: FormatGoEmotions, IDField: NoID}, []string{"0 1 l2_0 Good day"}},
		{"UTF-16, as Excel writes it", "\xff\xfe" + utf16LE("id\ttext\r\na\t\"one\ntwo\"\r\n"), ReaderOptions{Format: FormatTSV}, []string{"0 2 a one\ntwo"}},
		{"GoEmotions, ragged", "Good day\t17\nWell\t2\tx2\n", emotions, []string{"0 1 ! input.columns", "1 2 x2 Well"}},
		{"GoEmotions, labels that nobody asked for", "Good day\tnone\tx1\n", emotions, []string{"0 1 x1 Good day"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, src := range []io.Reader{strings.NewReader(tt.input), iotest.OneByteReader(strings.NewReader(tt.input)), iotest.DataErrReader(strings.NewReader(tt.input))} {
				r, err := NewReader(src, "-", tt.opts)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := readAll(t, r); err != nil || !reflect.DeepEqual(got, tt.want) {
					t.Errorf("got  %q, %v\nwant %q", got, err, tt.want)
				}
			}
			r, err := NewReader(strings.NewReader(tt.input), "-", tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := r.Count(); n != len(tt.want) || err != nil {
				t.Errorf("counted %d, %v, want %d", n, err, len(tt.want))
			}
		})
	}
}

func TestTableColumns(t *testing.T) {
	for _, tt := range []struct {
		input string
		opts  ReaderOptions
		field string
		want  string
	}{
		{"a,b\n", ReaderOptions{}, "text", `in.csv: no column "text" among a, b`},
		{"Text,b\n", ReaderOptions{TextField: "body"}, "text", `no column "body"`},
		{"text,b\n", ReaderOptions{IDField: "key"}, "id", `no column "key"`},
		{"text,text\n", ReaderOptions{}, "text", `in.csv: more than one column "text"`},
		{"id,text,id\n", ReaderOptions{}, "id", `more than one column "id"`},
		{"id,text\n", ReaderOptions{Labels: Default()}, "labels", `no column "labels"`},
		{"id,text,labels\n", ReaderOptions{Labels: Default(), LabelsField: "gold"}, "labels", `no column "gold"`},
		{strings.Repeat("c,", 20) + strings.Repeat("é", 100) + "\n", ReaderOptions{}, "text", `c, c, …`},
		{strings.Repeat("é", 100) + "\n", ReaderOptions{}, "text", `among ` + strings.Repeat("é", 20) + `…`},
	} {
		_, err := NewReader(strings.NewReader(tt.input), "in.csv", tt.opts)
		var column *ColumnError
		if !errors.As(err, &column) || column.Field != tt.field || !strings.Contains(err.Error(), tt.want) || len(err.Error()) > 200 {
			t.Errorf("%.20q: %v, want %q", tt.input, err, tt.want)
		}
	}
	for _, tt := range []struct{ input, want string }{
		{"\"id,text\na,one\n", "in.csv:1: the names of the columns: want a quote that closes the field, found none"},
		{"id,\xff\n", "in.csv:1: the names of the columns: want UTF-8"},
	} {
		if _, err := NewReader(strings.NewReader(tt.input), "in.csv", ReaderOptions{}); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.input, err, tt.want)
		}
	}
	// A column that is not read may be there twice, and labels that are not read need not be there.
	if _, err := NewReader(strings.NewReader("x,text,x\n1,one,2\n"), "in.csv", ReaderOptions{LabelsField: "gold"}); err != nil {
		t.Error(err)
	}
}

func TestTableErrorText(t *testing.T) {
	input := "id,text\na,one\n\na,two\nb\nc,\"x\ny\" z\nd,\"\n"
	r, err := NewReader(strings.NewReader(input), "in.csv", ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		`in.csv:4: want an id of its own, found "a", which in.csv:2 has`,
		`in.csv:5: want 2 columns, found 1`,
		`in.csv:6: want a separator or the line's end behind a closing quote, found something else in line 7`,
		`in.csv:7: want 2 columns, found 1`,
		`in.csv:8: want a quote that closes the field, found none`,
	}
	if got := lineErrors(t, r); !reflect.DeepEqual(got, want) || r.Blank() != 1 {
		t.Errorf("got %q, %d blank", got, r.Blank())
	}
}

// lineErrors reads to the end and returns what was wrong with lines.
func lineErrors(t *testing.T, r *Reader) (messages []string) {
	t.Helper()
	for {
		_, err := r.Next()
		var bad *LineError
		switch {
		case err == io.EOF:
			return messages
		case errors.As(err, &bad):
			messages = append(messages, err.Error())
		case err != nil:
			t.Fatal(err)
		}
	}
}

// TestTableMemory reads a record far over the limit in little memory.
func TestTableMemory(t *testing.T) {
	long(t)
	const size = 64 << 20
	src := io.MultiReader(strings.NewReader("id,text\na,\""), io.LimitReader(zeros{}, size), strings.NewReader("\"\nb,next\n"))
	r, err := NewReader(src, "-", ReaderOptions{Format: FormatCSV, MaxLine: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := readAll(t, r)
	runtime.ReadMemStats(&after)
	if want := []string{"0 2 ! input.line_too_long", "1 3 b next"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d bytes allocated", used)
	}
}

// TestTableTime reads rows of quotes gone wrong that would take hours if each were looked at up to the end of the file.
func TestTableTime(t *testing.T) {
	long(t)
	for _, row := range []string{"b\",\"c\n", "\"a\n", "\"\n", "\",\"\n", "a,\"b\"\"\n", "\"\"x\n"} {
		n := 4 << 20 / len(row)
		src := "text,x\n\"open\n" + strings.Repeat(row, n)
		start := time.Now()
		r, err := NewReader(strings.NewReader(src), "-", ReaderOptions{Format: FormatCSV})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := r.Count()
		if took := time.Since(start); err != nil || took > 20*time.Second {
			t.Errorf("%q: %d rows in %v, %v", row, rows, took, err)
		}
	}
}

func TestTableBrokenSource(t *testing.T) {
	broken := errors.New("broken")
	r, err := NewReader(io.MultiReader(strings.NewReader("text\na\n\"b\nc"), iotest.ErrReader(broken)), "in.csv", ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(t, r)
	if len(got) != 1 || !errors.Is(err, broken) || !strings.Contains(err.Error(), "in.csv:3") {
		t.Errorf("%q, %v", got, err)
	}
}

// FuzzTable holds the scanner against encoding/csv, which is stricter, and its own promises where that gives up.
func FuzzTable(f *testing.F) {
	for _, seed := range []string{
		"id,text\na,\"one, \"\"two\"\"\"\n\n", "a\tb\r\n\"x\r\ny\"\tz\r", "a,\"open\nb,\"c\"\nd", "5\" x,\"\"y\n\"\"\"\"", "\xff,\"\r\n\",\n,\n",
		strings.Repeat("x", 70) + "\n\"" + strings.Repeat("\n", 70) + "\"\na",
	} {
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, data []byte, tabs bool) {
		comma := ','
		if tabs {
			comma = '\t'
		}
		const limit = 64
		s := newTableScanner(bufio.NewReader(bytes.NewReader(data)), byte(comma), &ReaderOptions{MaxLine: limit})
		var got [][]string
		faults := 0
		for last := 0; ; {
			bad, err := s.next()
			if err == io.EOF {
				break
			}
			if err != nil || s.begins <= last || len(s.buf) > 3*limit {
				t.Fatalf("record in line %d after one in %d, %d bytes kept, %v", s.begins, last, len(s.buf), err)
			}
			last = s.begins
			if bad != nil {
				faults++
				continue
			}
			var record []string
			for _, field := range s.fields {
				record = append(record, string(field))
			}
			if joined := strings.Join(record, ""); joined != "" || len(record) > 1 {
				got = append(got, record)
			}
		}
		if lines := bytes.Count(data, []byte("\n")) + 1; s.line > lines+1 {
			t.Fatalf("line %d of %d", s.line, lines)
		}
		for i := range got {
			for k := range got[i] {
				got[i][k] = strings.ReplaceAll(got[i][k], "\r\n", "\n") // as encoding/csv has it
			}
		}
		oracle := csv.NewReader(bytes.NewReader(data))
		oracle.Comma, oracle.FieldsPerRecord = comma, -1
		want, err := oracle.ReadAll()
		if err != nil || faults > 0 && (bytes.ContainsFunc(data, isFFFD) || len(data) > limit) {
			return
		}
		want = deleteEmpty(want)
		if faults > 0 || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %q, %d faults; encoding/csv reads %q", got, faults, want)
		}
	})
}

// isFFFD finds invalid UTF-8 too, as it is decoded.
func isFFFD(r rune) bool { return r == '\ufffd' }

// deleteEmpty takes out records of one empty field: encoding/csv passes over empty lines, but not over "" on one.
func deleteEmpty(records [][]string) (kept [][]string) {
	for _, record := range records {
		if len(record) > 1 || record[0] != "" {
			kept = append(kept, record)
		}
	}
	return kept
}

// FuzzGoEmotions reads anything as GoEmotions' TSV, labels and all.
func FuzzGoEmotions(f *testing.F) {
	f.Add([]byte("Good day\t17,2\tx1\n\"a \"\"b\"\"\"\t27\tx2\n"))
	f.Add([]byte("a\t28\tx\nb\t0,,0\ty\nc\t-1\tz\r\n\td\n\"e\t1\tq"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := NewReader(bytes.NewReader(data), "in.tsv", ReaderOptions{Format: FormatGoEmotions, Labels: Default(), MaxLine: 200})
		if err != nil {
			return
		}
		defer r.Close()
		readSound(t, r)
	})
}

func BenchmarkTable(b *testing.B) {
	var text strings.Builder
	text.WriteString("id,text,labels\n")
	for i := range 10_000 {
		fmt.Fprintf(&text, "id%d,\"What a day, \"\"they\"\" said, and went home again.\",joy\n", i)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		r, err := NewReader(strings.NewReader(text.String()), "in.csv", ReaderOptions{})
		if err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := r.Next(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// utf16LE writes ASCII as UTF-16, the low byte first.
func utf16LE(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte(s[i])
		b.WriteByte(0)
	}
	return b.String()
}

// TestDelimiterNotes: what was found out is said, and what nobody needs to be told is not.
func TestDelimiterNotes(t *testing.T) {
	for _, tt := range []struct {
		input string
		opts  ReaderOptions
		want  string
	}{
		{"id,text\n", ReaderOptions{}, ""},
		{"text\n", ReaderOptions{}, ""},
		{"id;text\n", ReaderOptions{}, "columns are separated by ';'"},
		{"id;text\n", ReaderOptions{Delimiter: ';'}, ""},
		{"sep=;\nid;text\n", ReaderOptions{}, "columns are separated by ';', as its first line says"},
		{"\xff\xfe" + utf16LE("text\n"), ReaderOptions{}, "read as UTF-16"},
	} {
		r, err := NewReader(strings.NewReader(tt.input), "in.csv", tt.opts)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(r.Notes(), "; "); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.input, got, tt.want)
		}
	}
	if _, err := NewReader(strings.NewReader("a;b\n"), "in.csv", ReaderOptions{}); err == nil || !strings.Contains(err.Error(), "among a, b") {
		t.Errorf("%v", err)
	}
	if _, err := NewReader(strings.NewReader("{}"), "in.jsonl", ReaderOptions{Quoting: QuotingNone}); !errors.Is(err, ErrNotATable) {
		t.Errorf("%v", err)
	}
}

// TestFields: JSON in which no object has what is to be read is refused as a table is; a field that some lack is their fault alone.
func TestFields(t *testing.T) {
	posts := `{"id":1,"body":"so glad","score":3}` + "\n" + `{"id":2,"body":"so sad","x y":4}` + "\n"
	for _, tt := range []struct {
		name, input string
		opts        ReaderOptions
		want        string
	}{
		{"lines", posts, ReaderOptions{}, `no field "text" among id, body, score, "x y"`},
		{"an array", "[" + strings.Replace(posts, "}\n{", "},\n{", 1) + "]", ReaderOptions{}, `no field "text" among id, body, score, "x y"`},
		{"behind a damaged line", "{\n" + posts, ReaderOptions{}, `no field "text" among id, body, score, "x y"`},
		{"an id that was asked for", posts, ReaderOptions{TextField: "body", IDField: "key"}, `no field "key" among`},
		{"labels that were asked for", posts, ReaderOptions{TextField: "body", Labels: Default(), LabelsField: "gold"}, `no field "gold" among`},
		{"no objects", "[1]\n2\n", ReaderOptions{}, `no object with a field "text"`},
		{"the third has it", posts + `{"text":"so what"}`, ReaderOptions{}, ""},
		{"labels that some may have", posts, ReaderOptions{TextField: "body", Labels: Default()}, ""},
		{"nothing that can be read", "{\n\"\n", ReaderOptions{}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewReader(strings.NewReader(tt.input), "in.jsonl", tt.opts)
			var column *ColumnError
			if tt.want == "" {
				if err != nil {
					t.Error(err)
				}
			} else if !errors.As(err, &column) || !strings.Contains(err.Error(), "in.jsonl: "+tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}
