package dataset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// writeParquet writes rows in groups of a few.
func writeParquet[T any](t testing.TB, rows []T, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, append([]parquet.WriterOption{parquet.MaxRowsPerRowGroup(3), parquet.PageBufferSize(64)}, options...)...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// emotionsRow is as the Hub has GoEmotions, with columns that nobody reads.
type emotionsRow struct {
	Other  []string `parquet:"other,list"`
	Text   string   `parquet:"text,dict"`
	Labels []int64  `parquet:"labels,list"`
	ID     string   `parquet:"id"`
	Score  float64  `parquet:"score"`
}

func emotionsRows() (rows []emotionsRow, want []string) {
	for i := range 8 {
		id := string(rune('a' + i))
		rows = append(rows, emotionsRow{Text: "text " + id, ID: id, Labels: []int64{17, 0, 2}[:i%4%3], Other: []string{"x", "y"}})
		want = append(want, join(i, i+1, id, "text "+id))
	}
	return rows, want
}

func TestParquet(t *testing.T) {
	rows, want := emotionsRows()
	type option = parquet.WriterOption
	for name, options := range map[string][]option{
		"plain": nil, "snappy": {parquet.Compression(&parquet.Snappy)}, "gzip": {parquet.Compression(&parquet.Gzip)},
		"zstd": {parquet.Compression(&parquet.Zstd)}, "brotli": {parquet.Compression(&parquet.Brotli)}, "lz4": {parquet.Compression(&parquet.Lz4Raw)}, "first pages": {parquet.DataPageVersion(1)}, "one row group": {parquet.MaxRowsPerRowGroup(100)},
	} {
		data := writeParquet(t, rows, options...)
		r, err := NewReader(bytes.NewReader(data), "-", ReaderOptions{Labels: Default()})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for {
			in, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(name, err)
			}
			got = append(got, join(in.Index, in.Line, in.ID, in.Text))
			if labels := strings.Join([]string{"joy", "admiration"}[:len(rows[in.Index].Labels)], " "); strings.Join(in.Labels, " ") != labels {
				t.Errorf("%s: %s has the labels %q", name, in.ID, in.Labels)
			}
		}
		if r.Format() != FormatParquet || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %s, got %q", name, r.Format(), got)
		}
		if n, err := r.Count(); n != len(rows) || err != nil {
			t.Errorf("%s: counted %d, %v", name, n, err)
		}
	}
}

func TestParquetRows(t *testing.T) {
	type row struct {
		ID     *int32   `parquet:"src_id,optional"`
		Body   *string  `parquet:"body,optional"`
		Labels []string `parquet:"labels,list"`
		Model  string   `parquet:"model"`
		Preds  []string `parquet:"predictions"`
	}
	text, id := func(s string) *string { return &s }, func(n int32) *int32 { return &n }
	data := writeParquet(t, []row{
		{ID: id(-7), Body: text("one"), Labels: []string{"Happiness", "", "joy"}, Model: "m"},
		{Body: text("two")},
		{ID: id(1)},
		{ID: id(2), Body: text(" \u00a0")},
		{ID: id(3), Body: text("\xff")},
		{ID: id(4), Body: text("longer than the limit")},
		{ID: id(-7), Body: text("six")},
		{ID: id(5), Body: text("seven"), Labels: []string{"hunger"}},
		{ID: id(6), Body: text("eight"), Labels: []string{"fear"}},
	})
	opts := ReaderOptions{TextField: "body", Labels: Default(), MaxLine: 10}
	r, err := NewReader(bytes.NewReader(data), "in.parquet", opts)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"0 1 -7 one", "1 2 l2_1 two", "2 3 ! input.type", "3 4 ! input.empty", "4 5 ! input.invalid_utf8", "5 6 ! input.line_too_long",
		"6 7 ! input.duplicate_id", "7 8 ! input.unknown_label", "8 9 6 eight",
	}
	if got, err := readAll(t, r); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q, %v\nwant %q", got, err, want)
	}
	r, err = NewReader(bytes.NewReader(data), "in.parquet", opts)
	if err != nil {
		t.Fatal(err)
	}
	if in, err := r.Next(); err != nil || !reflect.DeepEqual(in.Labels, []string{"joy"}) || !in.Generated {
		t.Errorf("%+v, %v", in, err)
	}
	if in, err := r.Next(); err != nil || in.Labels != nil || in.Generated {
		t.Errorf("%+v, %v", in, err)
	}
	if got := lineErrors(t, r); len(got) != 6 || got[4] != `in.parquet:7: want an id of its own, found "-7", which in.parquet:1 has` {
		t.Errorf("%q", got)
	}
}

func TestParquetUnsignedIDs(t *testing.T) {
	type row struct {
		ID   uint64 `parquet:"id"`
		Text string `parquet:"text"`
	}
	r, err := NewReader(bytes.NewReader(writeParquet(t, []row{{1<<64 - 1, "a"}})), "in.parquet", ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if in, err := r.Next(); err != nil || in.ID != "18446744073709551615" {
		t.Errorf("%+v, %v", in, err)
	}
}

func TestParquetRefused(t *testing.T) {
	type row struct {
		Text   int64    `parquet:"text"`
		ID     float64  `parquet:"id"`
		Body   string   `parquet:"body"`
		Many   []string `parquet:"many,list"`
		Labels []struct {
			Name  string
			Score float64
		} `parquet:"labels,list"`
	}
	rows, _ := emotionsRows()
	whole, odd := writeParquet(t, rows), writeParquet(t, []row{{}})
	footer := bytes.Clone(whole)
	copy(footer[len(footer)-8:], "\xff\xff\xff\x7f")
	for _, tt := range []struct {
		src  io.Reader
		opts ReaderOptions
		want string
	}{
		{bytes.NewBuffer(whole), ReaderOptions{}, "in.parquet: a pipe or a compressed stream cannot be read as Parquet"},
		{strings.NewReader(gzipped(t, string(whole))), ReaderOptions{}, "in.parquet: a pipe or a compressed stream cannot be read as Parquet"},
		{strings.NewReader(""), ReaderOptions{}, "in.parquet: not a Parquet file"},
		{strings.NewReader("id,text\n1,one\n"), ReaderOptions{}, "it does not end in PAR1"},
		{bytes.NewReader(whole[:len(whole)-1]), ReaderOptions{}, "or one that was cut short"},
		{bytes.NewReader(footer), ReaderOptions{}, "its footer of 2147483647 bytes would not fit"},
		{bytes.NewReader(odd), ReaderOptions{}, `in.parquet: the column "text" does not hold strings`},
		{bytes.NewReader(odd), ReaderOptions{TextField: "many"}, `the column "many" does not hold strings`},
		{bytes.NewReader(odd), ReaderOptions{TextField: "body", IDField: "many"}, `the column "many" does not hold strings, numbers or times`},
		{bytes.NewReader(odd), ReaderOptions{TextField: "body", IDField: "body", Labels: Default()}, `the column "labels" does not hold lists of strings`},
		{bytes.NewReader(odd), ReaderOptions{TextField: "none"}, `in.parquet: no column "none" among text, id, body, many, labels`},
	} {
		if _, err := NewReader(tt.src, "in.parquet", tt.opts); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
	if _, err := NewReader(bytes.NewBuffer(whole), "-", ReaderOptions{}); !errors.Is(err, ErrNotAFile) || !strings.HasPrefix(err.Error(), "standard input: ") {
		t.Errorf("by its content: %v", err)
	}
	path := filepath.Join(t.TempDir(), "in.parquet")
	if err := os.WriteFile(path, whole, 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := OpenInput(path, ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(t, r); err != nil || len(got) != len(rows) || r.Close() != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestParquetDamaged changes each byte in turn: whatever comes of it is texts or one line of error, not a crash.
func TestParquetDamaged(t *testing.T) {
	long(t)
	rows, _ := emotionsRows()
	whole := writeParquet(t, rows, parquet.Compression(&parquet.Snappy))
	refused := 0
	for i := range whole {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			data := bytes.Clone(whole)
			data[i] ^= flip
			if err := readDamaged(t, data); err != nil {
				refused++
			}
		}
	}
	if refused < len(whole)/4 {
		t.Errorf("%d of %d damaged files were refused", refused, 3*len(whole))
	}
}

func readDamaged(t *testing.T, data []byte) error {
	t.Helper()
	r, err := NewReader(bytes.NewReader(data), "in.parquet", ReaderOptions{Format: FormatParquet, Labels: Default(), MaxLine: 200})
	for n := 0; err == nil; n++ {
		_, err = r.Next()
		var bad *LineError
		if errors.As(err, &bad) {
			err = nil
		}
		if n > 10_000 {
			t.Fatal("the rows do not end")
		}
	}
	if err == io.EOF {
		return nil
	}
	if msg := err.Error(); !strings.HasPrefix(msg, "in.parquet:") || strings.Contains(msg, "\n") {
		t.Errorf("%q", msg)
	}
	return err
}

// changeFirstPage returns the file with the header of its first page changed. Where that is shorter than it was, zeros behind the page
// leave all that follows in its place.
func changeFirstPage(t *testing.T, whole []byte, change func(h *format.PageHeader)) []byte {
	t.Helper()
	var protocol thrift.CompactProtocol
	reader := protocol.NewReaderFromBytes(whole[len(parquetMagic):])
	var h format.PageHeader
	if err := thrift.NewDecoder(reader).Decode(&h); err != nil {
		t.Fatal(err)
	}
	begin := len(parquetMagic) + reader.BytesRead()
	end := begin + int(h.CompressedPageSize)
	change(&h)
	header, err := thrift.Marshal(&protocol, &h)
	if err != nil {
		t.Fatal(err)
	}
	shorter := make([]byte, max(0, reader.BytesRead()-len(header)))
	return slices.Concat(parquetMagic, header, whole[begin:end], shorter, whole[end:])
}

var parquetCodecs = []compress.Codec{&parquet.Snappy, &parquet.Gzip, &parquet.Zstd, &parquet.Brotli, &parquet.Lz4Raw}

// TestParquetPacked has pages of each way to pack that unpack to more than they say, or that are damaged: they are refused,
// without the memory and without an end to wait for.
func TestParquetPacked(t *testing.T) {
	long(t)
	type textRow struct {
		Text   string `parquet:"text"`
		Labels string `parquet:"labels"`
	}
	big := []textRow{{strings.Repeat("a", 64<<20), "joy"}}
	short := []textRow{{"well, well, well, well, well, well, well", "joy"}, {"no, no, no, no, no, no, no, no", "fear"}}
	for _, codec := range parquetCodecs {
		for version := 1; version <= 2; version++ {
			name := fmt.Sprintf("%v, pages of version %d", codec, version)
			options := []parquet.WriterOption{parquet.Compression(codec), parquet.DataPageVersion(version), parquet.SkipPageBounds("text"), parquet.DataPageStatistics(false)}
			bomb := changeFirstPage(t, writeParquet(t, big, options...), func(h *format.PageHeader) { h.UncompressedPageSize = 1 << 20 })
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := readDamaged(t, bomb)
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), "a page in "+codec.CompressionCodec().String()+": ") {
				t.Errorf("%s: %v", name, err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
				t.Errorf("%s: %d MB were allocated", name, used>>20)
			}
			whole := writeParquet(t, short, options...)
			if err := readDamaged(t, whole); err != nil {
				t.Errorf("%s, as it was: %v", name, err)
			}
			// Without its checksum a page reaches what unpacks it.
			unsummed := changeFirstPage(t, whole, func(h *format.PageHeader) { h.CRC = 0 })
			if err := readDamaged(t, unsummed); err != nil {
				t.Errorf("%s, without a checksum: %v", name, err)
			}
			for at := len(parquetMagic); at < bytes.Index(unsummed, []byte("labels")); at++ {
				damaged := slices.Clone(unsummed)
				damaged[at] ^= 0x55
				readDamaged(t, damaged)
			}
		}
	}
}

// TestParquetHostile has a page or the footer name more memory than there is: it is refused before that is asked for.
func TestParquetHostile(t *testing.T) {
	type textRow struct {
		Text   string `parquet:"text"`
		Labels string `parquet:"labels"`
	}
	whole := writeParquet(t, []textRow{{"one", "joy"}, {"two", "fear"}}, parquet.Compression(&parquet.Snappy))
	first := func(change func(h *format.PageHeader)) []byte { return changeFirstPage(t, whole, change) }
	footer := func(b ...byte) []byte {
		return slices.Concat(parquetMagic, b, binary.LittleEndian.AppendUint32(nil, uint32(len(b))), parquetMagic)
	}
	for what, tt := range map[string]struct {
		data []byte
		want string
	}{
		"a page larger than the file":  {first(func(h *format.PageHeader) { h.CompressedPageSize = math.MaxInt32 }), "a page of 2147483647 bytes would not fit into it"},
		"a page that unpacks to 2 GB":  {first(func(h *format.PageHeader) { h.UncompressedPageSize = math.MaxInt32 }), "a page unpacks to 2147483647 bytes, more than 268435456"},
		"a page of 2 billion values":   {first(func(h *format.PageHeader) { h.DataPageHeaderV2.V.NumValues = math.MaxInt32 }), "a page has 2147483647 values, more than 67108864"},
		"a schema of 2 billion fields": {footer(0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 7), "its footer: EOF"},
		"a name of 2 GB":               {footer(0x68, 0xff, 0xff, 0xff, 0xff, 7), "its footer: EOF"},
		"a name of 16 EB":              {footer(0x68, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), "a string longer than any file's"},
		"structures in structures":     {footer(bytes.Repeat([]byte{0x1c}, 1<<20)...), "nested too deeply"},
		"lists in lists":               {footer(bytes.Repeat([]byte{0x19}, 1<<20)...), "nested too deeply"},
		"a footer of 17 MB":            {footer(make([]byte, 17<<20)...), "its footer has 17825792 bytes, more than 16777216"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := readDamaged(t, tt.data)
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", what, err, tt.want)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
			t.Errorf("%s: %d MB were allocated", what, used>>20)
		}
	}
	if err := readDamaged(t, first(func(*format.PageHeader) {})); err != nil {
		t.Errorf("the file as it was: %v", err)
	}
}

func FuzzParquet(f *testing.F) {
	rows, _ := emotionsRows()
	f.Add(writeParquet(f, rows))
	f.Add(writeParquet(f, rows[:2], parquet.Compression(&parquet.Snappy), parquet.DataPageVersion(1)))
	for _, codec := range parquetCodecs[1:] {
		f.Add(writeParquet(f, rows[:2], parquet.Compression(codec)))
	}
	f.Fuzz(func(t *testing.T, data []byte) { readDamaged(t, data) })
}
