package models

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"
)

// A hostileFile is one in the manner of a published attack on llama.cpp's
// reader, made here from the description.
type hostileFile struct {
	name string
	file []byte
	want string // of the error
}

// table builds a file with these entries in its tensor table, all F32 where
// nothing else is said, and a little data.
func table(entries ...rawTensor) []byte {
	h := &header{}
	for _, e := range entries {
		h.count++
		h.tensors = appendString(h.tensors, e.name)
		h.tensors = binary.LittleEndian.AppendUint32(h.tensors, uint32(len(e.shape)))
		for _, n := range e.shape {
			h.tensors = binary.LittleEndian.AppendUint64(h.tensors, n)
		}
		h.tensors = binary.LittleEndian.AppendUint32(h.tensors, e.kind)
		h.tensors = binary.LittleEndian.AppendUint64(h.tensors, e.offset)
	}
	return append(h.bytes(), make([]byte, 256)...)
}

type rawTensor struct {
	name   string
	kind   uint32
	offset uint64
	shape  []uint64
}

func hostile() []hostileFile {
	const half = 1 << 61 // F32 elements that take half of what 64 bits count
	return []hostileFile{
		// CVE-2025-53630 (GHSA-vgg9-87g3-85w8): the sizes of two tensors add up
		// to more than 64 bits, so what is allocated is small.
		{"sum of sizes", table(rawTensor{"a", 0, 0, []uint64{half - 8}}, rawTensor{"b", 0, math.MaxUint64/2 + 1 - 32, []uint64{half + 8}}),
			"more bytes than 64 bits can count"},
		{"sum of sizes, each within 63 bits", table(rawTensor{"a", 0, 0, []uint64{half - 8}}, rawTensor{"b", 0, math.MaxUint64/2 + 1 - 32, []uint64{half - 8}}),
			`tensor "a" ends at byte`},
		// CVE-2026-27940 (GHSA-3p4r-fq3f-q74v): the data and ggml's own overhead
		// add up to more than 64 bits.
		{"size and overhead", table(rawTensor{"a", 24, 0, []uint64{math.MaxInt64 - 400}}, rawTensor{"b", 24, math.MaxInt64 - 399 - 32, []uint64{64}}),
			`tensor "a" ends at byte`},
		// CVE-2026-33298 (GHSA-96jg-mvhq-q7q7): elements times bytes wrap, so
		// a tensor of exabytes seems to take little.
		{"elements times bytes", table(rawTensor{"a", 0, 0, []uint64{1 << 20, 1<<42 + 1}}), "more bytes than 64 bits can count"},
		// ggml-org/llama.cpp#26978: a size just under 2^64 that padding makes 0.
		{"padding", table(rawTensor{"a", 0, 0, []uint64{64}}, rawTensor{"b", 0, 256, []uint64{4, 1<<30 - 1, 1<<30 + 1}}),
			"more bytes than 64 bits can count"},
		// ggml-org/llama.cpp#15711: a number of tensors whose entries in memory
		// take more than 64 bits.
		{"number of tensors", func() []byte {
			file := table()
			binary.LittleEndian.PutUint64(file[8:], math.MaxUint64/384)
			return file
		}(), "more than the 262144 allowed"},
		// GHSA-7rxv-5jhh-j6xx: more tokens than a signed 32-bit number counts.
		// Package llama refuses such texts; here is a vocabulary of as many.
		{"number of tokens", func() []byte {
			h := &header{}
			h.array("tokenizer.ggml.tokens", kindString, 1<<31)
			return h.bytes()
		}(), "an array of 2147483648 elements"},
	}
}

func TestHostile(t *testing.T) {
	for _, h := range hostile() {
		if _, err := ReadGGUF(bytes.NewReader(h.file), int64(len(h.file))); err == nil || !strings.Contains(err.Error(), h.want) {
			t.Errorf("%s: %v, want %q", h.name, err, h.want)
		}
	}
}
