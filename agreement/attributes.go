package agreement

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
)

// AttributeScores say how an attribute is distributed over the spans of either
// side, and how far spans that belong to each other agree on it.
type AttributeScores struct {
	Name      string       `json:"name"`
	Values    []ValueCount `json:"values"` // of the vocabulary, in its order; none where there is no vocabulary
	Pairs     int          `json:"pairs"`  // of spans that belong to each other and both have a value
	Agreement Estimate     `json:"agreement"`
	Kappa     Estimate     `json:"kappa"` // of the values of pairs; undefined without a vocabulary
	Alpha     Estimate     `json:"alpha"`
}

func (s *AttributeScores) estimates() []*Estimate {
	return []*Estimate{&s.Agreement, &s.Kappa, &s.Alpha}
}

// ValueCount counts the spans that have a value.
type ValueCount struct {
	Value     string `json:"value"`
	Reference int    `json:"reference"`
	Predicted int    `json:"predicted"`
}

// ConfidenceScores say the same of the confidence, a number.
type ConfidenceScores struct {
	Reference  Number `json:"reference_mean"`
	Predicted  Number `json:"predicted_mean"`
	Pairs      int    `json:"pairs"`
	Difference Number `json:"mean_absolute_difference"` // of pairs
}

// The attributes without a vocabulary that pairs can agree on.
var plainAttributes = [...]string{"sentence_index", "clause_index", "target_text"}

// attributeTally counts the attributes of spans and of pairs of spans.
type attributeTally struct {
	book      *Codebook
	reference [][]int // by attribute and value code
	predicted [][]int
	pairs     []pairTally // by attribute, those without a vocabulary last
	spans     [2]int
	sum       [2]float64 // of confidences
	paired    int
	apart     float64
}

func newAttributeTally(book *Codebook) *attributeTally {
	t := &attributeTally{book: book}
	for _, v := range book.attributes {
		t.reference, t.predicted = append(t.reference, make([]int, len(v.Values)+1)), append(t.predicted, make([]int, len(v.Values)+1))
		t.pairs = append(t.pairs, pairTally{values: len(v.Values)})
	}
	t.pairs = append(t.pairs, make([]pairTally, len(plainAttributes))...)
	return t
}

// add counts the spans of two annotations of one text, and those that belong to
// each other, as c found them.
func (t *attributeTally) add(ref, a *Annotation, c *spanComparer) {
	for k := range ref.Spans {
		t.count(t.reference, ref.Spans[k].attrs.codes(ref.values, t.book), ref.Spans[k].attrs.confidence, 0)
	}
	for k := range a.Spans {
		t.count(t.predicted, a.Spans[k].attrs.codes(a.values, t.book), a.Spans[k].attrs.confidence, 1)
	}
	for _, m := range c.pairs {
		r, p := &c.reference[m.reference].span.attrs, &c.predicted[m.predicted].span.attrs
		left, right := r.codes(ref.values, t.book), p.codes(a.values, t.book)
		for i := range left {
			if right != nil && left[i] > 0 && right[i] > 0 {
				t.pairs[i].add(int(left[i]-1), int(right[i]-1))
			}
		}
		t.paired++
		t.apart += math.Abs(float64(r.confidence) - float64(p.confidence))
		for i, same := range [len(plainAttributes)]bool{r.sentence == p.sentence, r.clause == p.clause, r.target == p.target} {
			t.pairs[len(t.book.attributes)+i].addSame(same)
		}
	}
	for i := range t.pairs {
		t.pairs[i].endText()
	}
}

func (t *attributeTally) count(to [][]int, codes []uint8, confidence float32, side int) {
	for i, code := range codes {
		to[i][code]++
	}
	t.spans[side]++
	t.sum[side] += float64(confidence)
}

// scores makes the figures and their intervals; both says whether the
// reference's spans have attributes too.
func (t *attributeTally) scores(ctx context.Context, both bool, b Bootstrap) ([]AttributeScores, error) {
	var list []AttributeScores
	for i := range t.pairs {
		p := &t.pairs[i]
		s := p.figures(p.counts)
		s.Values = []ValueCount{}
		if i < len(t.book.attributes) {
			v := t.book.attributes[i]
			s.Name = v.Name
			for k, value := range v.Values {
				s.Values = append(s.Values, ValueCount{value, t.reference[i][k+1], t.predicted[i][k+1]})
			}
		} else if s.Name = plainAttributes[i-len(t.book.attributes)]; !both || t.paired == 0 {
			continue
		}
		if s.Pairs > 0 {
			if err := b.intervals(ctx, p.counts, func(weights []int) []*Estimate { return p.figures(weights).estimates() }, s.estimates()); err != nil {
				return nil, err
			}
		}
		list = append(list, *s)
	}
	return list, nil
}

// confidence makes the figures of the confidence.
func (t *attributeTally) confidence(both bool) *ConfidenceScores {
	undefined := Number(math.NaN())
	c := &ConfidenceScores{Reference: undefined, Predicted: undefined, Difference: undefined}
	if t.spans[1] > 0 {
		c.Predicted = Number(t.sum[1] / float64(t.spans[1]))
	}
	if both && t.paired > 0 {
		c.Reference = Number(t.sum[0] / float64(t.spans[0]))
		c.Pairs, c.Difference = t.paired, Number(t.apart/float64(t.paired))
	}
	return c
}

// pairTally counts texts by how their pairs of spans go together on one
// attribute, since it is texts that a bootstrap draws. Few differ.
type pairTally struct {
	values int // of the vocabulary; 0 where only sameness counts

	text     []uint16         // the cell of each pair of the text at hand
	index    map[string]int32 // of the texts' cells
	outcomes [][]uint16
	counts   []int
	key      []byte
}

func (p *pairTally) add(reference, predicted int) {
	p.text = append(p.text, uint16(reference*p.values+predicted))
}

func (p *pairTally) addSame(same bool) {
	cell := uint16(0)
	if same {
		cell = 1
	}
	p.text = append(p.text, cell)
}

func (p *pairTally) endText() {
	slices.Sort(p.text)
	p.key = p.key[:0]
	for _, cell := range p.text {
		p.key = binary.BigEndian.AppendUint16(p.key, cell)
	}
	i, ok := p.index[string(p.key)]
	if !ok {
		if p.index == nil {
			p.index = map[string]int32{}
		}
		i = int32(len(p.outcomes))
		p.index[string(p.key)] = i
		p.outcomes, p.counts = append(p.outcomes, slices.Clone(p.text)), append(p.counts, 0)
	}
	p.counts[i]++
	p.text = p.text[:0]
}

// figures makes the figures of the texts, each outcome as often as its weight
// says.
func (p *pairTally) figures(weights []int) *AttributeScores {
	s := &AttributeScores{Agreement: estimate(math.NaN()), Kappa: estimate(math.NaN()), Alpha: estimate(math.NaN())}
	cells := make([]float64, max(2, p.values*p.values))
	for i, w := range weights {
		s.Pairs += w * len(p.outcomes[i])
		for _, cell := range p.outcomes[i] {
			cells[cell] += float64(w)
		}
	}
	if s.Pairs == 0 {
		return s
	}
	same := cells[1]
	if p.values > 0 {
		same = 0
		table := make([][]float64, p.values)
		for k := range table {
			table[k] = cells[k*p.values:][:p.values]
			same += table[k][k]
		}
		s.Kappa, s.Alpha = estimate(cohen(table)), estimate(nominal(table))
	}
	s.Agreement = estimate(same / float64(s.Pairs))
	return s
}
