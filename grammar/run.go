package grammar

import (
	"iter"
	"math"
	"math/bits"
	"slices"
)

const (
	tooHigh  = math.MaxUint8 // of v.height
	wide     = 24            // bytes that lead on from a state whose runs are worth looking for
	maxWays  = 8             // ways out of a state that are told apart
	maxRun   = 32            // states that are looked at one by one along a run
	endless  = math.MaxInt32 // length of a run that comes back to where it was
	fewNodes = 64            // of a subtree that is walked without looking for a run
	fewShare = 32            // a run is looked for if that part of the tokens begins with its characters
)

// byteSet is a set of bytes.
type byteSet [4]uint64

func (s *byteSet) has(b byte) bool { return s[b>>6]&(1<<(b&63)) != 0 }

func (s *byteSet) addRange(r byteRange) {
	for b := int(r.lo); b <= int(r.hi); b++ {
		s[b>>6] |= 1 << (b & 63)
	}
}

func (s *byteSet) len() int {
	return bits.OnesCount64(s[0]) + bits.OnesCount64(s[1]) + bits.OnesCount64(s[2]) + bits.OnesCount64(s[3])
}

// all yields the bytes in the set, in order.
func (s *byteSet) all() iter.Seq[byte] {
	return func(yield func(byte) bool) {
		for i, w := range s {
			for ; w != 0; w &= w - 1 {
				if !yield(byte(i<<6 + bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}

// inside reports whether a byte may follow that begins no character.
func (s *state) inside() bool { return s.bytes[2] != 0 }

// way is where characters lead from a state between two characters.
type way struct {
	branch           // where most of them lead
	other    charSet // characters some of which lead elsewhere
	branches []branch
}

// branch is a state and all characters that lead there.
type branch struct {
	chars charSet
	to    *state
}

// run is what makes a state like "inside a string": characters that lead on from state to
// state in the same way. A token of such characters is allowed if it has no more of them
// than the run is long; one of others only if it has one that may follow elsewhere.
type run struct {
	chars  charSet
	other  charSet // characters that lead elsewhere from one of the states
	length int     // characters, or endless
	closed bool    // after so many, none of chars leads on
	ends   bool    // a state after the first is complete
}

// covers reports whether all tokens below a node of the trie stay within the run.
func (r *run) covers(v *Vocab, node int) bool {
	return v.below[node].in(&r.chars) && (r.length == endless || v.height[node] < tooHigh && int(v.height[node]) <= r.length)
}

// stretch is a run with the character before it: what a token may hold that begins there.
type stretch struct {
	first charSet // characters that lead to the run
	run
}

// settled reports whether a token below a node is allowed just if it stays within the
// stretch. The node's prefix does, with chars characters.
func (r *stretch) settled(v *Vocab, node, chars int) bool {
	if v.below[node].meets(&r.other) {
		return false
	}
	return r.closed || r.length == endless || v.height[node] < tooHigh && chars+int(v.height[node]) <= r.length
}

// stretches returns the stretches that begin at s with many tokens of v. With ends none of
// their states may be complete, but s may.
func (a *automaton) stretches(s *state, v *Vocab, ends bool, work *int) (found []stretch, err error) {
	if s.bytes.len() < wide {
		return nil, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begin()
	w, err := a.wayOf(a.renewed(s), work)
	if err != nil {
		return nil, err
	}
	for _, x := range w.branches {
		if x.to.bytes.len() < wide || v.beginning(x.chars)*fewShare < len(v.order) {
			continue
		}
		r, err := a.runOf(x.to, work)
		if err != nil {
			return nil, err
		}
		if r.chars.len() < wide || ends && (r.ends || x.to.complete) {
			continue
		}
		from := stretch{first: x.chars, run: *r}
		if from.length != endless {
			from.length++
		}
		found = append(found, from)
	}
	return found, nil
}

// runFrom returns the run from s.
func (a *automaton) runFrom(s *state, work *int) (*run, error) {
	if r := s.run.Load(); r != nil {
		return r, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begin()
	return a.runOf(a.renewed(s), work)
}

// The methods below are called with a.mu held, and states of the current generation.

// runOf returns the run from s. It follows it state by state but for the rounds of a
// counted loop, which are alike between its bounds.
func (a *automaton) runOf(s *state, work *int) (*run, error) {
	if r := s.run.Load(); r != nil {
		return r, nil
	}
	w, err := a.wayOf(s, work)
	if err != nil {
		return nil, err
	}
	r := &run{chars: w.chars, other: w.other}
	at := s
	for range maxRun {
		if w.to == dead {
			r.closed = true
			break
		}
		if w.to == at || w.to == s {
			r.length = endless
			r.ends = r.ends || w.to.complete
			break
		}
		if f := countedFrame(at, w.to); f != nil {
			l := a.program.loops[a.program.at(f.ret).arg]
			bound := l.max
			if f.rounds < l.min {
				bound = l.min
			}
			r.length += int(bound - f.rounds)
			at = a.withRounds(at, f, bound)
		} else {
			r.length++
			at = w.to
		}
		r.ends = r.ends || at.complete
		if w, err = a.wayOf(at, work); err != nil {
			return nil, err
		}
		on := w.chars
		on.join(w.other)
		if !r.chars.in(&w.chars) {
			if r.closed = !on.meets(&r.chars); r.closed {
				r.other.join(on)
			}
			break
		}
		r.other.join(on.without(r.chars))
	}
	s.run.Store(r)
	return r, nil
}

// wayOf returns where most characters lead from s.
func (a *automaton) wayOf(s *state, work *int) (*way, error) {
	if w := s.way.Load(); w != nil {
		return w, nil
	}
	type known struct {
		targets []configuration
		branch
	}
	var branches []known
	w := &way{branch: branch{to: dead}}
	classes := &a.program.classes.of
	var targets []configuration
	const elsewhere = -1
	latest := elsewhere // branch of the byte before
	for bit := range 3 * 64 {
		b := charByte(bit)
		if !s.bytes.has(b) {
			continue
		}
		if b > 0 && classes[b] == classes[b-1] && s.bytes.has(b-1) && sameTails(b) {
			if latest == elsewhere {
				w.other.add(b)
			} else {
				branches[latest].chars.add(b)
			}
			continue
		}
		targets = targets[:0]
		alike := true // all characters that begin with b lead to targets
		for _, c := range s.configs {
			if _, ok := a.program.next(c.pc, b); ok {
				to, ok := a.program.nextChar(c.pc, b)
				alike = alike && ok
				targets = append(targets, configuration{to, c.stack})
			}
		}
		*work += len(s.configs)
		latest = elsewhere
		if alike {
			latest = slices.IndexFunc(branches, func(x known) bool { return slices.Equal(x.targets, targets) })
			if latest == elsewhere && len(branches) < maxWays {
				latest = len(branches)
				branches = append(branches, known{targets: slices.Clone(targets)})
			}
		}
		if latest == elsewhere {
			w.other.add(b)
		} else {
			branches[latest].chars.add(b)
		}
	}
	if s.inside() { // by what fills a hole, a byte may stand by itself
		w.other.add(notUTF8)
	}
	for i := range branches {
		x := &branches[i]
		a.set.reset()
		for _, c := range x.targets {
			if err := a.add(c); err != nil {
				return nil, err
			}
		}
		*work += a.set.seen.len()
		x.to = a.intern()
		for b := range x.chars.all() {
			if b < 0x80 {
				s.next[classes[b]].Store(x.to)
			}
		}
		for j := range i {
			if y := &branches[j]; y.to == x.to {
				y.chars.join(x.chars)
				x.chars = charSet{}
			}
		}
	}
	for _, x := range branches {
		if x.to == dead || x.chars == (charSet{}) {
			continue
		}
		w.branches = append(w.branches, x.branch)
		if x.chars.len() > w.chars.len() {
			w.branch = x.branch
		}
	}
	for _, x := range w.branches {
		if x.to != w.to {
			w.other.join(x.chars)
		}
	}
	s.way.Store(w)
	a.size += 160 + 32*len(w.branches) // with the run
	return w, nil
}

// sameTails reports whether what may follow b in a character may follow b-1 too.
func sameTails(b byte) bool {
	switch b {
	case 0xC0, 0xC2, 0xE0, 0xE1, 0xED, 0xEE, 0xF0, 0xF1, 0xF4, 0xF5:
		return false
	}
	return true
}

// countedFrame returns the frame of a counted loop in which alone to differs from s: it has
// one round more there. It is nil if there is none.
//
// Then as many rounds follow in the same way as the loop's bounds leave: what is reached
// from a frame depends on its rounds only where they are compared with the bounds. No other
// rounds of that loop may be open beside.
func countedFrame(s, to *state) (counted *frame) {
	if s.complete != to.complete || len(s.configs) != len(to.configs) {
		return nil
	}
	for i, c := range s.configs {
		if c.pc != to.configs[i].pc {
			return nil
		}
		f, g := c.stack, to.configs[i].stack
		for f != g {
			if f == nil || g == nil || f.ret != g.ret {
				return nil
			}
			if f.rounds != g.rounds {
				break
			}
			f, g = f.parent, g.parent
		}
		if f == g {
			continue
		}
		if f.rounds == 0 || g.rounds != f.rounds+1 || f.parent != g.parent || counted != nil && counted != f {
			return nil
		}
		counted = f
	}
	if counted == nil {
		return nil
	}
	for i, c := range s.configs {
		f := c.stack
		for f != nil && f.depth > counted.depth {
			f = f.parent
		}
		if f != counted && f != nil && f.parent == counted.parent && f.ret == counted.ret || f == counted && c.stack == to.configs[i].stack {
			return nil
		}
	}
	return counted
}

// withRounds returns s with other rounds in frame f.
func (a *automaton) withRounds(s *state, f *frame, rounds int32) *state {
	if f.rounds == rounds {
		return s
	}
	a.set.reset()
	a.set.complete = s.complete
	var above []*frame
	for _, c := range s.configs {
		above = above[:0]
		at := c.stack
		for ; at != nil && at != f; at = at.parent {
			above = append(above, at)
		}
		if at == f {
			c.stack = a.push(f.parent, f.ret, rounds)
			for _, at := range slices.Backward(above) {
				c.stack = a.push(c.stack, at.ret, at.rounds)
			}
		}
		a.set.leaves = append(a.set.leaves, c)
	}
	return a.intern()
}
