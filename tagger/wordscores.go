package tagger

import (
	"fmt"
	"math"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// WordScores tell emotions without any labels: by the logits that the model has, after a text, for words that name them (several words
// for a class: Hu et al. 2022, KPT). A word's value is its logit less the logarithm of the sum over all Words, standardised by
// the mean and deviation that it has over other texts (batch calibration, Zhou et al. 2024, with the deviation as well). An emotion's score
// is the mean over its own words.
type WordScores struct {
	Words    []ProbeWord `json:"words"`
	Emotions [][]int     `json:"emotions"` // of each, indices of Words
	Weight   float64     `json:"weight"`   // of an emotion's score
}

// A ProbeWord is a word whose first token's logit is read, with the mean and deviation of its value over other texts.
type ProbeWord struct {
	Word      string  `json:"word"`
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"`
}

// NewWordScores has the names of the taxonomy's emotions and those of their synonyms that are one word. Nothing is estimated yet.
func NewWordScores(tax *dataset.Taxonomy) *WordScores {
	s := &WordScores{Weight: 1}
	for _, e := range tax.Emotions() {
		var own []int
		for _, w := range append([]string{e.Name}, e.Synonyms...) {
			if !strings.ContainsAny(w, " /") || w == e.Name {
				own = append(own, len(s.Words))
				s.Words = append(s.Words, ProbeWord{Word: " " + w, Deviation: 1})
			}
		}
		s.Emotions = append(s.Emotions, own)
	}
	return s
}

// Estimate sets means and deviations from the values of many texts (Evidence.Values).
func (s *WordScores) Estimate(values [][]float64) {
	n := float64(len(values))
	for i := range s.Words {
		mean, square := 0.0, 0.0
		for _, v := range values {
			mean += v[i] / n
		}
		for _, v := range values {
			square += (v[i] - mean) * (v[i] - mean) / n
		}
		s.Words[i].Mean, s.Words[i].Deviation = rounded(mean), rounded(max(math.Sqrt(square), 1e-3))
	}
}

// rounded keeps files small: the rest of a number says nothing.
func rounded(x float64) float64 { return math.Round(x*1e5) / 1e5 }

func (s *WordScores) check(emotions int) error {
	if len(s.Emotions) != emotions || len(s.Words) == 0 {
		return fmt.Errorf("want words for %d emotions", emotions)
	}
	for _, w := range s.Words {
		if w.Word == "" || !finite(w.Mean, w.Deviation) || w.Deviation <= 0 {
			return fmt.Errorf("word %q: want a word, a finite mean and a deviation above 0", w.Word)
		}
	}
	if !finite(s.Weight) {
		return fmt.Errorf("the weight of words is not finite")
	}
	for _, own := range s.Emotions {
		for _, i := range own {
			if i < 0 || i >= len(s.Words) {
				return fmt.Errorf("there is no word %d", i)
			}
		}
		if len(own) == 0 {
			return fmt.Errorf("an emotion has no words")
		}
	}
	return nil
}

// Add adds the score of each emotion.
func (s *WordScores) Add(values, scores []float64) {
	for e, own := range s.Emotions {
		for _, i := range own {
			scores[e] += s.Weight * (values[i] - s.Words[i].Mean) / s.Words[i].Deviation / float64(len(own))
		}
	}
}

// wordValues are the logits of tokens less the logarithm of the sum over them.
func wordValues(logits []float32, ids []int32) []float64 {
	most := math.Inf(-1)
	for _, id := range ids {
		most = max(most, float64(logits[id]))
	}
	sum := 0.0
	for _, id := range ids {
		sum += math.Exp(float64(logits[id]) - most)
	}
	values := make([]float64, len(ids))
	for i, id := range ids {
		values[i] = float64(logits[id]) - most - math.Log(sum)
	}
	return values
}
