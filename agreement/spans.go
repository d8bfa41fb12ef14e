package agreement

import (
	"context"
	"encoding/binary"
	"math"
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

// spanOutcome is what a text's spans came to.
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
// They are kept encoded, in a quarter of the memory, as texts with several spans
// mostly have one of their own.
type spanTally struct {
	index    map[uint64]int32 // by the hash of their encoding
	outcomes [][]byte         // in parts of outcomePart bytes, each outcome behind its length
	counts   []int
	key      []byte

	reference, predicted int // spans of all texts
}

const outcomePart = 1 << 16

// add counts an outcome.
func (t *spanTally) add(o *spanOutcome) {
	t.reference, t.predicted = t.reference+int(o.reference), t.predicted+int(o.predicted)
	t.key = o.encode(t.key[:0])
	key := hash(t.key)
	i, ok := t.index[key]
	if !ok {
		if t.index == nil {
			t.index = map[uint64]int32{}
		}
		i = int32(len(t.counts))
		t.index[key] = i
		t.counts = append(t.counts, 0)
		need := binary.MaxVarintLen64 + len(t.key)
		last := len(t.outcomes) - 1
		if last < 0 || cap(t.outcomes[last])-len(t.outcomes[last]) < need {
			t.outcomes = append(t.outcomes, make([]byte, 0, max(need, outcomePart)))
			last++
		}
		t.outcomes[last] = binary.AppendUvarint(t.outcomes[last], uint64(len(t.key)))
		t.outcomes[last] = append(t.outcomes[last], t.key...)
	}
	t.counts[i]++
}

// The numbers of an outcome, emotions apart, in the order of its encoding; those
// of a cell are both, reference, predicted.
const (
	numReference = iota
	numPredicted
	numPredictedMet
	numReferenceMet
	numChunks
	numStrict     = numChunks + 3
	numTokens     = numStrict + 3
	numMisaligned = numTokens + 3
	spanNumbers   = numMisaligned + len(misalignments)
)

func (o *spanOutcome) numbers() (list [spanNumbers]int32) {
	list[numReference], list[numPredicted] = o.reference, o.predicted
	list[numPredictedMet], list[numReferenceMet] = o.predictedMet, o.referenceMet
	for i, c := range [...]cell{o.chunks, o.strict, o.tokens} {
		at := numChunks + 3*i
		list[at], list[at+1], list[at+2] = c.both, c.reference, c.predicted
	}
	copy(list[numMisaligned:], o.misaligned[:])
	return list
}

// What an encoding begins with: each number is a byte, as nearly always, or a varint.
const (
	narrow = iota
	wide
)

// encode appends the outcome such that two are the same where these bytes are.
func (o *spanOutcome) encode(dst []byte) []byte {
	list := o.numbers()
	top := int32(0)
	for _, v := range list {
		top = max(top, v)
	}
	for _, e := range o.emotions {
		top = max(top, e.both, e.reference, e.predicted)
	}
	add := func(v int32) { dst = append(dst, byte(v)) }
	if top <= math.MaxUint8 {
		dst = append(dst, narrow)
	} else {
		dst = append(dst, wide)
		add = func(v int32) { dst = binary.AppendUvarint(dst, uint64(v)) }
	}
	for _, v := range list {
		add(v)
	}
	dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(o.predictedPart))
	dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(o.referencePart))
	for _, e := range o.emotions {
		dst = append(dst, e.class)
		add(e.both)
		add(e.reference)
		add(e.predicted)
	}
	return dst
}

// spanSums are the sums of outcomes.
type spanSums struct {
	records                      int
	numbers                      [spanNumbers]int
	predictedPart, referencePart float64
	emotions                     []counts // by class
}

func (s *spanSums) counts(first int) counts {
	return counts{s.numbers[first], s.numbers[first+1], s.numbers[first+2]}
}

// sum adds the outcomes up, each as often as its weight says.
func (t *spanTally) sum(weights []int, classes int) *spanSums {
	s := &spanSums{emotions: make([]counts, classes)}
	i := 0
	for _, part := range t.outcomes {
		for d := decoder(part); len(d) > 0; i++ {
			size := d.number()
			if w := weights[i]; w != 0 {
				s.add(d[:size], w)
			}
			d = d[size:]
		}
	}
	return s
}

// add adds what encode wrote.
func (s *spanSums) add(d decoder, w int) {
	s.records += w
	isNarrow := d.byte() == narrow
	if isNarrow {
		for i, v := range d[:spanNumbers] {
			s.numbers[i] += w * int(v)
		}
		d = d[spanNumbers:]
	} else {
		for i := range s.numbers {
			s.numbers[i] += w * d.number()
		}
	}
	s.predictedPart += float64(w) * math.Float64frombits(d.uint64())
	s.referencePart += float64(w) * math.Float64frombits(d.uint64())
	for len(d) > 0 {
		c := &s.emotions[d.byte()]
		if isNarrow {
			c.add(cell{int32(d[0]), int32(d[1]), int32(d[2])}, w)
			d = d[3:]
		} else {
			c.add(cell{int32(d.number()), int32(d.number()), int32(d.number())}, w)
		}
	}
}

// score makes the figures and their intervals. Nothing can be added behind it.
func (t *spanTally) score(ctx context.Context, book *Codebook, level Level, b Bootstrap) (*SpanScores, error) {
	t.index = nil
	s := t.figures(book, level, t.counts)
	err := b.intervals(ctx, t.counts, func(weights []int) []*Estimate {
		return t.figures(book, level, weights).estimates()
	}, s.estimates())
	return s, err
}

// figures makes the figures of the outcomes, each as often as its weight says.
func (t *spanTally) figures(book *Codebook, level Level, weights []int) *SpanScores {
	names := book.Names(level)
	sums := t.sum(weights, len(names))
	s := &SpanScores{Records: sums.records, Reference: sums.numbers[numReference], Predicted: sums.numbers[numPredicted]}
	predicted, reference := float64(s.Predicted), float64(s.Reference)
	s.Default, s.Strict, s.Tokens = sums.counts(numChunks).prf(), sums.counts(numStrict).prf(), sums.counts(numTokens).prf()
	s.Overlap = prf(float64(sums.numbers[numPredictedMet]), predicted, float64(sums.numbers[numReferenceMet]), reference)
	s.Proportional = prf(sums.predictedPart, predicted, sums.referencePart, reference)
	var all counts
	for _, c := range sums.emotions {
		all.both, all.reference, all.predicted = all.both+c.both, all.reference+c.reference, all.predicted+c.predicted
	}
	s.Emotion = EmotionScores{Level: level, Micro: all.prf()}
	var macro [3]float64
	for class, c := range sums.emotions {
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
	misaligned, sum := sums.numbers[numMisaligned:], 0
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
