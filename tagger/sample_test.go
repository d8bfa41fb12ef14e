package tagger

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
)

var (
	inf = float32(math.Inf(1))
	nan = float32(math.NaN())
)

func TestSamplerGreedy(t *testing.T) {
	for _, tt := range []struct {
		name    string
		logits  []float32
		allowed []int32
		want    int32
	}{
		{"arg-max", []float32{1, 5, 3}, []int32{0, 1, 2}, 1},
		{"only of the allowed", []float32{1, 5, 3}, []int32{0, 2}, 2},
		{"tie", []float32{0, 2, 2, 2}, []int32{0, 2, 3}, 2},
		{"all negative", []float32{-9, -1e30, -3e38}, []int32{1, 2}, 1},
		{"not a number", []float32{nan, -2, nan}, []int32{0, 1, 2}, 1},
		{"minus infinity", []float32{-inf, -inf, -7}, []int32{0, 1, 2}, 2},
		{"infinity elsewhere", []float32{inf, -7, nan}, []int32{1}, 1},
		{"beyond one word of the mask", slices.Repeat([]float32{0}, 200), []int32{130, 199}, 130},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s sampler
			s.reseed("x")
			got, err := s.pick(tt.logits, maskOf(len(tt.logits), tt.allowed...))
			if err != nil || got != tt.want {
				t.Errorf("picked %d, %v, want %d", got, err, tt.want)
			}
		})
	}
}

func TestSamplerUnusableLogits(t *testing.T) {
	for _, logits := range [][]float32{
		{nan, nan}, {-inf, -inf}, {-inf, nan}, {inf, 0}, {nan, inf},
	} {
		for _, temperature := range []float64{0, 1} {
			s := sampler{Sampling: Sampling{Temperature: temperature, TopP: 0.9}}
			s.reseed("x")
			if id, err := s.pick(logits, maskOf(2, 0, 1)); !errors.Is(err, errNoLogits) {
				t.Errorf("%v at temperature %g: picked %d, %v", logits, temperature, id, err)
			}
		}
	}
}

// draw picks n times and returns how often each token came.
func draw(t *testing.T, o Sampling, id string, n int, logits []float32, allowed ...int32) []int {
	t.Helper()
	s := sampler{Sampling: o}
	s.reseed(id)
	counts := make([]int, len(logits))
	mask := maskOf(len(logits), allowed...)
	for range n {
		id, err := s.pick(logits, mask)
		if err != nil {
			t.Fatal(err)
		}
		counts[id]++
	}
	return counts
}

func TestSamplerTemperature(t *testing.T) {
	logits := []float32{1, 0, 30, 2.5, -1, nan, 1.5, -inf}
	allowed := []int32{0, 1, 3, 4, 5, 6, 7} // 5 and 7 have no probability
	const n = 20000
	for _, temperature := range []float64{0.5, 1, 2, 100} {
		for _, topP := range []float64{0, 1} {
			counts := draw(t, Sampling{Temperature: temperature, TopP: topP, Seed: 7}, "a", n, logits, allowed...)
			var total, chi2 float64
			drawn := []int{0, 1, 3, 4, 6}
			for _, id := range drawn {
				total += math.Exp(float64(logits[id]) / temperature)
			}
			seen := 0
			for _, id := range drawn {
				want := n * math.Exp(float64(logits[id])/temperature) / total
				chi2 += (float64(counts[id]) - want) * (float64(counts[id]) - want) / want
				seen += counts[id]
			}
			if seen != n {
				t.Errorf("temperature %g: %d of %d draws are of tokens that may not be drawn: %v", temperature, n-seen, n, counts)
			}
			if chi2 > 18.47 { // four degrees of freedom, p = 0.001
				t.Errorf("temperature %g, top-p %g: χ² = %.1f for %v", temperature, topP, chi2, counts)
			}
		}
	}
}

func TestSamplerExtremeTemperatures(t *testing.T) {
	logits := []float32{3, 3.001, -3e38, 2}
	for _, temperature := range []float64{math.SmallestNonzeroFloat64, 1e-300, 1e-6} {
		if counts := draw(t, Sampling{Temperature: temperature}, "a", 50, logits, 0, 1, 2, 3); counts[1] != 50 {
			t.Errorf("temperature %g: %v", temperature, counts)
		}
	}
	if counts := draw(t, Sampling{Temperature: math.MaxFloat64}, "a", 4000, logits, 0, 1, 3); slices.Min([]int{counts[0], counts[1], counts[3]}) < 1200 {
		t.Errorf("the highest temperature is not even: %v", counts)
	}
}

func TestSamplerTopP(t *testing.T) {
	// Probabilities 0.3, 0.05, 0.5, 0.15: not in the order of ids.
	logits := make([]float32, 4)
	for id, p := range []float64{0.3, 0.05, 0.5, 0.15} {
		logits[id] = float32(math.Log(p))
	}
	const n = 20000
	for _, tt := range []struct {
		topP float64
		want []float64 // shares
	}{
		{0.01, []float64{0, 0, 1, 0}},
		{0.49, []float64{0, 0, 1, 0}},
		{0.75, []float64{3. / 8, 0, 5. / 8, 0}},
		{0.9, []float64{30. / 95, 0, 50. / 95, 15. / 95}},
		{0.999, []float64{0.3, 0.05, 0.5, 0.15}},
		{1, []float64{0.3, 0.05, 0.5, 0.15}},
	} {
		t.Run(fmt.Sprint(tt.topP), func(t *testing.T) {
			counts := draw(t, Sampling{Temperature: 1, TopP: tt.topP, Seed: 1}, "a", n, logits, 0, 1, 2, 3)
			for id, share := range tt.want {
				if got := float64(counts[id]) / n; math.Abs(got-share) > 0.015 || share == 0 && got > 0 {
					t.Errorf("token %d: share %.3f, want %.3f", id, got, share)
				}
			}
		})
	}
}

// TestSamplerTopPTies: among equals the lowest ids come first, as with temperature 0.
func TestSamplerTopPTies(t *testing.T) {
	counts := draw(t, Sampling{Temperature: 1, TopP: 0.5}, "a", 2000, make([]float32, 8), 1, 2, 5, 7)
	if counts[5]+counts[7] > 0 || counts[1] < 900 || counts[2] < 900 {
		t.Errorf("%v, want tokens 1 and 2", counts)
	}
}

func TestSamplerSeeds(t *testing.T) {
	sequence := func(seed int64, id string) []int32 {
		s := sampler{Sampling: Sampling{Temperature: 1, Seed: seed}}
		s.reseed("another record, whose draws are not to matter")
		ids := make([]int32, 40)
		for range 3 {
			s.reseed(id)
			for i := range ids {
				ids[i], _ = s.pick(make([]float32, 64), maskOf(64, 1, 2, 3, 4, 5, 60))
			}
		}
		return ids
	}
	base := sequence(1, "l2_1")
	if !slices.Equal(base, sequence(1, "l2_1")) {
		t.Error("the same seed and id draw differently")
	}
	for _, other := range [][]int32{sequence(2, "l2_1"), sequence(1, "l2_2"), sequence(-1, "l2_1"), sequence(1, "")} {
		if slices.Equal(base, other) {
			t.Error("another seed or id draws the same")
		}
	}
}
