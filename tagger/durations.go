package tagger

import (
	"math"
	"math/bits"
	"time"
)

// durations is a histogram with eight steps for each doubling. Its quantiles are the middles of steps, so within 7 %,
// however many are added.
type durations struct {
	counts [64 * 8]uint64
	n      uint64
	total  time.Duration
}

func (h *durations) add(d time.Duration) {
	h.counts[step(uint64(max(d, 1)))]++
	h.n++
	h.total += d
}

func step(ns uint64) int {
	octave := bits.Len64(ns) - 1
	if octave < 3 { // fewer than eight values: each a step of its own
		return octave*8 + int(ns<<(3-octave))&7
	}
	return octave*8 + int(ns>>(octave-3))&7
}

// quantile returns the q-quantile, 0 where nothing was added.
func (h *durations) quantile(q float64) time.Duration {
	goal := uint64(math.Ceil(q * float64(h.n)))
	var seen uint64
	for i, c := range h.counts {
		if seen += c; seen >= max(goal, 1) {
			octave, eighths := i/8, uint64(8+i%8)
			if octave < 3 {
				return time.Duration(eighths >> (3 - octave))
			}
			width := uint64(1) << (octave - 3)
			return time.Duration(eighths*width + width/2)
		}
	}
	return 0
}
