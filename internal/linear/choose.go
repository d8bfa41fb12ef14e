package linear

import (
	"cmp"
	"math"
	"slices"
)

// Choose returns the classes whose score reaches their threshold, the one that exceeds it most first, and at most so many; 0 is no
// limit. The class neutral (-1 for none) is chosen only by itself: where no other reaches its threshold, and neutral reaches its own or
// comes nearest. Where no class reaches its threshold, the one that comes nearest is chosen. A score that is not a number reaches nothing.
func Choose(scores, thresholds []float64, neutral int, most int) []int {
	var chosen []int
	nearest := -1
	margin := func(c int) float64 {
		if m := scores[c] - thresholds[c]; !math.IsNaN(m) {
			return m
		}
		return math.Inf(-1)
	}
	for c := range scores {
		if c != neutral && margin(c) >= 0 {
			chosen = append(chosen, c)
		}
		if nearest < 0 || margin(c) > margin(nearest) {
			nearest = c
		}
	}
	if len(chosen) == 0 && nearest >= 0 {
		return []int{nearest}
	}
	slices.SortStableFunc(chosen, func(a, b int) int { return cmp.Compare(margin(b), margin(a)) })
	if most > 0 && len(chosen) > most {
		chosen = chosen[:most]
	}
	return chosen
}

// Thresholds returns the thresholds for [Choose]: each class's has the highest F1 on these rows, then all are shifted by one amount so
// that a text has perText labels in the mean, or as near to it as the scores allow: a text has at least one label, and scores that tie
// are all chosen. scores has a row for each text, truth the text's classes.
func Thresholds(scores [][]float64, truth [][]int, neutral int, perText float64) []float64 {
	if len(scores) != len(truth) {
		panic("linear: scores and truth of different rows")
	}
	if len(scores) == 0 {
		return nil
	}
	thresholds := make([]float64, len(scores[0]))
	for c := range thresholds {
		thresholds[c] = bestThreshold(scores, truth, c)
	}
	// A text's first label is there at any threshold. Each further one is there where the shift does not exceed its margin.
	var further []float64
	for _, row := range scores {
		var margins []float64
		for c, s := range row {
			if m := s - thresholds[c]; c != neutral && finite(m) {
				margins = append(margins, m)
			}
		}
		slices.Sort(margins)
		if n := len(margins); n > 1 {
			further = append(further, margins[:n-1]...)
		}
	}
	if len(further) == 0 || math.IsNaN(perText) {
		return thresholds
	}
	slices.SortFunc(further, func(a, b float64) int { return cmp.Compare(b, a) })
	wanted := int(math.Round(min(max((perText-1)*float64(len(scores)), 0), float64(len(further)))))
	var shift float64
	switch wanted {
	case 0:
		shift = math.Nextafter(further[0], math.Inf(1))
		shift += 1e-9 * math.Abs(shift)
	case len(further):
		shift = further[wanted-1] - 1e-9*math.Abs(further[wanted-1])
	default:
		shift = (further[wanted-1] + further[wanted]) / 2
	}
	for c := range thresholds {
		thresholds[c] += shift
	}
	return thresholds
}

// bestThreshold returns the middle between the two scores of class c that the threshold of the highest F1 divides, the higher threshold
// of two that are as good. A class without a row is never reached: its threshold is 1 above its highest score.
func bestThreshold(scores [][]float64, truth [][]int, c int) float64 {
	type row struct {
		score float64
		right bool
	}
	var rows []row
	positives := 0
	for i := range scores {
		right := slices.Contains(truth[i], c)
		if right {
			positives++
		}
		if finite(scores[i][c]) {
			rows = append(rows, row{scores[i][c], right})
		}
	}
	if len(rows) == 0 {
		return 0
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(b.score, a.score) })
	best, threshold := 0.0, rows[0].score+1
	right := 0
	for k, r := range rows {
		if r.right {
			right++
		}
		if k+1 < len(rows) && rows[k+1].score == r.score {
			continue
		}
		if f1 := (counts{right, positives, k + 1}).f1(); f1 > best {
			best, threshold = f1, r.score
			if k+1 < len(rows) {
				threshold = r.score - (r.score-rows[k+1].score)/2
			}
		}
	}
	return threshold
}
