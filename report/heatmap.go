package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/emospan/emospan/dataset"
)

// maxHeat is how many emotions a heat map shows: the most frequent ones where a taxonomy has more.
const maxHeat = 40

// heatmap shows which emotions occur together: a cell for each pair, the darker the more records have both.
type heatmap struct {
	Width, Height int
	Rows          []heatLabel
	Columns       []heatLabel
	Cells         []heatCell
	Pairs         []heatPair // most frequent first
	Left          int        // emotions that were left out
}

type heatLabel struct {
	X, Y int
	Name string
}

type heatCell struct {
	X, Y, Size int
	Opacity    float64
	Title      string
}

type heatPair struct {
	First, Second string
	Count         int
	Part          string // of the records that have the rarer of the two
}

const (
	heatCellSize = 16
	heatLeft     = 110
	heatBottom   = 100
)

// newHeatmap draws the lower triangle of the pairs, without emotions that occur alone; nil where all do.
func newHeatmap(c *counts) *heatmap {
	emotions := c.tax.Emotions()
	n := len(emotions)
	var shown []int
	for i := range emotions {
		if slices.Max(c.pairs[i*n:(i+1)*n]) > 0 {
			shown = append(shown, i)
		}
	}
	if len(shown) == 0 {
		return nil
	}
	h := &heatmap{Pairs: heatPairs(c, emotions)}
	if h.Left = len(shown) - maxHeat; h.Left > 0 {
		slices.SortStableFunc(shown, func(a, b int) int { return cmp.Compare(c.predictions[b], c.predictions[a]) })
		shown = shown[:maxHeat]
		slices.Sort(shown)
	}
	most := float64(h.Pairs[0].Count)
	for row, i := range shown {
		y := row * heatCellSize
		if row > 0 {
			h.Rows = append(h.Rows, heatLabel{heatLeft - 6, y + heatCellSize/2, emotions[i].Name})
		}
		if row < len(shown)-1 {
			h.Columns = append(h.Columns, heatLabel{heatLeft + y + heatCellSize/2, len(shown)*heatCellSize + 6, emotions[i].Name})
		}
		for column, j := range shown[:row] {
			count := c.pairs[i*n+j]
			cell := heatCell{X: heatLeft + column*heatCellSize, Y: y, Size: heatCellSize - 1}
			if count > 0 {
				cell.Opacity = round(0.15 + 0.85*math.Sqrt(float64(count)/most))
				cell.Title = fmt.Sprintf("%s and %s: %s", emotions[j].Name, emotions[i].Name, thousands(count))
			}
			h.Cells = append(h.Cells, cell)
		}
	}
	h.Width = heatLeft + len(shown)*heatCellSize
	h.Height = len(shown)*heatCellSize + heatBottom
	return h
}

func heatPairs(c *counts, emotions []dataset.Emotion) []heatPair {
	var pairs []heatPair
	for i := range emotions {
		for j := range i {
			if count := c.pairs[i*len(emotions)+j]; count > 0 {
				rarer := min(c.predictions[i], c.predictions[j])
				pairs = append(pairs, heatPair{emotions[j].Name, emotions[i].Name, count, percent(count, rarer)})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b heatPair) int { return cmp.Compare(b.Count, a.Count) })
	return pairs
}
