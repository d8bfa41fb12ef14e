package grammar

import (
	"maps"
	"testing"
	"unicode/utf8"
)

// oracle matches a text against a syntax tree, code point by code point, by asking each
// expression for all the places where a match that begins at some place can end.
type oracle struct {
	syntax *Syntax
	text   string
	known  map[oracleKey]map[int]bool
}

type oracleKey struct {
	expr *Expr
	at   int
}

// oracleAccepts reports whether text, which is valid UTF-8, is a text of the grammar s,
// which has no token terminals.
func oracleAccepts(s *Syntax, text string) bool {
	o := &oracle{syntax: s, text: text, known: map[oracleKey]map[int]bool{}}
	return o.ends(s.Rules[s.byName[rootRule]].Expr, 0)[len(text)]
}

func (o *oracle) ends(e *Expr, at int) map[int]bool {
	key := oracleKey{e, at}
	if ends, ok := o.known[key]; ok {
		return ends
	}
	ends := map[int]bool{}
	switch e.Op {
	case OpEmpty:
		ends[at] = true
	case OpLiteral:
		if end := at + len(e.Text); end <= len(o.text) && o.text[at:end] == e.Text {
			ends[end] = true
		}
	case OpClass, OpAny:
		if at < len(o.text) {
			r, n := utf8.DecodeRuneInString(o.text[at:])
			in := e.Op == OpAny
			for _, rng := range e.Ranges {
				in = in || rng.Lo <= r && r <= rng.Hi
			}
			if in != e.Negate {
				ends[at+n] = true
			}
		}
	case OpRule:
		ends = o.ends(o.syntax.Rules[e.rule].Expr, at)
	case OpConcat:
		ends[at] = true
		for _, sub := range e.Sub {
			ends = o.after(ends, sub)
		}
	case OpAlternate:
		for _, sub := range e.Sub {
			for end := range o.ends(sub, at) {
				ends[end] = true
			}
		}
	case OpRepeat:
		now := map[int]bool{at: true}
		limit := e.Max
		if limit == Unbounded {
			limit = e.Min + len(o.text) + 1
		}
		for i := 0; i <= limit && len(now) > 0; i++ {
			if i >= e.Min {
				for end := range now {
					ends[end] = true
				}
			}
			next := o.after(now, e.Sub[0])
			if maps.Equal(now, next) { // and so on, however often
				i = max(i, e.Min-1)
			}
			if now = next; i > e.Min+len(o.text) {
				break
			}
		}
	}
	o.known[key] = ends
	return ends
}

func (o *oracle) after(starts map[int]bool, e *Expr) map[int]bool {
	ends := map[int]bool{}
	for at := range starts {
		for end := range o.ends(e, at) {
			ends[end] = true
		}
	}
	return ends
}

func hasTokens(g *Grammar) bool { return len(g.tokens) > 0 }

// FuzzMatch compares the automaton with the oracle.
func FuzzMatch(f *testing.F) {
	for _, test := range languageTests {
		for _, text := range append(test.accept, test.reject...) {
			f.Add(test.src, text)
		}
	}
	v := testVocab(f)
	f.Fuzz(func(t *testing.T, src, text string) {
		if len(src) > 300 || len(text) > 30 || !utf8.ValidString(text) {
			return
		}
		s, err := Parse(src)
		if err != nil {
			return
		}
		g, err := Compile(src)
		if err != nil || hasTokens(g) || len(g.insts) > 10000 {
			return
		}
		c, err := NewConstraint(g, v)
		if err != nil {
			return
		}
		m := c.NewMatcher()
		got := m.AcceptBytes([]byte(text)) == nil && m.Done()
		if want := oracleAccepts(s, text); got != want {
			t.Errorf("%q on %q: accepts %v, want %v", src, text, got, want)
		}
	})
}
