package grammar

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

const (
	maxMachine    = 1 << 14 // states of a runeMachine
	maxRuneStates = 1 << 13 // states of an automaton of strings
)

// runeMachine is a nondeterministic automaton over code points: it begins in state 0.
type runeMachine struct {
	states []runeState
	accept int
}

type runeState struct {
	edges   []runeEdge
	empty   []int // states reached without a code point,
	atStart []int // those at the start of the string only,
	atEnd   []int // those at its end only
}

type runeEdge struct {
	Range
	to int
}

func (m *runeMachine) add() int {
	m.states = append(m.states, runeState{})
	return len(m.states) - 1
}

func (m *runeMachine) edge(from int, ranges []Range, to int) {
	for _, r := range ranges {
		m.states[from].edges = append(m.states[from].edges, runeEdge{r, to})
	}
}

func (m *runeMachine) join(from, to int) {
	m.states[from].empty = append(m.states[from].empty, to)
}

// machineOf returns a machine that accepts the strings that a pattern matches: as a whole,
// or anywhere in them. It is nil if it would be too large.
func machineOf(n *patternNode, anywhere bool) *runeMachine {
	m := &runeMachine{}
	start := m.add()
	if anywhere {
		m.edge(start, allRunes, start)
	}
	end := m.follow(n, m.split(start))
	if end < 0 {
		return nil
	}
	m.accept = end
	if anywhere {
		m.accept = m.split(end)
		m.edge(m.accept, allRunes, m.accept)
	}
	return m
}

// split returns a new state that is reached from another without a code point.
func (m *runeMachine) split(from int) int {
	to := m.add()
	m.join(from, to)
	return to
}

// follow adds what n matches from a state on and returns the state after it, -1 if the
// machine is too large.
func (m *runeMachine) follow(n *patternNode, from int) int {
	if len(m.states) > maxMachine {
		return -1
	}
	switch n.op {
	case patternRune:
		to := m.add()
		m.edge(from, n.runes, to)
		return to
	case patternStart:
		to := m.add()
		m.states[from].atStart = append(m.states[from].atStart, to)
		return to
	case patternEnd:
		to := m.add()
		m.states[from].atEnd = append(m.states[from].atEnd, to)
		return to
	case patternAlternate:
		end := m.add()
		for _, sub := range n.sub {
			to := m.follow(sub, m.split(from))
			if to < 0 {
				return -1
			}
			m.join(to, end)
		}
		return end
	case patternRepeat:
		for range n.lo {
			if from = m.follow(n.sub[0], from); from < 0 {
				return -1
			}
		}
		if n.hi == Unbounded {
			loop := m.split(from)
			to := m.follow(n.sub[0], loop)
			if to < 0 {
				return -1
			}
			m.join(to, loop)
			return m.split(loop)
		}
		end := m.add()
		for range n.hi - n.lo {
			m.join(from, end)
			if from = m.follow(n.sub[0], from); from < 0 {
				return -1
			}
		}
		m.join(from, end)
		return end
	}
	for _, sub := range n.sub {
		if from = m.follow(sub, from); from < 0 {
			return -1
		}
	}
	return from
}

// machineOfStrings returns a machine that accepts those strings and no others.
func machineOfStrings(list []string) *runeMachine {
	m := &runeMachine{}
	start := m.add()
	m.accept = m.add()
	for _, s := range list {
		at := start
		for _, r := range s {
			i := slices.IndexFunc(m.states[at].edges, func(e runeEdge) bool { return e.Lo == r })
			if i < 0 {
				to := m.add()
				m.edge(at, []Range{{r, r}}, to)
				at = to
			} else {
				at = m.states[at].edges[i].to
			}
		}
		m.join(at, m.accept)
	}
	return m
}

// closure returns the states reached from set without a code point, sorted. It works on set.
func (m *runeMachine) closure(set []int, start, end bool) []int {
	seen := make(map[int]bool, len(set))
	for _, s := range set {
		seen[s] = true
	}
	reach := func(next []int) {
		for _, to := range next {
			if !seen[to] {
				seen[to] = true
				set = append(set, to)
			}
		}
	}
	for i := 0; i < len(set); i++ {
		s := &m.states[set[i]]
		reach(s.empty)
		if start {
			reach(s.atStart)
		}
		if end {
			reach(s.atEnd)
		}
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// step returns the states after the code point r.
func (m *runeMachine) step(set []int, r rune) []int {
	var next []int
	for _, s := range set {
		for _, e := range m.states[s].edges {
			if e.Lo <= r && r <= e.Hi {
				next = append(next, e.to)
			}
		}
	}
	slices.Sort(next)
	return m.closure(slices.Compact(next), false, false)
}

// accepts reports whether the string may end in set.
func (m *runeMachine) accepts(set []int, start bool) bool {
	return slices.Contains(m.closure(slices.Clone(set), start, true), m.accept)
}

// matches reports whether m accepts s.
func (m *runeMachine) matches(s string) bool {
	set := m.closure([]int{0}, true, false)
	for _, r := range s {
		set = m.step(set, r)
	}
	return m.accepts(set, s == "")
}

// runeAutomaton is a deterministic automaton over code points that follows several machines at
// once. It begins in state 0; the edges of a state cover all code points.
type runeAutomaton struct{ states []stringState }

type stringState struct {
	accepts uint64 // the machines that accept a string that ends here, a bit each
	edges   []runeEdge
}

// determine returns the automaton of at most 64 machines.
func (b *schemaBuilder) determine(at *jsonValue, machines []*runeMachine) (*runeAutomaton, error) {
	a := &runeAutomaton{}
	var sets [][][]int // of each state, the states of each machine
	known := map[string]int{}
	find := func(tuple [][]int) int {
		var key []byte
		for _, set := range tuple {
			for _, s := range set {
				key = binary.AppendUvarint(key, uint64(s)+1)
			}
			key = append(key, 0)
		}
		i, ok := known[string(key)]
		if !ok {
			i = len(sets)
			known[string(key)] = i
			sets = append(sets, tuple)
			s := stringState{}
			for k, m := range machines {
				if m.accepts(tuple[k], i == 0) {
					s.accepts |= 1 << k
				}
			}
			a.states = append(a.states, s)
		}
		return i
	}
	var first [][]int
	for _, m := range machines {
		first = append(first, m.closure([]int{0}, true, false))
	}
	find(first)
	// The first state stands for the empty string alone, as ^ matches nowhere else.
	known = map[string]int{}
	for i := 0; i < len(sets); i++ {
		cuts := []rune{0}
		size := 0
		for k, set := range sets[i] {
			size += len(set)
			for _, s := range set {
				for _, e := range machines[k].states[s].edges {
					cuts = append(cuts, e.Lo, e.Hi+1)
				}
			}
		}
		slices.Sort(cuts)
		cuts = slices.Compact(cuts)
		if err := b.spend(at, 1+size+len(cuts)); err != nil {
			return nil, err
		}
		for j, lo := range cuts {
			if lo > utf8.MaxRune {
				break
			}
			hi := rune(utf8.MaxRune)
			if j+1 < len(cuts) {
				hi = cuts[j+1] - 1
			}
			tuple := make([][]int, len(machines))
			for k, m := range machines {
				tuple[k] = m.step(sets[i][k], lo)
			}
			to := find(tuple)
			edges := a.states[i].edges
			if n := len(edges); n > 0 && edges[n-1].to == to {
				edges[n-1].Hi = hi
			} else {
				a.states[i].edges = append(edges, runeEdge{Range{lo, hi}, to})
			}
		}
		if len(sets) > maxRuneStates {
			return nil, at.errorf("too much to tell apart: more than %d states", maxRuneStates)
		}
	}
	return a, nil
}

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

// minimal returns the states, each once of those that cannot be told apart, and edges to
// states from which a string can be accepted only; none if the first cannot. Of a state,
// accepts is then 1 or 0.
func (a *runeAutomaton) minimal(accepting func(accepts uint64) bool) []stringState {
	n := len(a.states)
	class := make([]int, n) // 0 is for what accepts nothing
	before := make([][]int, n)
	var alive []int
	for i, s := range a.states {
		for _, e := range s.edges {
			before[e.to] = append(before[e.to], i)
		}
		if accepting(s.accepts) {
			class[i] = 2
			alive = append(alive, i)
		}
	}
	for len(alive) > 0 {
		i := alive[len(alive)-1]
		alive = alive[:len(alive)-1]
		for _, from := range before[i] {
			if class[from] == 0 {
				class[from] = 1
				alive = append(alive, from)
			}
		}
	}
	if class[0] == 0 {
		return nil
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
	for count := 0; ; {
		known := map[string]int{}
		next := make([]int, n)
		for i := range a.states {
			if class[i] == 0 {
				continue
			}
			key := binary.AppendUvarint(nil, uint64(class[i]))
			for _, e := range edges(i) {
				key = binary.AppendUvarint(key, uint64(e.Lo))
				key = binary.AppendUvarint(key, uint64(e.Hi))
				key = binary.AppendUvarint(key, uint64(e.to))
			}
			if known[string(key)] == 0 {
				known[string(key)] = len(known) + 1
			}
			next[i] = known[string(key)]
		}
		class = next
		if len(known) == count {
			break
		}
		count = len(known)
	}
	// Classes are numbered as their first states are, so that of the first state is 1.
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
