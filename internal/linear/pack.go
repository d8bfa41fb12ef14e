package linear

import (
	"errors"
	"fmt"
	"math"
)

// Packed holds a matrix in a byte for each number. As JSON it is {"scales": [...], "values": "base64"}.
type Packed struct {
	Scales []float32 `json:"scales"` // a number is its byte, which is signed, times the scale of its row
	Values []byte    `json:"values"` // row after row
}

// Pack rounds each number of a row to a 127th of the row's largest. It panics where rows differ in length or a number is not finite.
func Pack(w [][]float32) Packed {
	p := Packed{Scales: make([]float32, len(w)), Values: []byte{}}
	for i, row := range w {
		if len(row) != len(w[0]) {
			panic(fmt.Sprintf("linear: row %d has %d numbers, row 0 has %d", i, len(row), len(w[0])))
		}
		var largest float64
		for j, v := range row {
			if !finite(float64(v)) {
				panic(fmt.Sprintf("linear: number %d of row %d is %v", j, i, v))
			}
			largest = max(largest, math.Abs(float64(v)))
		}
		scale := float32(largest / 127)
		if math.IsInf(float64(127*scale), 0) {
			scale = math.Nextafter32(scale, 0)
		}
		p.Scales[i] = scale
		for _, v := range row {
			var q float64
			if scale > 0 {
				q = min(max(math.RoundToEven(float64(v)/float64(scale)), -127), 127)
			}
			p.Values = append(p.Values, byte(int8(q)))
		}
	}
	return p
}

// Unpack returns the matrix, and an error where the packed one is damaged.
func (p Packed) Unpack() ([][]float32, error) {
	if len(p.Scales) == 0 {
		if len(p.Values) > 0 {
			return nil, fmt.Errorf("packed weights: %d values without a scale", len(p.Values))
		}
		return [][]float32{}, nil
	}
	if len(p.Values)%len(p.Scales) != 0 {
		return nil, fmt.Errorf("packed weights: %d values in %d rows", len(p.Values), len(p.Scales))
	}
	columns := len(p.Values) / len(p.Scales)
	w := make([][]float32, len(p.Scales))
	for i, scale := range p.Scales {
		if !finite(float64(scale)) || scale < 0 || !finite(float64(127*scale)) {
			return nil, fmt.Errorf("packed weights: the scale of row %d is %v", i, scale)
		}
		w[i] = make([]float32, columns)
		for j, b := range p.Values[i*columns:][:columns] {
			if int8(b) == -128 {
				return nil, errors.New("packed weights: a value is -128, which is out of range")
			}
			w[i][j] = float32(int8(b)) * scale
		}
	}
	return w, nil
}
