package tagger

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
)

// labelRules are the rules that labels calls.
func labelRules(types []string) string {
	var b strings.Builder
	rule(&b, "outside", `"O"`)
	for t, kind := range types {
		rule(&b, beginRule(t), grammar.Literal("B-"+kind))
		rule(&b, insideRule(t), grammar.Literal("I-"+kind))
	}
	return b.String()
}

func beginRule(t int) string  { return fmt.Sprint("begin-", t) }
func insideRule(t int) string { return fmt.Sprint("inside-", t) }

// labels returns the place where the first token's label begins. Labels are valid BIO, spans begin and end at boundaries, and
// there are one to maxSpans of them.
func labels(g *grammar.Filling, d *document, types []string) grammar.Place {
	names := make([]struct{ begin, inside string }, len(types))
	for t := range types {
		names[t].begin, names[t].inside = beginRule(t), insideRule(t)
	}
	// Where it goes on behind a label, by the number of spans begun: outside of them or at the end of one, within one of a type.
	type state struct {
		outside grammar.Place
		inside  []grammar.Place
	}
	var next, now [maxSpans + 1]state
	for n := range now {
		next[n].inside, now[n].inside = make([]grammar.Place, len(types)), make([]grammar.Place, len(types))
	}
	end := g.Literal(`"],"spans":[{"`, grammar.End)
	var ways, within []grammar.Place
	either := func(separator string, places []grammar.Place) grammar.Place {
		if len(places) == 0 {
			return nowhere
		}
		return g.Literal(separator, g.Any(places...))
	}
	for i := len(d.words); i >= 0; i-- {
		separator := `","`
		if i == len(d.words) || i == 0 {
			separator = ""
		}
		way := func(ways []grammar.Place, label string, to grammar.Place) []grammar.Place {
			if to == nowhere {
				return ways
			}
			return append(ways, g.Rule(label, to))
		}
		for n := range now {
			ways = ways[:0] // outside, or from the end of a span
			switch {
			case i < len(d.words):
				ways = way(ways, "outside", next[n].outside)
				for t := range types {
					if n < maxSpans && d.boundary[i] {
						ways = way(ways, names[t].begin, next[n+1].inside[t])
					}
				}
			case n > 0:
				ways = append(ways, end)
			}
			now[n].outside = either(separator, ways)
			for t := range types {
				within = within[:0]
				if i > 0 && d.boundary[i-1] {
					within = append(within, ways...)
				}
				if n > 0 && i < len(d.words) {
					within = way(within, names[t].inside, next[n].inside[t])
				}
				now[n].inside[t] = either(separator, within)
			}
		}
		next, now = now, next
	}
	return next[0].outside
}

// givenLabelling is the place where the labels of the spans that are given begin.
func givenLabelling(g *grammar.Filling, d *document, kind string) grammar.Place {
	labels := make([]string, len(d.words))
	for i := range labels {
		labels[i] = "O"
	}
	for _, r := range d.runs {
		labels[r.start] = "B-" + kind
		for i := r.start + 1; i <= r.end; i++ {
			labels[i] = "I-" + kind
		}
	}
	return g.Literal(strings.Join(labels, `","`), g.Literal(`"],"spans":[{"`, grammar.End))
}

// labelledSpans are the spans of the labels at the end of what labels allows.
func labelledSpans(d *document, before []byte) []dataset.Span {
	const key = `],"labels":["`
	list := string(before[bytes.LastIndex(before, []byte(key))+len(key):])
	list, _, _ = strings.Cut(list, `"]`)
	var spans []dataset.Span
	for i, label := range strings.Split(list, `","`) {
		kind, begins := strings.CutPrefix(label, "B-")
		switch {
		case begins:
			spans = append(spans, dataset.Span{Type: kind, Start: i, End: i})
		case label != "O":
			spans[len(spans)-1].End = i
		}
	}
	for i := range spans {
		s := &spans[i]
		s.Text = d.run(s.Start, s.End)
		s.Attrs.SentenceIndex, s.Attrs.ClauseIndex = d.positions[s.Start].Sentence, d.positions[s.Start].Clause
	}
	return spans
}
