package linear

import (
	"context"
	"math/rand/v2"
	"testing"
)

// randomData makes rows of dense and sparse features and labels that depend on them.
func randomData(rows, width, columns, terms, classes int) (*Data, []int) {
	random := rand.New(rand.NewPCG(1, 2))
	d := &Data{Columns: columns}
	labels := make([]int, rows)
	for i := range rows {
		labels[i] = random.IntN(classes)
		if width > 0 {
			row := make([]float32, width)
			for j := range row {
				row[j] = float32(random.NormFloat64())
			}
			row[labels[i]%width] += 2
			d.Dense = append(d.Dense, row)
		}
		if columns > 0 {
			var row []Term
			for range terms {
				row = append(row, Term{random.Int32N(int32(columns)), float32(random.Float64()) / 2})
			}
			row = append(row, Term{int32(labels[i] % columns), 0.3})
			d.Sparse = append(d.Sparse, row)
		}
	}
	return d, labels
}

// BenchmarkEvaluate is one evaluation of loss and gradient of a tenth of 43,000 rows × 1,200 dense columns × 28 classes.
func BenchmarkEvaluate(b *testing.B) {
	d, labels := randomData(4300, 1200, 0, 0, 28)
	benchmarkEvaluate(b, d, labels)
}

// BenchmarkEvaluateWords has 20,000 sparse columns beside.
func BenchmarkEvaluateWords(b *testing.B) {
	d, labels := randomData(4300, 1200, 20000, 25, 28)
	benchmarkEvaluate(b, d, labels)
}

func benchmarkEvaluate(b *testing.B, d *Data, labels []int) {
	f, err := newFit(d, len(labels), 28, Options{})
	if err != nil {
		b.Fatal(err)
	}
	mass := make([]float64, 28)
	for _, c := range labels {
		mass[c]++
	}
	f.ctx = context.Background()
	f.row = func(i int, scores []float64, residual []float32) float64 {
		return softmaxRow(f, labels[i], i, scores, residual)
	}
	f.prepare(mass, Options{L2Dense: 1, L2Sparse: 1})
	x, gradient := make([]float64, f.size()), make([]float64, f.size())
	b.ReportAllocs()
	for b.Loop() {
		f.evaluate(x, gradient)
	}
}

func BenchmarkFitPCA(b *testing.B) {
	d, _ := randomData(3000, 4096, 0, 0, 28)
	for b.Loop() {
		if _, err := FitPCA(d.Dense, 256); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkProject is one text's projection of 4,096 values onto 256 directions.
func BenchmarkProject(b *testing.B) {
	d, _ := randomData(257, 4096, 0, 0, 28)
	p := &PCA{Mean: d.Dense[256], Basis: d.Dense[:256]}
	dst := make([]float32, 0, 256)
	for b.Loop() {
		p.Project(d.Dense[0], dst)
	}
}
