package export

import (
	"encoding/binary"
	"math"
)

// The few types of MessagePack that a DocBin needs
// (https://github.com/msgpack/msgpack/blob/master/spec.md). Lengths up to 15,
// 31 or 255 have forms of their own; for the longer ones one form is enough.

const msgFalse = 0xc2

func appendMsgMap(b []byte, n int) []byte   { return appendMsgLength(b, n, 0x80, 0xdf) }
func appendMsgArray(b []byte, n int) []byte { return appendMsgLength(b, n, 0x90, 0xdd) }

func appendMsgLength(b []byte, n int, short, long byte) []byte {
	if n < 16 {
		return append(b, short|byte(n))
	}
	return binary.BigEndian.AppendUint32(append(b, long), uint32(n))
}

func appendMsgString(b []byte, s string) []byte {
	switch n := len(s); {
	case n < 32:
		b = append(b, 0xa0|byte(n))
	case n < 256:
		b = append(b, 0xd9, byte(n))
	default:
		b = binary.BigEndian.AppendUint32(append(b, 0xdb), uint32(n))
	}
	return append(b, s...)
}

// appendMsgBin appends what stands before n bytes.
func appendMsgBin(b []byte, n int) []byte {
	if n < 256 {
		return append(b, 0xc4, byte(n))
	}
	return binary.BigEndian.AppendUint32(append(b, 0xc6), uint32(n))
}

func appendMsgFloat(b []byte, f float32) []byte {
	return binary.BigEndian.AppendUint32(append(b, 0xca), math.Float32bits(f))
}
