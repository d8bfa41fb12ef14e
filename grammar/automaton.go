package grammar

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	maxDepth          = 1 << 14  // frames of a stack
	maxConfigurations = 1 << 16  // configurations of a state, those passed through included
	maxAutomaton      = 32 << 20 // bytes that cached states and frames may take, roughly
)

// automaton makes a program deterministic on the fly. Its states are sets of
// configurations, interned, as are the stacks of the configurations; a state remembers
// where each class of bytes leads. Once a way is known, following it takes no lock.
//
// When the states have grown too large they are forgotten: a new generation begins, and a
// state of an old one that is still in use is carried over when it is next looked at.
type automaton struct {
	program    program
	generation atomic.Uint32

	mu     sync.Mutex
	states map[uint64]*state // by hash of their configurations, chained
	frames map[frame]*frame  // by value, with id 0
	size   int               // of both, in bytes, roughly
	limit  int               // of size
	masks  maskCache
	set    closure // scratch

	lengths func() []int32 // of program.shortestFrom, once needed
}

// frame is the top of a stack of calls that are yet to return; nil is the empty stack.
// Equal stacks of one generation are one pointer.
type frame struct {
	parent *frame
	ret    int32 // where to go on; with rounds, the loop whose body was called
	rounds int32 // of the loop, the current one included
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
	bytes      byteSet                 // those that lead somewhere
	next       []atomic.Pointer[state] // by class of bytes; nil if not yet known
	chain      *state                  // another state with that hash

	mask  atomic.Pointer[Mask]
	local atomic.Pointer[localMask]
	way   atomic.Pointer[way]
	run   atomic.Pointer[run]
}

// dead is the state without configurations.
var dead = &state{}

// limitError says that a state could not be made.
type limitError struct {
	code MatchErrorCode
	rule string
}

func (e *limitError) Error() string { return string(e.code) + ": rule " + e.rule }

func newAutomaton(p program, masks int) *automaton {
	return &automaton{
		program: p,
		states:  map[uint64]*state{},
		frames:  map[frame]*frame{},
		limit:   maxAutomaton,
		masks:   maskCache{limit: masks},
		lengths: sync.OnceValue(p.shortestFrom),
	}
}

// enter returns the state of some configurations before anything is consumed from them.
func (a *automaton) enter(configs ...configuration) (*state, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begin()
	known := map[*frame]*frame{nil: nil}
	for _, c := range configs {
		if err := a.add(configuration{c.pc, a.copyStack(c.stack, known)}); err != nil {
			return nil, err
		}
	}
	return a.intern(), nil
}

// step returns the state after byte b, which may be dead.
func (a *automaton) step(s *state, b byte) (*state, error) {
	if !s.bytes.has(b) {
		return dead, nil
	}
	if to := s.next[a.program.classes.of[b]].Load(); to != nil {
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
	return a.expandLocked(s, b, work)
}

func (a *automaton) expandLocked(s *state, b byte, work *int) (*state, error) {
	s = a.renewed(s)
	class := a.program.classes.of[b]
	if to := s.next[class].Load(); to != nil {
		return to, nil
	}
	a.set.reset()
	for _, c := range s.configs {
		if to, ok := a.program.next(c.pc, b); ok {
			if err := a.add(configuration{to, c.stack}); err != nil {
				return nil, err
			}
		}
	}
	*work += len(s.configs) + a.set.seen.len()
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
		if in := a.program.at(c.pc); in.op == opToken && admits(in.arg) {
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
		for ; s != nil; s = s.chain {
			for i := range s.next {
				s.next[i].Store(nil) // one old state must not keep the others alive
			}
			s.mask.Store(nil)
			s.local.Store(nil)
			s.way.Store(nil)
		}
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

// copyStack interns the frames of a stack of an older generation or another automaton.
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
		to = a.push(to, f.ret, f.rounds)
		known[f] = to
	}
	return to
}

func (a *automaton) push(parent *frame, ret, rounds int32) *frame {
	f := frame{parent: parent, ret: ret, rounds: rounds, depth: 1}
	if parent != nil {
		f.depth = parent.depth + 1
	}
	p, ok := a.frames[f]
	if !ok {
		p = &frame{parent: parent, ret: ret, rounds: rounds, depth: f.depth, id: uint32(len(a.frames) + 1)}
		a.frames[f] = p
		a.size += 96
	}
	return p
}

// intern returns the state for a.set.
func (a *automaton) intern() *state {
	set := &a.set
	if len(set.leaves) == 0 && !set.complete {
		return dead
	}
	// Places of a filling come before those made earlier, which they may cover.
	slices.SortFunc(set.leaves, func(x, y configuration) int {
		if x.pc != y.pc {
			return cmp.Compare(y.pc, x.pc)
		}
		return cmp.Compare(x.stack.order(), y.stack.order())
	})
	var hash uint64
	if set.complete {
		hash = 1
	}
	for _, c := range set.leaves {
		hash = (hash ^ uint64(c.pc)<<32 ^ uint64(c.stack.order())) * 0x9E3779B97F4A7C15
		hash ^= hash >> 29
	}
	first := a.states[hash]
	for s := first; s != nil; s = s.chain {
		if s.complete == set.complete && slices.Equal(s.configs, set.leaves) {
			return s
		}
	}
	s := &state{
		generation: a.generation.Load(),
		complete:   set.complete,
		configs:    slices.Clone(set.leaves),
		chain:      first,
	}
	for _, c := range s.configs {
		switch in := a.program.at(c.pc); in.op {
		case opByte:
			s.bytes.addRange(byteRange{in.lo, in.hi})
		case opBytes:
			for _, e := range a.program.edges[in.arg:in.out] {
				s.bytes.addRange(e.byteRange)
			}
		case opToken:
			s.tokens = true
		}
	}
	if s.bytes != (byteSet{}) {
		s.next = make([]atomic.Pointer[state], a.program.classes.n)
	}
	a.states[hash] = s
	a.size += 240 + 24*len(s.configs) + 8*len(s.next)
	return s
}

func (f *frame) order() uint32 {
	if f == nil {
		return 0
	}
	return f.id
}
