package linear

import "math"

// softmaxRow returns the weighted loss of row i, of the class label, and sets its slope in the scores.
func softmaxRow(f *fit, label, i int, scores []float64, residual []float32) float64 {
	weight := f.weights[i]
	highest := math.Inf(-1)
	for c, s := range scores {
		if !f.fixed[c] {
			highest = max(highest, s)
		}
	}
	correct := scores[label] - highest
	var sum float64
	for c, s := range scores {
		scores[c] = 0
		if !f.fixed[c] {
			scores[c] = math.Exp(s - highest)
			sum += scores[c]
		}
	}
	for c, e := range scores {
		residual[c] = float32(weight * e / sum)
	}
	if weight == 0 { // its class may be fixed
		return 0
	}
	residual[label] = float32(weight * (scores[label]/sum - 1))
	return weight * (math.Log(sum) - correct)
}

// sigmoidRow returns the weighted loss of row i, which has the classes of labels, and sets its slope in the scores.
func sigmoidRow(f *fit, labels []int, i int, scores []float64, residual []float32) float64 {
	weight := f.weights[i]
	var loss float64
	for c, s := range scores {
		residual[c] = 0
		if f.fixed[c] {
			continue
		}
		e := math.Exp(-math.Abs(s))
		loss += max(s, 0) + math.Log1p(e)
		if s < 0 {
			residual[c] = float32(weight * e / (1 + e))
		} else {
			residual[c] = float32(weight / (1 + e))
		}
	}
	for _, c := range labels {
		if f.fixed[c] {
			continue
		}
		s := scores[c]
		loss -= s
		// 1 minus the probability, without cancellation
		residual[c] = float32(-weight / (1 + math.Exp(s)))
	}
	return weight * loss
}

func logSumExp(scores []float64) float64 {
	highest := math.Inf(-1)
	for _, s := range scores {
		highest = max(highest, s)
	}
	if math.IsInf(highest, 0) {
		return highest
	}
	var sum float64
	for _, s := range scores {
		sum += math.Exp(s - highest)
	}
	return highest + math.Log(sum)
}
