package grammar

import (
	"math"
	"math/bits"
)

const (
	tooHigh = math.MaxUint8 // a trie node below which no run is looked for
	wide    = 24            // bytes that lead on from a state whose runs are worth looking for
	endless = math.MaxInt   // length of a run that comes back to where it was
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

// asciiSet is a set of bytes below 0x80.
type asciiSet [2]uint64

func (s *asciiSet) add(b byte) { s[b>>6] |= 1 << (b & 63) }

func (s *asciiSet) join(t asciiSet) { s[0], s[1] = s[0]|t[0], s[1]|t[1] }

func (s asciiSet) in(t asciiSet) bool { return s[0]&^t[0] == 0 && s[1]&^t[1] == 0 }

// run is what makes a state like "inside a string": bytes that all lead to the same state,
// from where they lead on in the same way, for length bytes at least. A subtree of the trie
// that has no other bytes and is no higher need not be looked at.
type run struct {
	set    asciiSet
	to     *state
	length int
}

// covers reports whether every way down the trie from a node is part of the run.
func (r *run) covers(v *Vocab, node int) bool {
	height := v.height[node]
	return height != tooHigh && int(height) <= r.length && v.below[node].in(r.set)
}

// runOf returns the run from s, followed for at most limit bytes.
func (a *automaton) runOf(s *state, limit int, work *int) (*run, error) {
	if r := s.run.Load(); r != nil && r.length > 0 {
		return r, nil
	}
	first, err := a.runStep(s, work)
	if err != nil {
		return nil, err
	}
	r := &run{set: first.set, to: first.to, length: 1}
	for at, next := s, first; ; r.length++ {
		if next.to == at || r.length > limit {
			r.length = endless
			break
		}
		at = next.to
		if at.complete != s.complete {
			break
		}
		if next, err = a.runStep(at, work); err != nil {
			return nil, err
		}
		if !r.set.in(next.set) {
			break
		}
	}
	s.run.Store(r)
	return r, nil
}

// runStep returns the first byte of the run from s: the state to which most bytes lead, and
// these.
func (a *automaton) runStep(s *state, work *int) (*run, error) {
	if r := s.run.Load(); r != nil {
		return r, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.begin()
	s = a.renewed(s)
	var ways [0x80]*state
	r := &run{to: dead}
	lead := 0 // Boyer and Moore's majority vote
	for b := range byte(0x80) {
		if !s.bytes.has(b) {
			continue
		}
		to, err := a.expandLocked(s, b, work)
		if err != nil {
			return nil, err
		}
		if to == dead { // where a hole is not filled
			continue
		}
		ways[b] = to
		switch {
		case to == r.to:
			lead++
		case lead == 0:
			r.to, lead = to, 1
		default:
			lead--
		}
	}
	for b, to := range ways {
		if to != nil && to == r.to {
			r.set.add(byte(b))
		}
	}
	s.run.CompareAndSwap(nil, r)
	return r, nil
}
