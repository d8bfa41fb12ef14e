package grammar

import "slices"

// The tokens allowed in a state are found by walking the trie of the vocabulary along the
// automaton. Most of a walk depends on the rule that is being matched and not on where it
// was called from. That part is done once for a place in a rule and kept: the tokens that
// stay within the rule, and the prefixes of tokens after which the rule may end. The rest
// goes on from these with the callers at hand. (XGrammar tells apart tokens that depend on
// the context and tokens that do not; here it is places in the trie.)
//
// Inside a string most tokens are allowed, and all for the same reason: they are made of
// characters after which the string goes on. Their mask is known for the vocabulary, and the
// walk looks only at tokens with a character that may lead out of the string. (llguidance
// does so for strings that it expects; here the sets of characters come from the grammar.)

const (
	maxMasks    = 32 << 20 // bytes of masks that a Constraint keeps
	maxMaskWork = 1 << 25  // configurations gone through to make one mask
)

// localMask is what a walk finds that ends where the rule does.
type localMask struct {
	mask  Mask
	exits []int32 // trie nodes with nodes below, after which the rule may end
}

// mask returns the tokens allowed in state s, from the cache if it can. It may be empty.
func (c *Constraint) mask(s *state) (Mask, error) {
	if m := s.mask.Load(); m != nil {
		return *m, nil
	}
	w := c.newWalk()
	if err := w.state(s); err != nil {
		return nil, err
	}
	w.terminals(s)
	if s.complete {
		w.own()
		for _, id := range c.vocab.eog {
			w.mask.set(id)
		}
	}
	if w.mask == nil {
		w.own()
	}
	c.automaton.keep(s, func(s *state) bool { return s.mask.CompareAndSwap(nil, &w.mask) })
	return w.mask, nil
}

// group is configurations that return to the same caller.
type group struct {
	caller  *frame // not a loop's; nil if the output is complete where the rule ends
	configs []configuration
}

// groupByCaller sorts configurations by what they return to from their rule; the rounds of
// loops belong to the rule.
func groupByCaller(configs []configuration) []group {
	var groups []group
next:
	for _, c := range configs {
		caller := c.stack
		for caller != nil && caller.rounds > 0 {
			caller = caller.parent
		}
		for i := range groups {
			if groups[i].caller == caller {
				groups[i].configs = append(groups[i].configs, c)
				continue next
			}
		}
		groups = append(groups, group{caller, []configuration{c}})
	}
	return groups
}

// depends reports whether what g matches within its rule depends on what fills a hole.
func (g *group) depends(p *program) bool {
	for _, c := range g.configs {
		if p.depends(c.pc) {
			return true
		}
		for f := c.stack; f != g.caller; f = f.parent {
			if p.depends(f.ret) {
				return true
			}
		}
	}
	return false
}

// cut returns the configurations of g without their callers. The rounds of a loop that is
// further than a token from its bounds are made the same: reach is more than the bytes of
// any token.
func (g *group) cut(p *program, reach int32) []configuration {
	cut := make([]configuration, len(g.configs))
	for i, c := range g.configs {
		cut[i].pc = c.pc
		to := &cut[i].stack
		for f := c.stack; f != g.caller; f = f.parent {
			rounds := f.rounds
			switch l := p.loops[p.at(f.ret).arg]; {
			case rounds < l.min:
				rounds = max(rounds, l.min-reach)
			case l.max != Unbounded:
				rounds = max(rounds, l.max-reach)
			}
			*to = &frame{ret: f.ret, rounds: rounds}
			to = &(*to).parent
		}
	}
	return cut
}

// walk collects tokens in a mask.
type walk struct {
	c      *Constraint
	mask   Mask
	shared bool    // mask belongs to someone else
	path   []place // after each byte of a prefix
	work   int     // configurations gone through
	first  bool    // stop at the first token
	found  bool
}

func (c *Constraint) newWalk() *walk { return &walk{c: c} }

// own makes w.mask writable.
func (w *walk) own() {
	switch {
	case w.mask == nil:
		w.mask = newMask(w.c.vocab.Len())
	case w.shared:
		w.mask = slices.Clone(w.mask)
	}
	w.shared = false
}

// join adds the tokens of m, which stays as it is.
func (w *walk) join(m Mask) {
	if w.mask == nil {
		w.mask, w.shared = m, true
		return
	}
	w.own()
	for i, bits := range m {
		w.mask[i] |= bits
	}
}

// state adds the tokens that s allows by their bytes. Where a stretch leads out of the rule
// and on, as from character to character in a string of calls, s is walked as a whole.
func (w *walk) state(s *state) error {
	a := w.c.automaton
	groups := groupByCaller(s.configs)
	only := len(groups) == 1
	if only && groups[0].depends(&a.program) {
		return w.all(a, s, nil)
	}
	stretches, err := a.stretches(s, w.c.vocab, false, &w.work)
	if err != nil {
		return err
	}
	if stretches != nil {
		within := false
		if only {
			if within, err = w.staysWithin(groups[0]); err != nil {
				return err
			}
		}
		if !within {
			return w.along(a, s, stretches, nil)
		}
	}
	for _, g := range groups {
		if err := w.group(s, g, only); err != nil {
			return err
		}
	}
	return nil
}

// staysWithin reports whether a stretch begins where g is that stays within its rule.
func (w *walk) staysWithin(g group) (bool, error) {
	a := w.c.frame
	s, err := a.enter(g.cut(&a.program, int32(w.c.vocab.maxDepth+1))...)
	if err != nil {
		return false, err
	}
	stretches, err := a.stretches(s, w.c.vocab, true, &w.work)
	return stretches != nil, err
}

// group adds the tokens that g, all of s if only, allows.
func (w *walk) group(s *state, g group, only bool) error {
	a := w.c.automaton
	if g.depends(&a.program) {
		if !only {
			var err error
			if s, err = a.enter(g.configs...); err != nil {
				return err
			}
		}
		return w.all(a, s, nil)
	}
	l, err := w.local(g)
	if err != nil {
		return err
	}
	w.join(l.mask)
	if g.caller == nil || len(l.exits) == 0 {
		return nil
	}
	s, err = a.enter(configuration{g.caller.ret, g.caller.parent})
	if err != nil {
		return err
	}
	for _, node := range l.exits {
		if err := w.below(a, s, int(node)+1, int(w.c.vocab.nodes[node].skip), nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// local returns what g allows within its rule, from the cache if it can.
func (w *walk) local(g group) (*localMask, error) {
	a := w.c.frame
	s, err := a.enter(g.cut(&a.program, int32(w.c.vocab.maxDepth+1))...)
	if err != nil {
		return nil, err
	}
	if l := s.local.Load(); l != nil {
		return l, nil
	}
	part := w.c.newWalk()
	part.path = w.path
	l := &localMask{}
	if err := part.all(a, s, &l.exits); err != nil {
		return nil, err
	}
	part.own()
	l.mask, w.path = part.mask, part.path
	w.work += part.work
	a.keep(s, func(s *state) bool { return s.local.CompareAndSwap(nil, l) })
	return l, nil
}

// all adds the tokens whose bytes lead somewhere from s. With exits it notes where s may
// become complete.
func (w *walk) all(a *automaton, s *state, exits *[]int32) error {
	stretches, err := a.stretches(s, w.c.vocab, exits != nil, &w.work)
	if err != nil {
		return err
	}
	return w.along(a, s, stretches, exits)
}

// along does the same where it is known which stretches begin at s.
func (w *walk) along(a *automaton, s *state, stretches []stretch, exits *[]int32) error {
	v := w.c.vocab
	for i := range stretches {
		x := &stretches[i]
		w.join(v.tokensWithin(x.first, x.chars, x.length))
	}
	w.own()
	for b := range s.bytes.all() {
		if node := v.root[b]; node >= 0 {
			if err := w.below(a, s, int(node), int(v.nodes[node].skip), stretches, exits); err != nil {
				return err
			}
		}
	}
	return nil
}

// place is where a walk is after a prefix of tokens.
type place struct {
	state   *state
	stretch *stretch // that the prefix stays within, nil if none
	chars   uint16   // of such a prefix
	lacks   uint8    // bytes that the last of them lacks
}

// begins returns the place after b, the first byte of a prefix, but for its state.
func begins(stretches []stretch, b byte) place {
	for i := range stretches {
		if stretches[i].first.has(b) && isStart(b) {
			return place{stretch: &stretches[i], chars: 1, lacks: uint8(continuations(b))}
		}
	}
	return place{}
}

// along returns the place after p, within a stretch, and b, but for its state.
func (p *place) along(b byte) place {
	switch x := p.stretch; {
	case p.lacks > 0 && !isStart(b):
		return place{stretch: x, chars: p.chars, lacks: p.lacks - 1}
	case p.lacks == 0 && isStart(b) && int(p.chars) < x.length && x.chars.has(b):
		return place{stretch: x, chars: p.chars + 1, lacks: uint8(continuations(b))}
	}
	return place{}
}

// below adds the tokens of the trie nodes from first to end that s leads through. They are
// children of one node, with all that is below them. Of a whole walk, those within the
// stretches have been added.
func (w *walk) below(a *automaton, s *state, first, end int, stretches []stretch, exits *[]int32) error {
	if s.next == nil || first == end {
		return nil
	}
	v, classes := w.c.vocab, &a.program.classes.of
	if w.path == nil {
		w.path = make([]place, v.maxDepth+1)
	}
	w.path[v.nodes[first].depth-1] = place{state: s}
	for i := first; i < end && !w.found; {
		n := &v.nodes[i]
		from := &w.path[n.depth-1]
		if !from.state.bytes.has(n.b) {
			i = int(n.skip)
			continue
		}
		var at place
		if n.depth == 1 && stretches != nil {
			at = begins(stretches, n.b)
		} else if from.stretch != nil {
			at = from.along(n.b)
		}
		if at.stretch != nil && at.stretch.settled(v, i, int(at.chars)) {
			i = int(n.skip)
			continue
		}
		to := from.state.next[classes[n.b]].Load()
		if to == nil {
			var err error
			if to, err = a.expand(from.state, n.b, &w.work); err != nil {
				return err
			}
			if w.work > w.c.workLimit {
				return &limitError{ErrMaskWork, a.program.ruleAt(from.state.configs[0].pc)}
			}
		}
		if at.stretch == nil && int(n.skip)-i > w.c.fewNodes && to.bytes.len() >= wide && !to.inside() {
			r, err := a.runFrom(to, &w.work)
			if err != nil {
				return err
			}
			if r.covers(v, i) {
				w.add(n.tokens, v.nodes[n.skip].tokens)
				i = int(n.skip)
				continue
			}
		}
		at.state = to
		w.path[n.depth] = at
		i++
		w.add(n.tokens, v.nodes[i].tokens)
		if exits != nil && to.complete && i < int(n.skip) {
			*exits = append(*exits, int32(i-1))
		}
	}
	return nil
}

// add adds the tokens at places from to end of the vocabulary's order.
func (w *walk) add(from, end uint32) {
	if from == end {
		return
	}
	if w.first {
		w.found = true
		return
	}
	if w.shared || w.mask == nil {
		w.own()
	}
	for _, id := range w.c.vocab.order[from:end] {
		w.mask.set(id)
	}
}

// terminals adds the tokens that token terminals admit in state s.
func (w *walk) terminals(s *state) {
	if !s.tokens {
		return
	}
	w.own()
	c := w.c
	for _, config := range s.configs {
		in := c.automaton.program.at(config.pc)
		if in.op != opToken {
			continue
		}
		id := c.terminals[in.arg]
		if !c.grammar.tokens[in.arg].negate {
			w.mask.set(id)
			continue
		}
		allowed := w.mask.Has(id)
		w.mask.fill(c.vocab.Len())
		if !allowed {
			w.mask.clear(id)
		}
	}
	for _, id := range c.vocab.eog {
		w.mask.clear(id)
	}
}

// maskCache names the states that hold a mask, oldest first from next on.
type maskCache struct {
	states []*state
	limit  int
	next   int
}

func (mc *maskCache) reset() { mc.states, mc.next = nil, 0 }

// keep has a mask stored in s, if it is not there yet, and forgets those of the state that
// holds one for the longest time if there are too many.
func (a *automaton) keep(s *state, store func(s *state) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.generation != a.generation.Load() || !store(s) {
		return
	}
	mc := &a.masks
	if len(mc.states) < mc.limit {
		mc.states = append(mc.states, s)
		return
	}
	old := mc.states[mc.next]
	old.mask.Store(nil)
	old.local.Store(nil)
	mc.states[mc.next] = s
	mc.next = (mc.next + 1) % mc.limit
}
