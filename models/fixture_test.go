package models

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func (h *header) strings(key string, list []string) {
	h.array(key, kindString, len(list))
	for _, s := range list {
		h.keys = appendString(h.keys, s)
	}
}

func (h *header) array(key string, elem valueKind, n int) {
	h.key(key, kindArray)
	h.keys = binary.LittleEndian.AppendUint32(h.keys, uint32(elem))
	h.keys = binary.LittleEndian.AppendUint64(h.keys, uint64(n))
}

func (h *header) bool(key string, b bool) {
	h.key(key, kindBool)
	if b {
		h.keys = append(h.keys, 1)
	} else {
		h.keys = append(h.keys, 0)
	}
}

func (h *header) uint16(key string, n uint16) {
	h.key(key, kindUint16)
	h.keys = binary.LittleEndian.AppendUint16(h.keys, n)
}

func (h *header) numbers(key string, list ...uint32) {
	h.array(key, kindUint32, len(list))
	for _, n := range list {
		h.keys = binary.LittleEndian.AppendUint32(h.keys, n)
	}
}

func (h *header) bytes() []byte {
	var b bytes.Buffer
	h.WriteTo(&b)
	return b.Bytes()
}

var vocabTokens = append(func() (list []string) {
	for c := range 256 {
		list = append(list, fmt.Sprintf("<0x%02X>", c))
	}
	return list
}(), "joy", "grief", "<|begin_of_text|>", "<|eot_id|>")

// vocabFile is a vocabulary-only GGUF in the manner of llama.cpp's own.
func vocabFile() *header {
	h := &header{}
	h.string("general.architecture", "llama")
	h.string("general.name", "vocabulary")
	h.string("tokenizer.ggml.model", "gpt2")
	h.string("tokenizer.ggml.pre", "llama-bpe")
	h.strings("tokenizer.ggml.tokens", vocabTokens)
	h.array("tokenizer.ggml.token_type", kindInt32, len(vocabTokens))
	for range vocabTokens {
		h.keys = binary.LittleEndian.AppendUint32(h.keys, 1)
	}
	h.strings("tokenizer.ggml.merges", []string{"j o", "jo y"})
	h.uint32("tokenizer.ggml.bos_token_id", 258)
	h.uint32("tokenizer.ggml.eos_token_id", 259)
	h.string("tokenizer.chat_template", "the vocabulary's own")
	return h
}

var smallShape = Shape{Layers: 2, Embedding: 64, FeedForward: 128, Heads: 4, KVHeads: 2, Context: 256, WeightType: F16}

func read(t testing.TB, b []byte) *GGUF {
	t.Helper()
	g, err := ReadGGUF(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func synthetic(t testing.TB, shape Shape, seed uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteSynthetic(&b, read(t, vocabFile().bytes()), shape, seed); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func writeFile(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
