package agreement

import (
	"math"
	"testing"
)

// The published examples: A and B of Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability".
func TestNominalAlpha(t *testing.T) {
	table := func(first, second string, values string) [][]float64 {
		cells := make([][]float64, len(values))
		at := map[byte]int{}
		for i := range values {
			cells[i] = make([]float64, len(values))
			at[values[i]] = i
		}
		for i := range first {
			cells[at[first[i]]][at[second[i]]]++
		}
		return cells
	}
	for _, test := range []struct {
		name  string
		table [][]float64
		want  float64
	}{
		{"A", table("0100000010", "1110010000", "01"), 0.095},
		{"B", table("aabbdcccedda", "babbbcccedd"+"d", "abcde"), 0.692},
		{"equal", table("ab", "ab", "ab"), 1},
		{"one value", table("aa", "aa", "ab"), math.NaN()},
		{"none", table("", "", "ab"), math.NaN()},
	} {
		if got := nominal(test.table); !near(got, test.want, 0.0005) {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
}

func near(a, b, tolerance float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= tolerance
}

func TestKappa(t *testing.T) {
	if got := cohen([][]float64{{20, 5}, {10, 15}}); !near(got, 0.4, 1e-12) {
		t.Errorf("kappa %v, want 0.4", got)
	}
	if got := cohen([][]float64{{7, 0}, {0, 0}}); !math.IsNaN(got) {
		t.Errorf("kappa of one answer %v, want none", got)
	}
}

// TestBinaryForms holds the closed forms against the tables that they stand for.
func TestBinaryForms(t *testing.T) {
	for n := range 7 {
		for reference := range n + 1 {
			for predicted := range n + 1 {
				for both := max(0, reference+predicted-n); both <= min(reference, predicted); both++ {
					c := counts{both, reference, predicted}
					table := [][]float64{
						{float64(n - reference - predicted + both), float64(predicted - both)}, {float64(reference - both), float64(both)},
					}
					if got, want := c.kappa(n), cohen(table); !near(got, want, 1e-12) {
						t.Errorf("%v of %d: kappa %v, want %v", c, n, got, want)
					}
					if got, want := c.alpha(n), nominal(table); !near(got, want, 1e-12) {
						t.Errorf("%v of %d: alpha %v, want %v", c, n, got, want)
					}
				}
			}
		}
	}
}

func TestMASI(t *testing.T) {
	for _, test := range []struct {
		a, b Set
		want float64
	}{
		{0, 0, 0},
		{0b11, 0b11, 0},
		{0, 1, 1},
		{0b01, 0b10, 1},
		{0b01, 0b11, 1 - 2./3*1/2},
		{0b111, 0b001, 1 - 2./3*1/3},
		{0b011, 0b110, 1 - 1./3*1/3},
	} {
		if got, back := masi(test.a, test.b), masi(test.b, test.a); !near(got, test.want, 1e-12) || got != back {
			t.Errorf("%b and %b: %v and %v, want %v", test.a, test.b, got, back, test.want)
		}
	}
}
