package export

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// readTable reads rows as encoding/csv does, and as Excel's reader of such files would begin: behind the mark.
func readTable(t *testing.T, data []byte, comma rune) [][]string {
	t.Helper()
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	r.Comma = comma
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// unixLines is what encoding/csv's reader makes of a line end inside a cell.
func unixLines(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// TestCSVComesBack: taking one apostrophe off gives every cell back, whatever it begins with.
func TestCSVComesBack(t *testing.T) {
	records := append(samples(t), randomRecords(t, 500)...)
	for i, text := range []string{"=1+1", "+1", "-1", "@me so", "\t=1", "\r=1", "\n=1", "＝1", "'quoted'", "''", "'=1", "plain", `a "b", c`, ";=1"} {
		r := *records[0]
		r.SrcID, r.Text, r.Data = fmt.Sprint(text, i), text, dataset.Data{}
		records = append(records, &r)
	}
	for _, o := range []Options{{}, {BOM: true}, {Delimiter: ';'}, {Delimiter: '\t'}, {Exact: true}} {
		data, notes := write(t, CSV, o, records)
		if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) != o.BOM {
			t.Errorf("%+v begins %q", o, data[:8])
		}
		comma := max(o.Delimiter, ',')
		if o.Delimiter == '\t' {
			comma = '\t'
		}
		rows := readTable(t, data, comma)
		if len(rows) != len(records)+1 {
			t.Fatalf("%d rows of %d records", len(rows), len(records))
		}
		guarded := 0
		for i, r := range records {
			row := slices.Clone(rows[i+1])
			for k, cell := range row {
				if strings.HasPrefix(cell, "'") && !o.Exact {
					guarded++
					row[k] = cell[1:]
				} else if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r\n") && !o.Exact {
					t.Errorf("%s: a cell begins %q", r.SrcID, cell[:1])
				}
			}
			want := []string{
				unixLines(r.SrcID), unixLines(r.Text), strings.Join(r.Predictions, ";"),
				fmt.Sprint(len(r.Data.Tokens)), fmt.Sprint(len(r.Data.Spans)), r.Model, r.Provider, r.Prompt, r.Level,
			}
			if !slices.Equal(row, want) {
				t.Fatalf("row %q, want %q", row, want)
			}
		}
		if note := fmt.Sprintf("an apostrophe was put in front of %d cells, ", guarded); !o.Exact && (len(notes) != 1 || !strings.HasPrefix(notes[0], note)) || o.Exact && notes != nil || guarded < 20 && !o.Exact {
			t.Errorf("%+v: notes %q, %s", o, notes, note)
		}
	}
}

// TestCSVSpans: a row for each span, whose offsets cut it out of the record's text.
func TestCSVSpans(t *testing.T) {
	records := append(samples(t), randomRecords(t, 500)...)
	data, notes := write(t, CSVSpans, Options{}, records)
	rows := readTable(t, data, ',')
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	rows = rows[1:]
	bare := 0
	for _, r := range records {
		if len(r.Data.Spans) == 0 {
			bare++
		}
		for i, want := range wantSpans(r) {
			cell := func(name string) string { return strings.TrimPrefix(rows[0][column[name]], "'") }
			s := &r.Data.Spans[i]
			for name, value := range map[string]any{
				"src_id": r.SrcID, "span": i, "type": s.Type, "subtype": s.Subtype, "text": unixLines(s.Text), "start": s.Start, "end": s.End,
				"char_start": want.start, "char_end": want.end, "confidence": strconv.FormatFloat(s.Attrs.Confidence, 'f', -1, 64), "valence": s.Attrs.Valence,
				"target_relation": s.Attrs.TargetRelation, "target_text": s.Attrs.TargetText, "sentence_index": s.Attrs.SentenceIndex,
				"record_text": unixLines(r.Text),
			} {
				if cell(name) != fmt.Sprint(value) {
					t.Fatalf("%s, span %d: %s is %q, want %v", r.SrcID, i, name, cell(name), value)
				}
			}
			rows = rows[1:]
		}
	}
	if want := fmt.Sprintf("%d records without a span, so without a row", bare); len(rows) > 0 || !slices.Contains(notes, want) {
		t.Errorf("%d rows left, notes %q", len(rows), notes)
	}
}

func TestCSVFurtherColumns(t *testing.T) {
	records, tax := furtherRecords(t)
	var out bytes.Buffer
	f, _ := Lookup(CSVSpans)
	w, err := f.New(&out, Options{Taxonomy: tax})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	rows := readTable(t, out.Bytes(), ',')
	if at := slices.Index(rows[0], "said_how"); at < 0 || rows[1][at] != "aloud" || rows[2][at] != "in silence" {
		t.Errorf("columns %q", rows[0])
	}
}

// TestCSVLongCell counts what Excel would cut.
func TestCSVLongCell(t *testing.T) {
	r := *samples(t)[0]
	r.Data = dataset.Data{}
	for text, long := range map[string]bool{
		strings.Repeat("a", excelCell): false, strings.Repeat("a", excelCell+1): true,
		strings.Repeat("é", excelCell): false, strings.Repeat("😂", excelCell/2): false, strings.Repeat("😂", excelCell/2+1): true,
	} {
		r.Text = text
		_, notes := write(t, CSV, Options{}, []*dataset.Record{&r})
		if want := []string{"1 cell longer than the 32767 characters that Excel shows of one"}; long != slices.Equal(notes, want) {
			t.Errorf("%d bytes: notes %q", len(text), notes)
		}
	}
}
