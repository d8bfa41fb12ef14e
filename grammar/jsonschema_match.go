package grammar

import "slices"

// pattern returns an expression for the strings of lo to hi code points in which the
// pattern at v matches somewhere. It is not ok if that takes an automaton.
func (b *schemaBuilder) pattern(v *jsonValue, lo, hi int) (e *Expr, ok bool, err error) {
	n, err := parsePattern(v)
	if err != nil {
		return nil, false, err
	}
	if n.ahead != nil {
		return nil, false, nil
	}
	sequences, ok := wholeStrings(n)
	if !ok {
		return nil, false, nil
	}
	var items []*Expr
	for _, sequence := range sequences {
		sequence, possible, exact := narrow(sequence, lo, hi)
		if !exact {
			return nil, false, nil
		}
		if possible {
			items = append(items, b.patternExpr(&patternNode{op: patternConcat, sub: sequence}))
		}
	}
	if len(items) == 0 {
		return b.nothing(v.errorf("no string that it matches has the length of minLength and maxLength")), true, nil
	}
	return quoted(alternate(items...)), true, nil
}

// wholeStrings returns, for each alternative of a pattern, a sequence that matches the
// whole of a string exactly if the alternative matches somewhere in it. It is not ok where
// ^ and $ stand elsewhere than where an alternative begins or ends.
func wholeStrings(n *patternNode) (sequences [][]*patternNode, ok bool) {
	for n.op == patternConcat && len(n.sub) == 1 {
		n = n.sub[0] // a group around everything
	}
	if n.op == patternAlternate {
		var all [][]*patternNode
		for _, sub := range n.sub {
			sequences, ok := wholeStrings(sub)
			if !ok {
				return nil, false
			}
			all = append(all, sequences...)
		}
		return all, true
	}
	sequence := []*patternNode{n}
	if n.op == patternConcat {
		sequence = n.sub
	}
	anything := &patternNode{op: patternRepeat, lo: 0, hi: Unbounded, sub: []*patternNode{{runes: allRunes}}}
	before, after := []*patternNode{anything}, []*patternNode{anything}
	for len(sequence) > 0 && sequence[0].op == patternStart {
		before, sequence = nil, sequence[1:]
	}
	for len(sequence) > 0 && sequence[len(sequence)-1].op == patternEnd {
		after, sequence = nil, sequence[:len(sequence)-1]
	}
	if slices.ContainsFunc(sequence, (*patternNode).anchored) {
		return nil, false
	}
	if len(sequence) == 0 && before != nil {
		after = nil
	}
	return [][]*patternNode{slices.Concat(before, sequence, after)}, true
}

// anchored reports whether there is an anchor in n.
func (n *patternNode) anchored() bool {
	return n.op == patternStart || n.op == patternEnd || slices.ContainsFunc(n.sub, (*patternNode).anchored)
}

// limitless is a length beyond all bounds.
const limitless = maxCount + 1

// length returns how many code points n matches at least and at most, up to limitless.
func (n *patternNode) length() (lo, hi int) {
	times := func(a, n int) int {
		if a != 0 && n == Unbounded {
			return limitless
		}
		return min(a*max(n, 0), limitless)
	}
	switch n.op {
	case patternRune:
		return 1, 1
	case patternRepeat:
		lo, hi = n.sub[0].length()
		return times(lo, n.lo), times(hi, n.hi)
	case patternAlternate:
		lo = limitless
		for _, sub := range n.sub {
			subLo, subHi := sub.length()
			lo, hi = min(lo, subLo), max(hi, subHi)
		}
	case patternConcat:
		for _, sub := range n.sub {
			subLo, subHi := sub.length()
			lo, hi = min(lo+subLo, limitless), min(hi+subHi, limitless)
		}
	}
	return lo, hi
}

// narrow returns a sequence that matches what the given one does, where that has lo to hi
// code points. It is not possible if nothing has, and not exact if narrow cannot tell.
func narrow(sequence []*patternNode, lo, hi int) (narrowed []*patternNode, possible, exact bool) {
	if hi == Unbounded {
		hi = limitless
	}
	var items []*patternNode
	for _, n := range sequence {
		if n.op == patternConcat {
			items = append(items, n.sub...) // a group that is not repeated
		} else {
			items = append(items, n)
		}
	}
	least, most, vary := 0, 0, -1
	for i, n := range items {
		nLo, nHi := n.length()
		least, most = min(least+nLo, limitless), min(most+nHi, limitless)
		if nLo == nHi && nLo < limitless {
			continue
		}
		if vary >= 0 || n.op != patternRepeat || n.sub[0].op != patternRune {
			vary = len(items)
		} else {
			vary = i
		}
	}
	switch {
	case lo <= least && most <= hi:
		return items, true, true
	case most < lo || hi < least:
		return nil, false, true
	case vary == len(items):
		return nil, false, false
	}
	// The others have a fixed length, so that what is left is that of the one that varies.
	n := *items[vary]
	fixed := least - n.lo
	n.lo = max(n.lo, lo-fixed)
	if hi < limitless && (n.hi == Unbounded || n.hi > hi-fixed) {
		n.hi = hi - fixed
	}
	items[vary] = &n
	return items, true, true
}

// patternExpr returns an expression for what n matches, as JSON spells it in a string.
func (b *schemaBuilder) patternExpr(n *patternNode) *Expr {
	switch n.op {
	case patternRune:
		return b.runes(n.runes)
	case patternRepeat:
		return repeat(b.patternExpr(n.sub[0]), n.lo, n.hi)
	}
	items := make([]*Expr, len(n.sub))
	for i, sub := range n.sub {
		items[i] = b.patternExpr(sub)
	}
	if n.op == patternAlternate {
		return alternate(items...)
	}
	return concat(items...)
}
