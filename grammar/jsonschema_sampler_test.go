package grammar

import (
	"math/rand/v2"
	"strings"
)

// sampler walks a grammar at random.
type sampler struct {
	rng    *rand.Rand
	rules  map[string]*Expr
	height map[string]int // calls that the shortest walk nests, by rule
	out    strings.Builder
	budget int
}

func newSampler(s *Syntax, rng *rand.Rand) *sampler {
	w := &sampler{rng: rng, rules: map[string]*Expr{}, height: map[string]int{}}
	for _, r := range s.Rules {
		w.rules[r.Name] = r.Expr
	}
	for more := true; more; {
		more = false
		for name, e := range w.rules {
			if h, known := w.of(e); known && (w.height[name] == 0 || h+1 < w.height[name]) {
				w.height[name] = h + 1
				more = true
			}
		}
	}
	return w
}

// of returns the height of e, if it is known.
func (w *sampler) of(e *Expr) (h int, known bool) {
	switch e.Op {
	case OpRule:
		return w.height[e.Text], w.height[e.Text] > 0
	case OpRepeat:
		if e.Min == 0 {
			return 0, true
		}
	case OpAlternate:
		for _, sub := range e.Sub {
			if s, ok := w.of(sub); ok && (!known || s < h) {
				h, known = s, true
			}
		}
		return h, known
	}
	for _, sub := range e.Sub {
		s, ok := w.of(sub)
		if !ok {
			return 0, false
		}
		h = max(h, s)
	}
	return h, true
}

// text returns a text of the grammar, and whether it is whole: not cut as too long.
func (w *sampler) text() (text string, whole bool) {
	w.out.Reset()
	w.budget = 20 + w.rng.IntN(300)
	w.walk(w.rules[rootRule])
	return w.out.String(), w.budget > -1e5
}

func (w *sampler) walk(e *Expr) {
	if w.budget--; w.budget < -1e5 {
		return
	}
	switch e.Op {
	case OpLiteral:
		w.out.WriteString(e.Text)
	case OpClass:
		w.out.WriteRune(w.rune(e))
	case OpRule:
		w.walk(w.rules[e.Text])
	case OpConcat:
		for _, sub := range e.Sub {
			w.walk(sub)
		}
	case OpAlternate:
		i := w.rng.IntN(len(e.Sub))
		if w.budget < 0 {
			least, _ := w.of(e)
			for h, ok := w.of(e.Sub[i]); !ok || h > least; h, ok = w.of(e.Sub[i]) {
				i = (i + 1) % len(e.Sub)
			}
		}
		w.walk(e.Sub[i])
	case OpRepeat:
		n := e.Min
		for w.budget > 0 && (e.Max == Unbounded || n < e.Max) && w.rng.IntN(4) > 0 && n < e.Min+30 {
			n++
		}
		for range min(n, 2e5) {
			w.walk(e.Sub[0])
		}
	}
}

func (w *sampler) rune(e *Expr) rune {
	for range 50 {
		r := []rune("ab09 -.\"\\/\n\x7fé€\u2028😀")[w.rng.IntN(16)]
		in := false
		for _, rng := range e.Ranges {
			in = in || rng.Lo <= r && r <= rng.Hi
		}
		if in != e.Negate {
			return r
		}
	}
	ranges := e.codePoints()
	r := ranges[w.rng.IntN(len(ranges))]
	return r.Lo + w.rng.Int32N(min(r.Hi-r.Lo, 100)+1)
}
