package agreement

import "math"

// AttributeScores say how an attribute is distributed over the spans of either
// side, and how far spans that belong to each other agree on it.
type AttributeScores struct {
	Name      string       `json:"name"`
	Values    []ValueCount `json:"values"` // of the vocabulary, in its order; none where there is no vocabulary
	Pairs     int          `json:"pairs"`  // of spans that belong to each other and both have a value
	Agreement Number       `json:"agreement"`
	Kappa     Number       `json:"kappa"` // of the values of pairs; undefined without a vocabulary
	Alpha     Number       `json:"alpha"`
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
	reference [len(attributes)][]int // by value code
	predicted [len(attributes)][]int
	tables    [len(attributes)][][]float64 // of pairs, the reference's value by the file's, codes less 1
	equal     [len(plainAttributes)]int
	spans     [2]int
	sum       [2]float64 // of confidences
	pairs     int
	apart     float64
}

func newAttributeTally(book *Codebook) *attributeTally {
	t := &attributeTally{book: book}
	for i, values := range book.values {
		t.reference[i], t.predicted[i] = make([]int, len(values)+1), make([]int, len(values)+1)
		t.tables[i] = make([][]float64, len(values))
		for k := range t.tables[i] {
			t.tables[i][k] = make([]float64, len(values))
		}
	}
	return t
}

// add counts the spans of two annotations of one text, and those that belong to
// each other, as c found them.
func (t *attributeTally) add(spans []Span, a *Annotation, c *spanComparer) {
	for k := range spans {
		t.count(&t.reference, &spans[k], 0)
	}
	for k := range a.Spans {
		t.count(&t.predicted, &a.Spans[k], 1)
	}
	for _, m := range c.pairs {
		r, p := &c.reference[m.reference].span.attrs, &c.predicted[m.predicted].span.attrs
		for i := range attributes {
			if from, to := r.values[i], p.values[i]; from > 0 && to > 0 {
				t.tables[i][from-1][to-1]++
			}
		}
		t.pairs++
		t.apart += math.Abs(float64(r.confidence) - float64(p.confidence))
		for i, same := range [len(plainAttributes)]bool{r.sentence == p.sentence, r.clause == p.clause, r.target == p.target} {
			if same {
				t.equal[i]++
			}
		}
	}
}

func (t *attributeTally) count(to *[len(attributes)][]int, s *Span, side int) {
	for i, code := range s.attrs.values {
		to[i][code]++
	}
	t.spans[side]++
	t.sum[side] += float64(s.attrs.confidence)
}

// scores makes the figures; both says whether the reference's spans have
// attributes too.
func (t *attributeTally) scores(both bool) (list []AttributeScores, confidence *ConfidenceScores) {
	undefined := Number(math.NaN())
	for i, name := range attributes {
		s := AttributeScores{Name: name, Values: []ValueCount{}, Agreement: undefined, Kappa: undefined, Alpha: undefined}
		for k, value := range t.book.values[i] {
			s.Values = append(s.Values, ValueCount{value, t.reference[i][k+1], t.predicted[i][k+1]})
		}
		n, same := 0., 0.
		for k, row := range t.tables[i] {
			same += row[k]
			for _, v := range row {
				n += v
			}
		}
		if n > 0 {
			s.Pairs, s.Agreement = int(n), Number(same/n)
			s.Kappa, s.Alpha = Number(cohen(t.tables[i])), Number(nominal(t.tables[i]))
		}
		list = append(list, s)
	}
	confidence = &ConfidenceScores{Reference: undefined, Predicted: undefined, Difference: undefined}
	if t.spans[1] > 0 {
		confidence.Predicted = Number(t.sum[1] / float64(t.spans[1]))
	}
	if !both || t.pairs == 0 {
		return list, confidence
	}
	for i, name := range plainAttributes {
		list = append(list, AttributeScores{
			Name: name, Values: []ValueCount{}, Pairs: t.pairs, Agreement: Number(float64(t.equal[i]) / float64(t.pairs)), Kappa: undefined, Alpha: undefined,
		})
	}
	confidence.Reference = Number(t.sum[0] / float64(t.spans[0]))
	confidence.Pairs, confidence.Difference = t.pairs, Number(t.apart/float64(t.pairs))
	return list, confidence
}
