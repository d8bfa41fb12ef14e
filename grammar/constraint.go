package grammar

import "slices"

const (
	maxMasks    = 32 << 20 // bytes of masks that a Constraint keeps
	maxMaskWork = 1 << 25  // configurations gone through to make one mask
)

// Constraint is a grammar over the tokens of a vocabulary. Goroutines may share it, and
// with it the masks that it caches.
type Constraint struct {
	grammar   *Grammar
	vocab     *Vocab
	terminals []int32 // token id of each token terminal of the grammar
	automaton *automaton
	start     *state
	workLimit int // configurations to go through for one mask
}

// NewConstraint binds the token terminals of g to the tokens of v. It fails with an *Error
// if v lacks one, or if one ends the generation, and with a *MatchError if the start of
// the grammar exceeds a limit.
func NewConstraint(g *Grammar, v *Vocab) (*Constraint, error) {
	c := &Constraint{
		grammar:   g,
		vocab:     v,
		automaton: newAutomaton(g, 8*len(newMask(v.Len()))),
		workLimit: maxMaskWork,
	}
	for i, t := range g.tokens {
		id, code := v.bind(t)
		if code != "" {
			use := g.tokenUses[i]
			return nil, newError(code, g.src, use.off, use.rule, tokenName(t.name, t.id))
		}
		c.terminals = append(c.terminals, id)
	}
	var err error
	if c.start, err = c.automaton.start(); err != nil {
		return nil, (&Matcher{constraint: c, state: dead}).limit(err)
	}
	return c, nil
}

// bind returns the token that a terminal names, or why it cannot be.
func (v *Vocab) bind(t tokenTerminal) (int32, ErrorCode) {
	id := t.id
	if t.name != "" {
		ok := v.lookup != nil
		if ok {
			id, ok = v.lookup(t.name)
		}
		if !ok {
			return 0, ErrUnknownToken
		}
	}
	if id < 0 || int(id) >= v.Len() {
		return 0, ErrUnknownToken
	}
	if v.isEOG(id) && !t.negate {
		return 0, ErrEndOfGeneration
	}
	return id, ""
}

// admits reports whether a token terminal admits the token id.
func (c *Constraint) admits(terminal, id int32) bool {
	return (c.terminals[terminal] == id) != c.grammar.tokens[terminal].negate
}

// mask returns the tokens allowed in state s, from the cache if it can. It may be empty.
func (c *Constraint) mask(s *state) (Mask, error) {
	if m := s.mask.Load(); m != nil {
		return *m, nil
	}
	m := newMask(c.vocab.Len())
	if err := c.addText(m, s); err != nil {
		return nil, err
	}
	c.addTerminals(m, s)
	for _, id := range c.vocab.eog {
		m.clear(id)
		if s.complete {
			m.set(id)
		}
	}
	c.automaton.keep(s, m)
	return m, nil
}

// addText adds the tokens whose bytes lead somewhere from s, by walking the trie.
func (c *Constraint) addText(m Mask, s *state) error {
	if s.next == nil {
		return nil
	}
	v, classes := c.vocab, &c.grammar.classes
	path := make([]*state, v.maxDepth+1) // state after each byte of the prefix
	path[0] = s
	work := 0
	for i := 0; i < len(v.nodes)-1; {
		n := &v.nodes[i]
		from := path[n.depth-1]
		if from.next == nil {
			i = int(n.skip)
			continue
		}
		to := from.next[classes[n.b]].Load()
		if to == nil {
			var err error
			if to, err = c.automaton.expand(from, n.b, &work); err != nil {
				return err
			}
			if work > c.workLimit {
				return &limitError{ErrMaskWork, c.grammar.ruleAt(from.configs[0].pc)}
			}
		}
		if to == dead {
			i = int(n.skip)
			continue
		}
		path[n.depth] = to
		i++
		for _, id := range v.order[n.tokens:v.nodes[i].tokens] {
			m.set(id)
		}
	}
	return nil
}

// addTerminals adds the tokens that token terminals admit in state s.
func (c *Constraint) addTerminals(m Mask, s *state) {
	if !s.tokens {
		return
	}
	for _, config := range s.configs {
		in := c.grammar.insts[config.pc]
		if in.op != opToken {
			continue
		}
		id := c.terminals[in.arg]
		if !c.grammar.tokens[in.arg].negate {
			m.set(id)
			continue
		}
		allowed := m.Has(id)
		m.fill(c.vocab.Len())
		if !allowed {
			m.clear(id)
		}
	}
}

// maskCache names the states that hold a mask, oldest first from next on.
type maskCache struct {
	states []*state
	limit  int
	next   int
}

func newMaskCache(maskBytes int) maskCache { return maskCache{limit: max(16, maxMasks/maskBytes)} }

func (mc *maskCache) reset() { mc.states, mc.next = nil, 0 }

// keep caches the mask of s, in the place of the oldest if there are too many.
func (a *automaton) keep(s *state, m Mask) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if s.generation != a.generation.Load() || !s.mask.CompareAndSwap(nil, &m) {
		return
	}
	mc := &a.masks
	if len(mc.states) < mc.limit {
		mc.states = append(mc.states, s)
		return
	}
	mc.states[mc.next].mask.Store(nil)
	mc.states[mc.next] = s
	mc.next = (mc.next + 1) % mc.limit
}

// path returns the names of the rules open in a configuration, outermost first.
func (g *Grammar) path(c configuration) []string {
	const shown = 12
	names := []string{g.ruleAt(c.pc)}
	for f := c.stack; f != nil; f = f.parent {
		if len(names) == shown {
			names = append(names, "...")
			break
		}
		names = append(names, g.ruleAt(f.ret))
	}
	slices.Reverse(names)
	return names
}
