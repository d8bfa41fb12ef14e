package grammar

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	maxDepth          = 1 << 14  // frames of a stack
	maxConfigurations = 1 << 16  // configurations of a state, those passed through included
	maxAutomaton      = 32 << 20 // bytes that cached states and frames may take, roughly
)

// automaton makes the program of a Grammar deterministic on the fly. Its states are sets of
// configurations, interned, as are the stacks of the configurations; a state remembers
// where each class of bytes leads. Once a way is known, following it takes no lock.
//
// When the states have grown too large they are forgotten: a new generation begins, and a
// state of an old one that is still in use is carried over when it is next looked at.
type automaton struct {
	grammar    *Grammar
	generation atomic.Uint32

	mu     sync.Mutex
	states map[string]*state
	frames map[frame]*frame // by value, with id 0
	size   int              // of both, in bytes, roughly
	limit  int              // of size
	masks  maskCache
	set    closure // scratch
	key    []byte  // scratch
}

// frame is the top of a stack of calls that are yet to return; nil is the empty stack.
// Equal stacks of one generation are one pointer.
type frame struct {
	parent *frame
	ret    int32 // where to go on
	depth  int32
	id     uint32 // for a canonical order of configurations
}

// configuration is a place in the program and the calls that led there.
type configuration struct {
	pc    int32
	stack *frame
}

// state is a set of configurations at instructions that consume something.
type state struct {
	generation uint32
	complete   bool // what has been matched is a text of the grammar
	tokens     bool // some configuration is at a token terminal
	configs    []configuration
	next       []atomic.Pointer[state] // by class of bytes; nil if not yet known
	mask       atomic.Pointer[Mask]
}

// dead is the state without configurations.
var dead = &state{}

// limitError says that a state could not be made.
type limitError struct {
	code MatchErrorCode
	rule string
}

func (e *limitError) Error() string { return string(e.code) + ": rule " + e.rule }

func newAutomaton(g *Grammar, maskBytes int) *automaton {
	a := &automaton{
		grammar: g,
		states:  map[string]*state{},
		frames:  map[frame]*frame{},
		limit:   maxAutomaton,
		masks:   newMaskCache(maskBytes),
	}
	a.set.seen = map[configuration]struct{}{}
	return a
}

// start makes the state before the first byte.
func (a *automaton) start() (*state, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.add(configuration{pc: a.grammar.rules[0].start}); err != nil {
		return nil, err
	}
	return a.intern(), nil
}

// step returns the state after byte b, which may be dead.
func (a *automaton) step(s *state, b byte) (*state, error) {
	if s.next == nil {
		return dead, nil
	}
	if to := s.next[a.grammar.classes[b]].Load(); to != nil {
		return to, nil
	}
	var work int
	return a.expand(s, b, &work)
}

// expand finds where byte b leads from s. It adds the configurations that it went through
// to work.
func (a *automaton) expand(s *state, b byte, work *int) (*state, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begin()
	s = a.renewed(s)
	class := a.grammar.classes[b]
	if to := s.next[class].Load(); to != nil {
		return to, nil
	}
	a.set.reset()
	for _, c := range s.configs {
		if to, ok := a.grammar.next(c.pc, b); ok {
			if err := a.add(configuration{to, c.stack}); err != nil {
				return nil, err
			}
		}
	}
	*work += len(s.configs) + len(a.set.seen)
	to := a.intern()
	s.next[class].Store(to)
	return to, nil
}

// stepToken returns the state after a token that leads from s to after by its bytes, and
// that the token terminals admit for which admits is true.
func (a *automaton) stepToken(s, after *state, admits func(terminal int32) bool) (*state, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begin()
	s, after = a.renewed(s), a.renewed(after)
	a.set.reset()
	a.set.complete = after.complete
	for _, c := range after.configs {
		if err := a.add(c); err != nil {
			return nil, err
		}
	}
	for _, c := range s.configs {
		if in := a.grammar.insts[c.pc]; in.op == opToken && admits(in.arg) {
			if err := a.add(configuration{in.out, c.stack}); err != nil {
				return nil, err
			}
		}
	}
	return a.intern(), nil
}

// renew returns s as a state of the current generation.
func (a *automaton) renew(s *state) *state {
	if s.generation == a.generation.Load() {
		return s
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.renewed(s)
}

// The methods below are called with a.mu held.

// begin starts a new generation if the current one has grown too large. What follows, up
// to the unlock, belongs to one generation.
func (a *automaton) begin() {
	a.set.reset()
	if a.size <= a.limit {
		return
	}
	for _, s := range a.states {
		for i := range s.next {
			s.next[i].Store(nil) // one old state must not keep the others alive
		}
		s.mask.Store(nil)
	}
	clear(a.states)
	clear(a.frames)
	a.masks.reset()
	a.size = 0
	a.generation.Add(1)
}

func (a *automaton) renewed(s *state) *state {
	if s == dead || s.generation == a.generation.Load() {
		return s
	}
	a.set.reset()
	a.set.complete = s.complete
	known := map[*frame]*frame{nil: nil}
	for _, c := range s.configs {
		a.set.leaves = append(a.set.leaves, configuration{c.pc, a.copyStack(c.stack, known)})
	}
	return a.intern()
}

// copyStack interns the frames of a stack of an older generation.
func (a *automaton) copyStack(f *frame, known map[*frame]*frame) *frame {
	var old []*frame
	for ; ; f = f.parent {
		if _, ok := known[f]; ok {
			break
		}
		old = append(old, f)
	}
	to := known[f]
	for _, f := range slices.Backward(old) {
		to = a.push(to, f.ret)
		known[f] = to
	}
	return to
}

func (a *automaton) push(parent *frame, ret int32) *frame {
	f := frame{parent: parent, ret: ret, depth: 1}
	if parent != nil {
		f.depth = parent.depth + 1
	}
	p, ok := a.frames[f]
	if !ok {
		p = &frame{parent: parent, ret: ret, depth: f.depth, id: uint32(len(a.frames) + 1)}
		a.frames[f] = p
		a.size += 96
	}
	return p
}

// closure is a set of configurations under construction.
type closure struct {
	seen     map[configuration]struct{}
	work     []configuration
	leaves   []configuration // at instructions that consume something
	complete bool
}

func (c *closure) reset() {
	clear(c.seen)
	c.work, c.leaves, c.complete = c.work[:0], c.leaves[:0], false
}

// add adds c to a.set, and all that can be reached from it without consuming anything.
// That ends: without left recursion a rule is not called again before a byte is consumed,
// other than in a loop, which comes back to a configuration already seen.
func (a *automaton) add(c configuration) error {
	set, g := &a.set, a.grammar
	set.work = append(set.work, c)
	for len(set.work) > 0 {
		c := set.work[len(set.work)-1]
		set.work = set.work[:len(set.work)-1]
		if _, ok := set.seen[c]; ok {
			continue
		}
		if len(set.seen) == maxConfigurations {
			return &limitError{ErrConfigurations, g.ruleAt(c.pc)}
		}
		set.seen[c] = struct{}{}
		switch in := g.insts[c.pc]; in.op {
		case opReturn:
			if c.stack == nil {
				set.complete = true
			} else {
				set.work = append(set.work, configuration{c.stack.ret, c.stack.parent})
			}
		case opAlt:
			for _, to := range g.targets[in.arg:in.out] {
				set.work = append(set.work, configuration{to, c.stack})
			}
		case opCall:
			if c.stack != nil && c.stack.depth == maxDepth {
				return &limitError{ErrStackDepth, g.ruleAt(c.pc)}
			}
			set.work = append(set.work, configuration{in.arg, a.push(c.stack, in.out)})
		case opJump:
			set.work = append(set.work, configuration{in.arg, c.stack})
		default:
			set.leaves = append(set.leaves, c)
		}
	}
	return nil
}

// intern returns the state for a.set.
func (a *automaton) intern() *state {
	set := &a.set
	if len(set.leaves) == 0 && !set.complete {
		return dead
	}
	slices.SortFunc(set.leaves, func(x, y configuration) int {
		if x.pc != y.pc {
			return cmp.Compare(x.pc, y.pc)
		}
		return cmp.Compare(x.stack.order(), y.stack.order())
	})
	key := a.key[:0]
	if set.complete {
		key = append(key, 1)
	}
	for _, c := range set.leaves {
		key = binary.LittleEndian.AppendUint32(key, uint32(c.pc))
		key = binary.LittleEndian.AppendUint32(key, c.stack.order())
	}
	a.key = key
	if s, ok := a.states[string(key)]; ok {
		return s
	}
	s := &state{
		generation: a.generation.Load(),
		complete:   set.complete,
		configs:    slices.Clone(set.leaves),
	}
	for _, c := range s.configs {
		if a.grammar.insts[c.pc].op == opToken {
			s.tokens = true
		} else if s.next == nil {
			s.next = make([]atomic.Pointer[state], a.grammar.numClasses)
		}
	}
	a.states[string(key)] = s
	a.size += 192 + 24*len(s.configs) + 8*len(s.next)
	return s
}

func (f *frame) order() uint32 {
	if f == nil {
		return 0
	}
	return f.id
}
