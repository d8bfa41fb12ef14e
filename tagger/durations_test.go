package tagger

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestDurationsQuantiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, tt := range []struct {
		name string
		draw func() time.Duration
	}{
		{"microseconds", func() time.Duration { return time.Duration(20e3 * math.Exp(rng.NormFloat64())) }},
		{"from nanoseconds to hours", func() time.Duration { return time.Duration(math.Exp(30 * rng.Float64())) }},
		{"all the same", func() time.Duration { return 4607 }}, // the end of a step
		{"few nanoseconds", func() time.Duration { return time.Duration(1 + rng.IntN(15)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var h durations
			all := make([]time.Duration, 5000)
			for i := range all {
				all[i] = max(tt.draw(), 1)
				h.add(all[i])
			}
			slices.Sort(all)
			for _, q := range []float64{0, 0.01, 0.25, 0.5, 0.9, 0.99, 1} {
				want := float64(all[max(0, int(math.Ceil(q*float64(len(all))))-1)])
				if got := float64(h.quantile(q)); math.Abs(got-want) > 0.07*want {
					t.Errorf("the %g-quantile is %g ns, not within 7 %% of %g", q, got, want)
				}
			}
		})
	}
}

func TestDurationsOfEveryStep(t *testing.T) {
	for octave := range 63 {
		for part := range uint64(16) {
			d := time.Duration(1<<octave + part<<octave>>4)
			var h durations
			h.add(d)
			if got := h.quantile(0.5); math.Abs(float64(got-d)) > 0.07*float64(d) {
				t.Errorf("%d is counted as %d", d, got)
			}
		}
	}
}

func TestDurationsWithoutMeasure(t *testing.T) {
	var h durations
	if got := h.quantile(0.5); got != 0 {
		t.Errorf("the median of nothing is %v", got)
	}
	h.add(0) // a clock that did not move
	if got := h.quantile(1); got != 1 {
		t.Errorf("no time at all is counted as %v, not as the shortest", got)
	}
}
