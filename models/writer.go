package models

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// header builds the part of a GGUF v3 file before the tensors' data.
type header struct {
	keys    []byte
	nkeys   uint64
	tensors []byte
	count   uint64
	next    uint64 // where the next tensor's data begins in the data section
}

func appendString(b []byte, s string) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(len(s)))
	return append(b, s...)
}

// raw adds a whole key-value pair as it lies in another file.
func (h *header) raw(pair []byte) {
	h.keys = append(h.keys, pair...)
	h.nkeys++
}

func (h *header) key(key string, kind valueKind) {
	h.keys = appendString(h.keys, key)
	h.keys = binary.LittleEndian.AppendUint32(h.keys, uint32(kind))
	h.nkeys++
}

func (h *header) uint32(key string, n uint32) {
	h.key(key, kindUint32)
	h.keys = binary.LittleEndian.AppendUint32(h.keys, n)
}

func (h *header) float32(key string, x float32) {
	h.key(key, kindFloat32)
	h.keys = binary.LittleEndian.AppendUint32(h.keys, math.Float32bits(x))
}

func (h *header) string(key, s string) {
	h.key(key, kindString)
	h.keys = appendString(h.keys, s)
}

// tensor adds a tensor whose data follows that of the one before, and returns
// the bytes of padding due after its data.
func (h *header) tensor(name string, t TensorType, shape ...int) (padding int, err error) {
	layout := tensorTypes[t]
	if int64(shape[0])%layout.block != 0 {
		return 0, fmt.Errorf("tensor %s: rows of %d elements, but type %s comes in blocks of %d", name, shape[0], t, layout.block)
	}
	elements := int64(1)
	h.tensors = appendString(h.tensors, name)
	h.tensors = binary.LittleEndian.AppendUint32(h.tensors, uint32(len(shape)))
	for _, n := range shape {
		h.tensors = binary.LittleEndian.AppendUint64(h.tensors, uint64(n))
		elements *= int64(n)
	}
	h.tensors = binary.LittleEndian.AppendUint32(h.tensors, uint32(t))
	h.tensors = binary.LittleEndian.AppendUint64(h.tensors, h.next)
	h.count++
	end := h.next + uint64(elements/layout.block*layout.bytes)
	h.next = padded(end, defaultAlignment)
	return int(h.next - end), nil
}

// WriteTo writes the header and the padding before the first tensor's data.
func (h *header) WriteTo(w io.Writer) (int64, error) {
	b := append([]byte("GGUF"), 3, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, h.count)
	b = binary.LittleEndian.AppendUint64(b, h.nkeys)
	b = append(append(b, h.keys...), h.tensors...)
	b = append(b, make([]byte, padded(uint64(len(b)), defaultAlignment)-uint64(len(b)))...)
	n, err := w.Write(b)
	return int64(n), err
}
