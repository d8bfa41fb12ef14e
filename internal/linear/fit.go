package linear

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
)

// Options of a fit.
type Options struct {
	// L2Dense and L2Sparse penalise the weights of the two parts: L2/2 times the sum of squares is added to the sum of the rows'
	// losses, so 1/L2 is the C of scikit-learn. The bias is not penalised.
	L2Dense, L2Sparse float64
	Weights           []float64             // of the rows; nil is 1 for each
	Iterations        int                   // at most so many; 0 is 200
	Threads           int                   // 0 is as many as there are processors
	Progress          func(done, total int) // called after each iteration, where it is not nil
}

// FitSoftmax fits a multinomial logistic regression: row i has class labels[i]. A class without a row gets weights of 0, and a bias
// by which it has about half a row's worth of probability.
func FitSoftmax(ctx context.Context, d *Data, labels []int, classes int, o Options) (*Model, error) {
	for i, c := range labels {
		if c < 0 || c >= classes {
			return nil, fmt.Errorf("row %d has class %d of %d", i, c, classes)
		}
	}
	f, err := newFit(d, len(labels), classes, o)
	if err != nil {
		return nil, err
	}
	mass := make([]float64, classes)
	for i, c := range labels {
		mass[c] += f.weights[i]
	}
	f.row = func(i int, scores []float64, residual []float32) float64 {
		return softmaxRow(f, labels[i], i, scores, residual)
	}
	start := func(p float64) float64 { return math.Log(p) }
	m, err := f.fit(ctx, mass, start, o)
	if err != nil {
		return nil, err
	}
	f.settle(m, mass)
	return m, nil
}

// settle chooses among the models of the same probabilities the one of the smallest weights, in which a column's weights sum to 0, and
// so do the biases; minimize finds it slowly. It places the classes without a row beside the others.
func (f *fit) settle(m *Model, mass []float64) {
	var present []int
	for c, fixed := range f.fixed {
		if !fixed {
			present = append(present, c)
		}
	}
	if len(present) == 0 {
		return
	}
	middle(present, func(c int) *float64 { return &f.center[c] })
	middle(present, func(c int) *float64 { return &m.Bias[c] })
	for j := range f.width {
		middle(present, func(c int) *float32 { return &m.Dense[c][j] })
	}
	for j := range f.columns {
		middle(present, func(c int) *float32 { return &m.Sparse[c][j] })
	}
	var scores []float64
	for _, c := range present {
		scores = append(scores, f.center[c]) // at the mean of the dense columns
	}
	for c := range mass {
		if mass[c] == 0 {
			m.Bias[c] = logSumExp(scores) + math.Log(0.5/(f.total+1))
		}
	}
}

// middle subtracts their mean from the classes' numbers.
func middle[T float32 | float64](classes []int, number func(c int) *T) {
	var sum float64
	for _, c := range classes {
		sum += float64(*number(c))
	}
	for _, c := range classes {
		*number(c) -= T(sum / float64(len(classes)))
	}
}

// FitSigmoids fits a logistic regression for each class against the rest: row i has the classes labels[i], which may be none. A class
// that no row has, or every row, gets weights of 0.
func FitSigmoids(ctx context.Context, d *Data, labels [][]int, classes int, o Options) (*Model, error) {
	for i, set := range labels {
		for j, c := range set {
			if c < 0 || c >= classes {
				return nil, fmt.Errorf("row %d has class %d of %d", i, c, classes)
			}
			for _, before := range set[:j] {
				if before == c {
					return nil, fmt.Errorf("row %d has class %d twice", i, c)
				}
			}
		}
	}
	f, err := newFit(d, len(labels), classes, o)
	if err != nil {
		return nil, err
	}
	mass := make([]float64, classes)
	for i, set := range labels {
		for _, c := range set {
			mass[c] += f.weights[i]
		}
	}
	f.row = func(i int, scores []float64, residual []float32) float64 {
		return sigmoidRow(f, labels[i], i, scores, residual)
	}
	start := func(p float64) float64 { return math.Log(p / (1 - p)) }
	return f.fit(ctx, mass, start, o)
}

// newFit checks the input and measures the columns.
func newFit(d *Data, rows, classes int, o Options) (*fit, error) {
	if rows == 0 {
		return nil, errors.New("there are no rows to fit")
	}
	if classes < 1 {
		return nil, fmt.Errorf("%d classes", classes)
	}
	for _, l2 := range []float64{o.L2Dense, o.L2Sparse} {
		if !finite(l2) || l2 < 0 {
			return nil, fmt.Errorf("the L2 penalty is %v", l2)
		}
	}
	if o.Iterations < 0 || o.Threads < 0 {
		return nil, fmt.Errorf("%d iterations, %d threads", o.Iterations, o.Threads)
	}
	if err := d.check(rows); err != nil {
		return nil, err
	}
	f := &fit{d: d, rows: rows, classes: classes, threads: o.Threads, weights: o.Weights}
	if f.threads == 0 {
		f.threads = runtime.GOMAXPROCS(0)
	}
	if f.weights == nil {
		f.weights = make([]float64, rows)
		for i := range f.weights {
			f.weights[i] = 1
		}
	}
	if len(f.weights) != rows {
		return nil, fmt.Errorf("%d weights for %d rows", len(f.weights), rows)
	}
	for i, w := range f.weights {
		if !finite(w) || w < 0 {
			return nil, fmt.Errorf("the weight of row %d is %v", i, w)
		}
		f.total += w
	}
	if !(f.total > 1e-12 && f.total < 1e12) { // slopes are kept as float32
		return nil, fmt.Errorf("the rows' weights are %v together", f.total)
	}
	if len(d.Dense) > 0 {
		f.width = len(d.Dense[0])
	}
	if d.Sparse != nil {
		f.columns = d.Columns
	}
	return f, nil
}

// check says whether the features are as many as the rows, of one width, within the columns, and finite.
func (d *Data) check(rows int) error {
	if d.Dense == nil && d.Sparse == nil {
		return errors.New("the rows have no features")
	}
	if d.Dense != nil && len(d.Dense) != rows || d.Sparse != nil && len(d.Sparse) != rows {
		return fmt.Errorf("%d labels for %d dense and %d sparse rows", rows, len(d.Dense), len(d.Sparse))
	}
	if d.Columns < 0 {
		return fmt.Errorf("%d sparse columns", d.Columns)
	}
	for i, row := range d.Dense {
		if len(row) != len(d.Dense[0]) {
			return fmt.Errorf("row %d has %d dense values, row 0 has %d", i, len(row), len(d.Dense[0]))
		}
		for j, v := range row {
			if !finite(float64(v)) {
				return fmt.Errorf("row %d: dense value %d is %v", i, j, v)
			}
		}
	}
	for i, row := range d.Sparse {
		for _, t := range row {
			if t.Index < 0 || int(t.Index) >= d.Columns {
				return fmt.Errorf("row %d has a term of column %d of %d", i, t.Index, d.Columns)
			}
			if !finite(float64(t.Value)) {
				return fmt.Errorf("row %d: the term of column %d is %v", i, t.Index, t.Value)
			}
		}
	}
	return nil
}

// fit minimises the objective and returns its minimum as a model. start is the best bias of a class whose share of the rows is p.
func (f *fit) fit(ctx context.Context, mass []float64, start func(p float64) float64, o Options) (*Model, error) {
	f.prepare(mass, o)
	x := make([]float64, f.size())
	for c, p := range f.share {
		x[c] = start(p)
		if !f.fixed[c] {
			x[c] /= f.scale[c]
		}
	}
	if o.Iterations == 0 {
		o.Iterations = 200
	}
	f.ctx = ctx
	step := func(done int) {
		if o.Progress != nil {
			o.Progress(done, o.Iterations)
		}
	}
	if f.anyFree() {
		done, err := minimize(ctx, f.evaluate, x, o.Iterations, step)
		if err != nil {
			return nil, err
		}
		if done < o.Iterations {
			step(o.Iterations)
		}
	}
	return f.model(x)
}
