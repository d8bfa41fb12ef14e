package report

import (
	"fmt"
	"math"
)

// reliability is a reliability diagram: spans are put into bins by their confidence, and a point for each bin shows which share of
// them is right. Where confidence means what it says, points lie on the diagonal. Each has its 95 % interval (Wilson 1927).
type reliability struct {
	Points []point
	Ticks  []diagramTick
	Error  string // the expected calibration error (Naeini et al. 2015)
	Right  string // of all spans
	Spans  int
}

type point struct {
	X, Y, Low, High float64 // of the drawing
	Size            float64
	Title           string

	Bin, Confidence, Share, Interval string
	Spans, Right                     int
}

type diagramTick struct {
	X, Y float64
	Text string
}

const (
	diagramSize = 280
	diagramLeft = 44
	diagramTop  = 10
)

// newReliability draws the diagram; nil where no span is in the reference.
func newReliability(a *agreement) *reliability {
	d := &reliability{}
	right, off := 0, 0.0
	for _, b := range a.bins {
		d.Spans += b.spans
		right += b.right
		off += math.Abs(b.confidenceSum - float64(b.right))
	}
	if d.Spans == 0 {
		return nil
	}
	d.Error = fmt.Sprintf("%.3f", off/float64(d.Spans))
	d.Right = percent(right, d.Spans)
	for i := range 6 {
		at := float64(i) / 5
		d.Ticks = append(d.Ticks, diagramTick{round(diagramX(at)), round(diagramY(at)), fmt.Sprintf("%.1f", at)})
	}
	names := confidenceBinNames(reliabilityBins)
	for i, b := range a.bins {
		if b.spans == 0 {
			continue
		}
		confidence, share := b.confidenceSum/float64(b.spans), float64(b.right)/float64(b.spans)
		low, high := wilson(b.right, b.spans)
		p := point{
			X: round(diagramX(confidence)), Y: round(diagramY(share)), Low: round(diagramY(low)), High: round(diagramY(high)),
			Size: round(3 + 7*math.Sqrt(float64(b.spans)/float64(d.Spans))),
			Bin:  names[i].Name, Confidence: fmt.Sprintf("%.3f", confidence), Share: percent(b.right, b.spans),
			Interval: fmt.Sprintf("%.1f to %.1f %%", 100*low, 100*high), Spans: b.spans, Right: b.right,
		}
		p.Title = fmt.Sprintf("confidence %s: %s of %s spans right, %s", p.Bin, thousands(b.right), thousands(b.spans), p.Share)
		d.Points = append(d.Points, p)
	}
	return d
}

func diagramX(v float64) float64 { return diagramLeft + diagramSize*v }
func diagramY(v float64) float64 { return diagramTop + diagramSize*(1-v) }

// wilson is the 95 % score interval of a share of right out of n.
func wilson(right, n int) (low, high float64) {
	const z = 1.959964
	p, m := float64(right)/float64(n), float64(n)
	centre := p + z*z/(2*m)
	half := z * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return max(0, (centre-half)/(1+z*z/m)), min(1, (centre+half)/(1+z*z/m))
}
