package tagger

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// labelsForm has the model write the emotions of a text and nothing else, each behind a space, with which tokenizers have most
// words as one token; one that is written again counts once:
//
//	[" joy"," love"]
//	[" neutral"]
type labelsForm struct {
	tax      *dataset.Taxonomy
	emotions lexicon
	frame    *frame
}

func newLabelsForm(tax *dataset.Taxonomy) (*labelsForm, error) {
	var b strings.Builder
	rule(&b, "root", fmt.Sprintf(`"[\"" (emotion ("\",\"" emotion){0,%d} | neutral) "\"]"`, maxPredictions-1))
	rule(&b, "emotion", spaced(spanEmotions(tax))...)
	rule(&b, "neutral", spaced([]string{tax.Neutral()})...)
	frame, err := newFrame(b.String())
	return &labelsForm{tax, newLexicon(append(spanEmotions(tax), tax.Neutral())), frame}, err
}

func (f *labelsForm) frames() []*frame { return []*frame{f.frame} }

func (f *labelsForm) stages(*document) plan { return single(stage{name: "answer", frame: f.frame}) }

func (f *labelsForm) decode(answer []byte, d *document, r *dataset.Record) error {
	var labels, predictions []string
	if err := json.Unmarshal(answer, &labels); err != nil {
		return fmt.Errorf("the answer is not an array of strings: %w", err)
	}
	for _, l := range labels {
		name, ok := f.emotions[strings.TrimPrefix(l, " ")]
		if !ok {
			return fmt.Errorf("%q names no emotion", l)
		}
		predictions = appendNew(predictions, name)
	}
	setSpans(r, d, predictions, nil)
	return nil
}

func (f *labelsForm) encode(r *dataset.Record) ([]byte, error) {
	labels := make([]string, len(r.Predictions))
	for i, p := range r.Predictions {
		labels[i] = " " + word(p)
	}
	return appendStrings(nil, labels), nil
}

func (f *labelsForm) limit(int) int { return maxPredictions * 16 }
