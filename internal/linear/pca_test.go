package linear

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The basis is that of the covariance's own eigenvectors.
func TestFitPCA(t *testing.T) {
	d, _ := randomData(500, 60, 0, 0, 7)
	const k = 12
	for _, row := range d.Dense {
		for j := range row {
			row[j] = row[j]*float32(math.Pow(0.85, float64(j))) + float32(j)
		}
		row[59] += 1000
		row[58] = row[0] + row[1]/2
	}
	p, err := FitPCA(d.Dense, k)
	if err != nil {
		t.Fatal(err)
	}
	covariance := mat.NewSymDense(60, nil)
	for _, row := range d.Dense {
		centred := make([]float64, 60)
		for j, v := range row {
			centred[j] = float64(v) - float64(p.Mean[j])
		}
		covariance.SymRankOne(covariance, 1.0/499, mat.NewVecDense(60, centred))
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		t.Fatal("no eigenvectors")
	}
	values := eigen.Values(nil)
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	var projections [][]float32
	for _, row := range d.Dense {
		projections = append(projections, p.Project(row, nil))
	}
	for b := range k {
		λ := values[59-b]
		var cosine, length, variance float64
		for j, v := range p.Basis[b] {
			cosine += float64(v) * vectors.At(j, 59-b)
			length += float64(v) * float64(v)
		}
		near(t, "cosine with the eigenvector", math.Abs(cosine)/math.Sqrt(length), 1, 1e-6)
		near(t, "squared length times variance and ridge", length*(λ+values[59]*1e-3), 1, 1e-4)
		for _, projected := range projections {
			variance += float64(projected[b]) * float64(projected[b]) / 499
		}
		near(t, "variance of the projections", variance, λ/(λ+values[59]*1e-3), 1e-3)
		var peak float32
		for _, v := range p.Basis[b] {
			if math.Abs(float64(v)) > math.Abs(float64(peak)) {
				peak = v
			}
		}
		if peak < 0 {
			t.Errorf("the largest entry of direction %d is %v", b, peak)
		}
	}
	again, err := FitPCA(d.Dense, k)
	if err != nil || !reflect.DeepEqual(p, again) {
		t.Errorf("a second fit differs, %v", err)
	}
	dst := make([]float32, 0, k)
	if got := p.Project(d.Dense[3], dst); &got[0] != &dst[:1][0] || !reflect.DeepEqual(got, projections[3]) {
		t.Error("the given slice is not used")
	}
}

// Fewer directions vary than are asked for: the others stay finite.
func TestFitPCAOfLowRank(t *testing.T) {
	var rows [][]float32
	for i := range 50 {
		rows = append(rows, []float32{float32(i), float32(2 * i), float32(i % 7), 3, 3})
	}
	p, err := FitPCA(rows, 5)
	if err != nil {
		t.Fatal(err)
	}
	for b, row := range p.Basis {
		for _, v := range p.Project(rows[49], nil) {
			if !finite(float64(v)) || math.Abs(float64(v)) > 3 {
				t.Errorf("direction %d: %v, projections %v", b, row, v)
			}
		}
	}
}

func TestFitPCAErrors(t *testing.T) {
	for _, test := range []struct {
		rows [][]float32
		k    int
		want string
	}{
		{nil, 1, "0 rows"},
		{[][]float32{{1, 2}}, 1, "1 rows"},
		{[][]float32{{1, 2}, {2, 3}, {5, 7}}, 3, "no 3 directions"},
		{[][]float32{{1, 2}, {2, 3}}, 0, "no 0 directions"},
		{[][]float32{{}, {}}, 1, "rows of 0 values"},
		{[][]float32{{1, 2}, {2}}, 1, "row 1 has 1 dense values"},
		{[][]float32{{1, 2}, {2, float32(math.NaN())}}, 1, "dense value 1 is NaN"},
		{[][]float32{{1, 2}, {1, 2}}, 1, "do not differ"},
		{[][]float32{{1e30, 2}, {1, 2}}, 1, "too large"},
	} {
		if p, err := FitPCA(test.rows, test.k); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v, %v, want %q", test.rows, p, err, test.want)
		}
	}
}
