package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// readValues gives place and value of each, with ! for one that is too long, and the error at the end.
func readValues(src io.Reader, max int) (got []string, err error) {
	r := NewJSONReader(src, max)
	for {
		value, err := r.Next()
		switch {
		case err == io.EOF:
			return got, nil
		case err == ErrLineTooLong:
			got = append(got, fmt.Sprint(r.Line(), " !"))
		case err != nil:
			return got, err
		default:
			got = append(got, fmt.Sprint(r.Line(), " ", string(value)))
		}
	}
}

// TestJSONReaderFault: what is wrong with a stream as a whole comes from each call, and has no place.
func TestJSONReaderFault(t *testing.T) {
	r := NewJSONReader(iotest.DataErrReader(strings.NewReader("PAR1")), 0)
	for range 2 {
		if _, err := r.Next(); !errors.Is(err, ErrNotAFile) || r.At("in") != "in" || r.Ready() || r.OneALine() || r.Blank() != 0 {
			t.Errorf("%v at %s", err, r.At("in"))
		}
	}
}

func TestJSONReader(t *testing.T) {
	for _, tt := range []struct {
		name, input string
		want        []string
		err         error
	}{
		{"empty", "", nil, nil},
		{"lines", "\ufeff{\"a\":1}\r\n \n\x1f\n{\"b\":2}", []string{`1 {"a":1}`, `4 {"b":2}`}, nil},
		{"files behind one another", "\ufeff{\"a\":1}\n\ufeff{\"b\":2}\n", []string{`1 {"a":1}`, `2 {"b":2}`}, nil},
		{"other lines", "[NAME] is here\t3\tx\n[1,2]\n", []string{"1 [NAME] is here\t3\tx", "2 [1,2]"}, nil},
		{"a line cut in a string", "{\"a\":\"b\n{\"c\":1}\n", []string{`1 {"a":"b`, `2 {"c":1}`}, nil},
		{"a line cut behind a value", "{\"a\":1\n{\"c\":1}\n", []string{`1 {"a":1`, `2 {"c":1}`}, nil},
		{"a line cut behind a name", "{\"a\":\n{\"c\":1}\n", []string{`1 {"a":`, `2 {"c":1}`}, nil},
		{"a line over the limit", "{}\n{\"a\":\"" + strings.Repeat("x", 40) + "\"}\n{}", []string{"1 {}", "2 !", "3 {}"}, nil},

		{"an array on a line", `[{"a":"],["}, {"b":[{}]},3 ,"x", null]`, []string{`1 {"a":"],["}`, `2 {"b":[{}]}`, "3 3", `4 "x"`, "5 null"}, nil},
		{"an array over lines", " [\n{\"a\":\n1}\n,\n{}\n]\n", []string{"1 {\"a\":\n1}", "2 {}"}, nil},
		{"an array without elements", "[ ]", nil, nil},
		{"an array of other values", "[\n1,\n\"a\"\n]", []string{"1 1", `2 "a"`}, nil},
		{"arrays behind one another", "[{}]\n\ufeff[{\"a\":1}]\n{}", []string{"1 {}", `2 {"a":1}`, "3 {}"}, nil},
		{"commas", "[{},{},,{} {},]", []string{"1 {}", "2 {}", "3 {}", "4 {}"}, nil},
		{"words that are none", "[{\"a\":nope},{'b':1},{}]", []string{`1 {"a":nope}`, "2 {'b':1}", "3 {}"}, nil},
		{"an element over the limit", "[{},{\"a\":\"" + strings.Repeat("x", 40) + "\"},{}]", []string{"1 {}", "2 !", "3 {}"}, nil},
		{"a damaged element", "[\n {\"a\":1},\n {\"b\":\"x},\n {\"c\":[{\n  \"d\":2}]},\n {\"e\":1]},\n {}\n]\n",
			[]string{`1 {"a":1}`, "2 {\"b\":\"x},\n", "3 {\"c\":[{\n  \"d\":2}]}", `4 {"e":1]`, "5 {}"}, nil},
		{"a damaged element over lines", "[\n  {\n    \"a\": \"x,\n    \"b\": [\n      {\n      }\n    ]\n  },\n  {}\n]\n", []string{"1 {\n    \"a\": \"x,\n", "2 {}"}, nil},
		{"the last element is damaged", "[{},\n{\"a\":\"x}\n]\n", []string{"1 {}", "2 {\"a\":\"x}\n"}, nil},
		{"as SQLite writes it, damaged", "[{\"a\":1},\n{\"a\":\"x},\n{\"a\":3}]\n", []string{`1 {"a":1}`, "2 {\"a\":\"x},\n", `3 {"a":3}`}, nil},
		{"with commas before, damaged", "[{\"a\":1}\n,{\"a\":\"x}\n,{\"a\":3}]\n", []string{`1 {"a":1}`, "2 {\"a\":\"x}\n", `3 {"a":3}`}, nil},
		{"a cut array", "[\n{},\n{\"a\":", []string{"1 {}"}, ErrArrayCut},
		{"an array without its end", "[\n{}\n", []string{"1 {}"}, ErrArrayCut},
		{"damaged on one line", `[{},{"a":"b"c"},{"d":1}]`, []string{"1 {}", `2 {"a":"b"c`}, ErrArrayCut},

		{"objects over lines", "{\n \"a\": 1\n}\n\n{\"b\":2}\n{\n}", []string{"1 {\n \"a\": 1\n}", `5 {"b":2}`, "6 {\n}"}, nil},
		{"a damaged object", "{\n \"a\": 1\n}\n{\n \"b\": \"2\n}\n{\n}", []string{"1 {\n \"a\": 1\n}", "4 {\n \"b\": \"2\n", "7 {\n}"}, nil},
		{"an object without its end", "{\n \"a\": 1\n}\n{\n \"b\": 2\n{\n}", []string{"1 {\n \"a\": 1\n}", "4 {\n \"b\": 2\n", "6 {\n}"}, nil},
		{"the last object is cut", "{\n \"a\": 1\n}\n{\n \"b\": ", []string{"1 {\n \"a\": 1\n}", "4 {\n \"b\": "}, nil},
		{"UTF-16", "\xfe\xff\x00[\x00{\x00}\x00]", []string{"1 {}"}, nil},
		{"UTF-32", "\xff\xfe\x00\x00[\x00\x00\x00", nil, errUTF32},
		{"Parquet from a pipe", "PAR1", nil, ErrNotAFile},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, src := range []io.Reader{iotest.DataErrReader(strings.NewReader(tt.input)), iotest.OneByteReader(strings.NewReader(tt.input))} {
				if got, err := readValues(src, 40); !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) || !reflect.DeepEqual(got, tt.want) {
					t.Errorf("got  %q, %v\nwant %q, %v", got, err, tt.want, tt.err)
				}
			}
		})
	}
}

// TestJSONReaderLayouts: the same values come from them however they lie.
func TestJSONReaderLayouts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var value func(depth int) any
	value = func(depth int) any {
		switch random.IntN(max(5, 9-depth)) {
		case 0:
			return random.NormFloat64()
		case 1, 2:
			return strings.Repeat([]string{"é", "\"", "\\", "}", "[", ",\n", " x"}[random.IntN(7)], random.IntN(4))
		case 3:
			return nil
		case 4:
			return []any{value(depth + 1), value(depth + 1)}
		}
		return map[string]any{"a": value(depth + 1), "]": value(depth + 2)}
	}
	for range 300 {
		list := make([]map[string]any, 1+random.IntN(6))
		var lines, pretty bytes.Buffer
		lineEncoder, prettyEncoder := json.NewEncoder(&lines), json.NewEncoder(&pretty)
		prettyEncoder.SetIndent("", " ")
		for i := range list {
			list[i] = map[string]any{"v": value(0)}
			lineEncoder.Encode(list[i])
			prettyEncoder.Encode(list[i])
		}
		array, _ := json.Marshal(list)
		indented, _ := json.MarshalIndent(list, "", "\t")
		for _, text := range []string{lines.String(), pretty.String(), string(array), string(indented)} {
			r := NewJSONReader(strings.NewReader(text), 0)
			for i := range list {
				raw, err := r.Next()
				if err != nil {
					t.Fatalf("%s: value %d: %v", text, i, err)
				}
				var got map[string]any
				if err := json.Unmarshal(raw, &got); err != nil || !reflect.DeepEqual(got, list[i]) {
					t.Fatalf("%s: value %d is %s, %v", text, i, raw, err)
				}
			}
			if raw, err := r.Next(); err != io.EOF {
				t.Fatalf("%s: behind the end: %s, %v", text, raw, err)
			}
		}
	}
}

// FuzzJSONReader: whatever it reads, it ends, keeps to its limit, and its places rise; what is an array of objects to another decoder has
// just its elements.
func FuzzJSONReader(f *testing.F) {
	for _, seed := range []string{"[{\"a\":1},\n{\"b\":\"x},\n{}]", "{\n\"a\":[{}]}\n{\n", "{}\n{}", "[[{", "\xff\xfe[\x00{\x00", "[{},\"\\\"\",1e5 ,null]", "]", "[{]}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 64
		r := NewJSONReader(bytes.NewReader(data), limit)
		var got []string
		for last := 0; ; {
			raw, err := r.Next()
			if err != nil && err != ErrLineTooLong {
				break
			}
			if len(raw) > limit || r.Line() < last || len(got) > len(data) {
				t.Fatalf("%d values, %d bytes at %d behind %d", len(got), len(raw), r.Line(), last)
			}
			last = r.Line()
			got = append(got, string(raw))
		}
		var list []json.RawMessage
		if len(data) > limit || json.Unmarshal(data, &list) != nil || len(list) == 0 || list[0][0] != '{' {
			return
		}
		var want []string
		for _, raw := range list {
			want = append(want, string(raw))
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}
