package linear

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

// The units of work. They are fixed, so that the order of sums does not depend on threads.
const (
	rowUnit    = 256  // rows whose scores one unit computes
	denseUnit  = 256  // dense columns whose gradient one unit computes: of 28 classes they fit the first cache
	sparseUnit = 64   // sparse columns of one unit
	tile       = 32   // dense columns whose products are summed in float32 before the sum goes on in float64
	foldRows   = 1024 // rows whose products are summed in float32 before the sum goes on in float64
)

// A fit is one problem of minimisation. Its variables are, in a vector x: a bias of each class, the dense weights class by class, the
// sparse weights column by column. They are scaled so that the curvature along each is about 1, and the dense columns are centred,
// which the bias makes up for; neither moves the minimum.
type fit struct {
	d              *Data
	rows, classes  int
	width, columns int // of the dense and of the sparse part
	weights        []float64
	total          float64 // of the weights
	threads        int
	ctx            context.Context // ends an evaluation early
	row            func(i int, scores []float64, residual []float32) float64

	share  []float64 // of the rows that have the class
	fixed  []bool    // a class whose bias and weights are not fitted
	mean   []float64 // of the dense columns
	scale  []float64 // of x: a weight is its product with x; 0 fixes the weight at 0
	l2     []float64 // per variable would be large: dense and sparse, divided by total
	byTerm columnMajor

	dense    [][]float32 // the weights at x
	sparse   []float32   // column × class
	center   []float64   // scores at the mean of the dense columns
	offset   []float64   // scores at 0
	residual []float32   // row × class: the loss's slope in the scores
	losses   []float64   // of the units of rows
	scratch  []scratch   // of the threads
}

// scratch is what a thread computes the scores of a unit of rows in.
type scratch struct {
	scores        []float64 // of one row
	sums          []float64 // class × row
	part, columns []float32 // class × row, column × row
}

// columnMajor holds the sparse part by column, the rows of each in order.
type columnMajor struct {
	start []int // of a column's values; one longer than there are columns
	row   []int32
	value []float32
}

func (f *fit) size() int { return f.classes * (1 + f.width + f.columns) }

// prepare measures classes and columns and sets the scales.
func (f *fit) prepare(mass []float64, o Options) {
	f.share, f.fixed = make([]float64, f.classes), make([]bool, f.classes)
	for c := range mass {
		f.share[c] = mass[c] / f.total
		if mass[c] == 0 || mass[c] >= f.total {
			f.fixed[c] = true
			f.share[c] = (mass[c] + 0.5) / (f.total + 1)
		}
	}
	f.mean = make([]float64, f.width)
	variance := make([]float64, f.width)
	square := make([]float64, f.columns)
	for i, row := range f.d.Dense {
		for j, v := range row {
			f.mean[j] += f.weights[i] * float64(v)
		}
	}
	for j := range f.mean {
		f.mean[j] /= f.total
	}
	for i, row := range f.d.Dense {
		for j, v := range row {
			e := float64(v) - f.mean[j]
			variance[j] += f.weights[i] * e * e
		}
	}
	for j := range variance {
		variance[j] /= f.total
		// A column that varies by less than float32 resolves is constant.
		if variance[j] <= 1e-12*f.mean[j]*f.mean[j] {
			variance[j] = 0
		}
	}
	for i, row := range f.d.Sparse {
		for _, t := range row {
			square[t.Index] += f.weights[i] * float64(t.Value) * float64(t.Value) / f.total
		}
	}
	f.l2 = []float64{o.L2Dense / f.total, o.L2Sparse / f.total}
	f.scale = make([]float64, 0, f.size())
	for c := range f.classes {
		f.scale = append(f.scale, f.unit(c, 1, 0))
	}
	for c := range f.classes {
		for _, v := range variance {
			f.scale = append(f.scale, f.unit(c, v, f.l2[0]))
		}
	}
	for _, v := range square {
		for c := range f.classes {
			f.scale = append(f.scale, f.unit(c, v, f.l2[1]))
		}
	}
	f.dense = make([][]float32, f.classes)
	for c := range f.dense {
		f.dense[c] = make([]float32, f.width)
	}
	f.sparse = make([]float32, f.columns*f.classes)
	f.center, f.offset = make([]float64, f.classes), make([]float64, f.classes)
	f.residual = make([]float32, f.rows*f.classes)
	f.losses = make([]float64, units(f.rows, rowUnit))
	f.byTerm = transpose(f.d.Sparse, f.columns)
}

// unit returns the length of a step along a weight of class c after which the loss curves by 1: square is the mean square of the
// weight's column.
func (f *fit) unit(c int, square, l2 float64) float64 {
	if f.fixed[c] || square == 0 {
		return 0
	}
	p := f.share[c]
	return 1 / math.Sqrt(p*(1-p)*square+l2)
}

func transpose(rows [][]Term, columns int) columnMajor {
	t := columnMajor{start: make([]int, columns+1)}
	for _, row := range rows {
		for _, term := range row {
			t.start[term.Index+1]++
		}
	}
	for j := range columns {
		t.start[j+1] += t.start[j]
	}
	t.row, t.value = make([]int32, t.start[columns]), make([]float32, t.start[columns])
	next := slices.Clone(t.start)
	for i, row := range rows {
		for _, term := range row {
			k := next[term.Index]
			next[term.Index]++
			t.row[k], t.value[k] = int32(i), term.Value
		}
	}
	return t
}

func (f *fit) anyFree() bool { return slices.Contains(f.fixed, false) }

// place sets the weights to those of x and returns the penalty.
func (f *fit) place(x []float64) float64 {
	var penalty float64
	at := f.classes
	for c, w := range f.dense {
		f.center[c] = x[c]
		if !f.fixed[c] {
			f.center[c] *= f.scale[c]
		}
		f.offset[c] = f.center[c]
		for j := range w {
			v := x[at] * f.scale[at]
			penalty += f.l2[0] / 2 * v * v
			w[j] = float32(v)
			f.offset[c] -= float64(w[j]) * f.mean[j]
			at++
		}
	}
	for k := range f.sparse {
		v := x[at] * f.scale[at]
		penalty += f.l2[1] / 2 * v * v
		f.sparse[k] = float32(v)
		at++
	}
	return penalty
}

// evaluate returns the objective at x and sets its gradient.
func (f *fit) evaluate(x, gradient []float64) float64 {
	loss := f.place(x)
	if f.scratch == nil {
		f.scratch = make([]scratch, f.threads)
		for i := range f.scratch {
			f.scratch[i] = scratch{
				scores: make([]float64, f.classes), sums: make([]float64, f.classes*rowUnit),
				part: make([]float32, f.classes*rowUnit), columns: make([]float32, tile*rowUnit),
			}
		}
	}
	f.run(len(f.losses), func(thread, unit int) {
		my := &f.scratch[thread]
		first := unit * rowUnit
		n := min(f.rows-first, rowUnit)
		f.denseScores(my, first, n)
		f.losses[unit] = 0
		for i := range n {
			for c := range f.classes {
				my.scores[c] = f.offset[c] + my.sums[c*n+i]
			}
			f.addSparse(my.scores, first+i)
			f.losses[unit] += f.row(first+i, my.scores, f.residual[(first+i)*f.classes:][:f.classes])
		}
	})
	for _, l := range f.losses {
		loss += l / f.total
	}
	f.slope(x, gradient)
	return loss
}

// denseScores sets sums, class by class, to the products of n rows from first on with the dense weights. It goes by columns of a few
// rows, for which adding a column times a weight to the scores is an operation of each row by itself.
func (f *fit) denseScores(my *scratch, first, n int) {
	sums, part := my.sums[:f.classes*n], my.part[:f.classes*n]
	clear(sums)
	for low := 0; low < f.width; low += tile {
		high := min(f.width, low+tile)
		for i := range n {
			for j, v := range f.d.Dense[first+i][low:high] {
				my.columns[j*n+i] = v
			}
		}
		clear(part)
		for j := range high - low {
			column := my.columns[j*n:][:n]
			for c := range f.classes {
				kernel.Saxpy(n, f.dense[c][low+j], column, 1, part[c*n:][:n], 1)
			}
		}
		for k, v := range part {
			sums[k] += float64(v)
		}
	}
}

func (f *fit) addSparse(scores []float64, i int) {
	if f.columns == 0 {
		return
	}
	for _, t := range f.d.Sparse[i] {
		for c, w := range f.sparse[int(t.Index)*f.classes:][:f.classes] {
			scores[c] += float64(w) * float64(t.Value)
		}
	}
}

// slope computes the gradient from the residuals.
func (f *fit) slope(x, gradient []float64) {
	bias := gradient[:f.classes]
	clear(bias)
	for i := range f.rows {
		for c, r := range f.residual[i*f.classes:][:f.classes] {
			bias[c] += float64(r)
		}
	}
	sum := slices.Clone(bias)
	for c := range bias {
		bias[c] *= f.scale[c] / f.total
	}
	f.run(units(f.width, denseUnit), func(_, unit int) { f.denseSlope(x, gradient, sum, unit*denseUnit, min(f.width, (unit+1)*denseUnit)) })
	f.run(units(f.columns, sparseUnit), func(_, unit int) { f.sparseSlope(x, gradient, unit*sparseUnit, min(f.columns, (unit+1)*sparseUnit)) })
}

// denseSlope computes the gradient of the dense columns from low to high; sum holds the sums of the residuals.
func (f *fit) denseSlope(x, gradient, sum []float64, low, high int) {
	n := high - low
	total := make([]float64, n*f.classes)
	part := make([]float32, n*f.classes)
	for first := 0; first < f.rows; first += foldRows {
		clear(part)
		for i := first; i < min(f.rows, first+foldRows); i++ {
			row := f.d.Dense[i][low:high]
			for c, r := range f.residual[i*f.classes:][:f.classes] {
				if r != 0 {
					kernel.Saxpy(n, r, row, 1, part[c*n:][:n], 1)
				}
			}
		}
		for k, v := range part {
			total[k] += float64(v)
		}
	}
	for c := range f.classes {
		at := f.classes + c*f.width + low
		for j, v := range total[c*n:][:n] {
			s := f.scale[at+j]
			gradient[at+j] = s * ((v-f.mean[low+j]*sum[c])/f.total + f.l2[0]*s*x[at+j])
		}
	}
}

func (f *fit) sparseSlope(x, gradient []float64, low, high int) {
	total := make([]float64, f.classes)
	for j := low; j < high; j++ {
		clear(total)
		for k := f.byTerm.start[j]; k < f.byTerm.start[j+1]; k++ {
			v := float64(f.byTerm.value[k])
			for c, r := range f.residual[int(f.byTerm.row[k])*f.classes:][:f.classes] {
				total[c] += v * float64(r)
			}
		}
		at := f.classes*(1+f.width) + j*f.classes
		for c, v := range total {
			s := f.scale[at+c]
			gradient[at+c] = s * (v/f.total + f.l2[1]*s*x[at+c])
		}
	}
}

// run calls do for each unit, on the fit's threads, until the context ends.
func (f *fit) run(n int, do func(thread, unit int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for thread := range min(f.threads, n) {
		all.Go(func() {
			for {
				unit := int(next.Add(1)) - 1
				if unit >= n || f.ctx.Err() != nil {
					return
				}
				do(thread, unit)
			}
		})
	}
	all.Wait()
}

func units(n, size int) int { return (n + size - 1) / size }

// model takes x apart.
func (f *fit) model(x []float64) (*Model, error) {
	f.place(x)
	m := &Model{Bias: slices.Clone(f.offset)}
	if f.width > 0 {
		m.Dense = f.dense
	}
	if f.columns > 0 {
		m.Sparse = make([][]float32, f.classes)
		for c := range m.Sparse {
			m.Sparse[c] = make([]float32, f.columns)
			for j := range f.columns {
				m.Sparse[c][j] = f.sparse[j*f.classes+c]
			}
		}
	}
	if err := m.Check(f.width, f.columns); err != nil {
		return nil, errors.New("the weights are not finite: the features are too large")
	}
	return m, nil
}
