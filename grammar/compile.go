package grammar

import "unicode/utf8"

// maxProgram bounds instructions, edges and targets of a program together: what unrolled
// repetitions may grow to.
const maxProgram = 1 << 18

// unrolled is how many instructions, roughly, copies of a repetition's body may take. Of
// rounds that are counted a walk need not look at each; see countedFrame.
const unrolled = 16

// Compile parses and compiles a grammar. The error is an *Error.
func Compile(src string) (*Grammar, error) {
	s, err := Parse(src)
	if err != nil {
		return nil, err
	}
	return compile(s, false)
}

// compile compiles the rules that root needs, or all of them.
func compile(s *Syntax, all bool) (*Grammar, error) {
	c := &compiler{
		syntax:  s,
		grammar: &Grammar{src: s.src, insts: []inst{{op: opReturn}}, whole: map[int32]wholeChars{}},
		starts:  make([]int32, len(s.Rules)),
		tails:   map[inst]int32{},
		tokens:  map[tokenTerminal]int32{},
	}
	for i := range c.starts {
		c.starts[i] = unreached
	}
	c.reach(s.byName[rootRule])
	for i := range s.Rules {
		if all {
			c.reach(i)
		}
	}
	for i := 0; i < len(c.reached) && c.err == nil; i++ {
		c.rule(c.reached[i])
	}
	if c.err != nil {
		return nil, c.err
	}
	c.link()
	return c.grammar, nil
}

// compiler emits a program back to front: the code for an expression is made for a given
// continuation, so that it is known at a call whether anything is left to do after it.
type compiler struct {
	syntax  *Syntax
	grammar *Grammar
	starts  []int32 // entry of each rule, or unreached
	reached []int   // rules to compile, in order
	current *Rule
	tokens  map[tokenTerminal]int32 // index of each among the grammar's
	err     error

	// tails finds the last bytes of a character that earlier classes of the rule have
	// emitted for the same continuation.
	tails map[inst]int32
	seqs  []sequence
}

const unreached = -1

// reach has a rule compiled, once. Its entry is a placeholder until then.
func (c *compiler) reach(rule int) {
	if c.starts[rule] == unreached {
		c.starts[rule] = pcReturn
		c.reached = append(c.reached, rule)
	}
}

func (c *compiler) rule(rule int) {
	g := c.grammar
	c.current = c.syntax.Rules[rule]
	clear(c.tails)
	first := int32(len(g.insts))
	start := c.expr(c.current.Expr, pcReturn)
	c.starts[rule] = start
	g.rules = append(g.rules, compiledRule{name: c.current.Name, start: start, first: first})
}

// link replaces rules by entries in calls, and finds the classes of bytes.
func (c *compiler) link() {
	g := c.grammar
	var begins [257]bool
	mark := func(r byteRange) { begins[r.lo], begins[int(r.hi)+1] = true, true }
	for i := range g.insts {
		switch in := &g.insts[i]; in.op {
		case opCall, opJump:
			in.arg = c.starts[in.arg]
		case opByte:
			mark(byteRange{in.lo, in.hi})
		}
	}
	for _, e := range g.edges {
		mark(e.byteRange)
	}
	g.classes = newByteClasses(&begins)
	g.start = c.starts[c.syntax.byName[rootRule]]
}

// grow accounts for n more entries of the program. After an error nothing is emitted, and
// the loops over repetitions stop.
func (c *compiler) grow(n int) bool {
	g := c.grammar
	if c.err == nil && len(g.insts)+len(g.edges)+len(g.targets)+len(g.loops)+n > maxProgram {
		c.err = newError(ErrProgramSize, c.syntax.src, c.current.off, c.current.Name, "")
	}
	return c.err == nil
}

func (c *compiler) emit(in inst) int32 {
	if !c.grow(1) {
		return pcReturn
	}
	c.grammar.insts = append(c.grammar.insts, in)
	return int32(len(c.grammar.insts) - 1)
}

// expr returns the entry of code that matches e and then goes on at next. For an
// expression that matches only the empty string that is next itself.
func (c *compiler) expr(e *Expr, next int32) int32 {
	switch e.Op {
	case OpLiteral:
		for i := len(e.Text) - 1; i >= 0; i-- {
			next = c.emit(inst{op: opByte, lo: e.Text[i], hi: e.Text[i], out: next})
		}
	case OpClass, OpAny:
		return c.class(e, next)
	case OpRule:
		c.reach(e.rule)
		if next == pcReturn {
			return c.emit(inst{op: opJump, arg: int32(e.rule)})
		}
		return c.emit(inst{op: opCall, arg: int32(e.rule), out: next})
	case OpToken:
		return c.emit(inst{op: opToken, arg: c.token(e), out: next})
	case OpConcat:
		for i := len(e.Sub) - 1; i >= 0; i-- {
			next = c.expr(e.Sub[i], next)
		}
	case OpAlternate:
		targets := make([]int32, 0, len(e.Sub))
		for _, sub := range e.Sub {
			to := c.expr(sub, next)
			if len(targets) == 0 || targets[len(targets)-1] != to {
				targets = append(targets, to)
			}
		}
		return c.alt(targets...)
	case OpRepeat:
		return c.repeat(e, next)
	case OpHole:
		c.grammar.holes = append(c.grammar.holes, e.Text)
		return c.emit(inst{op: opHole, arg: int32(len(c.grammar.holes) - 1)})
	}
	return next
}

// alt returns code that goes to each of targets, in order.
func (c *compiler) alt(targets ...int32) int32 {
	if len(targets) == 1 || !c.grow(1+len(targets)) {
		return targets[0]
	}
	g := c.grammar
	arg := int32(len(g.targets))
	g.targets = append(g.targets, targets...)
	return c.emit(inst{op: opAlt, arg: arg, out: int32(len(g.targets))})
}

func (c *compiler) repeat(e *Expr, next int32) int32 {
	body, lo, hi := e.Sub[0], e.Min, e.Max
	if body.nullable {
		lo = 0 // rounds that match nothing make up for those that are missing
	}
	copies := lo // and one more for a loop without end
	if hi != Unbounded {
		copies = hi
	}
	if copies > 1 && copies*body.size(unrolled) > unrolled {
		return c.counted(body, lo, hi, next)
	}
	start := next
	if hi == Unbounded {
		loop := c.alt(pcReturn, next) // back to the body, as soon as that is known
		entry := c.expr(body, loop)
		if c.err != nil || entry == loop {
			return next
		}
		c.grammar.targets[c.grammar.insts[loop].arg] = entry
		if start = loop; lo > 0 {
			start = entry
			lo--
		}
	} else {
		for i := lo; i < hi && c.err == nil; i++ {
			entry := c.expr(body, start)
			if entry == start {
				return next
			}
			start = c.alt(entry, next)
		}
	}
	for ; lo > 0 && c.err == nil; lo-- {
		entry := c.expr(body, start)
		if entry == start {
			return next
		}
		start = entry
	}
	return start
}

// counted returns code that counts the rounds of a repetition while matching.
func (c *compiler) counted(body *Expr, lo, hi int, next int32) int32 {
	entry := c.expr(body, pcReturn)
	if c.err != nil || entry == pcReturn || !c.grow(1) {
		return next
	}
	g := c.grammar
	g.loops = append(g.loops, loop{body: entry, min: int32(lo), max: int32(hi)})
	return c.emit(inst{op: opLoop, arg: int32(len(g.loops) - 1), out: next})
}

// size estimates how many instructions e takes, up to limit.
func (e *Expr) size(limit int) int {
	n := 1
	switch e.Op {
	case OpLiteral:
		n = len(e.Text)
	case OpClass, OpAny:
		for _, r := range e.codePoints() {
			n += utf8.RuneLen(r.Hi)
		}
	case OpRepeat:
		copies := max(e.Min, 1)
		if e.Max != Unbounded {
			copies = e.Max
		}
		return min(limit, min(copies, limit)*e.Sub[0].size(limit))
	}
	for _, sub := range e.Sub {
		if n >= limit {
			break
		}
		n += sub.size(limit - n)
	}
	return min(n, limit)
}

// class returns code for one code point of e.
func (c *compiler) class(e *Expr, next int32) int32 {
	c.seqs = c.seqs[:0]
	points := e.codePoints()
	for _, r := range points {
		c.seqs = appendSequences(c.seqs, r)
	}
	pc := c.sequences(c.seqs, 0, next)
	if leads := wholeLeads(points); leads != (charSet{}) && c.err == nil {
		c.grammar.whole[pc] = wholeChars{leads, next}
	}
	return pc
}

// sequences returns code for those of seqs, which are sorted and agree before byte i.
// Their ranges for byte i are equal or disjoint.
func (c *compiler) sequences(seqs []sequence, i int, next int32) int32 {
	if i == seqs[0].n {
		return next
	}
	var buf [16]edge
	edges := buf[:0]
	for len(seqs) > 0 {
		r, n := seqs[0].ranges[i], 1
		for n < len(seqs) && seqs[n].ranges[i] == r {
			n++
		}
		to := c.sequences(seqs[:n], i+1, next)
		if k := len(edges) - 1; k >= 0 && edges[k].to == to && edges[k].hi+1 == r.lo {
			edges[k].hi = r.hi
		} else {
			edges = append(edges, edge{r, to})
		}
		seqs = seqs[n:]
	}
	if len(edges) > 1 {
		if !c.grow(1 + len(edges)) {
			return pcReturn
		}
		g := c.grammar
		arg := int32(len(g.edges))
		g.edges = append(g.edges, edges...)
		return c.emit(inst{op: opBytes, arg: arg, out: int32(len(g.edges))})
	}
	in := inst{op: opByte, lo: edges[0].lo, hi: edges[0].hi, out: edges[0].to}
	pc, ok := c.tails[in]
	if !ok || i == 0 {
		pc = c.emit(in)
		c.tails[in] = pc
	}
	return pc
}

// token returns the index of e among the program's token terminals.
func (c *compiler) token(e *Expr) int32 {
	t := tokenTerminal{name: e.Text, id: e.ID, negate: e.Negate}
	i, ok := c.tokens[t]
	if !ok && c.grow(1) {
		g := c.grammar
		i = int32(len(g.tokens))
		c.tokens[t] = i
		g.tokens = append(g.tokens, t)
		g.tokenUses = append(g.tokenUses, tokenUse{off: e.off, rule: c.current.Name})
	}
	return i
}
