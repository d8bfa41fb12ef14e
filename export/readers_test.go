package export

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/zlib"
)

// What the formats are read again with: as their tools' documentation has them, apart from the code that writes them.

func decode(t *testing.T, data []byte, v any) {
	t.Helper()
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatalf("%.200s: %v", data, err)
	}
}

func readLabelStudio(t *testing.T, data []byte) (texts []string, spans [][]charSpan) {
	var tasks []struct {
		Data        map[string]string
		Predictions []struct {
			Result []struct {
				Type  string
				Value struct {
					Start, End int
					Labels     []string
				}
			}
		}
	}
	decode(t, data, &tasks)
	for _, task := range tasks {
		found := []charSpan{}
		for _, r := range task.Predictions[0].Result {
			if r.Type == "labels" {
				found = append(found, charSpan{r.Value.Start, r.Value.End, r.Value.Labels[0]})
			}
		}
		texts, spans = append(texts, task.Data["text"]), append(spans, found)
	}
	return texts, spans
}

func readDoccano(t *testing.T, data []byte) (texts []string, spans [][]charSpan) {
	for line := range bytes.Lines(data) {
		var example struct {
			Text  string
			Label [][3]any
		}
		decode(t, line, &example)
		found := []charSpan{}
		units := utf16.Encode([]rune(example.Text)) // a JavaScript string
		points := func(n any) int { return len(utf16.Decode(units[:int(n.(float64))])) }
		for _, l := range example.Label {
			found = append(found, charSpan{points(l[0]), points(l[1]), l[2].(string)})
		}
		texts, spans = append(texts, example.Text), append(spans, found)
	}
	return texts, spans
}

func readProdigy(t *testing.T, data []byte) (texts []string, spans [][]charSpan) {
	for line := range bytes.Lines(data) {
		var task struct {
			Text   string
			Tokens []struct {
				Text       string
				Start, End int
				ID         int
				WS         bool
			}
			Spans []struct {
				Start, End int
				TokenStart int `json:"token_start"`
				TokenEnd   int `json:"token_end"`
				Label      string
			}
		}
		decode(t, line, &task)
		var joined strings.Builder
		runes := []rune(task.Text)
		for i, token := range task.Tokens {
			joined.WriteString(token.Text)
			if token.WS {
				joined.WriteByte(' ')
			}
			if token.ID != i || string(runes[token.Start:token.End]) != token.Text {
				t.Fatalf("token %d of %s", i, line)
			}
		}
		if joined.String() != task.Text {
			t.Fatalf("the tokens of %s join to %q", line, joined.String())
		}
		found := []charSpan{}
		for _, s := range task.Spans {
			if task.Tokens[s.TokenStart].Start != s.Start || task.Tokens[s.TokenEnd].End != s.End {
				t.Fatalf("span %+v of %s", s, line)
			}
			found = append(found, charSpan{s.Start, s.End, s.Label})
		}
		texts, spans = append(texts, task.Text), append(spans, found)
	}
	return texts, spans
}

func readArgilla(t *testing.T, data []byte) (texts []string, spans [][]charSpan) {
	var records []struct {
		Fields      map[string]string
		Suggestions struct {
			Span struct {
				Value []struct {
					Start, End int
					Label      string
				}
				Score []float64
			}
		}
	}
	decode(t, data, &records)
	for _, r := range records {
		found := []charSpan{}
		for _, v := range r.Suggestions.Span.Value {
			found = append(found, charSpan{v.Start, v.End, v.Label})
		}
		if len(r.Suggestions.Span.Score) != len(found) {
			t.Fatalf("scores of %+v", r)
		}
		texts, spans = append(texts, r.Fields["text"]), append(spans, found)
	}
	return texts, spans
}

// readSpaCy follows DocBin.from_bytes and get_docs.
func readSpaCy(t *testing.T, data []byte) (texts []string, spans [][]charSpan) {
	t.Helper()
	bin := docBin(t, data)
	names := map[uint64]string{}
	for _, s := range bin["strings"].([]any) {
		names[spacyID(s.(string))] = s.(string)
	}
	attrs := fmt.Sprint(bin["attrs"])
	tokens, spaces, lengths := bin["tokens"].([]byte), bin["spaces"].([]byte), bin["lengths"].([]byte)
	if attrs != "[65 77 78]" || len(tokens) != len(spaces)*3*8 {
		t.Fatalf("attributes %s, %d bytes of tokens, %d spaces", attrs, len(tokens), len(spaces))
	}
	for ; len(lengths) > 0; lengths = lengths[4:] {
		var text strings.Builder
		found, at, open := []charSpan{}, 0, false
		for range binary.LittleEndian.Uint32(lengths) {
			word, ok := names[binary.LittleEndian.Uint64(tokens)]
			if !ok {
				t.Fatalf("a token that is not among the strings, behind %q", text.String())
			}
			iob, kind := binary.LittleEndian.Uint64(tokens[8:]), names[binary.LittleEndian.Uint64(tokens[16:])]
			end := at + len([]rune(word))
			switch {
			case iob == spacyBegin:
				found = append(found, charSpan{at, end, kind})
			case iob == spacyInside && open && found[len(found)-1].label == kind:
				found[len(found)-1].end = end
			case iob != spacyOutside:
				t.Fatalf("IOB %d of type %s behind %v", iob, kind, found)
			}
			open = iob != spacyOutside
			text.WriteString(word)
			at = end + int(spaces[0])
			text.WriteString(strings.Repeat(" ", int(spaces[0])))
			tokens, spaces = tokens[24:], spaces[1:]
		}
		texts, spans = append(texts, text.String()), append(spans, found)
	}
	return texts, spans
}

func docBin(t *testing.T, data []byte) map[string]any {
	t.Helper()
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	v, rest := unpack(t, plain)
	if len(rest) > 0 {
		t.Fatalf("%d bytes behind the map", len(rest))
	}
	return v.(map[string]any)
}

// unpack reads one MessagePack value of the types that a DocBin has.
func unpack(t *testing.T, b []byte) (v any, rest []byte) {
	t.Helper()
	kind, b := b[0], b[1:]
	long := func() int { n := int(binary.BigEndian.Uint32(b)); b = b[4:]; return n }
	short := func() int { n := int(b[0]); b = b[1:]; return n }
	bytesOf := func(n int) []byte { part := b[:n]; b = b[n:]; return part }
	object := func(n int) any {
		m := map[string]any{}
		for range n {
			var key any
			key, b = unpack(t, b)
			m[key.(string)], b = unpack(t, b)
		}
		return m
	}
	array := func(n int) any {
		list := []any{}
		for range n {
			v, b = unpack(t, b)
			list = append(list, v)
		}
		return list
	}
	switch {
	case kind < 0x80:
		return int(kind), b
	case kind < 0x90:
		v = object(int(kind & 0x0f))
	case kind < 0xa0:
		v = array(int(kind & 0x0f))
	case kind < 0xc0:
		v = string(bytesOf(int(kind & 0x1f)))
	case kind == 0xc2:
		v = false
	case kind == 0xc4:
		v = bytesOf(short())
	case kind == 0xc6:
		v = bytesOf(long())
	case kind == 0xca:
		v = math.Float32frombits(uint32(long()))
	case kind == 0xd9:
		v = string(bytesOf(short()))
	case kind == 0xdb:
		v = string(bytesOf(long()))
	case kind == 0xdd:
		v = array(long())
	case kind == 0xdf:
		v = object(long())
	default:
		t.Fatalf("MessagePack type %#x", kind)
	}
	return v, b
}
