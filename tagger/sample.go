package tagger

import (
	"errors"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/emospan/emospan/grammar"
)

var errNoLogits = errors.New("the model gave no usable logits: it is damaged, or of a kind that cannot generate")

// Sampling says how a token is picked from those that the grammar allows.
type Sampling struct {
	Temperature float64 // 0 picks the likeliest
	TopP        float64 // nucleus sampling (Holtzman et al. 2020): the fewest tokens whose probabilities reach it; 0 or 1: all
	Seed        int64
}

// A sampler picks tokens for one record. It reads the logits in place and looks at allowed tokens alone, so its cost
// follows their number, not the vocabulary's.
type sampler struct {
	Sampling
	rng        *rand.Rand
	candidates []candidate // scratch
}

type candidate struct {
	id     int32
	weight float64 // logit, then unnormalised probability
}

// reseed makes what follows depend on the run's seed and the record's id alone.
func (s *sampler) reseed(id string) {
	h := fnv.New64a()
	h.Write([]byte(id))
	s.rng = rand.New(rand.NewPCG(uint64(s.Seed), h.Sum64()))
}

// pick returns an allowed token.
func (s *sampler) pick(logits []float32, allowed grammar.Mask) (int32, error) {
	best, most := int32(-1), float32(math.Inf(-1))
	s.candidates = s.candidates[:0]
	for id := range allowed.All() {
		if l := logits[id]; l > most {
			best, most = id, l
		}
		if s.Temperature > 0 {
			s.candidates = append(s.candidates, candidate{id, float64(logits[id])})
		}
	}
	if best < 0 || math.IsInf(float64(most), 1) {
		return 0, errNoLogits
	}
	if s.Temperature <= 0 {
		return best, nil
	}
	var total float64
	for i := range s.candidates {
		c := &s.candidates[i]
		if c.weight = math.Exp((c.weight - float64(most)) / s.Temperature); math.IsNaN(c.weight) {
			c.weight = 0
		}
		total += c.weight
	}
	if s.TopP > 0 && s.TopP < 1 {
		slices.SortStableFunc(s.candidates, func(a, b candidate) int {
			switch {
			case a.weight > b.weight:
				return -1
			case a.weight < b.weight:
				return 1
			}
			return 0
		})
		nucleus, goal := 0.0, s.TopP*total
		for i := range s.candidates {
			if nucleus += s.candidates[i].weight; nucleus >= goal {
				s.candidates = s.candidates[:i+1]
				break
			}
		}
		total = nucleus
	}
	at := s.rng.Float64() * total
	for _, c := range s.candidates {
		if at -= c.weight; at < 0 {
			return c.id, nil
		}
	}
	return best, nil // rounding left a crumb
}
