package grammar

// closure is a set of configurations under construction: some that were added, and all
// that can be reached from them without consuming anything.
type closure struct {
	seen     configSet
	work     []configuration
	leaves   []configuration // at instructions that consume something
	complete bool

	// The latest place to return to of each opCover's call: its callee and stack.
	covered map[configuration]int32
	// The fewest rounds with which each loop was reached that may be left, by instruction
	// and stack.
	rounds map[configuration]int32
}

func (c *closure) reset() {
	c.seen.reset()
	c.work, c.leaves, c.complete = c.work[:0], c.leaves[:0], false
	if len(c.covered) > 0 {
		clear(c.covered)
	}
	if len(c.rounds) > 0 {
		clear(c.rounds)
	}
}

// configSet is a set of configurations, most often a small one.
type configSet struct {
	list []configuration
	more map[configuration]struct{} // those of a set that has grown beyond maxScanned
}

const maxScanned = 64

func (s *configSet) len() int { return max(len(s.list), len(s.more)) }

func (s *configSet) reset() {
	s.list = s.list[:0]
	if len(s.more) > 0 {
		clear(s.more)
	}
}

// add reports whether c was not yet in the set.
func (s *configSet) add(c configuration) bool {
	if len(s.more) == 0 {
		for _, have := range s.list {
			if have == c {
				return false
			}
		}
		if s.list = append(s.list, c); len(s.list) <= maxScanned {
			return true
		}
		if s.more == nil {
			s.more = map[configuration]struct{}{}
		}
		for _, have := range s.list {
			s.more[have] = struct{}{}
		}
		return true
	}
	if _, ok := s.more[c]; ok {
		return false
	}
	s.more[c] = struct{}{}
	return true
}

// add adds c to a.set, and all that can be reached from it without consuming anything.
// That ends: without left recursion a rule is not called again before a byte is consumed,
// other than in a loop, which comes back to a configuration already seen or, where rounds
// are counted, to one that needs no further round. It is called with a.mu held.
func (a *automaton) add(c configuration) error {
	set, p := &a.set, &a.program
	set.work = append(set.work, c)
	for len(set.work) > 0 {
		c := set.work[len(set.work)-1]
		set.work = set.work[:len(set.work)-1]
		if !set.seen.add(c) {
			continue
		}
		if set.seen.len() > maxConfigurations {
			return &limitError{ErrConfigurations, p.ruleAt(c.pc)}
		}
		in := p.at(c.pc)
		if (in.op == opCall || in.op == opCover || in.op == opLoop) && c.stack != nil && c.stack.depth == maxDepth {
			return &limitError{ErrStackDepth, p.ruleAt(c.pc)}
		}
		switch in.op {
		case opReturn:
			switch {
			case c.stack == nil:
				set.complete = true
			case c.stack.rounds > 0:
				a.round(c.stack.ret, c.stack.rounds, c.stack.parent)
			default:
				set.work = append(set.work, configuration{c.stack.ret, c.stack.parent})
			}
		case opAlt:
			for _, to := range p.alternatives(in) {
				set.work = append(set.work, configuration{to, c.stack})
			}
		case opCover:
			if set.isCovered(configuration{in.arg, c.stack}, in.out) {
				continue
			}
			fallthrough
		case opCall:
			set.work = append(set.work, configuration{in.arg, a.push(c.stack, in.out, 0)})
		case opJump:
			set.work = append(set.work, configuration{in.arg, c.stack})
		case opLoop:
			a.round(c.pc, 0, c.stack)
		case opHole:
			if int(in.arg) < len(p.starts) {
				set.work = append(set.work, configuration{p.starts[in.arg], c.stack})
			}
		default:
			set.leaves = append(set.leaves, c)
		}
	}
	return nil
}

// round goes on from the loop at pc after some rounds of it.
func (a *automaton) round(pc, rounds int32, stack *frame) {
	set, in := &a.set, a.program.at(pc)
	l := a.program.loops[in.arg]
	if rounds >= l.min {
		// Fewer rounds leave open all that more do, once there are enough.
		if set.hasFewer(configuration{pc, stack}, rounds) {
			return
		}
		set.work = append(set.work, configuration{in.out, stack})
	}
	switch {
	case l.max == Unbounded:
		rounds = min(rounds, l.min-1) // nothing more is to be counted
	case rounds >= l.max:
		return
	}
	set.work = append(set.work, configuration{l.body, a.push(stack, pc, rounds+1)})
}

// hasFewer reports whether the loop c was reached with at most that many rounds before,
// and notes it if not.
func (set *closure) hasFewer(c configuration, rounds int32) bool {
	if have, ok := set.rounds[c]; ok && have <= rounds {
		return true
	}
	if set.rounds == nil {
		set.rounds = map[configuration]int32{}
	}
	set.rounds[c] = rounds
	return false
}

// isCovered reports whether the same call was made before with a place to return to that
// covers ret, and notes it if not.
func (set *closure) isCovered(call configuration, ret int32) bool {
	if have, ok := set.covered[call]; ok && have >= ret {
		return true
	}
	if set.covered == nil {
		set.covered = map[configuration]int32{}
	}
	set.covered[call] = ret
	return false
}
