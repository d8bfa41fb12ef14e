package linear

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// counts of one class.
type counts struct{ right, truth, predicted int }

// f1 is 0 for a class that neither occurs nor is predicted.
func (c counts) f1() float64 {
	if c.truth+c.predicted == 0 {
		return 0
	}
	return 2 * float64(c.right) / float64(c.truth+c.predicted)
}

// MacroF1 returns the mean F1 of the classes. A class without row or prediction counts as 0, and a label that is no class, such as -1,
// as none.
func MacroF1(truth, predicted []int, classes int) float64 {
	sets := func(labels []int) [][]int {
		s := make([][]int, len(labels))
		for i := range labels {
			s[i] = labels[i : i+1]
		}
		return s
	}
	return MacroF1Sets(sets(truth), sets(predicted), classes)
}

// MacroF1Sets is [MacroF1] of rows that have any number of classes. It panics where truth and predicted differ in length.
func MacroF1Sets(truth, predicted [][]int, classes int) float64 {
	if len(truth) != len(predicted) {
		panic("linear: truth and predictions of different rows")
	}
	if classes < 1 {
		return 0
	}
	all := make([]counts, classes)
	for i := range truth {
		for c := range all {
			t, p := slices.Contains(truth[i], c), slices.Contains(predicted[i], c)
			if t {
				all[c].truth++
			}
			if p {
				all[c].predicted++
			}
			if t && p {
				all[c].right++
			}
		}
	}
	var sum float64
	for _, c := range all {
		sum += c.f1()
	}
	return sum / float64(classes)
}

// CalibrationError returns the expected calibration error: how far the share of right answers is from the mean confidence, as the mean
// over bins of confidence of equal width, weighted by their answers. A confidence outside of 0 to 1 counts in the nearest bin.
func CalibrationError(confidence []float64, right []bool, bins int) float64 {
	if len(confidence) != len(right) {
		panic("linear: confidences and answers differ in number")
	}
	if len(confidence) == 0 || bins < 1 {
		return 0
	}
	gap := make([]float64, bins) // sum of confidence minus right answers
	for i, c := range confidence {
		bin := int(min(max(c*float64(bins), 0), float64(bins-1)))
		gap[bin] += c
		if right[i] {
			gap[bin]--
		}
	}
	var sum float64
	for _, g := range gap {
		sum += math.Abs(g)
	}
	return sum / float64(len(confidence))
}

// Folds returns the fold, from 0 on, of each row, so that the folds have about the same number of rows and rows of one group are in one
// fold. groups may be nil: each row then is a group.
func Folds(rows, folds int, groups []int, seed uint64) []int {
	if folds < 1 || groups != nil && len(groups) != rows {
		panic("linear: folds of no number, or a group not for each row")
	}
	members := map[int][]int{}
	var order []int // groups by their first row
	for i := range rows {
		g := i
		if groups != nil {
			g = groups[i]
		}
		if members[g] == nil {
			order = append(order, g)
		}
		members[g] = append(members[g], i)
	}
	random := rand.New(rand.NewPCG(seed, 0))
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	// Large groups first, each into the fold with the fewest rows, so that the folds come out even.
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(members[b]), len(members[a])) })
	sizes := make([]int, folds)
	fold := make([]int, rows)
	for _, g := range order {
		smallest := slices.Index(sizes, slices.Min(sizes))
		sizes[smallest] += len(members[g])
		for _, i := range members[g] {
			fold[i] = smallest
		}
	}
	return fold
}
