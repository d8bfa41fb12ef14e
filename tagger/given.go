package tagger

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
)

// Codes of rejects where a prompt has the labels given.
const (
	CodeLabelsMissing = "labels.missing" // the text came without labels
	CodeLabelsDiffer  = "labels.differ"  // the answer's predictions are not the labels that were given
)

// givenLabels are the emotions to be predicted for a text that came with labels: each once, and neutral alone, as in a record.
func givenLabels(tax *dataset.Taxonomy, labels []string) []string {
	given := []string{}
	for _, l := range labels {
		if l != tax.Neutral() {
			given = appendNew(given, l)
		}
	}
	if len(given) == 0 && len(labels) > 0 {
		given = append(given, tax.Neutral())
	}
	return given
}

// AreGiven reports whether a record's predictions are those that a prompt with given labels asks for.
func AreGiven(tax *dataset.Taxonomy, labels, predictions []string) bool {
	return sameLabels(predictions, givenLabels(tax, labels))
}

func sameLabels(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// isNeutral reports whether the emotions that are given leave nothing to be said.
func (d *document) isNeutral(tax *dataset.Taxonomy) bool {
	return slices.Equal(d.given, []string{tax.Neutral()})
}

// fillGiven gives what may be said about a text whose emotions are given: at least one span for each, as far as there are words
// and spans for so many. For each number of spans before, there are the ways to go on by the emotions that have one.
func (f *compactForm) fillGiven(g *grammar.Filling, q *quotes, d *document) grammar.Place {
	if d.isNeutral(f.tax) {
		return g.Literal(escape(f.tax.Neutral())+`"]`, grammar.End)
	}
	need := min(len(d.given), maxSpans, d.wordCount())
	end := g.Literal("]", grammar.End)
	// next holds where the span behind this one begins, by the set of emotions that have a span before it, and by token.
	var next map[uint][]grammar.Place
	for n := maxSpans - 1; n >= 0; n-- {
		now := map[uint][]grammar.Place{}
		for set := range uint(1) << len(d.given) {
			if have := bits.OnesCount(set); have > n || n > 0 && have == 0 || have+maxSpans-n < need {
				continue
			}
			now[set] = q.fill(g, func(i int) grammar.Place {
				var emotions []grammar.Place
				for e, name := range d.given {
					with := set | 1<<e
					var ways []grammar.Place
					if bits.OnesCount(with) >= need {
						ways = append(ways, end)
					}
					if from := next[with]; i+1 < len(q.words) && from != nil && from[i+1] != nowhere {
						ways = append(ways, g.Literal(`,"`, from[i+1]))
					}
					if len(ways) > 0 {
						emotions = append(emotions, g.Literal(`"," `+escape(word(name)), g.Cover("decided", g.Any(ways...))))
					}
				}
				if len(emotions) == 0 {
					return nowhere
				}
				return g.Any(emotions...)
			})
		}
		next = now
	}
	return next[0][0]
}

// fillRuns gives what may be said about a text whose spans are given.
func (f *compactForm) fillRuns(g *grammar.Filling, d *document) grammar.Place {
	next := g.Literal("]", grammar.End)
	for n := len(d.runs) - 1; n >= 0; n-- {
		r := d.runs[n]
		next = g.Literal(escape(d.run(r.start, r.end))+`"," `+escape(word(r.emotion)), g.Cover("decided", next))
		if n > 0 {
			next = g.Literal(`,"`, next)
		}
	}
	return next
}

// project holds a record's predictions against the labels that were given, and has them in their order.
func project(r *dataset.Record, given []string) *dataset.Reason {
	if sameLabels(r.Predictions, given) {
		r.Predictions = given
		return nil
	}
	got, want := slices.Sorted(slices.Values(r.Predictions)), slices.Sorted(slices.Values(given))
	return &dataset.Reason{
		Code: CodeLabelsDiffer, Path: "predictions", Expected: strings.Join(want, ", "), Found: strings.Join(got, ", "),
	}
}
