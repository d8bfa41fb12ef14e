package grammar

import "strings"

const rootRule = "root"

// check resolves the references of s and reports undefined rules, a missing root and left
// recursion.
func check(s *Syntax, refs []reference) error {
	for _, ref := range refs {
		i, ok := s.byName[ref.expr.Text]
		if !ok {
			return newError(ErrUndefinedRule, s.src, ref.expr.off, ref.in, ref.expr.Text)
		}
		ref.expr.rule = i
	}
	if _, ok := s.byName[rootRule]; !ok {
		return newError(ErrMissingRoot, s.src, 0, "", "")
	}
	markNullable(s)
	return checkLeftRecursion(s)
}

// markNullable marks the expressions that match the empty string. Each node waits for some
// of its children and is reached once, so the time is linear (Dowling and Gallier 1984).
func markNullable(s *Syntax) {
	type node struct {
		expr    *Expr
		parent  int // -1 for the expression of a rule
		rule    int
		missing int // children that must become nullable before this node is
	}
	var nodes []node
	var ready []int
	uses := make([][]int, len(s.Rules)) // nodes that refer to each rule

	var visit func(e *Expr, parent, rule int)
	visit = func(e *Expr, parent, rule int) {
		i := len(nodes)
		nodes = append(nodes, node{expr: e, parent: parent, rule: rule, missing: 1})
		switch {
		case e.Op == OpEmpty, e.Op == OpHole, e.Op == OpRepeat && e.Min == 0:
			ready = append(ready, i)
		case e.Op == OpConcat:
			nodes[i].missing = len(e.Sub)
		case e.Op == OpRule:
			uses[e.rule] = append(uses[e.rule], i)
		}
		for _, sub := range e.Sub {
			visit(sub, i, rule)
		}
	}
	for i, r := range s.Rules {
		visit(r.Expr, -1, i)
	}

	lacksOneLess := func(i int) {
		if nodes[i].missing--; nodes[i].missing == 0 {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		n := nodes[ready[len(ready)-1]]
		ready = ready[:len(ready)-1]
		if n.expr.nullable {
			continue
		}
		n.expr.nullable = true
		if n.parent >= 0 {
			lacksOneLess(n.parent)
			continue
		}
		for _, use := range uses[n.rule] {
			lacksOneLess(use)
		}
	}
}

// leftmost appends to refs the references with which a match of e can begin.
func leftmost(e *Expr, refs []*Expr) []*Expr {
	if e.Op == OpRule {
		return append(refs, e)
	}
	for _, sub := range e.Sub {
		refs = leftmost(sub, refs)
		if e.Op == OpConcat && !sub.nullable {
			break
		}
	}
	return refs
}

// checkLeftRecursion looks for a cycle in the graph of leftmost references, depth first
// and without recursion: a chain of rules can be as long as the source allows.
func checkLeftRecursion(s *Syntax) error {
	const (
		unseen = iota
		open
		closed
	)
	type visit struct {
		rule int
		refs []*Expr // still to follow
	}
	state := make([]uint8, len(s.Rules))
	var path []visit
	enter := func(rule int) {
		state[rule] = open
		path = append(path, visit{rule, leftmost(s.Rules[rule].Expr, nil)})
	}
	for i := range s.Rules {
		if state[i] != unseen {
			continue
		}
		enter(i)
		for len(path) > 0 {
			top := &path[len(path)-1]
			if len(top.refs) == 0 {
				state[top.rule] = closed
				path = path[:len(path)-1]
				continue
			}
			ref := top.refs[0]
			top.refs = top.refs[1:]
			switch state[ref.rule] {
			case unseen:
				enter(ref.rule)
			case open:
				rules := make([]int, len(path))
				for j, v := range path {
					rules[j] = v.rule
				}
				return leftRecursion(s, rules, ref)
			}
		}
	}
	return nil
}

// leftRecursion reports that ref, in the last rule of path, leads back into path.
func leftRecursion(s *Syntax, path []int, ref *Expr) error {
	const shown = 8
	for path[0] != ref.rule {
		path = path[1:]
	}
	var cycle []string
	for i, rule := range path {
		if i == shown {
			cycle = append(cycle, "...")
			break
		}
		cycle = append(cycle, s.Rules[rule].Name)
	}
	cycle = append(cycle, ref.Text)
	in := s.Rules[path[len(path)-1]].Name
	return newError(ErrLeftRecursion, s.src, ref.off, in, strings.Join(cycle, " -> "))
}
