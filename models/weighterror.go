package models

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
)

// A Dequantizer unpacks weights of a tensor type, whole blocks of them, into
// out, which is as long as they are many.
type Dequantizer func(kind TensorType, packed []byte, out []float32) error

// WeightError returns how far the weights of a model converted from source are
// off the source's: the root mean square of the differences divided by that of
// the weights, over all of them. Of large tensors a million weights stand for
// the rest. A result whose tensors differ in name or shape is an error.
func WeightError(ctx context.Context, source, result *GGUF, dequantize Dequantizer) (float64, error) {
	after := make(map[string]Tensor, len(result.tensors))
	for _, t := range result.tensors {
		after[t.Name] = t
	}
	if len(after) != len(source.tensors) {
		return 0, fmt.Errorf("the conversion has %d tensors, its source %d", len(after), len(source.tensors))
	}
	var squares, weights float64
	for _, a := range source.tensors {
		b, ok := after[a.Name]
		if !ok || !equalShape(a.Shape, b.Shape) {
			return 0, fmt.Errorf("tensor %q of %v became one of %v", a.Name, a.Shape, b.Shape)
		}
		if !a.packable() {
			continue
		}
		d, w, err := tensorError(ctx, source, result, a, b, dequantize)
		if err != nil {
			return 0, fmt.Errorf("tensor %q: %w", a.Name, err)
		}
		squares, weights = squares+d, weights+w
	}
	if math.IsNaN(squares) || math.IsInf(squares, 0) || math.IsInf(weights, 0) {
		return 0, errors.New("the weights hold numbers that are not finite")
	}
	return math.Sqrt(squares / cmp.Or(weights, 1)), nil
}

// tensorError returns the sums of the squared differences and of the squared
// weights, those of a sample scaled to the tensor.
func tensorError(ctx context.Context, source, result *GGUF, a, b Tensor, dequantize Dequantizer) (squares, weights float64, err error) {
	const slab, most = 1 << 16, 16 // weights read at a time, and how often at most
	width := a.Shape[0]
	rows := a.Elements() / width
	step := max(1, slab/width) // rows of a slab
	slabs := (rows + step - 1) / step
	take := min(slabs, most)
	was, is := make([]float32, step*width), make([]float32, step*width)
	seen := int64(0)
	for i := range take {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		first := i * slabs / take * step
		n := min(step, rows-first)
		x, y := was[:n*width], is[:n*width]
		if err := source.readRows(a, first, n, x, dequantize); err != nil {
			return 0, 0, err
		}
		if err := result.readRows(b, first, n, y, dequantize); err != nil {
			return 0, 0, err
		}
		for j := range x {
			d := float64(y[j]) - float64(x[j])
			squares += d * d
			weights += float64(x[j]) * float64(x[j])
		}
		seen += n
	}
	scale := float64(rows) / float64(seen)
	return squares * scale, weights * scale, nil
}

func (g *GGUF) readRows(t Tensor, first, n int64, out []float32, dequantize Dequantizer) error {
	row := t.Size / (t.Elements() / t.Shape[0])
	raw := make([]byte, n*row)
	if read, err := g.data(t).ReadAt(raw, t.Offset+first*row); read < len(raw) {
		return err
	}
	return dequantize(t.Type, raw, out)
}

// equalShape compares shapes; dimensions of 1 at the end do not count.
func equalShape(a, b []int64) bool {
	for i := range max(len(a), len(b)) {
		if i < len(a) && i < len(b) && a[i] != b[i] || i >= len(a) && b[i] != 1 || i >= len(b) && a[i] != 1 {
			return false
		}
	}
	return true
}
