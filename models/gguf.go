package models

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"unsafe"
)

// GGUF is the checked header of a GGUF file: its keys, its tensors, and where
// each lies. Short values are held in memory; arrays stay in the file until
// asked for. All methods but Close may be called by several goroutines at once.
//
// Text from the file (names, licences, templates) is returned as it stands and
// may hold anything, terminal escapes included.
type GGUF struct {
	keys      []value
	index     map[string]int // key -> position in keys
	tensors   []Tensor
	alignment uint64

	file   io.ReaderAt
	size   int64 // of the file, bytes; of all of them, if there are further ones
	closer io.Closer
	rest   []*GGUF // the files behind the first, of a split model that OpenGGUF opened
}

// Tensor is one entry of the tensor table.
type Tensor struct {
	Name   string
	Type   TensorType
	Shape  []int64 // fastest-varying dimension first, as ggml's ne; 1 to 4 of them
	Offset int64   // of the first byte, from the start of the file
	Size   int64   // bytes, without padding
	File   int     // which of the files of a split model holds it, from 0
}

// Elements returns the product of the tensor's dimensions.
func (t Tensor) Elements() int64 {
	n := int64(1)
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// value is one key of the header. bits holds a scalar, sign- or zero-extended
// to 64 bits (float32 widened to float64); text holds a string.
type value struct {
	key   string
	kind  valueKind
	bits  uint64
	text  string
	elem  valueKind // of an array
	count int       // elements of an array
	start int64     // file offset of the key's length, where the pair begins
	data  int64     // file offset of an array's first element
	end   int64     // file offset after the value
}

// valueKind is a GGUF metadata type, numbered as in the file.
type valueKind uint32

const (
	kindUint8 valueKind = iota
	kindInt8
	kindUint16
	kindInt16
	kindUint32
	kindInt32
	kindFloat32
	kindBool
	kindString
	kindArray
	kindUint64
	kindInt64
	kindFloat64
)

// size returns the bytes that one value takes in the file, 0 for strings,
// arrays and unknown kinds.
func (k valueKind) size() int {
	switch k {
	case kindUint8, kindInt8, kindBool:
		return 1
	case kindUint16, kindInt16:
		return 2
	case kindUint32, kindInt32, kindFloat32:
		return 4
	case kindUint64, kindInt64, kindFloat64:
		return 8
	}
	return 0
}

// scalar widens the little-endian value at the start of b, which holds at
// least k.size() bytes.
func (k valueKind) scalar(b []byte) uint64 {
	switch k {
	case kindUint8:
		return uint64(b[0])
	case kindInt8:
		return uint64(int8(b[0]))
	case kindBool:
		if b[0] != 0 {
			return 1
		}
		return 0
	case kindUint16:
		return uint64(binary.LittleEndian.Uint16(b))
	case kindInt16:
		return uint64(int16(binary.LittleEndian.Uint16(b)))
	case kindUint32:
		return uint64(binary.LittleEndian.Uint32(b))
	case kindInt32:
		return uint64(int32(binary.LittleEndian.Uint32(b)))
	case kindFloat32:
		return math.Float64bits(float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
	}
	return binary.LittleEndian.Uint64(b)
}

// unsigned returns bits as a number that is not negative; ok is false for
// negative numbers and for kinds that are not integers.
func (k valueKind) unsigned(bits uint64) (n uint64, ok bool) {
	switch k {
	case kindUint8, kindUint16, kindUint32, kindUint64:
		return bits, true
	case kindInt8, kindInt16, kindInt32, kindInt64:
		return bits, int64(bits) >= 0
	}
	return 0, false
}

// OpenGGUF opens and checks the GGUF file at path. The caller closes it.
// The error names the path and says in one line what is wrong.
//
// Of a model that is split into files, path is the first, and all of them are
// opened and checked: the result has the tensors of all.
func OpenGGUF(path string) (*GGUF, error) {
	g, err := openFile(path)
	if err != nil {
		return nil, err
	}
	if err := g.openRest(path); err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

func openFile(path string) (*GGUF, error) {
	// A named pipe would block in Open, so look before opening.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := regular(path, info); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err != nil {
		f.Close()
		return nil, err
	}
	g, err := ReadGGUF(f, info.Size())
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	g.closer = f
	return g, nil
}

func regular(path string, info os.FileInfo) error {
	switch {
	case info.IsDir():
		return fmt.Errorf("%s is a directory, not a GGUF file", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	}
	return nil
}

// ReadGGUF checks the GGUF file of size bytes in f, which must stay readable
// for as long as the result is used. Every length, count and offset is checked
// against the file's size and the limits in this package before it is acted on.
func ReadGGUF(f io.ReaderAt, size int64) (*GGUF, error) {
	p := newParser(f, size)
	if err := p.parse(); err != nil {
		return nil, err
	}
	p.g.file, p.g.size = f, size
	return p.g, nil
}

// Close closes the file that OpenGGUF opened. After ReadGGUF it does nothing.
func (g *GGUF) Close() error {
	var errs []error
	for _, part := range g.rest {
		errs = append(errs, part.Close())
	}
	if g.closer != nil {
		if err := g.closer.Close(); !errors.Is(err, os.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (g *GGUF) lookup(key string) *value {
	if i, ok := g.index[key]; ok {
		return &g.keys[i]
	}
	return nil
}

// String returns the string under key.
func (g *GGUF) String(key string) (s string, ok bool) {
	if v := g.lookup(key); v != nil && v.kind == kindString {
		return v.text, true
	}
	return "", false
}

// Uint returns the integer under key, of whatever width, if it is not negative.
func (g *GGUF) Uint(key string) (n uint64, ok bool) {
	if v := g.lookup(key); v != nil {
		return v.kind.unsigned(v.bits)
	}
	return 0, false
}

// Float returns the floating-point number under key.
func (g *GGUF) Float(key string) (x float64, ok bool) {
	if v := g.lookup(key); v != nil && (v.kind == kindFloat32 || v.kind == kindFloat64) {
		return math.Float64frombits(v.bits), true
	}
	return 0, false
}

// Bool returns the boolean under key.
func (g *GGUF) Bool(key string) (b, ok bool) {
	if v := g.lookup(key); v != nil && v.kind == kindBool {
		return v.bits != 0, true
	}
	return false, false
}

// Len returns the number of elements of the array under key, without reading them.
func (g *GGUF) Len(key string) (n int, ok bool) {
	if v := g.lookup(key); v != nil && v.kind == kindArray {
		return v.count, true
	}
	return 0, false
}

// Strings reads the array of strings under key, such as the 128,256 tokens of
// a Llama 3 vocabulary. The strings share one allocation.
func (g *GGUF) Strings(key string) ([]string, error) {
	v := g.lookup(key)
	if v == nil || v.kind != kindArray || v.elem != kindString {
		return nil, fmt.Errorf("GGUF has no array of strings %q", key)
	}
	raw, err := g.read(v.data, v.end)
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", key, err)
	}
	all := unsafe.String(unsafe.SliceData(raw), len(raw)) // raw is never written again
	list := make([]string, v.count)
	at := 0
	for i := range list {
		// The lengths were checked when the header was read, but the file may
		// have been changed since.
		if len(raw)-at < 8 {
			return nil, fmt.Errorf("key %q: the file changed while it was read", key)
		}
		n := binary.LittleEndian.Uint64(raw[at:])
		at += 8
		if n > uint64(len(raw)-at) {
			return nil, fmt.Errorf("key %q: the file changed while it was read", key)
		}
		list[i] = all[at : at+int(n)]
		at += int(n)
	}
	return list, nil
}

// uints reads the integer under key, or the array of integers, as a slice.
// It returns nil where the key is absent.
func (g *GGUF) uints(key string) ([]uint64, error) {
	v := g.lookup(key)
	if v == nil {
		return nil, nil
	}
	kind, count, raw := v.kind, 1, []byte(nil)
	if v.kind == kindArray {
		var err error
		if raw, err = g.read(v.data, v.end); err != nil {
			return nil, fmt.Errorf("key %q: %w", key, err)
		}
		kind, count = v.elem, v.count
	}
	list := make([]uint64, count)
	for i := range list {
		bits := v.bits
		if v.kind == kindArray && kind.size() > 0 {
			bits = kind.scalar(raw[i*kind.size():])
		}
		n, ok := kind.unsigned(bits)
		if !ok {
			return nil, fmt.Errorf("key %q must hold whole numbers that are not negative", key)
		}
		list[i] = n
	}
	return list, nil
}

// data returns what reads the file in which the tensor lies.
func (g *GGUF) data(t Tensor) io.ReaderAt {
	if t.File == 0 {
		return g.file
	}
	return g.rest[t.File-1].file
}

func (g *GGUF) read(start, end int64) ([]byte, error) {
	raw := make([]byte, end-start)
	if n, err := g.file.ReadAt(raw, start); n < len(raw) {
		return nil, err
	}
	return raw, nil
}

// Tensors returns the tensor table in file order. The caller must not change it.
func (g *GGUF) Tensors() []Tensor { return g.tensors }

// Architecture returns general.architecture, such as "llama", or "".
func (g *GGUF) Architecture() string {
	s, _ := g.String("general.architecture")
	return s
}

// Name returns general.name, or "".
func (g *GGUF) Name() string {
	s, _ := g.String("general.name")
	return s
}

// License returns general.license, mostly an SPDX identifier, or "".
func (g *GGUF) License() string {
	s, _ := g.String("general.license")
	return s
}

// ChatTemplate returns the Jinja text of tokenizer.chat_template, or "". It is
// for recognising a known template: emospan never runs it.
func (g *GGUF) ChatTemplate() string {
	s, _ := g.String("tokenizer.chat_template")
	return s
}

// ContextLength returns the tokens that the model was trained to attend over,
// 0 where the file does not say.
func (g *GGUF) ContextLength() int {
	n, _ := g.Uint(g.Architecture() + ".context_length")
	return int(min(n, math.MaxInt32))
}

// VocabSize returns the number of tokens in the file's vocabulary.
func (g *GGUF) VocabSize() int {
	n, _ := g.Len("tokenizer.ggml.tokens")
	return n
}

// Parameters returns the number of weights: the elements of all tensors.
func (g *GGUF) Parameters() int64 {
	var n int64
	for _, t := range g.tensors {
		n += t.Elements()
	}
	return n
}

// Size is the file's size in bytes, or that of all files of a split model.
func (g *GGUF) Size() int64 { return g.size }
