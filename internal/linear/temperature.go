package linear

import "math"

// FitTemperature returns the number by which scores are divided so that their softmax is the likeliest for the labels, between 1/1000
// and 1000. Rows with a score that is not finite are passed over; without any other it is 1.
func FitTemperature(scores [][]float64, labels []int) float64 {
	if len(scores) != len(labels) {
		panic("linear: scores and labels of different rows")
	}
	var rows []int
	for i, s := range scores {
		usable := labels[i] >= 0 && labels[i] < len(s)
		for _, v := range s {
			usable = usable && finite(v)
		}
		if usable {
			rows = append(rows, i)
		}
	}
	// The loss is convex in the inverse of the temperature, so its slope changes sign once.
	informative := false
	slope := func(inverse float64) (sum float64) {
		for _, i := range rows {
			highest := math.Inf(-1)
			for _, v := range scores[i] {
				highest = max(highest, v)
			}
			var e, mean float64
			for _, v := range scores[i] {
				p := math.Exp((v - highest) * inverse)
				e += p
				mean += p * (v - highest)
				informative = informative || v != highest
			}
			sum += mean/e - (scores[i][labels[i]] - highest)
		}
		return sum
	}
	low, high := math.Log(1e-3), math.Log(1e3)
	atLow, atHigh := slope(math.Exp(low)), slope(math.Exp(high))
	switch {
	case !informative:
		return 1
	case atLow >= 0:
		return 1e3
	case atHigh <= 0:
		return 1e-3
	}
	for range 100 {
		if middle := (low + high) / 2; slope(math.Exp(middle)) < 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return math.Exp(-(low + high) / 2)
}
