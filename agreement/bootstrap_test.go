package agreement

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
)

// TestBinomial holds the frequencies of both methods against the distribution.
func TestBinomial(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, test := range []struct {
		n int
		p float64
	}{{1, 0.3}, {20, 0.1}, {40, 0.25}, {40, 0.75}, {60, 0.5}, {1000, 0.04}, {100000, 0.001}, {5, 0}, {5, 1}} {
		const draws = 40000
		seen := make([]int, test.n+1)
		for range draws {
			seen[binomial(rng, test.n, test.p)]++
		}
		chi, cells := 0., 0
		for k, n := range seen {
			logChance := choose(test.n, k) + xlog(float64(k), test.p) + xlog(float64(test.n-k), 1-test.p)
			if expected := draws * math.Exp(logChance); expected >= 10 {
				chi += (float64(n) - expected) * (float64(n) - expected) / expected
				cells++
			} else if expected < 1e-4 && n > 0 {
				t.Errorf("n %d, p %v: %d came up %d times, expected %v", test.n, test.p, k, n, expected)
			}
		}
		// The mean of chi² is cells-1, its deviation √(2(cells-1)).
		if limit := float64(cells) + 4*math.Sqrt(2*float64(cells)); chi > limit || cells == 0 {
			t.Errorf("n %d, p %v: chi² %v over %d cells, at most %v", test.n, test.p, chi, cells, limit)
		}
	}
}

func choose(n, k int) float64 {
	lgamma := func(x int) float64 { v, _ := math.Lgamma(float64(x) + 1); return v }
	return lgamma(n) - lgamma(k) - lgamma(n-k)
}

func xlog(x, p float64) float64 {
	if x == 0 {
		return 0
	}
	return x * math.Log(p)
}

// TestResampler draws groups of each size and holds mean, variance and covariance against the multinomial's.
func TestResampler(t *testing.T) {
	counts := []int{1, 200, 3, 40, 1, 90}
	total := 335.
	r := newResampler(counts)
	rng := rand.New(rand.NewPCG(3, 4))
	const draws = 20000
	sum, square, product := make([]float64, len(counts)), make([]float64, len(counts)), 0.
	weights := make([]int, len(counts))
	for range draws {
		r.into(weights, rng)
		n := 0
		for g, w := range weights {
			n += w
			sum[g] += float64(w)
			square[g] += float64(w * w)
		}
		product += float64(weights[1] * weights[3])
		if n != 335 {
			t.Fatalf("%d records were drawn", n)
		}
	}
	for g, n := range counts {
		mean := sum[g] / draws
		variance := square[g]/draws - mean*mean
		want := float64(n) * (1 - float64(n)/total)
		if math.Abs(mean-float64(n)) > 5*math.Sqrt(want/draws) || math.Abs(variance-want) > 0.06*want {
			t.Errorf("group of %d: mean %v, variance %v, want %v", n, mean, variance, want)
		}
	}
	if got, want := product/draws-sum[1]/draws*sum[3]/draws, -200.*40/total; math.Abs(got-want) > 0.1*-want {
		t.Errorf("covariance %v, want %v", got, want)
	}
}

func share(counts []int) func(weights []int) []*Estimate {
	return func(weights []int) []*Estimate {
		n := 0
		for _, w := range weights {
			n += w
		}
		e := estimate(float64(weights[0]) / float64(n))
		undefined := estimate(math.NaN())
		return []*Estimate{&e, &undefined}
	}
}

func TestIntervals(t *testing.T) {
	counts := []int{300, 100, 600}
	interval := func(b Bootstrap) (Estimate, Estimate) {
		list := share(counts)(counts)
		if err := b.intervals(context.Background(), counts, share(counts), list); err != nil {
			t.Fatal(err)
		}
		return *list[0], *list[1]
	}
	e, undefined := interval(Bootstrap{4000, 1})
	deviation := math.Sqrt(0.3 * 0.7 / 1000)
	if low, high := 0.3-1.96*deviation, 0.3+1.96*deviation; !near(float64(e.Low), low, 0.003) || !near(float64(e.High), high, 0.003) {
		t.Errorf("%v, want about [%v, %v]", e, low, high)
	}
	if undefined.Low.Defined() || undefined.High.Defined() {
		t.Errorf("an undefined figure has the bounds %v", undefined)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if alone, _ := interval(Bootstrap{4000, 1}); alone != e {
		t.Errorf("on one core %v, on several %v", alone, e)
	}
	if other, _ := interval(Bootstrap{4000, 2}); other == e {
		t.Error("another seed gives the same bounds")
	}
	if none, _ := interval(Bootstrap{}); none.Low.Defined() {
		t.Errorf("without samples there are bounds: %v", none)
	}

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := (Bootstrap{1000, 1}).intervals(ctx, counts, share(counts), share(counts)(counts)); !errors.Is(err, context.Canceled) {
		t.Errorf("after an interrupt: %v", err)
	}
}

func TestQuantile(t *testing.T) {
	sorted := []float64{1, 2, 4, 8}
	for _, test := range []struct{ q, want float64 }{{0, 1}, {1, 8}, {0.5, 3}, {0.25, 1.75}} {
		if got := quantile(sorted, test.q); got != test.want {
			t.Errorf("quantile %v: %v, want %v", test.q, got, test.want)
		}
	}
	if !slices.IsSorted(sorted) {
		t.Error("the list was changed")
	}
}
