package agreement

import (
	"encoding/json"
	"math"
)

// A Number is a figure that may be undefined, NaN, which JSON writes as null.
type Number float64

// Defined reports whether there is such a figure.
func (n Number) Defined() bool { return !math.IsNaN(float64(n)) }

// MarshalJSON implements [json.Marshaler].
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Defined() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// An Estimate is a figure with its bootstrap interval. Low and High are NaN
// where none was made.
type Estimate struct {
	Value Number `json:"value"`
	Low   Number `json:"low"`
	High  Number `json:"high"`
}

func estimate(v float64) Estimate {
	return Estimate{Number(v), Number(math.NaN()), Number(math.NaN())}
}

// PRF are precision, recall and their harmonic mean; a ratio of nothing is 0, as
// with scikit-learn's zero_division=0.
type PRF struct {
	Precision Estimate `json:"precision"`
	Recall    Estimate `json:"recall"`
	F1        Estimate `json:"f1"`
}

// prf scores hits among what was predicted and what there is. The two kinds of
// hits differ where one prediction can meet several.
func prf(predictedHits, predicted, referenceHits, reference float64) PRF {
	p, r := ratio(predictedHits, predicted), ratio(referenceHits, reference)
	return PRF{estimate(p), estimate(r), estimate(ratio(2*p*r, p+r))}
}

func (s *PRF) estimates(to []*Estimate) []*Estimate {
	return append(to, &s.Precision, &s.Recall, &s.F1)
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// counts are the cells of a binary comparison.
type counts struct{ both, reference, predicted int }

func (c counts) prf() PRF {
	return prf(float64(c.both), float64(c.predicted), float64(c.both), float64(c.reference))
}

// kappa is Cohen's (1960) for two annotators and two answers over n texts: the
// closed form of [cohen].
func (c counts) kappa(n int) float64 {
	neither := n - c.reference - c.predicted + c.both
	over, under := float64(c.predicted-c.both), float64(c.reference-c.both)
	expected := float64(c.reference)*float64(n-c.predicted) + float64(n-c.reference)*float64(c.predicted)
	if expected == 0 {
		return math.NaN()
	}
	return 2 * (float64(c.both)*float64(neither) - over*under) / expected
}

// alpha is Krippendorff's for two annotators and two answers over n texts: the
// closed form of [nominal].
func (c counts) alpha(n int) float64 {
	yes := float64(c.reference + c.predicted)
	no := 2*float64(n) - yes
	if yes == 0 || no == 0 {
		return math.NaN()
	}
	return 1 - (2*float64(n)-1)*float64(c.reference+c.predicted-2*c.both)/(yes*no)
}

// cohen is Cohen's kappa of a table of how often the one annotator chose the row
// and the other the column; NaN where chance alone would agree always.
func cohen(table [][]float64) float64 {
	n, same := 0., 0.
	rows, columns := make([]float64, len(table)), make([]float64, len(table))
	for i, row := range table {
		same += row[i]
		for j, v := range row {
			n += v
			rows[i] += v
			columns[j] += v
		}
	}
	expected := 0.
	for i := range table {
		expected += rows[i] * columns[i]
	}
	if n*n == expected {
		return math.NaN()
	}
	return (n*same - expected) / (n*n - expected)
}

// nominal is Krippendorff's alpha of such a table with the nominal metric
// (Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"); NaN where
// only one answer was ever given.
func nominal(table [][]float64) float64 {
	n, same := 0., 0.
	values := make([]float64, len(table))
	for i, row := range table {
		same += row[i]
		for j, v := range row {
			n += 2 * v
			values[i] += v
			values[j] += v
		}
	}
	expected := n * n
	for _, v := range values {
		expected -= v * v
	}
	if expected == 0 {
		return math.NaN()
	}
	return 1 - (n-1)*(n-2*same)/expected
}

// mean is the mean of those that are defined, NaN where none is.
func mean(list []float64) float64 {
	sum, n := 0., 0
	for _, v := range list {
		if !math.IsNaN(v) {
			sum += v
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}
