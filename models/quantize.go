package models

import (
	"encoding/binary"
	"math"
)

// The append functions below pack a row of weights as ggml stores them. Rows
// of the block formats are a multiple of 32 long. Intermediate results are
// converted to float32 explicitly: without that Go may fuse a multiplication
// with an addition on some processors and not on others.

func appendF32(b []byte, row []float32) []byte {
	for _, x := range row {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func appendF16(b []byte, row []float32) []byte {
	for _, x := range row {
		b = binary.LittleEndian.AppendUint16(b, float16(x))
	}
	return b
}

// appendQ8_0 packs blocks of a half-precision scale and 32 signed bytes.
func appendQ8_0(b []byte, row []float32) []byte {
	for ; len(row) > 0; row = row[32:] {
		var most float32
		for _, x := range row[:32] {
			most = max(most, x, -x)
		}
		scale := most / 127
		b = binary.LittleEndian.AppendUint16(b, float16(scale))
		for _, x := range row[:32] {
			q := 0.0
			if scale > 0 {
				q = math.Round(float64(x / scale))
			}
			b = append(b, byte(int8(q)))
		}
	}
	return b
}

// appendQ4_0 packs blocks of a half-precision scale and 32 numbers of four
// bits, offset by 8; the low halves of the bytes hold the first 16 of them.
func appendQ4_0(b []byte, row []float32) []byte {
	for ; len(row) > 0; row = row[32:] {
		var most float32 // the number of greatest magnitude, with its sign
		for _, x := range row[:32] {
			if max(x, -x) > max(most, -most) {
				most = x
			}
		}
		scale := most / -8
		b = binary.LittleEndian.AppendUint16(b, float16(scale))
		nibble := func(x float32) byte {
			if scale == 0 {
				return 8
			}
			return byte(min(15, int(float32(x/scale)+8.5)))
		}
		for i := range 16 {
			b = append(b, nibble(row[i])|nibble(row[16+i])<<4)
		}
	}
	return b
}

// float16 rounds x to half precision (IEEE 754 binary16), ties to even.
func float16(x float32) uint16 {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	b &^= 1 << 31
	switch {
	case b > 0x7f800000:
		return sign | 0x7e00 // not a number
	case b >= 0x477ff000: // 65520, from where numbers round to infinity
		return sign | 0x7c00
	case b < 0x38800000: // 2^-14: subnormal, a multiple of 2^-24
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(b))*(1<<24)))
	}
	// Rounding up may carry into the exponent, which is then right as well.
	b += 0xfff + b>>13&1
	return sign | uint16((b-(127-15)<<23)>>13)
}
