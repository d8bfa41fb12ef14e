package linear

import "math"

// FitPlatt returns the slope and offset by which the logistic function of slope·score + offset is the probability that a score is right
// (Platt 1999, with his targets of a little less than 1 and more than 0, and the steps of Lin, Lin and Weng 2007). Scores that are not
// finite are passed over; without any other the slope is 1 and the offset 0.
func FitPlatt(scores []float64, right []bool) (slope, offset float64) {
	if len(scores) != len(right) {
		panic("linear: scores and answers differ in number")
	}
	var n [2]float64
	var largest float64
	for i, s := range scores {
		if finite(s) {
			n[index(right[i])]++
			largest = max(largest, math.Abs(s))
		}
	}
	total := n[0] + n[1]
	if total == 0 {
		return 1, 0
	}
	target := [2]float64{1 / (n[0] + 2), (n[1] + 1) / (n[1] + 2)}
	prior := math.Log((n[1] + 1) / (n[0] + 1))
	var center, variance float64 // the variance in units of the largest score, whose square may be too large
	for _, s := range scores {
		if finite(s) {
			center += s / total
		}
	}
	for _, s := range scores {
		if finite(s) {
			e := s/largest - center/largest
			variance += e * e / total
		}
	}
	if !(variance > 1e-24) { // scores that do not differ, or are all 0, say nothing
		return 0, prior
	}
	spread := math.Sqrt(variance) * largest
	// Newton's method on standardised scores z, halving a step that does not lower the loss.
	a, b := 0.0, prior
	loss := func(a, b float64) (sum float64) {
		for i, s := range scores {
			if finite(s) {
				v := a*(s-center)/spread + b
				sum += max(v, 0) - target[index(right[i])]*v + math.Log1p(math.Exp(-math.Abs(v)))
			}
		}
		return sum
	}
	now := loss(a, b)
	for range 100 {
		const ridge = 1e-12
		ga, gb, haa, hab, hbb := 0.0, 0.0, ridge, 0.0, ridge
		for i, s := range scores {
			if finite(s) {
				z := (s - center) / spread
				p := 1 / (1 + math.Exp(-(a*z + b)))
				r, h := p-target[index(right[i])], p*(1-p)
				ga, gb = ga+r*z, gb+r
				haa, hab, hbb = haa+h*z*z, hab+h*z, hbb+h
			}
		}
		if max(math.Abs(ga), math.Abs(gb)) < 1e-10*total {
			break
		}
		determinant := haa*hbb - hab*hab
		da, db := -(hbb*ga-hab*gb)/determinant, -(haa*gb-hab*ga)/determinant
		step := 1.0
		for ; step > 1e-10; step /= 2 {
			if next := loss(a+step*da, b+step*db); next <= now+1e-4*step*(ga*da+gb*db) {
				a, b, now = a+step*da, b+step*db, next
				break
			}
		}
		if step <= 1e-10 {
			break
		}
	}
	return a / spread, b - a*center/spread
}

func index(b bool) int {
	if b {
		return 1
	}
	return 0
}

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
