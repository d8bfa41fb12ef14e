package agreement

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
)

// SpanScores are the scores of spans. Spans of the reference that lie over each
// other are one, but in Emotion, where only those of one class are.
type SpanScores struct {
	Records      int            `json:"records"`
	Reference    int            `json:"reference_spans"`
	Predicted    int            `json:"predicted_spans"`
	Default      PRF            `json:"seqeval_default"` // entities of the BIO labels, as conlleval finds them
	Strict       PRF            `json:"seqeval_strict"`  // as the scheme IOB2 has them
	Emotion      EmotionScores  `json:"emotion"`
	Overlap      PRF            `json:"overlap"`      // spans that meet one of the other side
	Proportional PRF            `json:"proportional"` // each span counts by the share of it that does
	Tokens       PRF            `json:"tokens"`       // tokens inside of any span
	Misalignment []Misalignment `json:"misalignment"`
}

// EmotionScores are those of entities whose type is their emotion, on the level
// of the reference.
type EmotionScores struct {
	Level   Level              `json:"level"`
	Classes []SpanEmotionScore `json:"classes"` // that occur on either side
	Micro   PRF                `json:"micro"`
	Macro   PRF                `json:"macro"` // means over Classes, as seqeval has it
}

// SpanEmotionScore are the scores of the spans of one emotion.
type SpanEmotionScore struct {
	Name      string `json:"name"`
	Support   int    `json:"support"`
	Predicted int    `json:"predicted"`
	PRF
}

// Misalignment counts the spans of one class of agreement and error.
type Misalignment struct {
	Class string `json:"class"`
	Spans int    `json:"spans"`
	Share Number `json:"share"` // of all spans predicted or missed
}

func (s *SpanScores) estimates() []*Estimate {
	var list []*Estimate
	for _, f := range []*PRF{&s.Default, &s.Strict, &s.Emotion.Micro, &s.Emotion.Macro, &s.Overlap, &s.Proportional, &s.Tokens} {
		list = f.estimates(list)
	}
	return list
}

// spanOutcome is what a text's spans came to, in small integers, as many are
// kept.
type spanOutcome struct {
	reference, predicted         int32 // spans
	chunks, strict, tokens       cell
	predictedMet, referenceMet   int32   // spans that meet one of the other side
	predictedPart, referencePart float64 // the sum of the shares that do
	misaligned                   [len(misalignments)]int32
	emotions                     []emotionCell
}

// cell is a text's share of counts.
type cell struct{ both, reference, predicted int32 }

type emotionCell struct {
	class uint8
	cell
}

// spanTally counts equal outcomes, in the order in which they were first seen.
type spanTally struct {
	index    map[uint64]int32 // by the hash of their key
	outcomes []spanOutcome
	counts   []int
	key      []byte
}

// add counts an outcome, of which it keeps a copy.
func (t *spanTally) add(o *spanOutcome) {
	t.key = o.appendKey(t.key[:0])
	key := hash(t.key)
	i, ok := t.index[key]
	if !ok {
		if t.index == nil {
			t.index = map[uint64]int32{}
		}
		i = int32(len(t.outcomes))
		t.index[key] = i
		kept := *o
		kept.emotions = slices.Clone(o.emotions)
		t.outcomes, t.counts = append(t.outcomes, kept), append(t.counts, 0)
	}
	t.counts[i]++
}

// appendKey writes the outcome such that two are the same where their keys are.
func (o *spanOutcome) appendKey(key []byte) []byte {
	add := func(list ...int32) {
		for _, v := range list {
			key = binary.AppendUvarint(key, uint64(v))
		}
	}
	add(o.reference, o.predicted, o.predictedMet, o.referenceMet)
	for _, c := range [...]cell{o.chunks, o.strict, o.tokens} {
		add(c.both, c.reference, c.predicted)
	}
	add(o.misaligned[:]...)
	key = binary.BigEndian.AppendUint64(key, math.Float64bits(o.predictedPart))
	key = binary.BigEndian.AppendUint64(key, math.Float64bits(o.referencePart))
	for _, e := range o.emotions {
		add(int32(e.class), e.both, e.reference, e.predicted)
	}
	return key
}

// score makes the figures and their intervals.
func (t *spanTally) score(ctx context.Context, book *Codebook, level Level, b Bootstrap) (*SpanScores, error) {
	s := t.figures(book, level, t.counts)
	err := b.intervals(ctx, t.counts, func(weights []int) []*Estimate {
		return t.figures(book, level, weights).estimates()
	}, s.estimates())
	return s, err
}

// figures makes the figures of the outcomes, each as often as its weight says.
func (t *spanTally) figures(book *Codebook, level Level, weights []int) *SpanScores {
	names := book.Names(level)
	s := &SpanScores{}
	var chunks, strict, tokens, all counts
	var predictedMet, referenceMet int
	var predictedPart, referencePart float64
	var misaligned [len(misalignments)]int
	emotions := make([]counts, len(names))
	for i, w := range weights {
		if w == 0 {
			continue
		}
		o := &t.outcomes[i]
		s.Records += w
		s.Reference, s.Predicted = s.Reference+w*int(o.reference), s.Predicted+w*int(o.predicted)
		chunks.add(o.chunks, w)
		strict.add(o.strict, w)
		tokens.add(o.tokens, w)
		predictedMet, referenceMet = predictedMet+w*int(o.predictedMet), referenceMet+w*int(o.referenceMet)
		predictedPart, referencePart = predictedPart+float64(w)*o.predictedPart, referencePart+float64(w)*o.referencePart
		for k, n := range o.misaligned {
			misaligned[k] += w * int(n)
		}
		for _, e := range o.emotions {
			emotions[e.class].add(e.cell, w)
			all.add(e.cell, w)
		}
	}
	predicted, reference := float64(s.Predicted), float64(s.Reference)
	s.Default, s.Strict, s.Tokens = chunks.prf(), strict.prf(), tokens.prf()
	s.Overlap = prf(float64(predictedMet), predicted, float64(referenceMet), reference)
	s.Proportional = prf(predictedPart, predicted, referencePart, reference)
	s.Emotion = EmotionScores{Level: level, Micro: all.prf()}
	var macro [3]float64
	for class, c := range emotions {
		if c.reference+c.predicted == 0 {
			continue
		}
		scores := c.prf()
		s.Emotion.Classes = append(s.Emotion.Classes, SpanEmotionScore{names[class], c.reference, c.predicted, scores})
		for k, e := range [...]Estimate{scores.Precision, scores.Recall, scores.F1} {
			macro[k] += float64(e.Value)
		}
	}
	n := float64(len(s.Emotion.Classes))
	s.Emotion.Macro = PRF{estimate(ratio(macro[0], n)), estimate(ratio(macro[1], n)), estimate(ratio(macro[2], n))}
	sum := 0
	for _, n := range misaligned {
		sum += n
	}
	for k, n := range misaligned {
		s.Misalignment = append(s.Misalignment, Misalignment{misalignments[k], n, Number(ratio(float64(n), float64(sum)))})
	}
	return s
}

func (c *counts) add(o cell, weight int) {
	c.both += weight * int(o.both)
	c.reference += weight * int(o.reference)
	c.predicted += weight * int(o.predicted)
}
