package linear

import (
	"errors"
	"fmt"
	"math"

	blas "gonum.org/v1/gonum/blas/gonum"
)

// kernel adds float32 vectors. Of its functions only those that compute each element by itself are used: the order of the sums of the
// others depends on where in memory a vector begins.
var kernel blas.Implementation

// A Term is one value of a sparse row; what a row has no term for is 0.
type Term struct {
	Index int32
	Value float32
}

// Data holds the features of rows. Either part may be nil: every row then has nothing of that kind.
type Data struct {
	Dense   [][]float32 // rows of the same width
	Sparse  [][]Term
	Columns int // of Sparse: indices are below it
}

// A Model gives each class a score that is linear in a row's features.
type Model struct {
	Bias   []float64
	Dense  [][]float32 // class × dense column; nil where there are none
	Sparse [][]float32 // class × sparse column; nil where there are none
}

// Scores returns the score of each class, in dst where that is long enough. It panics where dense has another width than the model
// or a term's index is beyond its columns.
func (m *Model) Scores(dense []float32, sparse []Term, dst []float64) []float64 {
	dst = append(dst[:0], m.Bias...)
	for c, w := range m.Dense {
		if len(w) != len(dense) {
			panic(fmt.Sprintf("linear: a row of %d values, a model of %d", len(dense), len(w)))
		}
		dst[c] += dot(w, dense)
	}
	for c, w := range m.Sparse {
		for _, t := range sparse {
			dst[c] += float64(w[t.Index]) * float64(t.Value)
		}
	}
	return dst
}

// Check says whether the model has a finite weight for each class and column, as one that was read from a file may not.
func (m *Model) Check(denseColumns, sparseColumns int) error {
	if len(m.Bias) == 0 {
		return errors.New("the model has no class")
	}
	for c, b := range m.Bias {
		if !finite(b) {
			return fmt.Errorf("class %d: the bias is %v", c, b)
		}
	}
	for _, part := range []struct {
		name    string
		w       [][]float32
		columns int
	}{{"dense", m.Dense, denseColumns}, {"sparse", m.Sparse, sparseColumns}} {
		if part.columns == 0 && len(part.w) == 0 {
			continue
		}
		if len(part.w) != len(m.Bias) {
			return fmt.Errorf("%s weights of %d classes, biases of %d", part.name, len(part.w), len(m.Bias))
		}
		for c, row := range part.w {
			if len(row) != part.columns {
				return fmt.Errorf("class %d: %d %s weights for %d columns", c, len(row), part.name, part.columns)
			}
			for j, v := range row {
				if !finite(float64(v)) {
					return fmt.Errorf("class %d: the %s weight of column %d is %v", c, part.name, j, v)
				}
			}
		}
	}
	return nil
}

// dot sums in an order that is always the same. Sdot's depends on where in memory the vectors lie.
func dot(a, b []float32) float64 {
	var s0, s1, s2, s3, s4, s5, s6, s7 float32
	b = b[:len(a)]
	for ; len(a) >= 8 && len(b) >= 8; a, b = a[8:], b[8:] {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		s4 += a[4] * b[4]
		s5 += a[5] * b[5]
		s6 += a[6] * b[6]
		s7 += a[7] * b[7]
	}
	var sum float64
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum + float64(s0) + float64(s1) + float64(s2) + float64(s3) + float64(s4) + float64(s5) + float64(s6) + float64(s7)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
