package dataset

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

// firstIDs reads rows of a text and an id of any type, two of them, and gives the ids.
func firstIDs[T any](t *testing.T, one, two T) string {
	t.Helper()
	type row struct {
		ID   T      `parquet:"id"`
		Text string `parquet:"text"`
	}
	return idsOf(t, writeParquet(t, []row{{one, "a"}, {two, "b"}}))
}

func idsOf(t *testing.T, data []byte) string {
	t.Helper()
	r, err := NewReader(bytes.NewReader(data), "in.parquet", ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for {
		in, err := r.Next()
		if err == io.EOF {
			return strings.Join(ids, " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, in.ID)
	}
}

// TestParquetIDs: an id is the same text whatever type a program gave its column.
func TestParquetIDs(t *testing.T) {
	type decimals struct {
		ID   int32  `parquet:"id,decimal(2:9)"`
		Text string `parquet:"text"`
	}
	type wide struct {
		ID   int64  `parquet:"id,decimal(3:18)"`
		Text string `parquet:"text"`
	}
	type fixed struct {
		ID   [9]byte `parquet:"id,decimal(2:20)"`
		Text string  `parquet:"text"`
	}
	type date struct {
		ID   int32  `parquet:"id,date"`
		Text string `parquet:"text"`
	}
	type stamp struct {
		ID   time.Time `parquet:"id,timestamp(microsecond)"`
		Text string    `parquet:"text"`
	}
	type clock struct {
		ID   int32  `parquet:"id,time(millisecond)"`
		Text string `parquet:"text"`
	}
	type uuid struct {
		ID   [16]byte `parquet:"id,uuid"`
		Text string   `parquet:"text"`
	}
	type null struct {
		ID   *float64 `parquet:"id,optional"`
		Text string   `parquet:"text"`
	}
	minus := [9]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x85}
	noon := time.Date(2024, 2, 29, 12, 30, 0, 5_000_000, time.UTC)
	for _, tt := range []struct{ name, got, want string }{
		{"decimals", idsOf(t, writeParquet(t, []decimals{{150, "a"}, {-7, "b"}, {400, "c"}})), "1.5 -0.07 4"},
		{"decimals of 64 bits", idsOf(t, writeParquet(t, []wide{{123456789012345678, "a"}, {0, "b"}})), "123456789012345.678 0"},
		{"decimals in bytes", idsOf(t, writeParquet(t, []fixed{{minus, "a"}, {[9]byte{8: 250}, "b"}})), "-1.23 2.5"},
		{"dates", idsOf(t, writeParquet(t, []date{{19782, "a"}, {-1, "b"}})), "2024-02-29 1969-12-31"},
		{"times", idsOf(t, writeParquet(t, []stamp{{noon, "a"}, {time.Unix(-1, 0), "b"}})), "2024-02-29T12:30:00.005Z 1969-12-31T23:59:59Z"},
		{"times of a day", idsOf(t, writeParquet(t, []clock{{90 * 60_000, "a"}, {1, "b"}})), "01:30:00 00:00:00.001"},
		{"UUIDs", idsOf(t, writeParquet(t, []uuid{{[16]byte{0x12, 15: 0xff}, "a"}})), "12000000-0000-0000-0000-0000000000ff"},
		{"none", idsOf(t, writeParquet(t, []null{{nil, "a"}, {nil, "b"}})), "l2_0 l2_1"},
		{"floats", firstIDs(t, 1.0, 2.5), "1 2.5"},
		{"large floats", firstIDs(t, 12345678901234567.0, 1e-9), "12345678901234568 1e-09"},
		{"floats of 32 bits", firstIDs(t, float32(0.1), float32(16777216)), "0.1 16777216"},
		{"not a number", firstIDs(t, math.NaN(), math.Inf(1)), "l2_0 l2_1"},
		{"unsigned", firstIDs(t, uint64(math.MaxUint64), 7), "18446744073709551615 7"},
		{"bytes", firstIDs(t, []byte("x"), []byte("y")), "x y"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}

// TestParquetJSON: rows come as the JSON that encoding/json makes of them, lists, groups and nulls included.
func TestParquetJSON(t *testing.T) {
	type span struct {
		Start int32   `json:"start" parquet:"start"`
		Text  *string `json:"text" parquet:"text,optional"`
	}
	type row struct {
		ID    *string `json:"id" parquet:"id,optional"`
		Score float64 `json:"score" parquet:"score"`
		Data  struct {
			Tokens []string   `json:"tokens" parquet:"tokens,list"`
			Spans  []span     `json:"spans" parquet:"spans,list"`
			Deep   [][]string `json:"deep" parquet:"deep,list"`
		} `json:"data" parquet:"data"`
		Bare []int64 `json:"bare" parquet:"bare"`
		Yes  bool    `json:"yes" parquet:"yes"`
	}
	text := func(s string) *string { return &s }
	rows := make([]row, 7)
	for i := range rows {
		r := &rows[i]
		r.Score, r.Yes = float64(i)/2, i%2 == 0
		r.Data.Tokens, r.Data.Spans, r.Data.Deep, r.Bare = []string{}, []span{}, [][]string{}, []int64{}
		for k := range i {
			r.ID = text("id \"quoted\"\n")
			r.Data.Tokens = append(r.Data.Tokens, strings.Repeat("é\\", k))
			r.Data.Spans = append(r.Data.Spans, span{Start: int32(k)})
			if k%2 == 1 {
				r.Data.Spans[k].Text = text("x")
			}
			r.Data.Deep = append(r.Data.Deep, append([]string{}, r.Data.Tokens[:k]...))
			r.Bare = append(r.Bare, int64(-k))
		}
	}
	for _, version := range []int{1, 2} {
		data := writeParquet(t, rows, parquet.DataPageVersion(version))
		values := NewJSONReader(bytes.NewReader(data), 0)
		for i := range rows {
			raw, err := values.Next()
			if err != nil {
				t.Fatal(err)
			}
			var got row
			if err := json.Unmarshal(raw, &got); err != nil || !reflect.DeepEqual(got, rows[i]) || values.Line() != i+1 {
				want, _ := json.Marshal(rows[i])
				t.Errorf("row %d: %s, %v\nwant %s", i, raw, err, want)
			}
		}
		if raw, err := values.Next(); err != io.EOF {
			t.Errorf("behind the last: %s, %v", raw, err)
		}
	}
	type bad struct {
		Text string `parquet:"text"`
	}
	data := writeParquet(t, []bad{{"\xff\""}, {strings.Repeat("x", 100)}, {"ok"}})
	got, err := readValues(bytes.NewReader(data), 50)
	if want := []string{"1 {\"text\":\"\xff\\\"\"}", "2 !", `3 {"text":"ok"}`}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := NewJSONReader(bytes.NewReader(data[:len(data)-9]), 0).Next(); err == nil || !strings.Contains(err.Error(), "cut short") {
		t.Errorf("a cut file: %v", err)
	}
}
