package report

import (
	"fmt"
	"math"
)

// histogram is a chart of how many of something fall into each of a row of bins.
type histogram struct {
	ID, Title, Desc string
	Of, Unit        string // the axes: what the bins are of, what is counted
	Bins            []bin

	Columns []column
	Ticks   []tick
	Lines   []tick
}

// bin is one bin and its name, and what the axis says where it begins.
type bin struct {
	Name, From string
	Count      int
}

type column struct {
	Title               string
	X, Y, Width, Height float64
}

// tick is a mark on an axis, at a place along it.
type tick struct {
	At   float64
	Text string
}

// The drawing's measures, in units of its viewBox.
const (
	histogramWidth  = 480
	histogramHeight = 210
	plotLeft        = 52
	plotTop         = 8
	plotWidth       = histogramWidth - plotLeft - 10
	plotHeight      = histogramHeight - plotTop - 40
)

// laidOut draws the bins.
func (h histogram) laidOut() histogram {
	most := 1
	for _, b := range h.Bins {
		most = max(most, b.Count)
	}
	step := niceStep(float64(most) / 4)
	top := step * math.Ceil(float64(most)/step)
	for v := 0.0; v <= top; v += step {
		h.Lines = append(h.Lines, tick{round(plotTop + plotHeight*(1-v/top)), thousands(int(v))})
	}
	width := float64(plotWidth) / float64(len(h.Bins))
	every := (len(h.Bins) + 9) / 10
	for i, b := range h.Bins {
		height := plotHeight * float64(b.Count) / top
		if b.Count > 0 {
			height = max(height, 1) // so that it can be seen
		}
		x := plotLeft + float64(i)*width
		h.Columns = append(h.Columns, column{
			Title: fmt.Sprintf("%s: %s %s", b.Name, thousands(b.Count), h.Unit),
			X:     round(x), Y: round(plotTop + plotHeight - height), Width: round(max(width-1, 1)), Height: round(height),
		})
		if i%every == 0 {
			h.Ticks = append(h.Ticks, tick{round(x), b.From})
		}
	}
	return h
}

// niceStep is the least of 1, 2, 5, 10, 20, 50, … that is no less than x.
func niceStep(x float64) float64 {
	scale := 1.0
	for {
		for _, m := range []float64{1, 2, 5} {
			if m*scale >= x {
				return m * scale
			}
		}
		scale *= 10
	}
}

// lengthBins puts lengths into at most 25 bins of equal width; the rare long ones are together in the last.
func lengthBins(l *lengths) []bin {
	low, high := 0, max(l.quantile(0.995), 1)
	step := int(niceStep(float64(high) / 24))
	if step == 1 && l.counts[0] == 0 {
		low = 1
	}
	var bins []bin
	for from := low; from <= high && from+step <= longest; from += step {
		b := bin{From: fmt.Sprint(from), Name: fmt.Sprintf("%d to %d", from, from+step-1)}
		if step == 1 {
			b.Name = b.From
		}
		for n := from; n < from+step; n++ {
			b.Count += l.counts[n]
		}
		bins = append(bins, b)
	}
	if end := low + len(bins)*step; end <= l.max {
		b := bin{From: fmt.Sprint(end), Name: fmt.Sprintf("%d or more", end)}
		for n := end; n < len(l.counts); n++ {
			b.Count += l.counts[n]
		}
		bins = append(bins, b)
	}
	return bins
}

// confidenceBinNames are the bins of [0,1] by their bounds.
func confidenceBinNames(n int) []bin {
	bins := make([]bin, n)
	for i := range bins {
		from, to := float64(i)/float64(n), float64(i+1)/float64(n)
		bins[i] = bin{From: fmt.Sprintf("%.3g", from), Name: fmt.Sprintf("%.2f to %.2f", from, to)}
	}
	return bins
}
