package grammar

import (
	"encoding/binary"
	"strconv"
)

// machine returns a machine that accepts the strings that end in a state for which
// accepting holds.
func (a *runeAutomaton) machine(accepting func(accepts uint64) bool) *runeMachine {
	m := &runeMachine{states: make([]runeState, len(a.states)), accept: len(a.states)}
	for i, s := range a.states {
		m.states[i].edges = s.edges
		if accepting(s.accepts) {
			m.states[i].empty = []int{m.accept}
		}
	}
	m.add()
	return m
}

// automatonExpr returns an expression for the strings that end in a state for which
// accepting holds, as JSON spells them, nil if there are none. hint is a name for rules.
func (b *schemaBuilder) automatonExpr(a *runeAutomaton, accepting func(accepts uint64) bool, hint string) *Expr {
	w := &automatonWriter{b: b, hint: hint, states: a.minimal(accepting)}
	if w.states == nil {
		return nil
	}
	w.uses = make([]int, len(w.states))
	w.rules = make([]*Rule, len(w.states))
	w.uses[0] = 1
	for i, s := range w.states {
		seen := map[int]bool{i: true}
		for _, e := range s.edges {
			if !seen[e.to] {
				seen[e.to] = true
				w.uses[e.to]++
			}
		}
	}
	return w.expr(0, 0)
}

// maxMinimal bounds the edges that are looked at to find states that cannot be told apart.
const maxMinimal = 1 << 22

// minimal returns the states, each once of those that cannot be told apart, and edges to
// states from which a string can be accepted only; none if the first cannot. Of a state,
// accepts is then 1 or 0. Where that takes too long, only states from which all strings
// are accepted become one.
func (a *runeAutomaton) minimal(accepting func(accepts uint64) bool) []stringState {
	n := len(a.states)
	before := make([][]int, n)
	size := 0
	var accepted, others []int
	for i, s := range a.states {
		size += 1 + len(s.edges)
		for _, e := range s.edges {
			before[e.to] = append(before[e.to], i)
		}
		if accepting(s.accepts) {
			accepted = append(accepted, i)
		} else {
			others = append(others, i)
		}
	}
	alive, partial := leadingTo(accepted, before), leadingTo(others, before)
	if !alive[0] {
		return nil
	}
	// Classes are numbered by their first states; 0 is for what accepts nothing.
	class := make([]int, n)
	next := make([]int, n)
	number := func(key func(i int) string) (count int) {
		known := map[string]int{}
		for i := range a.states {
			if alive[i] {
				k := key(i)
				if known[k] == 0 {
					known[k] = len(known) + 1
				}
				next[i] = known[k]
			}
		}
		class, next = next, class
		return len(known)
	}
	edges := func(i int) []runeEdge {
		var list []runeEdge
		for _, e := range a.states[i].edges {
			to := class[e.to]
			if n := len(list); n > 0 && list[n-1].to == to && list[n-1].Hi+1 == e.Lo {
				list[n-1].Hi = e.Hi
			} else if to > 0 {
				list = append(list, runeEdge{e.Range, to})
			}
		}
		return list
	}
	count := number(func(i int) string { return strconv.FormatBool(accepting(a.states[i].accepts)) })
	for work := 0; ; {
		if work += size; work > maxMinimal {
			number(func(i int) string {
				if !partial[i] {
					return ""
				}
				return strconv.Itoa(i)
			})
			break
		}
		refined := number(func(i int) string {
			key := binary.AppendUvarint(nil, uint64(class[i]))
			for _, e := range edges(i) {
				key = binary.AppendUvarint(key, uint64(e.Lo))
				key = binary.AppendUvarint(key, uint64(e.Hi))
				key = binary.AppendUvarint(key, uint64(e.to))
			}
			return string(key)
		})
		if refined == count {
			break
		}
		count = refined
	}
	var states []stringState
	for i, s := range a.states {
		if class[i] != len(states)+1 {
			continue
		}
		m := stringState{edges: edges(i)}
		if accepting(s.accepts) {
			m.accepts = 1
		}
		for k := range m.edges {
			m.edges[k].to--
		}
		states = append(states, m)
	}
	return states
}

// automatonWriter writes the states of an automaton as expressions and rules.
type automatonWriter struct {
	b      *schemaBuilder
	hint   string
	states []stringState
	uses   []int   // states that lead to it
	rules  []*Rule // made for it
}

// maxInline is how deep the states of an automaton nest in one expression.
const maxInline = 40

func (w *automatonWriter) expr(i, depth int) *Expr {
	s := w.states[i]
	var targets []int
	ranges := map[int][]Range{}
	for _, e := range s.edges {
		if ranges[e.to] == nil && e.to != i {
			targets = append(targets, e.to)
		}
		ranges[e.to] = append(ranges[e.to], e.Range)
	}
	var items []*Expr
	for _, to := range targets {
		items = append(items, concat(w.b.runes(ranges[to]), w.state(to, depth+1)))
	}
	e := literal("")
	if len(items) > 0 {
		if e = alternate(items...); s.accepts != 0 {
			e = optional(e)
		}
	}
	if ranges[i] != nil {
		e = concat(repeat(w.b.runes(ranges[i]), 0, Unbounded), e)
	}
	return e
}

// state returns an expression for what may come from a state on: a rule's, where several
// lead there.
func (w *automatonWriter) state(i, depth int) *Expr {
	if len(w.states[i].edges) == 0 {
		return literal("")
	}
	if e := w.states[i].edges; len(e) == 1 && e[0].to == i {
		return w.expr(i, depth) // anything of these characters
	}
	if w.rules[i] == nil {
		if w.uses[i] == 1 && depth < maxInline {
			return w.expr(i, depth)
		}
		w.rules[i] = w.b.newRule(w.hint, nil)
		w.rules[i].Expr = w.expr(i, 0)
	}
	return call(w.rules[i].Name)
}
