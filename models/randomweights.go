package models

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
)

// write draws the tensor's data: ones for a norm, for a matrix random numbers
// of mean 0 and variance 1/inputs.
//
// The packed formats are not packed from numbers but filled with random bits,
// so that a file is written about as fast as the disk takes it: the packed
// integers are then uniform, and only the scales are put in.
func (t syntheticTensor) write(w io.Writer, src *rand.PCG) error {
	deviation := 1 / math.Sqrt(float64(t.shape[0]))
	elements := t.shape[0]
	fill := func(b []byte, _ *rand.PCG) {
		for ; len(b) > 0; b = b[4:] {
			binary.LittleEndian.PutUint32(b, math.Float32bits(1))
		}
	}
	if len(t.shape) > 1 {
		elements *= t.shape[1]
		fill = fillers[t.kind](deviation)
	}
	// A multiple of every block, in bytes of whole 64-bit words.
	const chunk = 1 << 18
	layout := tensorTypes[t.kind]
	buf := make([]byte, int64(min(elements, chunk))/layout.block*layout.bytes)
	for ; elements > 0; elements -= chunk {
		b := buf[:int64(min(elements, chunk))/layout.block*layout.bytes]
		fill(b, src)
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("tensor %s: %w", t.name, err)
		}
	}
	return nil
}

// fillers make, for a standard deviation, the function that fills whole blocks
// of a type. ggml-common.h tells how the blocks are laid out.
var fillers = map[TensorType]func(deviation float64) func([]byte, *rand.PCG){
	F32: func(deviation float64) func([]byte, *rand.PCG) {
		table := levels(deviation)
		draws := make([]byte, 0)
		return func(b []byte, src *rand.PCG) {
			if cap(draws) < len(b)/2 {
				draws = make([]byte, len(b)/2)
			}
			draws = draws[:len(b)/2]
			fillRandom(draws, src)
			for i := range len(b) / 4 {
				binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(table[binary.LittleEndian.Uint16(draws[2*i:])]))
			}
		}
	},
	F16: func(deviation float64) func([]byte, *rand.PCG) {
		var table [1 << 16]uint16
		for i, x := range levels(deviation) {
			table[i] = float16(x)
		}
		return func(b []byte, src *rand.PCG) {
			fillRandom(b, src)
			for ; len(b) > 0; b = b[2:] {
				binary.LittleEndian.PutUint16(b, table[binary.LittleEndian.Uint16(b)])
			}
		}
	},
	// A scale, then 32 bytes of -128 to 127, of which the variance is (256²-1)/12.
	Q8_0: func(deviation float64) func([]byte, *rand.PCG) {
		scale := float16(float32(deviation / math.Sqrt(65535.0/12)))
		return func(b []byte, src *rand.PCG) {
			fillRandom(b, src)
			for ; len(b) > 0; b = b[34:] {
				putScale(b, scale)
			}
		}
	},
	// A scale, then 32 halves of bytes, less 8 each.
	Q4_0: func(deviation float64) func([]byte, *rand.PCG) {
		scale := float16(float32(deviation / math.Sqrt(255.0/12)))
		return func(b []byte, src *rand.PCG) {
			fillRandom(b, src)
			for ; len(b) > 0; b = b[18:] {
				putScale(b, scale)
			}
		}
	},
	// The lower four bits of 256 numbers of six, less 32 each, then their upper
	// two bits, a signed byte for each 16 of them, and a scale.
	q6_K: func(deviation float64) func([]byte, *rand.PCG) {
		const scales, super = 128 + 64, 128 + 64 + 16
		scale := float16(float32(deviation / math.Sqrt(4095.0/12)))
		return func(b []byte, src *rand.PCG) {
			fillRandom(b, src)
			for ; len(b) > 0; b = b[210:] {
				for i := scales; i < super; i++ {
					b[i] = byte(int8(b[i])>>7) | 1 // the sign of what was drawn
				}
				putScale(b[super:], scale)
			}
		}
	},
}

// putScale puts a scale in half precision at the start of b, with the sign of
// the bits that were drawn there: the integers' mean is not quite zero, but the
// weights' then is.
func putScale(b []byte, scale uint16) {
	binary.LittleEndian.PutUint16(b, binary.LittleEndian.Uint16(b)&0x8000|scale)
}

func fillRandom(b []byte, src *rand.PCG) {
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, src.Uint64())
	}
	if len(b) > 0 {
		var last [8]byte
		binary.LittleEndian.PutUint64(last[:], src.Uint64())
		copy(b, last[:])
	}
}

// levels gives a number to each 16 bits: the sum of their two bytes, less its
// mean and scaled. Looking it up takes less time than computing a normal one.
func levels(deviation float64) *[1 << 16]float32 {
	unit := float32(deviation / math.Sqrt(2*65535.0/12))
	var table [1 << 16]float32
	for i := range table {
		table[i] = float32(i>>8+i&0xff-255) * unit
	}
	return &table
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
