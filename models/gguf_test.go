package models

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReadGGUF(t *testing.T) {
	g := read(t, synthetic(t, smallShape, 1))
	for what, got := range map[string][2]any{
		"architecture": {g.Architecture(), "llama"},
		"name":         {g.Name(), "Synthetic Llama, 2 layers of 64"},
		"license":      {g.License(), ""},
		"file type":    {g.FileType(), "F16"},
		"context":      {g.ContextLength(), 256},
		"vocabulary":   {g.VocabSize(), 260},
		"template":     {g.ChatTemplate(), syntheticTemplate},
		"tensors":      {len(g.Tensors()), 2 + 2*9},
		// 260*64 + 64 + 2 layers of 64*(64+32+32+64) + 3*64*128 + 2*64
		"parameters": {g.Parameters(), int64(260*64 + 64 + 2*(64*192+3*64*128+2*64))},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: got %v, want %v", what, got[0], got[1])
		}
	}
	if x, ok := g.Float("llama.rope.freq_base"); !ok || x != 500_000 {
		t.Errorf("rope.freq_base = %v, %v", x, ok)
	}
	if tokens, err := g.Strings("tokenizer.ggml.tokens"); err != nil || !slices.Equal(tokens, vocabTokens) {
		t.Errorf("tokens = %q, %v", tokens, err)
	}
	if _, err := g.Strings("tokenizer.ggml.token_type"); err == nil {
		t.Error("an array of numbers was read as strings")
	}
	first := g.Tensors()[0]
	if first.Name != "token_embd.weight" || first.Type != F16 || !slices.Equal(first.Shape, []int64{64, 260}) || first.Offset%32 != 0 || first.Size != 64*260*2 {
		t.Errorf("first tensor: %+v", first)
	}
}

func TestValues(t *testing.T) {
	h := &header{}
	scalars := func(key string, kind valueKind, raw ...byte) { h.key(key, kind); h.keys = append(h.keys, raw...) }
	scalars("u8", kindUint8, 200)
	scalars("i8", kindInt8, 0xff)
	scalars("u16", kindUint16, 0, 1)
	scalars("i16", kindInt16, 0xfe, 0xff)
	scalars("u64", kindUint64, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	scalars("i64", kindInt64, 7, 0, 0, 0, 0, 0, 0, 0)
	scalars("f64", kindFloat64, binary.LittleEndian.AppendUint64(nil, math.Float64bits(0.25))...)
	h.bool("yes", true)
	h.array("numbers", kindInt16, 2)
	h.keys = append(h.keys, 3, 0, 9, 0)
	h.array("negative", kindInt8, 1)
	h.keys = append(h.keys, 0xff)
	h.strings("none", nil)
	g := read(t, h.bytes())

	for key, want := range map[string]uint64{"u8": 200, "u16": 256, "u64": math.MaxUint64, "i64": 7} {
		if n, ok := g.Uint(key); !ok || n != want {
			t.Errorf("Uint(%s) = %d, %v, want %d", key, n, ok, want)
		}
	}
	for _, key := range []string{"i8", "i16", "f64", "yes", "numbers", "absent"} {
		if n, ok := g.Uint(key); ok {
			t.Errorf("Uint(%s) = %d, want none", key, n)
		}
	}
	if x, ok := g.Float("f64"); !ok || x != 0.25 {
		t.Errorf("Float = %v, %v", x, ok)
	}
	if b, ok := g.Bool("yes"); !ok || !b {
		t.Errorf("Bool = %v, %v", b, ok)
	}
	if n, ok := g.Len("numbers"); !ok || n != 2 {
		t.Errorf("Len = %d, %v", n, ok)
	}
	if list, err := g.uints("numbers"); err != nil || !slices.Equal(list, []uint64{3, 9}) {
		t.Errorf("uints = %v, %v", list, err)
	}
	if list, err := g.uints("negative"); err == nil {
		t.Errorf("uints(negative) = %v", list)
	}
	if list, err := g.Strings("none"); err != nil || len(list) != 0 {
		t.Errorf("Strings(none) = %v, %v", list, err)
	}
	if g.FileType() != "" {
		t.Errorf("file type of a file without tensors: %q", g.FileType())
	}
}

func TestFileTypeFromTensors(t *testing.T) {
	h := &header{}
	h.tensor("few", F32, 32)
	h.tensor("many", 12, 256, 2)
	g := read(t, append(h.bytes(), make([]byte, 128+288)...))
	if got := g.FileType(); got != "Q4_K" {
		t.Errorf("FileType = %q, want Q4_K", got)
	}
}

func TestReadGGUFRefuses(t *testing.T) {
	whole := synthetic(t, smallShape, 1)
	put := func(at int, b ...byte) []byte {
		c := slices.Clone(whole)
		copy(c[at:], b)
		return c
	}
	build := func(f func(h *header)) []byte {
		h := &header{}
		f(h)
		return h.bytes()
	}
	tensor := func(name string, ndims uint32, kind uint32, offset uint64, dims ...uint64) []byte {
		return build(func(h *header) {
			h.count++
			h.tensors = appendString(h.tensors, name)
			h.tensors = binary.LittleEndian.AppendUint32(h.tensors, ndims)
			for _, d := range dims {
				h.tensors = binary.LittleEndian.AppendUint64(h.tensors, d)
			}
			h.tensors = binary.LittleEndian.AppendUint32(h.tensors, kind)
			h.tensors = binary.LittleEndian.AppendUint64(h.tensors, offset)
		})
	}
	huge := []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	for _, test := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "the file is empty"},
		{"text", []byte("The rain made her smile."), `not a GGUF file (it begins with "The rain", not "GGUF")`},
		{"short", []byte("GG"), `not a GGUF file (it begins with "GG"`},
		{"LFS pointer", []byte("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"},
		{"web page", []byte("<!doctype html>"), "a web page"},
		{"version 1", put(4, 1), "version 1 is no longer supported"},
		{"version 9", put(4, 9), "version 9 is not supported"},
		{"big-endian", put(4, 0, 0, 0, 3), "big-endian"},
		{"tensor count", put(8, huge...), "announces 18446744073709551615 tensors"},
		{"key count", put(16, huge...), "announces 18446744073709551615 keys"},
		{"header cut", whole[:20], "8 bytes are expected at byte 16 but the file has 20 bytes"},
		{"key length", put(24, huge...), "key 0: a string of 18446744073709551615 bytes"},
		{"key cut", whole[:40], "key 0: 20 bytes are expected at byte 32 but the file has 40 bytes"},
		{"value cut", whole[:300], `the file is truncated`},
		{"empty key", build(func(h *header) { h.string("", "x") }), "key 0 is empty"},
		{"key twice", build(func(h *header) { h.uint32("k", 1); h.uint32("k", 2) }), `key "k" appears twice`},
		{"value type", build(func(h *header) { h.key("k", 99) }), `key "k": unknown value type 99`},
		{"array in array", build(func(h *header) { h.array("k", kindArray, 1) }), `key "k": an array of value type 9`},
		{"array too long", build(func(h *header) { h.array("k", kindUint8, 1<<40) }), "an array of 1099511627776 elements, more than"},
		{"array cut", build(func(h *header) { h.array("k", kindUint64, 100) }), `key "k": 800 bytes are expected`},
		{"strings cut", build(func(h *header) { h.array("k", kindString, 3) }), `key "k": element `},
		{"string in array", build(func(h *header) { h.array("k", kindString, 1); h.keys = append(h.keys, huge...) }),
			`key "k": element 0: 18446744073709551615 bytes are expected`},
		{"alignment zero", build(func(h *header) { h.uint32("general.alignment", 0) }), "power of two"},
		{"alignment 48", build(func(h *header) { h.uint32("general.alignment", 48) }), "power of two"},
		{"alignment 16", build(func(h *header) { h.uint32("general.alignment", 16) }), "at least 32"},
		{"zero byte in a key", build(func(h *header) { h.string("general.type\x00", "adapter") }), `key 0: a string with a zero byte in it, behind "general.type"`},
		{"zero byte in a value", build(func(h *header) { h.string("general.type", "adapter\x00s") }), `key "general.type": a string with a zero byte`},
		{"zero byte in a name", tensor("t\x00", 1, 0, 0, 1), "name of tensor 0: a string with a zero byte"},
		{"alignment text", build(func(h *header) { h.string("general.alignment", "32") }), "power of two"},
		{"tensor name", tensor(strings.Repeat("n", 64), 1, 0, 0, 1), "name of tensor 0: a string of 64 bytes"},
		{"dimensions", tensor("t", 5, 0, 0, 1, 1, 1, 1, 1), `tensor "t": 5 dimensions`},
		{"negative dimension", tensor("t", 1, 0, 0, 1<<63), `tensor "t": dimension 0`},
		{"elements overflow", tensor("t", 3, 0, 0, 1<<31, 1<<31, 1<<31), "more elements than 64 bits"},
		{"bytes overflow", tensor("t", 2, 28, 0, 1<<31, 1<<31), "more bytes than 64 bits"},
		{"withdrawn type", tensor("t", 1, 4, 0, 32), "unknown or withdrawn type 4"},
		{"unknown type", tensor("t", 1, 1<<31, 0, 32), "unknown or withdrawn type"},
		{"row of half a block", tensor("t", 1, 2, 0, 48), "rows of 48 elements, but type Q4_0 comes in blocks of 32"},
		{"offset", tensor("t", 1, 0, 64, 1), "begins at byte 64 of the data, expected 0"},
		{"huge offset", tensor("t", 1, 0, math.MaxUint64, 1), "offset 18446744073709551615 is out of range"},
		{"tensor past the end", tensor("t", 1, 0, 0, 1<<40), `tensor "t" ends at byte`},
		{"tensor twice", func() []byte {
			h := &header{}
			h.tensor("t", F32, 8)
			h.tensor("t", F32, 8)
			return append(h.bytes(), make([]byte, 64)...)
		}(), `tensor "t" appears twice`},
		{"data cut", whole[:len(whole)-1000], `tensor "blk.1.ffn_down.weight" ends at byte`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := ReadGGUF(bytes.NewReader(test.file), int64(len(test.file)))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got error %v, want one line with %q", err, test.want)
			}
		})
	}
}

// Every shorter file is refused, and no cut makes the reader look past the end.
func TestReadGGUFTruncated(t *testing.T) {
	h := vocabFile()
	h.tensor("t", F32, 8)
	whole := append(h.bytes(), make([]byte, 32)...)
	read(t, whole)
	for n := range len(whole) {
		if _, err := ReadGGUF(bytes.NewReader(whole[:n]), int64(n)); err == nil {
			t.Fatalf("the first %d of %d bytes were accepted", n, len(whole))
		}
	}
}

func TestOpenGGUF(t *testing.T) {
	path := writeFile(t, "small.gguf", synthetic(t, smallShape, 1))
	g, err := OpenGGUF(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Strings("tokenizer.ggml.tokens"); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
	text := writeFile(t, "text.gguf", []byte("Dear diary, what a day."))
	for path, want := range map[string]string{
		filepath.Dir(path):      "is a directory, not a GGUF file",
		text:                    text + ": not a GGUF file",
		os.DevNull:              "is not a regular file",
		path + ".somewhere.els": "no such file",
	} {
		if _, err := OpenGGUF(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("OpenGGUF(%s): %v, want %q", path, err, want)
		}
	}
}

func FuzzReadGGUF(f *testing.F) {
	shape := Shape{Layers: 1, Embedding: 4, FeedForward: 4, Heads: 1, KVHeads: 1, Context: 8, WeightType: F32}
	h := &header{}
	h.strings("tokenizer.ggml.tokens", []string{"a", "b"})
	h.array("tokenizer.ggml.token_type", kindInt32, 2)
	h.keys = append(h.keys, 1, 0, 0, 0, 1, 0, 0, 0)
	h.bool("llama.attention.causal", true)
	var b bytes.Buffer
	if err := WriteSynthetic(&b, read(f, h.bytes()), shape, 1); err != nil {
		f.Fatal(err)
	}
	whole := b.Bytes()
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	f.Add(h.bytes())
	f.Add([]byte("GGUF\x03\x00\x00\x00"))
	for _, h := range hostile() {
		f.Add(h.file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		g, err := ReadGGUF(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of more than one line: %q", err)
			}
			return
		}
		g.Usable()
		g.FileType()
		if g.Parameters() < 0 {
			t.Errorf("%d parameters", g.Parameters())
		}
		for _, v := range g.keys {
			if list, err := g.Strings(v.key); err == nil && len(list) != v.count {
				t.Errorf("key %q: %d strings, announced %d", v.key, len(list), v.count)
			}
			g.uints(v.key)
		}
		for _, x := range g.tensors {
			if x.Offset < 0 || x.Size < 0 || x.Size > int64(len(file)) || x.Offset > int64(len(file))-x.Size {
				t.Errorf("tensor %q lies outside the file: %+v", x.Name, x)
			}
		}
	})
}

func BenchmarkReadGGUF(b *testing.B) {
	h := &header{}
	tokens := make([]string, 128_256)
	for i := range tokens {
		tokens[i] = "token " + string(rune('a'+i%26))
	}
	h.strings("tokenizer.ggml.tokens", tokens)
	file := h.bytes()
	for b.Loop() {
		read(b, file)
	}
}
