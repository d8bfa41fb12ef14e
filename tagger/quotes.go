package tagger

import "github.com/emospan/emospan/grammar"

// nowhere is the place that nothing leads on from.
const nowhere = grammar.Place(-1)

// quotes are the runs of whole tokens of a text, from one boundary to another, as they stand in a JSON string.
type quotes struct {
	words, gaps []string // up to the last boundary; between a word and the next
	boundary    []bool
}

func newQuotes(d *document) *quotes {
	n := d.lastBoundary() + 1
	q := &quotes{words: make([]string, n), gaps: make([]string, max(0, n-1)), boundary: d.boundary}
	for i := range q.words {
		q.words[i] = escape(d.word(i))
		if i > 0 {
			q.gaps[i-1] = escape(d.gap(i - 1))
		}
	}
	return q
}

// fill makes the places of a filling where a quote begins: by token, at it or later. What after returns for a token is
// matched behind a quote that ends with it, nowhere if none may end there; it is called for the last token first.
func (q *quotes) fill(f *grammar.Filling, after func(i int) grammar.Place) []grammar.Place {
	from := make([]grammar.Place, len(q.words))
	on := nowhere // a quote goes on with the token that was made last
	var ways []grammar.Place
	for i := len(q.words) - 1; i >= 0; i-- {
		ways = ways[:0]
		if q.boundary[i] {
			if place := after(i); place != nowhere {
				ways = append(ways, place)
			}
		}
		if i+1 < len(q.words) && on != nowhere {
			ways = append(ways, f.Literal(q.gaps[i], on))
		}
		if on = nowhere; len(ways) > 0 {
			on = f.Literal(q.words[i], f.Any(ways...))
		}
		later := nowhere
		if i+1 < len(q.words) {
			later = from[i+1]
		}
		switch {
		case !q.boundary[i] || on == nowhere:
			from[i] = later
		case later == nowhere:
			from[i] = on
		default:
			from[i] = f.Any(on, later)
		}
	}
	return from
}
