package grammar

import "slices"

// Constraint is a grammar over the tokens of a vocabulary. Goroutines may share it, and
// with it the masks that it caches.
type Constraint struct {
	grammar   *Grammar
	vocab     *Vocab
	terminals []int32    // token id of each token terminal of the grammar
	automaton *automaton // of the grammar, filled if this comes from Fill
	frame     *automaton // of the grammar alone: knows states that depend on no hole
	start     *state
	workLimit int // configurations to go through for one mask
	fewNodes  int // of a subtree of the trie that is walked without looking for a run
}

// NewConstraint binds the token terminals of g to the tokens of v. It fails with an *Error
// if v lacks one, or if one ends the generation, and with a *MatchError if the start of
// the grammar exceeds a limit.
func NewConstraint(g *Grammar, v *Vocab) (*Constraint, error) {
	c := &Constraint{grammar: g, vocab: v}
	for i, t := range g.tokens {
		id, code := v.bind(t)
		if code != "" {
			use := g.tokenUses[i]
			return nil, newError(code, g.src, use.off, use.rule, tokenName(t.name, t.id))
		}
		c.terminals = append(c.terminals, id)
	}
	return newConstraint(program{Grammar: g, classes: &g.classes}, c)
}

// newConstraint returns the Constraint of p, which has what c has but for the automaton.
func newConstraint(p program, c *Constraint) (*Constraint, error) {
	n := &Constraint{grammar: c.grammar, vocab: c.vocab, terminals: c.terminals, frame: c.automaton, workLimit: maxMaskWork, fewNodes: fewNodes}
	n.automaton = newAutomaton(p, max(16, maxMasks/(8*len(newMask(c.vocab.Len())))))
	if n.frame == nil {
		n.frame = n.automaton
	}
	var err error
	if n.start, err = n.automaton.enter(configuration{pc: p.start}); err != nil {
		return nil, (&Matcher{constraint: n, position: position{state: dead}}).limit(err)
	}
	return n, nil
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

// path returns the names of the rules open in a configuration, outermost first.
func (p *program) path(c configuration) []string {
	const shown = 12
	names := []string{p.ruleAt(c.pc)}
	for f := c.stack; f != nil; f = f.parent {
		if len(names) == shown {
			names = append(names, "...")
			break
		}
		names = append(names, p.ruleAt(f.ret))
	}
	slices.Reverse(names)
	return names
}
