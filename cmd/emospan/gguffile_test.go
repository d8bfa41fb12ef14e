package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/emospan/emospan/models"
)

// A ggufFile is a GGUF file taken apart, so that each part can be made wrong by itself. It is written as it stands, whatever
// it says.
type ggufFile struct {
	magic         string
	version       uint32
	tensors, keys uint64 // what the header says there are
	pairs         []ggufPair
	table         []ggufTensor
	data          []byte // behind the padding, if there are tensors
}

// A ggufPair holds a value as it lies in the file, for an array with its type and count.
type ggufPair struct {
	key   string
	kind  uint32
	value []byte
}

type ggufTensor struct {
	name   string
	shape  []uint64
	kind   uint32
	offset uint64
}

const (
	ggufUint32, ggufFloat32, ggufString, ggufArray = 4, 6, 8, 9
	ggufAlignment                                  = 32
)

// scalarSize is what a value of a GGUF type takes, 0 where that is not fixed.
var scalarSize = []int{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8}

var le = binary.LittleEndian

// parseGGUF takes a sound file apart.
func parseGGUF(file []byte) (*ggufFile, error) {
	r := bytes.NewReader(file)
	number := func(size int) (n uint64) {
		b := make([]byte, 8)
		io.ReadFull(r, b[:size])
		return le.Uint64(b)
	}
	text := func() string {
		b := make([]byte, number(8))
		io.ReadFull(r, b)
		return string(b)
	}
	at := func() int { return len(file) - r.Len() }
	f := &ggufFile{magic: string(file[:4])}
	number(4)
	f.version, f.tensors, f.keys = uint32(number(4)), number(8), number(8)
	for range f.keys {
		p := ggufPair{key: text(), kind: uint32(number(4))}
		start := at()
		kind, count := p.kind, uint64(1)
		if kind == ggufArray {
			kind, count = uint32(number(4)), number(8)
		}
		if kind == ggufString {
			for range count {
				text()
			}
		} else {
			r.Seek(int64(scalarSize[kind])*int64(count), io.SeekCurrent)
		}
		p.value = file[start:at():at()]
		f.pairs = append(f.pairs, p)
	}
	for range f.tensors {
		t := ggufTensor{name: text(), shape: make([]uint64, number(4))}
		for i := range t.shape {
			t.shape[i] = number(8)
		}
		t.kind, t.offset = uint32(number(4)), number(8)
		f.table = append(f.table, t)
	}
	f.data = file[at():]
	if f.tensors > 0 {
		f.data = file[(at()+ggufAlignment-1)/ggufAlignment*ggufAlignment:]
	}
	if !bytes.Equal(f.bytes(), file) {
		return nil, fmt.Errorf("a GGUF file of %d bytes is not the same when it is put together again", len(file))
	}
	return f, nil
}

func (f *ggufFile) bytes() []byte {
	b := append([]byte(f.magic), le.AppendUint32(nil, f.version)...)
	b = le.AppendUint64(le.AppendUint64(b, f.tensors), f.keys)
	for _, p := range f.pairs {
		b = append(le.AppendUint32(ggufText(b, p.key), p.kind), p.value...)
	}
	for _, t := range f.table {
		b = le.AppendUint32(ggufText(b, t.name), uint32(len(t.shape)))
		for _, n := range t.shape {
			b = le.AppendUint64(b, n)
		}
		b = le.AppendUint64(le.AppendUint32(b, t.kind), t.offset)
	}
	if len(f.table) > 0 {
		b = append(b, make([]byte, (ggufAlignment-len(b)%ggufAlignment)%ggufAlignment)...)
	}
	return append(b, f.data...)
}

func ggufText(b []byte, s string) []byte { return append(le.AppendUint64(b, uint64(len(s))), s...) }

func (f *ggufFile) clone() *ggufFile {
	c := *f
	c.pairs, c.table, c.data = slices.Clone(f.pairs), slices.Clone(f.table), slices.Clone(f.data)
	for i := range c.pairs {
		c.pairs[i].value = slices.Clone(c.pairs[i].value)
	}
	for i := range c.table {
		c.table[i].shape = slices.Clone(c.table[i].shape)
	}
	return &c
}

func (f *ggufFile) find(key string) *ggufPair {
	if i := slices.IndexFunc(f.pairs, func(p ggufPair) bool { return p.key == key }); i >= 0 {
		return &f.pairs[i]
	}
	return nil
}

// strings are the elements of an array of strings, as far as they are whole.
func (p *ggufPair) strings() (list []string) {
	for b := p.value[12:]; len(b) >= 8; {
		n := le.Uint64(b)
		if n > uint64(len(b)-8) {
			break
		}
		list = append(list, string(b[8:8+n]))
		b = b[8+n:]
	}
	return list
}

func ggufStrings(list []string) []byte {
	b := le.AppendUint64(le.AppendUint32(nil, ggufString), uint64(len(list)))
	for _, s := range list {
		b = ggufText(b, s)
	}
	return b
}

// packedSizes are the elements and bytes of a block, of the tensor types that mutants are given.
var packedSizes = map[uint32][2]uint64{
	0: {1, 4}, 1: {1, 2}, 2: {32, 18}, 3: {32, 20}, 6: {32, 22}, 7: {32, 24}, 8: {32, 34}, 9: {32, 36}, 10: {256, 84},
	12: {256, 144}, 14: {256, 210}, 15: {256, 292}, 16: {256, 66}, 19: {256, 50}, 20: {32, 18}, 24: {1, 1}, 25: {1, 2}, 26: {1, 4},
	27: {1, 8}, 28: {1, 8}, 30: {1, 2}, 34: {256, 54}, 35: {256, 66}, 39: {32, 17}, 40: {64, 36}, 41: {128, 18}, 42: {64, 18},
}

// settle gives the tensors the offsets, and the file the data, that their types and shapes ask for, so that only what they
// say is wrong. It leaves a file be that would become large, or whose rows are no whole blocks.
func (f *ggufFile) settle() {
	const most = 4 << 20
	next := uint64(0)
	offsets := make([]uint64, len(f.table))
	for i, t := range f.table {
		size, known := packedSizes[t.kind]
		elements := uint64(1)
		for _, n := range t.shape {
			if n > most {
				return
			}
			elements = min(elements*n, most+1)
		}
		if !known || elements > most || len(t.shape) == 0 || t.shape[0]%size[0] != 0 {
			return
		}
		offsets[i] = next
		next += (elements/size[0]*size[1] + ggufAlignment - 1) / ggufAlignment * ggufAlignment
	}
	if next > most {
		return
	}
	for i := range f.table {
		f.table[i].offset = offsets[i]
	}
	f.data = append(f.data[:min(uint64(len(f.data)), next)], make([]byte, next-min(uint64(len(f.data)), next))...)
}

// smallModels are sound models that mutants are made of: the tiny model's shape with the beginnings of two vocabularies, one
// of SentencePiece and one of byte-level BPE, so that ten thousand of them load in minutes.
func smallModels() (list []*ggufFile, err error) {
	for _, name := range []string{"ggml-vocab-llama-spm.gguf", "ggml-vocab-llama-bpe.gguf"} {
		file, err := os.ReadFile(filepath.Join(fixtures.vocabularies, name))
		if err != nil {
			return nil, err
		}
		f, err := parseGGUF(file)
		if err != nil {
			return nil, err
		}
		cut := f.cutVocabulary().bytes()
		vocab, err := models.ReadGGUF(bytes.NewReader(cut), int64(len(cut)))
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := models.WriteSynthetic(&b, vocab, models.TinyShape, 1); err != nil {
			return nil, err
		}
		if f, err = parseGGUF(b.Bytes()); err != nil {
			return nil, err
		}
		list = append(list, f)
	}
	return list, nil
}

// cutVocabulary keeps the first tokens, and the chat's markers behind them.
func (f *ggufFile) cutVocabulary() *ggufFile {
	const kept = 500
	markers := []string{"<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"}
	c := f.clone()
	c.table, c.data, c.tensors = nil, nil, 0
	for i := range c.pairs {
		switch p := &c.pairs[i]; p.key {
		case "tokenizer.ggml.tokens":
			p.value = ggufStrings(append(p.strings()[:kept], markers...))
		case "tokenizer.ggml.merges":
			p.value = ggufStrings(p.strings()[:kept-256])
		case "tokenizer.ggml.scores", "tokenizer.ggml.token_type":
			elem := le.Uint32(p.value)
			b := le.AppendUint64(le.AppendUint32(nil, elem), uint64(kept+len(markers)))
			b = append(b, p.value[12:12+4*kept]...)
			for range markers {
				b = le.AppendUint32(b, 3) // a control token; as a score next to nothing
			}
			p.value = b
		case "tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id":
			if le.Uint32(p.value) >= kept {
				p.value = le.AppendUint32(nil, kept)
			}
		}
	}
	return c
}
