package report

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

func TestNumbers(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %s", n, got)
		}
	}
	if percent(1, 3) != "33.3 %" || percent(1, 0) != "–" || ratio(1, 0) != "–" || ratio(5, 4) != "1.25" {
		t.Error(percent(1, 3), percent(1, 0), ratio(1, 0), ratio(5, 4))
	}
	if plural(1, "line") != "1 line" || plural(2000, "line") != "2,000 lines" {
		t.Error(plural(1, "line"), plural(2000, "line"))
	}
	if got := visible("a\x1b[1m\x7f\u202eb\u2069é"); got != "a␛[1m␡bé" {
		t.Errorf("%q", got)
	}
	for x, want := range map[float64]float64{0: 1, 1: 1, 1.2: 2, 4: 5, 6: 10, 101: 200} {
		if got := niceStep(x); got != want {
			t.Errorf("niceStep(%g) = %g", x, got)
		}
	}
}

// Confidences on the border of two bins belong to the upper one.
func TestBinOf(t *testing.T) {
	for _, n := range []int{confidenceBins, reliabilityBins} {
		for i := range n + 1 {
			confidence, err := strconv.ParseFloat(fmt.Sprintf("%.2f", float64(i)/float64(n)), 64)
			if err != nil {
				t.Fatal(err)
			}
			if got := binOf(confidence, n); got != min(i, n-1) {
				t.Errorf("%g is in bin %d of %d", confidence, got, n)
			}
		}
	}
}

// Bins hold each length once, however they lie.
func TestLengthBins(t *testing.T) {
	for _, lengthsOf := range [][]int{{1}, {1, 2, 3}, {5, 5, 5, 900}, {0, 1}, {10000, 20000}, {4095, 4096, 4097}} {
		var l lengths
		for _, n := range lengthsOf {
			l.add(n)
		}
		var many lengths
		for i := range 3000 {
			many.add(lengthsOf[0] + i%300)
		}
		for _, l := range []*lengths{&l, &many} {
			bins, sum := lengthBins(l), 0
			for _, b := range bins {
				sum += b.Count
			}
			if sum != l.n || len(bins) > 26 {
				t.Errorf("%v: %d of %d in %d bins", lengthsOf, sum, l.n, len(bins))
			}
			if last := bins[len(bins)-1]; l.max > longest && (last.Count < l.counts[longest] || !strings.HasSuffix(last.Name, " or more")) {
				t.Errorf("%v: the long ones are not in the last bin, %+v", lengthsOf, last)
			}
		}
	}
}

func TestWilson(t *testing.T) {
	for _, tt := range []struct {
		right, n  int
		low, high float64
	}{{8, 10, 0.490, 0.943}, {0, 10, 0, 0.278}, {10, 10, 0.722, 1}, {500, 1000, 0.469, 0.531}} {
		low, high := wilson(tt.right, tt.n)
		if math.Abs(low-tt.low) > 5e-4 || math.Abs(high-tt.high) > 5e-4 {
			t.Errorf("%d of %d: %.4f to %.4f", tt.right, tt.n, low, high)
		}
	}
}

// A reference that agrees as often as the confidence says puts the points on the diagonal.
func TestReliabilityOfCalibrated(t *testing.T) {
	tax := dataset.Default()
	c := newCounts(tax)
	for i := range 5000 {
		r, labels := synthetic(tax, i)
		c.add(r)
		c.addReference(r, labels)
	}
	d := newReliability(&c.reference)
	if e, err := strconv.ParseFloat(d.Error, 64); err != nil || e > 0.03 {
		t.Errorf("expected calibration error %s", d.Error)
	}
	for _, p := range d.Points {
		if p.Low < p.Y || p.High > p.Y {
			t.Errorf("%+v: the interval does not hold the point", p)
		}
	}
}

// A heat map has each pair once and leaves out emotions that always stand alone.
func TestHeatmap(t *testing.T) {
	tax := dataset.Default()
	c := newCounts(tax)
	for _, predictions := range [][]string{{"joy", "love"}, {"love", "joy"}, {"joy", "pride"}, {"neutral"}} {
		c.add(&dataset.Record{Predictions: predictions})
	}
	h := newHeatmap(c)
	if len(h.Cells) != 3 || len(h.Rows) != 2 || len(h.Columns) != 2 {
		t.Errorf("%d cells, %d rows, %d columns", len(h.Cells), len(h.Rows), len(h.Columns))
	}
	want := []heatPair{{"joy", "love", 2, "100.0 %"}, {"joy", "pride", 1, "100.0 %"}}
	if fmt.Sprint(h.Pairs) != fmt.Sprint(want) {
		t.Errorf("%v", h.Pairs)
	}
	if h.Cells[0].Opacity != 1 || h.Cells[0].Title != "joy and love: 2" || h.Cells[2].Title != "" {
		t.Errorf("%+v", h.Cells)
	}
}

// Text has the contrast of WCAG 2.2 AA, 4.5 to 1, on what it stands on, in light and dark, and what must be seen has 3 to 1.
func TestContrast(t *testing.T) {
	light, dark, found := strings.Cut(asset("style.css"), "@media (prefers-color-scheme: dark)")
	if !found {
		t.Fatal("no dark colours")
	}
	for scheme, css := range map[string]string{"light": light, "dark": dark} {
		colours := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6})`).FindAllStringSubmatch(css, -1) {
			colours[m[1]] = m[2]
		}
		check := func(front, back string, least float64) {
			if c := contrast(t, colours[front], colours[back]); c < least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, less than %g", scheme, front, back, c, least)
			}
		}
		for _, back := range []string{"page", "panel"} {
			check("text", back, 4.5)
			check("muted", back, 4.5)
		}
		check("link", "page", 4.5)
		check("text", "chosen", 4.5)
		for _, group := range []string{"positive", "negative", "ambiguous", "neutral", "other"} {
			check("text", group+"-mark", 4.5)
			check(group, group+"-mark", 3)
			check(group, "page", 3)
			check(group, "chosen", 3)
		}
		check("plain", "page", 3)
		check("focus", "page", 3)
		check("focus", "chosen", 3)
	}
}

func contrast(t *testing.T, a, b string) float64 {
	l, m := luminance(t, a), luminance(t, b)
	return (max(l, m) + 0.05) / (min(l, m) + 0.05)
}

// luminance is relative luminance as WCAG defines it.
func luminance(t *testing.T, colour string) float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		if len(colour) != 7 {
			t.Fatalf("colour %q", colour)
		}
		v, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		s := float64(v) / 255
		if s <= 0.04045 {
			s /= 12.92
		} else {
			s = math.Pow((s+0.055)/1.055, 2.4)
		}
		sum += weight * s
	}
	return sum
}
