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
