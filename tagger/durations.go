package tagger

import (
	"math"
	"math/bits"
	"time"
)

// durations is a histogram with eight steps for each doubling, so its quantiles are within 9 % however many are added.
type durations struct {
	counts [64 * 8]uint64
	n      uint64
}

func (h *durations) add(d time.Duration) {
	h.counts[step(uint64(max(d, 1)))]++
	h.n++
}

func step(ns uint64) int {
	octave := bits.Len64(ns) - 1
	if octave < 3 {
		return octave * 8
	}
	return octave*8 + int(ns>>(octave-3))&7
}

// quantile returns the q-quantile, 0 where nothing was added.
func (h *durations) quantile(q float64) time.Duration {
	goal := uint64(math.Ceil(q * float64(h.n)))
	var seen uint64
	for i, c := range h.counts {
		if seen += c; seen >= max(goal, 1) {
			octave := i / 8
			if octave < 3 {
				return 1 << octave
			}
			return time.Duration(1<<octave + uint64(i%8)<<(octave-3))
		}
	}
	return 0
}
