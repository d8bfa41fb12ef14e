package linear

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// PCA projects rows onto the directions along which the rows it was fitted to vary most.
type PCA struct {
	Mean []float32
	// Basis has a row for each direction, the one of the largest variance first. A direction of variance λ has length
	// 1/sqrt(λ + λ₁/1000), where λ₁ is the largest variance: projections have a variance of about 1, and directions of next to no
	// variance are not blown up. Its largest entry is positive.
	Basis [][]float32
}

// The randomised subspace iteration of Halko, Martinsson and Tropp (2011): it takes spare directions beside those wanted, and multiplies
// them so many times with the covariance, orthonormalising after each.
const (
	pcaSpare  = 16
	pcaRounds = 4
	pcaRidge  = 1e-3
)

// FitPCA finds the k directions of the largest variance.
func FitPCA(rows [][]float32, k int) (*PCA, error) {
	if len(rows) < 2 {
		return nil, fmt.Errorf("%d rows have no directions of variance", len(rows))
	}
	n, width := len(rows), len(rows[0])
	if k < 1 || k > min(n-1, width) {
		return nil, fmt.Errorf("%d rows of %d values have no %d directions of variance", n, width, k)
	}
	if err := (&Data{Dense: rows}).check(n); err != nil {
		return nil, err
	}
	p := &PCA{Mean: make([]float32, width)}
	mean := make([]float64, width)
	for _, row := range rows {
		for j, v := range row {
			mean[j] += float64(v) / float64(n)
		}
	}
	centred := blas32.General{Rows: n, Cols: width, Stride: width, Data: make([]float32, 0, n*width)}
	for _, row := range rows {
		for j, v := range row {
			centred.Data = append(centred.Data, float32(float64(v)-mean[j]))
		}
	}
	var largest float32
	for _, v := range centred.Data {
		largest = max(largest, v, -v)
	}
	if largest == 0 {
		return nil, errors.New("the rows do not differ")
	}
	if !(largest < 1e15) { // squares summed in float32 stay finite
		return nil, errors.New("the values are too large")
	}
	for j, v := range mean {
		p.Mean[j] = float32(v)
	}

	l := min(k+pcaSpare, n, width)
	random := rand.New(rand.NewPCG(20110501, 53))
	directions := general(width, l)
	for i := range directions.Data {
		directions.Data[i] = float32(random.NormFloat64())
	}
	projected := general(n, l)
	for range pcaRounds {
		orthonormalise(directions)
		blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, centred, directions, 0, projected)
		orthonormalise(projected)
		blas32.Gemm(blas.Trans, blas.NoTrans, 1, centred, projected, 0, directions)
	}
	orthonormalise(directions)
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, centred, directions, 0, projected)

	// The covariance within the directions, which is small, is diagonalised.
	wide := mat.NewDense(n, l, nil)
	for i, v := range projected.Data {
		wide.RawMatrix().Data[i] = float64(v)
	}
	covariance := mat.NewSymDense(l, nil)
	covariance.SymOuterK(1/float64(n-1), wide.T())
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return nil, errors.New("the rows' covariance has no eigenvectors")
	}
	values := eigen.Values(nil) // ascending
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	p.Basis = make([][]float32, k)
	direction := make([]float64, width)
	for b := range p.Basis {
		clear(direction)
		e := l - 1 - b
		for j := range direction {
			for i := range l {
				direction[j] += float64(directions.Data[j*l+i]) * vectors.At(i, e)
			}
		}
		scale := 1 / math.Sqrt(max(values[e], 0)+values[l-1]*pcaRidge)
		if peak := slices.MaxFunc(direction, func(a, b float64) int { return cmp.Compare(math.Abs(a), math.Abs(b)) }); peak < 0 {
			scale = -scale
		}
		p.Basis[b] = make([]float32, width)
		for j, v := range direction {
			p.Basis[b][j] = float32(v * scale)
		}
	}
	return p, nil
}

// Project returns the row's coordinates, in dst where that is long enough. It panics where the row has another width than the basis.
func (p *PCA) Project(row, dst []float32) []float32 {
	if len(row) != len(p.Mean) {
		panic(fmt.Sprintf("linear: a row of %d values, a basis of %d", len(row), len(p.Mean)))
	}
	centred := make([]float32, len(row))
	for j, v := range row {
		centred[j] = v - p.Mean[j]
	}
	dst = dst[:0]
	for _, b := range p.Basis {
		dst = append(dst, float32(dot(b, centred)))
	}
	return dst
}

// orthonormalise replaces the columns by an orthonormal basis of what they span.
func orthonormalise(m blas32.General) {
	a := blas64.General{Rows: m.Rows, Cols: m.Cols, Stride: m.Stride, Data: make([]float64, len(m.Data))}
	for i, v := range m.Data {
		a.Data[i] = float64(v)
	}
	tau := make([]float64, m.Cols)
	work := make([]float64, 1)
	lapack64.Geqrf(a, tau, work, -1)
	work = make([]float64, int(work[0]))
	lapack64.Geqrf(a, tau, work, len(work))
	lapack64.Orgqr(a, tau, work[:1], -1)
	work = make([]float64, max(int(work[0]), len(work)))
	lapack64.Orgqr(a, tau, work, len(work))
	for i, v := range a.Data {
		m.Data[i] = float32(v)
	}
}

func general(rows, columns int) blas32.General {
	return blas32.General{Rows: rows, Cols: columns, Stride: columns, Data: make([]float32, rows*columns)}
}
