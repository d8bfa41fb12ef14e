package agreement

import (
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Confidence is the share of a bootstrap interval.
const Confidence = 0.95

// A Bootstrap makes percentile intervals (Efron 1979): so many records are
// drawn, with replacement, as there are, the figures are made of them, and
// their quantiles over all Replicates are the bounds. None are made without
// replicates. The same seed gives the same bounds on any number of cores.
type Bootstrap struct {
	Replicates int
	Seed       uint64
}

// intervals sets the bounds of the estimates. Records that come to the same are
// counted together; score makes the figures from how often each of them was
// drawn, in the order of the estimates.
func (b Bootstrap) intervals(ctx context.Context, counts []int, score func(weights []int) []*Estimate, estimates []*Estimate) error {
	if b.Replicates == 0 {
		return nil
	}
	values := make([]float64, len(estimates)*b.Replicates) // (estimate, replicate)
	draw := newResampler(counts)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), b.Replicates) {
		workers.Go(func() {
			weights := make([]int, len(counts))
			for {
				i := int(next.Add(1)) - 1
				if i >= b.Replicates || ctx.Err() != nil {
					return
				}
				draw.into(weights, b.random(i))
				for k, e := range score(weights) {
					values[k*b.Replicates+i] = float64(e.Value)
				}
			}
		})
	}
	workers.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	for k, e := range estimates {
		if !e.Value.Defined() {
			continue
		}
		column := slices.DeleteFunc(values[k*b.Replicates:(k+1)*b.Replicates:(k+1)*b.Replicates], math.IsNaN)
		slices.Sort(column)
		e.Low, e.High = Number(quantile(column, (1-Confidence)/2)), Number(quantile(column, (1+Confidence)/2))
	}
	return nil
}

// random is the source of one replicate. ChaCha8 because its streams from seeds
// that differ by one have nothing in common.
func (b Bootstrap) random(replicate int) *rand.Rand {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], b.Seed)
	binary.LittleEndian.PutUint64(seed[8:], uint64(replicate))
	return rand.New(rand.NewChaCha8(seed))
}

// quantile interpolates between the values of a sorted list.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// A resampler draws as many records as there are, with replacement, and counts
// those of each group: a multinomial draw. Large groups get their number at
// once, one after the other, from the binomial distribution that the draws and
// records left make; the records of small groups are drawn one by one.
type resampler struct {
	counts []int
	total  int
	large  []int
	small  []int32 // the group of each record in a small one
}

// largeGroup is from where one binomial number costs less than the draws.
const largeGroup = 32

func newResampler(counts []int) *resampler {
	r := &resampler{counts: counts}
	small := 0
	for _, n := range counts {
		if n < largeGroup {
			small += n
		}
	}
	r.small = make([]int32, 0, small)
	for g, n := range counts {
		r.total += n
		if n >= largeGroup {
			r.large = append(r.large, g)
			continue
		}
		for range n {
			r.small = append(r.small, int32(g))
		}
	}
	return r
}

func (r *resampler) into(weights []int, rng *rand.Rand) {
	clear(weights)
	draws, records := r.total, r.total
	for _, g := range r.large {
		n := r.counts[g]
		weights[g] = draws
		if n < records {
			weights[g] = binomial(rng, draws, float64(n)/float64(records))
		}
		draws, records = draws-weights[g], records-n
	}
	for range draws {
		weights[r.small[rng.IntN(len(r.small))]]++
	}
}

// binomial draws how many of n trials succeed, each with probability p, by
// inversion where few do and else by the transformed rejection method BTRS of
// Hörmann (1993), "The generation of binomial random variates".
func binomial(rng *rand.Rand, n int, p float64) int {
	if p > 0.5 {
		return n - binomial(rng, n, 1-p)
	}
	q := 1 - p
	if float64(n)*p < 10 {
		chance, u := math.Pow(q, float64(n)), rng.Float64()
		k := 0
		for u >= chance && k < n {
			u -= chance
			k++
			chance *= float64(n-k+1) / float64(k) * p / q
		}
		return k
	}
	lgamma := func(k int) float64 { v, _ := math.Lgamma(float64(k) + 1); return v }
	deviation := math.Sqrt(float64(n) * p * q)
	b := 1.15 + 2.53*deviation
	a := -0.0873 + 0.0248*b + 0.01*p
	centre := float64(n)*p + 0.5
	alpha := (2.83 + 5.1/b) * deviation
	box := 0.92 - 4.2/b
	mode := int(float64(n+1) * p)
	peak := lgamma(mode) + lgamma(n-mode)
	for {
		u, v := rng.Float64()-0.5, rng.Float64()
		us := 0.5 - math.Abs(u)
		if us == 0 {
			continue
		}
		x := math.Floor((2*a/us+b)*u + centre)
		if x < 0 || x > float64(n) {
			continue
		}
		k := int(x)
		if us >= 0.07 && v <= box {
			return k
		}
		v *= alpha / (a/(us*us) + b)
		if math.Log(v) <= peak-lgamma(k)-lgamma(n-k)+float64(k-mode)*math.Log(p/q) {
			return k
		}
	}
}
