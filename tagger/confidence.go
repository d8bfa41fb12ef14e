package tagger

import (
	"bytes"
	"math"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
)

// A Confidence says what a record's confidence means.
type Confidence string

// The meanings.
const (
	ConfidenceSelf  Confidence = "self"  // what the model writes
	ConfidenceModel Confidence = "model" // the probability of the span's emotion among those that the grammar allowed where it was chosen
)

// Confidences lists them.
var Confidences = []Confidence{ConfidenceSelf, ConfidenceModel}

// A choice is a token that was sampled: where in the answer it begins, and its probability among the allowed ones.
type choice struct {
	at          int // byte
	probability float64
}

// probability is the softmax of an allowed token's logit over the allowed tokens.
func probability(logits []float32, allowed grammar.Mask, id int32) float64 {
	sum := 0.0
	for other := range allowed.All() {
		sum += math.Exp(float64(logits[other] - logits[id]))
	}
	return 1 / sum
}

// between is the probability of the bytes from begin to end of an answer, given those before them.
func between(choices []choice, begin, end int) float64 {
	p := 1.0
	for _, c := range choices {
		if c.at >= begin && c.at < end {
			p *= c.probability
		}
	}
	return p
}

// setConfidence replaces what the model wrote by how probable its choice of emotions was.
func setConfidence(r *dataset.Record, f form, answer []byte, choices []choice) {
	odds := f.odds(answer, func(begin, end int) float64 { return between(choices, begin, end) })
	for i := range r.Data.Spans {
		s := &r.Data.Spans[i]
		if i < len(odds) {
			s.Attrs.Confidence = math.Round(odds[i]*1e4) / 1e4
		}
	}
}

// odds are the probabilities of the spans' emotions, by that of bytes of the answer.
func (f *compactForm) odds(answer []byte, probability func(begin, end int) float64) (odds []float64) {
	for i, part := range jsonStrings(answer) {
		if i%2 == 0 {
			continue
		}
		// " joy high 90"
		n := bytes.IndexByte(answer[part.Start+1:part.End], ' ')
		if n < 0 {
			n = part.End - part.Start - 1
		}
		odds = append(odds, probability(part.Start, part.Start+1+n))
	}
	return odds
}

// odds: a span's emotion is one of the predictions, so it is as probable as that and as its choice among them.
func (f *schemaForm) odds(answer []byte, probability func(begin, end int) float64) (odds []float64) {
	const key = `,"subtype":"`
	predictions := map[string]float64{}
	end := bytes.Index(answer, []byte(`],"data":{`))
	if end < 0 {
		return nil
	}
	for _, part := range jsonStrings(answer[:end])[1:] { // behind the key
		predictions[string(answer[part.Start:part.End])] = probability(part.Start, part.End)
	}
	for at := end; ; {
		n := bytes.Index(answer[at:], []byte(key))
		if n < 0 {
			return odds
		}
		at += n + len(key)
		n = bytes.IndexByte(answer[at:], '"')
		p := probability(at, at+n)
		if e, ok := f.tax.EmotionBySubtype(string(answer[at : at+n])); ok {
			if whole, ok := predictions[e.Name]; ok {
				p *= whole
			}
		}
		odds = append(odds, p)
		at += n
	}
}

func (f *labelsForm) odds([]byte, func(begin, end int) float64) []float64 { return nil }

// jsonStrings are the places of the strings of a JSON text, without their quotation marks.
func jsonStrings(text []byte) (places []Token) {
	begin := -1
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] != '"':
		case begin < 0:
			begin = i + 1
		default:
			places = append(places, Token{Start: begin, End: i})
			begin = -1
		}
	}
	return places
}
