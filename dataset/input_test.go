package dataset

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// readAll reads an input to its end: texts as "index line id text", bad lines
// as "index line ! code".
func readAll(t testing.TB, r *Reader) (got []string, err error) {
	t.Helper()
	for {
		in, err := r.Next()
		var bad *LineError
		switch {
		case err == io.EOF:
			return got, nil
		case errors.As(err, &bad):
			got = append(got, join(bad.Index, bad.Line, "!", bad.Reason.Code))
		case err != nil:
			return got, err
		default:
			got = append(got, join(in.Index, in.Line, in.ID, in.Text))
		}
	}
}

func join(index, line int, a, b string) string {
	return strings.Join([]string{string(rune('0' + index)), string(rune('0' + line)), a, b}, " ")
}

func TestReader(t *testing.T) {
	jsonl := ReaderOptions{Format: FormatJSONL}
	tests := []struct {
		name  string
		input string
		opts  ReaderOptions
		want  []string
	}{
		{"empty", "", ReaderOptions{}, nil},
		{"blank only", "\n \r\n\t\n", ReaderOptions{}, nil},
		{"texts", "one\ntwo", ReaderOptions{}, []string{"0 1 l2_0 one", "1 2 l2_1 two"}},
		{"CRLF, byte order mark, blank lines", "\ufeffone\r\n\r\n  \n two \r\n", ReaderOptions{}, []string{"0 1 l2_0 one", "1 4 l2_1  two "}},
		{"control characters stay", "a\x00\x1b[0m\tb\rc\n", ReaderOptions{}, []string{"0 1 l2_0 a\x00\x1b[0m\tb\rc"}},
		{"invalid UTF-8 takes a number", "a\n\xff\nb\n", ReaderOptions{}, []string{"0 1 l2_0 a", "1 2 ! input.invalid_utf8", "2 3 l2_2 b"}},
		{"line of the limit and one more", "12345\r\n123456\n1\n", ReaderOptions{MaxLine: 5}, []string{"0 1 l2_0 12345", "1 2 ! input.line_too_long", "2 3 l2_2 1"}},
		{"first number", "a\n", ReaderOptions{First: 7}, []string{"7 1 l2_7 a"}},
		{"txt on request", "{\"text\":\"a\"}\n", ReaderOptions{Format: FormatTxt}, []string{`0 1 l2_0 {"text":"a"}`}},

		{"jsonl by its content", "\n {\"text\":\"a\",\"id\":\"x\"}\n", ReaderOptions{}, []string{"0 2 x a"}},
		{"a brace is no object", "{smiles} hello\n", ReaderOptions{}, []string{"0 1 l2_0 {smiles} hello"}},
		{"byte order mark and object", "\ufeff{\"text\":\"a\"}", ReaderOptions{}, []string{"0 1 l2_0 a"}},
		{"src_id", `{"src_id":"s","text":"a"}`, jsonl, []string{"0 1 s a"}},
		{"id before src_id", `{"src_id":"s","text":"a","id":"i"}`, jsonl, []string{"0 1 i a"}},
		{"number id", `{"id":12,"text":"a"}`, jsonl, []string{"0 1 12 a"}},
		{"null id", `{"id":null,"text":"a"}`, jsonl, []string{"0 1 l2_0 a"}},
		{"other fields", `{"x":{"text":[1,{"text":2}]},"text":"a","x":0,"Text":"b"}`, jsonl, []string{"0 1 l2_0 a"}},
		{"field names", `{"body":"a","key":"k","text":3,"id":[]}`, ReaderOptions{Format: FormatJSONL, TextField: "body", IDField: "key"}, []string{"0 1 k a"}},
		{"one field for both", `{"t":"a"}`, ReaderOptions{Format: FormatJSONL, TextField: "t", IDField: "t"}, []string{"0 1 a a"}},
		{"escapes", `{"text":"a\u0000\n\ud83d\ude00"}`, jsonl, []string{"0 1 l2_0 a\x00\n😀"}},
		{"bad objects", `{"text":"a"` + "\n" + `["a"]` + "\n" + `{"text":"a"} {}` + "\n" + `{"text":"\ud83d"}` + "\n" + `{text:1}` + "\n" + `{"text":"a"}`, jsonl,
			[]string{"0 1 ! input.syntax", "1 2 ! input.type", "2 3 ! input.syntax", "3 4 ! input.syntax", "4 5 ! input.syntax", "5 6 l2_5 a"}},
		{"bad texts", `{"text":7}` + "\n" + `{"text":null}` + "\n" + `{"txt":"a"}` + "\n" + `{"text":""}` + "\n" + `{"text":" \u00a0\t"}` + "\n" + `{"text":"a","text":"b"}`, jsonl,
			[]string{"0 1 ! input.type", "1 2 ! input.type", "2 3 ! input.missing_text", "3 4 ! input.empty", "4 5 ! input.empty", "5 6 ! input.repeated_field"}},
		{"bad ids", `{"id":1.5,"text":"a"}` + "\n" + `{"id":"","text":"a"}` + "\n" + `{"id":{},"text":"a"}`, jsonl,
			[]string{"0 1 1.5 a", "1 2 l2_1 a", "2 3 ! input.type"}},
		{"numbers as ids", `{"id":1.0,"text":"a"}` + "\n" + `{"id":1e3,"text":"b"}` + "\n" + `{"id":-0,"text":"c"}` + "\n" + `{"id":123456789012345678901,"text":"d"}` + "\n" + `{"id":1e999,"text":"e"}`, jsonl,
			[]string{"0 1 1 a", "1 2 1000 b", "2 3 0 c", "3 4 123456789012345678901 d", "4 5 ! input.type"}},
		{"no ids", `{"id":[],"text":"a"}` + "\n" + `{"id":"x","text":"b"}`, ReaderOptions{Format: FormatJSONL, IDField: NoID}, []string{"0 1 l2_0 a", "1 2 l2_1 b"}},
		{"blank ids", `{"id":" ","src_id":"s","text":"a"}` + "\n" + `{"id":"\u001f","text":"b"}`, jsonl, []string{"0 1 s a", "1 2 l2_1 b"}},
		{"separators alone are no text", "a\n\x1c\x1f\nb\n", ReaderOptions{}, []string{"0 1 l2_0 a", "1 3 l2_1 b"}},
		{"an array", "[\n  {\"id\":\"a\",\"text\":\"one\"},\n  {\"id\":\"b\",\n   \"text\":\"two\"}\n]\n", ReaderOptions{}, []string{"0 1 a one", "1 2 b two"}},
		{"an array on a line", `[{"id":"a","text":"one"}, {"id":"b","text":"],[{"},7,{"text":"three"}]`, ReaderOptions{}, []string{"0 1 a one", "1 2 b ],[{", "2 3 ! input.type", "3 4 l2_3 three"}},
		{"objects over several lines", "{\n \"text\": \"one\"\n}\n{\n \"text\": \"two\"\n}\n", ReaderOptions{}, []string{"0 1 l2_0 one", "1 4 l2_1 two"}},
		{"UTF-16", "\xff\xfea\x00\n\x00\x3d\xd8\x00\xde\n\x00\x00\xd8\n\x00b\x00c", ReaderOptions{}, []string{"0 1 l2_0 a", "1 2 l2_1 😀", "2 3 ! input.invalid_utf8", "3 4 ! input.invalid_utf8"}},
		{"UTF-16, the high byte first", "\xfe\xff\x00a\x00\r\x00\n\x00b", ReaderOptions{}, []string{"0 1 l2_0 a", "1 2 l2_1 b"}},
		{"duplicate ids", `{"id":"a","text":"1"}` + "\n" + `{"id":"l2_2","text":"2"}` + "\n" + `{"text":"3"}` + "\n" + `{"id":"a","text":"4"}`, jsonl,
			[]string{"0 1 a 1", "1 2 l2_2 2", "2 3 ! input.duplicate_id", "3 4 ! input.duplicate_id"}},
		{"deep nesting elsewhere", `{"x":` + strings.Repeat("[", 100_000) + "\n" + `{"text":"a"}`, jsonl, []string{"0 1 ! input.syntax", "1 2 l2_1 a"}},
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
		})
	}
}

func TestLineErrorText(t *testing.T) {
	input := `{"id":"a","text":"x"}` + "\n\n" + `{"id":"a","text":"y"}` + "\n" + `{"id":"b","text":[]}` + "\n" + "\xff\n"
	r, err := NewReader(strings.NewReader(input), "in.jsonl", ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for {
		_, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			got = append(got, err.Error())
		}
	}
	want := []string{
		`in.jsonl:3: want an id of its own, found "a", which in.jsonl:1 has`,
		`in.jsonl:4: want a string, found an array at /text`,
		`in.jsonl:5: want UTF-8, found an invalid byte at column 1`,
	}
	if !reflect.DeepEqual(got, want) || r.Blank() != 1 || r.Index() != 4 {
		t.Errorf("got %q, %d blank, %d records", got, r.Blank(), r.Index())
	}
}

func TestReaderSharedIDs(t *testing.T) {
	opts := ReaderOptions{IDs: new(IDSet)}
	var messages []string
	for _, name := range []string{"a.jsonl", "b.jsonl"} {
		r, err := NewReader(strings.NewReader(`{"id":"x","text":"a"}`), name, opts)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next(); err != nil {
			messages = append(messages, err.Error())
		}
		opts.First = r.Index()
	}
	if len(messages) != 1 || !strings.Contains(messages[0], "which a.jsonl:1 has") || opts.First != 2 {
		t.Errorf("%q, next %d", messages, opts.First)
	}
}

func TestDetectFormat(t *testing.T) {
	object, text := `{"text":"a"}`, "hello"
	long := `{"text":"` + strings.Repeat("a", 2*sniffSize) + `"}`
	emotions, names := "Good day\t17,2\tx1\n", "id\ttext\n"
	for _, tt := range []struct {
		name, content string
		want          Format
	}{
		{"a.jsonl", text, FormatJSONL}, {"a.NDJSON", text, FormatJSONL}, {"a.json", text, FormatJSONL},
		{"a.txt", object, FormatTxt}, {"a.text", object, FormatTxt},
		{"-", object, FormatJSONL}, {"-", text, FormatTxt}, {"-", "", FormatTxt}, {"-", "{", FormatTxt}, {"-", "{ x }\n" + object, FormatTxt},
		{"-", long, FormatJSONL}, {"-", "{" + strings.Repeat("a", 2*sniffSize), FormatTxt}, {"-", strings.Repeat("\n", 2*sniffSize) + object, FormatTxt},
		{"a.csv", "text\n", FormatCSV}, {"a.CSV", "id,text\n", FormatCSV}, {"a.tsv", names, FormatTSV}, {"a.tab", names, FormatTSV},
		{"a.tsv", emotions, FormatGoEmotions}, {"a.tsv", "\ufeff\n" + emotions, FormatGoEmotions}, {"a.tsv", "Good day\t17,2\tx1\r\n", FormatGoEmotions},
		{"a.tsv", "text\tn\tid\n", FormatTSV}, {"a.tsv", "text\t1,\tid\n", FormatTSV}, {"a.tsv", "", FormatTSV}, {"a.txt", emotions, FormatTxt},
		{"-", emotions, FormatGoEmotions}, {"-", "Good day\t\tx1\n", FormatTxt}, {"-", "Good day\t17\t\n", FormatTxt}, {"-", "a\t1\tb\tc\n", FormatTxt},
		{"-", names, FormatTSV}, {"-", "id, text,\"labels\"\r\n", FormatCSV}, {"-", "text\n", FormatTxt}, {"-", "id,body\n", FormatTxt},
		{"-", "text,me\n", FormatCSV}, {"-", "well, text, me maybe\n", FormatTxt}, {"-", ",text\n", FormatTxt},
	} {
		r, err := NewReader(strings.NewReader(tt.content), tt.name, ReaderOptions{})
		if err != nil || r.Format() != tt.want {
			t.Errorf("%s %.10q: %v, %v", tt.name, tt.content, r.Format(), err)
		}
	}
}

// TestReaderLongLine reads a line far over the limit in little memory.
func TestReaderLongLine(t *testing.T) {
	const size = 256 << 20
	src := io.MultiReader(io.LimitReader(zeros{}, size), strings.NewReader("\nnext\n"))
	r, err := NewReader(src, "-", ReaderOptions{MaxLine: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := readAll(t, r)
	runtime.ReadMemStats(&after)
	if want := []string{"0 1 ! input.line_too_long", "1 2 l2_1 next"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, %v", got, err)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("%d bytes allocated", used)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func gzipped(t testing.TB, s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, s)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func zstded(t testing.TB, s string) string {
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(z, s)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReaderCompressed(t *testing.T) {
	var text strings.Builder
	for i := range 5000 {
		text.WriteString(strings.Repeat(string(rune('a'+i*i%23)), i%50+1) + "\n")
	}
	for _, format := range []struct {
		name, ext string
		pack      func(testing.TB, string) string
	}{{"gzip", ".gz", gzipped}, {"zstd", ".zst", zstded}} {
		t.Run(format.name, func(t *testing.T) {
			count := func(data, name string) (int, error) {
				r, err := NewReader(strings.NewReader(data), name, ReaderOptions{})
				if err != nil {
					return 0, err
				}
				defer r.Close()
				n := 0
				for {
					if _, err := r.Next(); err == io.EOF {
						return n, nil
					} else if err != nil {
						return n, err
					}
					n++
				}
			}
			whole := format.pack(t, text.String())
			for _, name := range []string{"in.txt" + format.ext, "in.txt", "-"} {
				if n, err := count(whole, name); n != 5000 || err != nil {
					t.Errorf("%s: %d records, %v", name, n, err)
				}
			}
			if n, err := count(whole+format.pack(t, "more\n"), "-"); n != 5001 || err != nil {
				t.Errorf("two streams: %d records, %v", n, err)
			}
			for cut := 5; cut < len(whole); cut += len(whole)/40 + 1 {
				if n, err := count(whole[:cut], "-"); err == nil || n >= 5000 {
					t.Errorf("cut at %d of %d: %d records without an error", cut, len(whole), n)
				}
			}
			if _, err := count(whole[:len(whole)-1], "-"); !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "truncated") {
				t.Errorf("cut at the end: %v", err)
			}
			broken := []byte(whole)
			broken[len(broken)/2] ^= 0x55
			if n, err := count(string(broken), "-"); err == nil {
				t.Errorf("corrupt: %d records without an error", n)
			}
			if _, err := count(whole+"garbage", "-"); err == nil {
				t.Error("garbage behind the stream was passed over")
			}
			for _, data := range []string{"", "plain\n"} {
				if _, err := count(data, "in.txt"+format.ext); err == nil || !strings.Contains(err.Error(), "not "+format.name+" data") {
					t.Errorf("%q by that name: %v", data, err)
				}
			}
			r, err := NewReader(strings.NewReader(format.pack(t, `{"text":"a"}`)), "in.jsonl"+format.ext, ReaderOptions{})
			if err != nil || r.Format() != FormatJSONL {
				t.Errorf("format %v, %v", r.Format(), err)
			}
		})
	}
}

func TestOpenInput(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "in.txt")
	if err := os.WriteFile(path, []byte("hello\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	r, err := OpenInput(path, ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(t, r); err != nil || len(got) != 1 {
		t.Errorf("%q, %v", got, err)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Error(err)
	}
	utf32 := filepath.Join(dir, "utf32.txt")
	if err := os.WriteFile(utf32, []byte("\xff\xfe\x00\x00h\x00\x00\x00"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path string
		opts ReaderOptions
		want string
	}{
		{dir, ReaderOptions{}, "is a directory"},
		{filepath.Join(dir, "none"), ReaderOptions{}, "no such file"},
		{utf32, ReaderOptions{}, "UTF-32 text: convert it to UTF-8"},
		{path, ReaderOptions{Format: "xml"}, `unknown input format "xml"`},
	} {
		if _, err := OpenInput(tt.path, tt.opts); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.path, err, tt.want)
		}
	}
}

func TestReaderBrokenSource(t *testing.T) {
	broken := errors.New("broken")
	r, err := NewReader(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), "in.txt", ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(t, r)
	if len(got) != 1 || !errors.Is(err, broken) || !strings.Contains(err.Error(), "in.txt:2") {
		t.Errorf("%q, %v", got, err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("one\r\n\n\xff\n"), true)
	f.Add([]byte(`{"text":"a","id":3}`+"\n"+`{"text":"\ud800"}`+"\n["), false)
	f.Add([]byte("[{\"text\":\"a\"},\n{\"text\":\"b},\n{\"text\":\"c\"}]"), false)
	f.Add([]byte("\xff\xfe{\x00\n\x00"), true)
	f.Add([]byte(gzipped(f, "hello\n")), true)
	f.Add([]byte(zstded(f, `{"text":"a"}`)), false)
	f.Fuzz(func(t *testing.T, data []byte, txt bool) {
		opts := ReaderOptions{MaxLine: 200}
		if txt {
			opts.Format = FormatTxt
		}
		r, err := NewReader(bytes.NewReader(data), "-", opts)
		if err != nil {
			return
		}
		defer r.Close()
		readSound(t, r)
	})
}

// readSound reads to the end: each text or fault has the next number, and texts keep to the limit of 200 bytes and labels to the taxonomy.
func readSound(t *testing.T, r *Reader) {
	t.Helper()
	for next := 0; ; next++ {
		in, err := r.Next()
		var bad *LineError
		switch {
		case errors.As(err, &bad):
			if bad.Index != next || bad.Reason.Code == "" {
				t.Fatalf("record %d: %+v", next, bad)
			}
		case err != nil:
			return
		case in.Index != next || in.ID == "" || IsBlank(in.Text) || len(in.Text) > 200:
			t.Fatalf("record %d: %+v", next, in)
		}
		for _, label := range in.Labels {
			if _, ok := Default().Emotion(label); !ok {
				t.Fatalf("record %d has the label %q", next, label)
			}
		}
	}
}
