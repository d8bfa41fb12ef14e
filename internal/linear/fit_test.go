package linear

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

// formulaData is the problem that the values of scikit-learn 1.9.1 below are of:
//
//	i = np.arange(200)[:, None]; j = np.arange(6)[None, :]
//	X = (np.sin(i*(j+1)*0.37+j)*(j+1)+j).astype(np.float32).astype(float)
//	i = np.arange(200)
//	y = ((i*7)%5+(X[:,0]>0.3)*2+(X[:,3]>4))//3
//	w = 1+(i%3)
func formulaData() (d *Data, labels []int, weights []float64) {
	d = &Data{}
	for i := range 200 {
		row := make([]float32, 6)
		for j := range row {
			row[j] = float32(math.Sin(float64(i*(j+1))*0.37+float64(j))*float64(j+1) + float64(j))
		}
		y := i * 7 % 5
		if row[0] > 0.3 {
			y += 2
		}
		if row[3] > 4 {
			y++
		}
		d.Dense = append(d.Dense, row)
		labels = append(labels, y/3)
		weights = append(weights, float64(1+i%3))
	}
	return d, labels, weights
}

// parts returns the same features three ways: all dense, all sparse, and half and half.
func parts(d *Data) map[string]*Data {
	all := map[string]*Data{"dense": d, "sparse": {Columns: 6}, "both": {Columns: 3}}
	for _, row := range d.Dense {
		var terms []Term
		for j, v := range row {
			terms = append(terms, Term{int32(j), v})
		}
		all["sparse"].Sparse = append(all["sparse"].Sparse, terms)
		all["both"].Dense = append(all["both"].Dense, row[:3])
		half := []Term{}
		for j, v := range row[3:] {
			half = append(half, Term{int32(j), v})
		}
		all["both"].Sparse = append(all["both"].Sparse, half)
	}
	return all
}

// LogisticRegression(C=1/0.7, tol=1e-10, max_iter=10000).fit(X, y, sample_weight=w), coef_ and intercept_.
func TestFitSoftmax(t *testing.T) {
	d, labels, weights := formulaData()
	want := [][]float64{
		{-1.456814, 0.172504, 0.096445, -0.082211, 0.064266, -0.089025, 0.469002},
		{-0.424875, -0.055277, 0.096413, 0.080511, -0.014767, -0.007698, 0.905032},
		{1.881689, -0.117227, -0.192858, 0.0017, -0.049499, 0.096723, -1.374034},
	}
	for name, d := range parts(d) {
		m, err := FitSoftmax(t.Context(), d, labels, 3, Options{L2Dense: 0.7, L2Sparse: 0.7, Weights: weights, Iterations: 1000})
		if err != nil {
			t.Fatal(err)
		}
		compareModel(t, name, m, want)
	}
}

// LogisticRegression(C=1/0.7, tol=1e-10, max_iter=10000).fit(X, y == c, sample_weight=w) of each class c.
func TestFitSigmoids(t *testing.T) {
	d, labels, weights := formulaData()
	sets := make([][]int, len(labels))
	for i, c := range labels {
		sets[i] = []int{c}
	}
	want := [][]float64{
		{-1.242279, 0.239368, 0.019954, -0.169493, 0.087214, -0.092848, -0.602969},
		{0.146348, -0.061833, 0.051305, 0.067192, 0.0179, 0.004287, -0.126172},
		{2.457837, -0.100169, -0.274847, -0.040294, -0.044406, 0.113735, -2.765461},
	}
	for name, d := range parts(d) {
		m, err := FitSigmoids(t.Context(), d, sets, 3, Options{L2Dense: 0.7, L2Sparse: 0.7, Weights: weights, Iterations: 1000})
		if err != nil {
			t.Fatal(err)
		}
		compareModel(t, name, m, want)
	}
}

// compareModel takes the weights of each class and its bias, which is last.
func compareModel(t *testing.T, name string, m *Model, want [][]float64) {
	t.Helper()
	for c, row := range want {
		var got []float64
		if m.Dense != nil {
			got = append(got, float64s(m.Dense[c])...)
		}
		if m.Sparse != nil {
			got = append(got, float64s(m.Sparse[c])...)
		}
		got = append(got, m.Bias[c])
		for j := range row {
			if len(got) != len(row) || math.Abs(got[j]-row[j]) > 1e-3 {
				t.Errorf("%s, class %d: %.6f, want %.6f", name, c, got, row)
				break
			}
		}
	}
}

func float64s(row []float32) []float64 {
	all := make([]float64, len(row))
	for i, v := range row {
		all[i] = float64(v)
	}
	return all
}

// The gradient is the slope of the objective, at a point that is no minimum.
func TestGradient(t *testing.T) {
	d, labels, weights := formulaData()
	for name, d := range parts(d) {
		for _, kind := range []string{"softmax", "sigmoids"} {
			f, err := newFit(d, len(labels), 3, Options{Weights: weights, Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			f.ctx = t.Context()
			f.row = func(i int, scores []float64, residual []float32) float64 {
				if kind == "softmax" {
					return softmaxRow(f, labels[i], i, scores, residual)
				}
				return sigmoidRow(f, []int{labels[i], (labels[i] + 1) % 3}[:i%3], i, scores, residual)
			}
			f.prepare([]float64{50, 60, 70}, Options{L2Dense: 3, L2Sparse: 5})
			x := make([]float64, f.size())
			for k := range x {
				x[k] = math.Sin(float64(k)) / 3
			}
			gradient, other := make([]float64, len(x)), make([]float64, len(x))
			f.evaluate(x, gradient)
			const h = 1e-2
			for k := range x {
				at := x[k]
				x[k] = at + h
				above := f.evaluate(x, other)
				x[k] = at - h
				below := f.evaluate(x, other)
				x[k] = at
				if slope := (above - below) / (2 * h); math.Abs(slope-gradient[k]) > 1e-4 {
					t.Errorf("%s, %s, variable %d: gradient %g, slope %g", kind, name, k, gradient[k], slope)
				}
			}
		}
	}
}

// The bits of a fit are the same on any number of threads, over several units of rows and columns of each kind.
func TestThreads(t *testing.T) {
	d, labels := randomData(1500, 300, 200, 5, 4)
	sets := make([][]int, len(labels))
	for i, c := range labels {
		sets[i] = []int{c, (c + 1) % 4}[:i%3]
	}
	var first [2]*Model
	for _, threads := range []int{1, 2, 7, 7} {
		o := Options{L2Dense: 10, L2Sparse: 0.1, Iterations: 15, Threads: threads}
		softmax, err := FitSoftmax(t.Context(), d, labels, 4, o)
		if err != nil {
			t.Fatal(err)
		}
		sigmoids, err := FitSigmoids(t.Context(), d, sets, 4, o)
		if err != nil {
			t.Fatal(err)
		}
		if first[0] == nil {
			first = [2]*Model{softmax, sigmoids}
		}
		if !reflect.DeepEqual(softmax, first[0]) || !reflect.DeepEqual(sigmoids, first[1]) {
			t.Errorf("%d threads give another model", threads)
		}
	}
}

// Nor do the bits depend on where in memory the rows lie.
func TestAddresses(t *testing.T) {
	d, labels, _ := formulaData()
	var first *Model
	var scores []float64
	for shift := range 4 {
		moved := &Data{}
		for _, row := range d.Dense {
			moved.Dense = append(moved.Dense, append(make([]float32, shift), row...)[shift:])
		}
		m, err := FitSoftmax(t.Context(), moved, labels, 3, Options{L2Dense: 1})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first, scores = m, m.Scores(moved.Dense[7], nil, nil)
		}
		if !reflect.DeepEqual(m, first) || !reflect.DeepEqual(m.Scores(moved.Dense[7], nil, nil), scores) {
			t.Errorf("rows %d bytes further give another model", 4*shift)
		}
	}
}

func TestFitDegenerate(t *testing.T) {
	ctx := t.Context()
	d, labels, _ := formulaData()
	t.Run("one class", func(t *testing.T) {
		m, err := FitSoftmax(ctx, d, make([]int, 200), 1, Options{L2Dense: 1})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Check(6, 0); err != nil {
			t.Error(err)
		}
	})
	t.Run("class without a row", func(t *testing.T) {
		with, err := FitSoftmax(ctx, d, labels, 4, Options{L2Dense: 1})
		if err != nil {
			t.Fatal(err)
		}
		without, err := FitSoftmax(ctx, d, labels, 3, Options{L2Dense: 1})
		if err != nil {
			t.Fatal(err)
		}
		for c, row := range without.Dense {
			for j := range row {
				if math.Abs(float64(row[j]-with.Dense[c][j])) > 1e-4 {
					t.Errorf("a class without a row moves the weights of class %d from %v to %v", c, row, with.Dense[c])
					break
				}
			}
		}
		var share float64
		for _, row := range d.Dense {
			s := with.Scores(row, nil, nil)
			share += math.Exp(s[3] - logSumExp(s))
		}
		if share < 0.1 || share > 1 {
			t.Errorf("a class without a row has the probability of %.3f rows", share)
		}
	})
	t.Run("class of no row and of every row", func(t *testing.T) {
		sets := make([][]int, 200)
		for i := range sets {
			sets[i] = []int{1}
		}
		m, err := FitSigmoids(ctx, d, sets, 2, Options{L2Dense: 1})
		if err != nil {
			t.Fatal(err)
		}
		if want := []float64{math.Log(0.5 / 200.5), math.Log(200.5 / 0.5)}; math.Abs(m.Bias[0]-want[0])+math.Abs(m.Bias[1]-want[1]) > 1e-9 {
			t.Errorf("biases %v, want %v", m.Bias, want)
		}
	})
	t.Run("constant columns", func(t *testing.T) {
		wide := &Data{Columns: 2, Sparse: make([][]Term, 200)} // the second sparse column is empty
		for i, row := range d.Dense {
			wide.Dense = append(wide.Dense, append([]float32{7e6}, row...))
			wide.Sparse[i] = []Term{{0, 0}}
		}
		m, err := FitSoftmax(ctx, wide, labels, 3, Options{})
		if err != nil {
			t.Fatal(err)
		}
		plain, err := FitSoftmax(ctx, d, labels, 3, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for c := range m.Bias {
			if m.Dense[c][0] != 0 || m.Sparse[c][0] != 0 || m.Sparse[c][1] != 0 {
				t.Errorf("class %d: weights %v, %v", c, m.Dense[c][0], m.Sparse[c])
			}
			if math.Abs(float64(m.Dense[c][1]-plain.Dense[c][0])) > 2e-3 {
				t.Errorf("class %d: weight %v, without the constant column %v", c, m.Dense[c][1], plain.Dense[c][0])
			}
		}
	})
	t.Run("dense columns far from 0 and of other sizes", func(t *testing.T) {
		far := &Data{}
		for _, row := range d.Dense {
			r := append([]float32{}, row...)
			r[0], r[1], r[2] = r[0]+500, r[1]*1e4, r[2]*1e-4
			far.Dense = append(far.Dense, r)
		}
		m, err := FitSoftmax(ctx, far, labels, 3, Options{})
		if err != nil {
			t.Fatal(err)
		}
		plain, err := FitSoftmax(ctx, d, labels, 3, Options{})
		if err != nil {
			t.Fatal(err)
		}
		a, b := m.Scores(far.Dense[17], nil, nil), plain.Scores(d.Dense[17], nil, nil)
		if math.Abs((a[0]-a[1])-(b[0]-b[1])) > 5e-3 || math.Abs((a[0]-a[2])-(b[0]-b[2])) > 5e-3 {
			t.Errorf("scores %v, of the plain columns %v", a, b)
		}
	})
	t.Run("rows of weight 0", func(t *testing.T) {
		weights := make([]float64, 200)
		for i := range weights {
			weights[i] = float64(i % 2)
		}
		half := &Data{}
		var halfLabels []int
		for i := 1; i < 200; i += 2 {
			half.Dense, halfLabels = append(half.Dense, d.Dense[i]), append(halfLabels, labels[i])
		}
		a, err := FitSoftmax(ctx, d, labels, 3, Options{L2Dense: 1, Weights: weights})
		if err != nil {
			t.Fatal(err)
		}
		b, err := FitSoftmax(ctx, half, halfLabels, 3, Options{L2Dense: 1})
		if err != nil {
			t.Fatal(err)
		}
		for c := range a.Dense {
			for j := range a.Dense[c] {
				if math.Abs(float64(a.Dense[c][j]-b.Dense[c][j])) > 1e-3 {
					t.Errorf("class %d: %v, without the rows %v", c, a.Dense[c], b.Dense[c])
					break
				}
			}
		}
	})
}

func TestFitErrors(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	two := []int{0, 1}
	for _, test := range []struct {
		name   string
		d      *Data
		labels []int
		o      Options
		want   string
	}{
		{"no rows", &Data{Dense: [][]float32{}}, nil, Options{}, "no rows"},
		{"no features", &Data{}, two, Options{}, "no features"},
		{"rows", &Data{Dense: [][]float32{{1}}}, two, Options{}, "2 labels for 1 dense"},
		{"ragged", &Data{Dense: [][]float32{{1}, {1, 2}}}, two, Options{}, "row 1 has 2 dense values, row 0 has 1"},
		{"NaN", &Data{Dense: [][]float32{{1}, {nan}}}, two, Options{}, "row 1: dense value 0 is NaN"},
		{"Inf", &Data{Dense: [][]float32{{inf}, {1}}}, two, Options{}, "row 0: dense value 0 is +Inf"},
		{"sparse NaN", &Data{Sparse: [][]Term{{{0, nan}}, nil}, Columns: 1}, two, Options{}, "row 0: the term of column 0 is NaN"},
		{"column", &Data{Sparse: [][]Term{{{1, 1}}, nil}, Columns: 1}, two, Options{}, "column 1 of 1"},
		{"negative column", &Data{Sparse: [][]Term{{{-1, 1}}, nil}, Columns: 1}, two, Options{}, "column -1 of 1"},
		{"label", &Data{Dense: [][]float32{{1}, {2}}}, []int{0, 2}, Options{}, "row 1 has class 2 of 2"},
		{"negative label", &Data{Dense: [][]float32{{1}, {2}}}, []int{-1, 1}, Options{}, "row 0 has class -1 of 2"},
		{"penalty", &Data{Dense: [][]float32{{1}, {2}}}, two, Options{L2Dense: -1}, "penalty is -1"},
		{"penalty NaN", &Data{Dense: [][]float32{{1}, {2}}}, two, Options{L2Sparse: math.NaN()}, "penalty is NaN"},
		{"weights", &Data{Dense: [][]float32{{1}, {2}}}, two, Options{Weights: []float64{1}}, "1 weights for 2 rows"},
		{"weight", &Data{Dense: [][]float32{{1}, {2}}}, two, Options{Weights: []float64{1, -1}}, "weight of row 1 is -1"},
		{"no weight", &Data{Dense: [][]float32{{1}, {2}}}, two, Options{Weights: []float64{0, 0}}, "weights are 0"},
		{"threads", &Data{Dense: [][]float32{{1}, {2}}}, two, Options{Threads: -1}, "-1 threads"},
		{"huge weight", &Data{Dense: [][]float32{{1}, {2}}}, two, Options{Weights: []float64{1e300, 1}}, "weights are 1e+300"},
	} {
		t.Run(test.name, func(t *testing.T) {
			sets := make([][]int, len(test.labels))
			for i, c := range test.labels {
				sets[i] = []int{c}
			}
			if m, err := FitSoftmax(t.Context(), test.d, test.labels, 2, test.o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("softmax: %v, %v", m, err)
			}
			if m, err := FitSigmoids(t.Context(), test.d, sets, 2, test.o); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("sigmoids: %v, %v", m, err)
			}
		})
	}
	if _, err := FitSigmoids(t.Context(), &Data{Dense: [][]float32{{1}}}, [][]int{{0, 0}}, 2, Options{}); err == nil {
		t.Error("a class given twice is accepted")
	}
}

func TestFitEnds(t *testing.T) {
	d, labels := randomData(600, 20, 0, 0, 3)
	ctx, cancel := context.WithCancel(t.Context())
	var steps []string
	o := Options{L2Dense: 1, Iterations: 100, Progress: func(done, total int) {
		steps = append(steps, fmt.Sprint(done, "/", total))
		if done == 3 {
			cancel()
		}
	}}
	if _, err := FitSoftmax(ctx, d, labels, 3, o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if want := []string{"1/100", "2/100", "3/100"}; !reflect.DeepEqual(steps, want) {
		t.Errorf("cancelled after %q", steps)
	}
	steps = nil
	o.Iterations = 2
	if _, err := FitSoftmax(t.Context(), d, labels, 3, o); err != nil {
		t.Fatal(err)
	}
	if want := []string{"1/2", "2/2"}; !reflect.DeepEqual(steps, want) {
		t.Errorf("progress %q, want %q", steps, want)
	}
}

func TestModelCheck(t *testing.T) {
	nan := float32(math.NaN())
	for _, m := range []*Model{
		{},
		{Bias: []float64{math.Inf(1)}},
		{Bias: []float64{0}, Dense: [][]float32{{1}}},
		{Bias: []float64{0}, Dense: [][]float32{{1, nan}}},
		{Bias: []float64{0, 1}, Dense: [][]float32{{1, 1}}},
		{Bias: []float64{0}, Sparse: [][]float32{{1}}},
	} {
		if m.Check(2, 0) == nil {
			t.Errorf("%+v is accepted", m)
		}
	}
	if err := (&Model{Bias: []float64{0}, Dense: [][]float32{{1, 2}}}).Check(2, 0); err != nil {
		t.Error(err)
	}
}
