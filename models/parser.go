package models

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strings"
)

// Limits on what a header may hold. Each is far above any published model;
// they bound the memory and time that a hostile file can take.
const (
	maxKeys       = 1 << 16
	maxTensors    = 1 << 18
	maxKeyLength  = 1<<16 - 1 // the specification's own limit
	maxElements   = 1 << 24   // of one array; large vocabularies have under 2^19 tokens
	maxMetadata   = 256 << 20 // bytes before the tensor table
	maxDimensions = 4         // GGML_MAX_DIMS
	maxTensorName = 63        // GGML_MAX_NAME less its final NUL

	defaultAlignment = 32
)

// parser reads a GGUF header once, front to back. The layout is the one in
// ggml's docs/gguf.md; the checks are at least those of gguf_init_from_file,
// so that a file accepted here is not refused there.
type parser struct {
	g    *GGUF
	file io.ReaderAt
	r    *bufio.Reader
	at   int64 // offset of the next byte
	size int64
	buf  [8]byte
}

func newParser(f io.ReaderAt, size int64) *parser {
	return &parser{
		g:    &GGUF{alignment: defaultAlignment, index: map[string]int{}},
		file: f,
		r:    bufio.NewReaderSize(io.NewSectionReader(f, 0, size), 1<<16),
		size: size,
	}
}

func (p *parser) parse() error {
	if p.size == 0 {
		return errors.New("the file is empty")
	}
	if err := p.magic(); err != nil {
		return err
	}
	nkeys, ntensors, err := p.header()
	if err != nil {
		return err
	}
	for i := range nkeys {
		if err := p.pair(i); err != nil {
			return err
		}
	}
	if err := p.setAlignment(); err != nil {
		return err
	}
	for i := range ntensors {
		if err := p.tensor(i); err != nil {
			return err
		}
	}
	return p.place()
}

func (p *parser) magic() error {
	head, err := p.r.Peek(int(min(p.size, 16)))
	if err != nil {
		return err
	}
	if bytes.HasPrefix(head, []byte("GGUF")) {
		p.at += 4
		_, err := p.r.Discard(4)
		return err
	}
	what := ""
	for _, l := range lookalikes {
		if bytes.HasPrefix(head, []byte(l.prefix)) {
			what = ", but " + l.what
		}
	}
	return fmt.Errorf("not a GGUF file%s (it begins with %.80q, not \"GGUF\")", what, head[:min(len(head), 8)])
}

// lookalikes are what people have in hand when a file named .gguf is none.
var lookalikes = []struct{ prefix, what string }{
	{"version ", "a Git LFS pointer: fetch the file itself with git lfs pull"},
	{"PK\x03\x04", "a ZIP archive"},
	{"<", "a web page"},
	{"ggjt", "a GGML file from before GGUF: convert it with a recent llama.cpp"},
	{"ggml", "a GGML file from before GGUF: convert it with a recent llama.cpp"},
}

func (p *parser) header() (nkeys, ntensors int, err error) {
	version, err := p.uint32()
	if err != nil {
		return 0, 0, fmt.Errorf("header: %w", err)
	}
	switch {
	case version == 2 || version == 3:
	case version == 1:
		return 0, 0, errors.New("GGUF version 1 is no longer supported: convert the model again with a recent llama.cpp")
	case version&0xffff == 0 && version != 0:
		return 0, 0, errors.New("the file is in big-endian byte order: convert it with gguf_convert_endian.py")
	default:
		return 0, 0, fmt.Errorf("GGUF version %d is not supported (2 and 3 are)", version)
	}
	nt, err := p.uint64()
	if err != nil {
		return 0, 0, fmt.Errorf("header: %w", err)
	}
	nk, err := p.uint64()
	if err != nil {
		return 0, 0, fmt.Errorf("header: %w", err)
	}
	if nk > maxKeys {
		return 0, 0, fmt.Errorf("the header announces %d keys, more than the %d allowed", nk, maxKeys)
	}
	if nt > maxTensors {
		return 0, 0, fmt.Errorf("the header announces %d tensors, more than the %d allowed", nt, maxTensors)
	}
	return int(nk), int(nt), nil
}

// pair reads the i-th key and its value.
func (p *parser) pair(i int) error {
	v := value{start: p.at}
	var err error
	if v.key, err = p.string(maxKeyLength); err != nil {
		return fmt.Errorf("key %d: %w", i, err)
	}
	if v.key == "" {
		return fmt.Errorf("key %d is empty", i)
	}
	if err := whole(v.key); err != nil {
		return fmt.Errorf("key %d: %w", i, err)
	}
	if _, dup := p.g.index[v.key]; dup {
		return fmt.Errorf("key %.80q appears twice", v.key)
	}
	if err := p.value(&v); err != nil {
		return fmt.Errorf("key %.80q: %w", v.key, err)
	}
	v.end = p.at
	if p.at > maxMetadata {
		return fmt.Errorf("key %.80q ends at byte %d: more than %d MiB of metadata", v.key, p.at, maxMetadata>>20)
	}
	p.g.index[v.key] = len(p.g.keys)
	p.g.keys = append(p.g.keys, v)
	return nil
}

func (p *parser) value(v *value) error {
	kind, err := p.uint32()
	if err != nil {
		return err
	}
	v.kind = valueKind(kind)
	switch {
	case v.kind == kindString:
		if v.text, err = p.string(maxMetadata); err == nil {
			err = whole(v.text)
		}
		return err
	case v.kind == kindArray:
		return p.array(v)
	case v.kind.size() == 0:
		return fmt.Errorf("unknown value type %d", kind)
	}
	b, err := p.bytes(v.kind.size())
	if err != nil {
		return err
	}
	v.bits = v.kind.scalar(b)
	return nil
}

func (p *parser) array(v *value) error {
	elem, err := p.uint32()
	if err != nil {
		return err
	}
	n, err := p.uint64()
	if err != nil {
		return err
	}
	v.elem, v.data = valueKind(elem), p.at
	if n > maxElements {
		return fmt.Errorf("an array of %d elements, more than the %d allowed", n, maxElements)
	}
	v.count = int(n)
	if v.elem == kindString {
		for i := range v.count {
			length, err := p.uint64()
			if err == nil {
				err = p.skip(length)
			}
			if err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
		}
		return nil
	}
	if v.elem.size() == 0 {
		return fmt.Errorf("an array of value type %d, which is unknown or not allowed in an array", elem)
	}
	return p.skip(n * uint64(v.elem.size()))
}

func (p *parser) setAlignment() error {
	v := p.g.lookup("general.alignment")
	if v == nil {
		return nil
	}
	// Less would be enough for the format, but not for ggml, which maps the
	// tensors where they are and multiplies them 32 bytes at a time.
	if v.kind != kindUint32 || bits.OnesCount64(v.bits) != 1 || v.bits < defaultAlignment {
		return errors.New(`key "general.alignment" must be a 32-bit power of two that is at least 32`)
	}
	p.g.alignment = v.bits
	return nil
}

// tensor reads the i-th entry of the tensor table. Its Offset is left relative
// to the data section, whose start is known only after the last entry.
func (p *parser) tensor(i int) error {
	name, err := p.string(maxTensorName)
	if err == nil {
		err = whole(name)
	}
	if err != nil {
		return fmt.Errorf("name of tensor %d: %w", i, err)
	}
	t := Tensor{Name: name}
	if err := p.describe(&t); err != nil {
		return fmt.Errorf("tensor %.80q: %w", name, err)
	}
	p.g.tensors = append(p.g.tensors, t)
	return nil
}

func (p *parser) describe(t *Tensor) error {
	ndims, err := p.uint32()
	if err != nil {
		return err
	}
	if ndims > maxDimensions {
		return fmt.Errorf("%d dimensions, at most %d are possible", ndims, maxDimensions)
	}
	t.Shape = make([]int64, ndims)
	elements := uint64(1)
	for j := range t.Shape {
		n, err := p.uint64()
		if err != nil {
			return err
		}
		// A dimension of zero is let through as ggml does; Usable refuses it.
		hi, lo := bits.Mul64(elements, max(n, 1))
		if n > math.MaxInt64 || hi != 0 || lo > math.MaxInt64 {
			return fmt.Errorf("dimension %d of %d makes more elements than 64 bits can count", j, n)
		}
		elements = lo
		t.Shape[j] = int64(n)
	}
	kind, err := p.uint32()
	if err != nil {
		return err
	}
	t.Type = TensorType(kind)
	layout, ok := tensorTypes[t.Type]
	if !ok {
		return fmt.Errorf("unknown or withdrawn type %d", kind)
	}
	row := int64(1)
	if len(t.Shape) > 0 {
		row = t.Shape[0]
	}
	if row%layout.block != 0 {
		return fmt.Errorf("rows of %d elements, but type %s comes in blocks of %d", row, t.Type, layout.block)
	}
	hi, bytes := bits.Mul64(uint64(t.Elements()/layout.block), uint64(layout.bytes))
	if hi != 0 || bytes > math.MaxInt64 {
		return errors.New("more bytes than 64 bits can count")
	}
	t.Size = int64(bytes)
	offset, err := p.uint64()
	if err != nil {
		return err
	}
	if offset > math.MaxInt64 {
		return fmt.Errorf("offset %d is out of range", offset)
	}
	t.Offset = int64(offset)
	return nil
}

// place checks that the tensors lie one after the other, each padded to the
// alignment, inside the file, and makes their offsets relative to its start.
func (p *parser) place() error {
	g := p.g
	if len(g.tensors) == 0 {
		return nil
	}
	start := padded(uint64(p.at), g.alignment)
	seen := make(map[string]bool, len(g.tensors))
	next := uint64(0) // relative to start
	for i := range g.tensors {
		t := &g.tensors[i]
		if seen[t.Name] {
			return fmt.Errorf("tensor %.80q appears twice", t.Name)
		}
		seen[t.Name] = true
		if uint64(t.Offset) != next {
			return fmt.Errorf("tensor %.80q begins at byte %d of the data, expected %d: the file is damaged", t.Name, t.Offset, next)
		}
		// start+next is at most size and two paddings, Size is below 2^63: the
		// sum cannot wrap.
		end := start + next + uint64(t.Size)
		if end > uint64(p.size) {
			return fmt.Errorf("tensor %.80q ends at byte %d but the file has %d bytes: the file is truncated", t.Name, end, p.size)
		}
		t.Offset += int64(start)
		next = padded(next+uint64(t.Size), g.alignment)
	}
	return nil
}

// padded rounds n, which is below 2^63, up to a multiple of the power of two a.
func padded(n, a uint64) uint64 { return (n + a - 1) &^ (a - 1) }

func (p *parser) bytes(n int) ([]byte, error) {
	if int64(n) > p.size-p.at {
		return nil, p.ends(uint64(n))
	}
	b := p.buf[:n]
	if _, err := io.ReadFull(p.r, b); err != nil {
		return nil, err
	}
	p.at += int64(n)
	return b, nil
}

func (p *parser) uint32() (uint32, error) {
	b, err := p.bytes(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

func (p *parser) uint64() (uint64, error) {
	b, err := p.bytes(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

func (p *parser) string(limit uint64) (string, error) {
	n, err := p.uint64()
	if err != nil {
		return "", err
	}
	if n > limit {
		return "", fmt.Errorf("a string of %d bytes, more than the %d allowed", n, limit)
	}
	if n > uint64(p.size-p.at) {
		return "", p.ends(n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(p.r, b); err != nil {
		return "", err
	}
	p.at += int64(n)
	return string(b), nil
}

// whole refuses text that C reads only up to a zero byte: what is checked here
// would be another text there.
func whole(s string) error {
	if i := strings.IndexByte(s, 0); i >= 0 {
		return fmt.Errorf("a string with a zero byte in it, behind %.80q", s[:min(i, 40)])
	}
	return nil
}

func (p *parser) skip(n uint64) error {
	if n > uint64(p.size-p.at) {
		return p.ends(n)
	}
	p.at += int64(n)
	if n > uint64(p.r.Buffered()) {
		p.r.Reset(io.NewSectionReader(p.file, p.at, p.size-p.at))
		return nil
	}
	_, err := p.r.Discard(int(n))
	return err
}

func (p *parser) ends(n uint64) error {
	return fmt.Errorf("%d bytes are expected at byte %d but the file has %d bytes: the file is truncated or damaged", n, p.at, p.size)
}
