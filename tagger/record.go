package tagger

import "github.com/emospan/emospan/dataset"

// setSpans fills in what follows from a text's tokens and the spans over them.
func setSpans(r *dataset.Record, d *document, predictions []string, spans []dataset.Span) {
	labels := make([]string, len(d.words))
	for i := range labels {
		labels[i] = "O"
	}
	for _, s := range spans {
		for i := s.Start; i <= s.End; i++ {
			labels[i] = "I-" + s.Type
		}
		labels[s.Start] = "B-" + s.Type
	}
	r.Predictions = predictions
	r.Data = dataset.Data{Tokens: d.tokens(), Labels: labels, Spans: spans}
}
