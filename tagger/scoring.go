package tagger

import (
	"fmt"
	"math"
	"slices"
)

// A scorer reads from the model's logits which emotions a text has (Calibration). It belongs to a decoder.
type scorer struct {
	*Calibration
	sequence int32     // holds the prefix
	prefix   []int32   // tokens
	probes   [][]int32 // tokens of each
	words    [][]int32 // of each probe, the first token of each of its words
}

// newScorer tokenizes a calibration for a model. start are the tokens that any text of this model's begins with.
func newScorer(model Model, c *Calibration, sequence int32, start []int32) (*scorer, error) {
	s := &scorer{Calibration: c, sequence: sequence}
	prefix, err := model.Tokenize(c.Prefix)
	if err != nil {
		return nil, err
	}
	s.prefix = append(slices.Clone(start), prefix...)
	for _, p := range c.Probes {
		ids, err := model.Tokenize(p.After)
		if err != nil {
			return nil, err
		}
		var words []int32
		for _, w := range p.Words {
			first, err := model.Tokenize(w.Word)
			if err != nil {
				return nil, err
			}
			if len(ids) == 0 || len(first) == 0 {
				return nil, fmt.Errorf("calibration %q: the model has no token for %q behind %q", c.Name, w.Word, p.After)
			}
			words = append(words, first[0])
		}
		s.probes, s.words = append(s.probes, ids), append(s.words, words)
	}
	if len(s.prefix) == 0 {
		return nil, fmt.Errorf("calibration %q: its prefix is empty", c.Name)
	}
	return s, nil
}

// tokenize gives the tokens of a text in front of a probe.
func (s *scorer) tokenize(model Model, text string) ([]int32, error) {
	return model.Tokenize(s.Before + text)
}

// longest is the number of tokens that prefix, text and probe come to at most.
func (s *scorer) longest(text []int32) int {
	most := 0
	for _, p := range s.probes {
		most = max(most, len(p))
	}
	return len(s.prefix) + len(text) + most
}

// A scoring is a text that is being scored.
type scoring struct {
	*scorer
	text   []int32
	probe  int       // whose logits come next
	values []float64 // of the words, of all probes so far
}

func (s *scorer) start(text []int32) *scoring {
	return &scoring{scorer: s, text: text}
}

// tokens is how many passed through the model.
func (sc *scoring) tokens() int {
	n := len(sc.text)
	for _, p := range sc.probes[:sc.probe] {
		n += len(p)
	}
	return n
}

// read takes what the logits behind a probe say.
func (sc *scoring) read(logits []float32) {
	words := sc.words[sc.probe]
	all := logSumExp(logits, words)
	for _, id := range words {
		sc.values = append(sc.values, float64(logits[id])-all)
	}
	sc.probe++
}

// logSumExp is the logarithm of the sum of the exponentials of some logits.
func logSumExp(logits []float32, ids []int32) float64 {
	most := math.Inf(-1)
	for _, id := range ids {
		most = max(most, float64(logits[id]))
	}
	sum := 0.0
	for _, id := range ids {
		sum += math.Exp(float64(logits[id]) - most)
	}
	return most + math.Log(sum)
}

// score begins to score a text in a sequence that is free; its first choice is that of a probe.
func (d *decoder) score(sequence int32, text []int32) (*answering, error) {
	a := &answering{decoder: d, sequence: sequence, base: int32(len(d.scorer.prefix)), scoring: d.scorer.start(text)}
	a.ask()
	return a, a.hold()
}

// scoreNext goes on with another text in the sequence of one that is scored.
func (a *answering) scoreNext(text []int32) error {
	a.scoring = a.scorer.start(text)
	a.ask()
	return a.model.RemoveKV(a.sequence, a.base)
}

// ask puts the next probe behind the text.
func (a *answering) ask() {
	probe := a.scoring.probes[a.scoring.probe]
	a.prompt = slices.Concat(a.scoring.text, probe)
	if a.position, a.queue = a.base, a.prompt; a.scoring.probe > 0 {
		a.position, a.queue = a.base+int32(len(a.scoring.text)), probe
	}
}

// answered takes the logits behind a probe. It is done when there is no other.
func (a *answering) answered(logits []float32) (done bool, err error) {
	a.scoring.read(logits)
	if a.scoring.probe == len(a.scoring.probes) {
		return true, nil
	}
	a.ask()
	return false, a.model.RemoveKV(a.sequence, a.position)
}

// A Score is how much speaks for an emotion.
type Score struct {
	Emotion     string
	Score       float64
	Probability float64
}

// Read gives the emotions that the values of a calibration's words speak for, the surest first, and the scores of all. A word's value is
// its logit less the logarithm of the sum over its probe's words; they are in the calibration's order. Neutral stands
// alone or not at all.
func (c *Calibration) Read(values []float64) (emotions []string, all []Score) {
	scores := c.scores(values)
	for e, score := range scores {
		scale := c.Emotions[e]
		all = append(all, Score{scale.Emotion, score, 1 / (1 + math.Exp(-(scale.Slope*score + scale.Offset)))})
	}
	for _, e := range c.choose(scores, nil) {
		emotions = append(emotions, c.Emotions[e].Emotion)
	}
	return emotions, all
}

// scores are the emotions' weighted sums of standardised values.
func (c *Calibration) scores(values []float64) []float64 {
	z, scores := c.standardise(values), make([]float64, len(c.Emotions))
	for e := range scores {
		scores[e] = dot(c.Emotions[e].Weights, z)
	}
	return scores
}

func (c *Calibration) standardise(values []float64) []float64 {
	z := make([]float64, 0, len(values))
	for _, p := range c.Probes {
		for _, w := range p.Words {
			z = append(z, (values[len(z)]-w.Mean)/w.Deviation)
		}
	}
	return z
}

func dot(a, b []float64) (sum float64) {
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}
