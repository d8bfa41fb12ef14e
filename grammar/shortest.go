package grammar

import (
	"container/heap"
	"math"
	"slices"
)

// never is the length of a text that no rule can finish.
const never = math.MaxInt32

// shortestFrom returns for each instruction of p the fewest bytes that end its rule from
// there, or never. Each instruction waits for those it depends on, the nearest first
// (Knuth 1977, a generalization of Dijkstra's algorithm).
func (p *program) shortestFrom() []int32 {
	n := int32(len(p.insts) + len(p.own))
	lengths := make([]int32, n)
	for i := range lengths {
		lengths[i] = never
	}
	users := make([][]int32, n) // instructions whose length depends on each
	for pc := range n {
		for _, to := range p.follows(pc) {
			users[to] = append(users[to], pc)
		}
	}
	lengths[pcReturn] = 0
	queue := &nearest{{pcReturn, 0}}
	for queue.Len() > 0 {
		next := heap.Pop(queue).(distance)
		if next.length > lengths[next.pc] {
			continue
		}
		for _, pc := range users[next.pc] {
			if l := p.length(pc, lengths); l < lengths[pc] {
				lengths[pc] = l
				heap.Push(queue, distance{pc, l})
			}
		}
	}
	return lengths
}

// follows returns the instructions on which the length of the one at pc depends.
func (p *program) follows(pc int32) []int32 {
	switch in := p.at(pc); in.op {
	case opByte:
		return []int32{in.out}
	case opBytes:
		var to []int32
		for _, e := range p.edges[in.arg:in.out] {
			to = append(to, e.to)
		}
		return to
	case opAlt:
		return p.alternatives(in)
	case opCall, opCover:
		return []int32{in.arg, in.out}
	case opJump:
		return []int32{in.arg}
	case opLoop:
		return []int32{p.loops[in.arg].body, in.out}
	case opToken:
		return []int32{in.out}
	case opHole:
		if int(in.arg) < len(p.starts) {
			return p.starts[in.arg : in.arg+1]
		}
	}
	return nil
}

// length returns the fewest bytes from pc to the end of its rule, as far as it is known
// what the instructions that follow take.
func (p *program) length(pc int32, lengths []int32) int32 {
	in := p.at(pc)
	follows := p.follows(pc)
	switch in.op {
	case opReturn:
		return 0
	case opCall, opCover:
		return plus(lengths[in.arg], lengths[in.out])
	case opLoop:
		l := p.loops[in.arg]
		return plus(times(lengths[l.body], l.min), lengths[in.out])
	case opToken:
		return never // it has no bytes to be written
	}
	least := int32(never)
	for _, to := range follows {
		least = min(least, lengths[to])
	}
	if in.op == opByte || in.op == opBytes {
		least = plus(least, 1)
	}
	return least
}

func plus(a, b int32) int32 { return int32(min(int64(a)+int64(b), never)) }

func times(a, n int32) int32 {
	if n == 0 {
		return 0
	}
	return int32(min(int64(a)*int64(n), never))
}

type distance struct{ pc, length int32 }

// nearest is a heap of distances.
type nearest []distance

func (h nearest) Len() int           { return len(h) }
func (h nearest) Less(i, j int) bool { return h[i].length < h[j].length }
func (h nearest) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *nearest) Push(x any)        { *h = append(*h, x.(distance)) }
func (h *nearest) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}

// left returns the fewest bytes that complete the output from c.
func (p *program) left(c configuration, lengths []int32) int32 {
	n := lengths[c.pc]
	for f := c.stack; f != nil && n < never; f = f.parent {
		if f.rounds == 0 {
			n = plus(n, lengths[f.ret])
			continue
		}
		in := p.at(f.ret)
		l := p.loops[in.arg]
		n = plus(plus(n, times(lengths[l.body], max(0, l.min-f.rounds))), lengths[in.out])
	}
	return n
}

// Shortest returns a shortest text that completes the output. There is none, and ok is
// false, where the grammar goes on without end or only with a token terminal, or the text
// has more than a mebibyte. The Matcher is unchanged.
func (m *Matcher) Shortest() (text []byte, ok bool, err error) {
	const longest = 1 << 20
	if m.ended || m.state.complete {
		return nil, true, nil
	}
	a := m.constraint.automaton
	lengths := a.lengths()
	for s := m.state; !s.complete; {
		best, nearest := byte(0), int32(never)
		for _, c := range s.configs {
			in := a.program.at(c.pc)
			if in.op == opToken {
				continue
			}
			n := a.program.left(c, lengths)
			if n > nearest || n == never {
				continue
			}
			if b := a.program.shortestByte(in, lengths); n < nearest || likes(b) < likes(best) {
				best, nearest = b, n
			}
		}
		if nearest > longest-int32(len(text)) {
			return nil, false, nil
		}
		text = append(text, best)
		if s, err = a.step(s, best); err != nil {
			return nil, false, m.limit(err)
		}
	}
	return text, true, nil
}

// shortestByte returns the byte with which in goes on to the nearest end, of several the
// one most liked.
func (p *program) shortestByte(in inst, lengths []int32) byte {
	if in.op == opByte {
		return mostLiked(byteRange{in.lo, in.hi})
	}
	best, nearest := byte(0), int32(never)
	for _, e := range p.edges[in.arg:in.out] {
		n := lengths[e.to]
		if n > nearest || n == never {
			continue
		}
		if b := mostLiked(e.byteRange); n < nearest || likes(b) < likes(best) {
			best, nearest = b, n
		}
	}
	return best
}

// liked is what Shortest writes where the grammar leaves a choice, best first.
var liked = []byteRange{{'a', 'z'}, {'0', '9'}, {'!', '~'}, {' ', ' '}, {'\t', '\n'}}

// likes returns the place of b in liked.
func likes(b byte) int {
	i := slices.IndexFunc(liked, func(r byteRange) bool { return r.lo <= b && b <= r.hi })
	if i < 0 {
		i = len(liked)
	}
	return i
}

// mostLiked returns the byte of r that comes first in liked.
func mostLiked(r byteRange) byte {
	for _, want := range liked {
		if lo := max(r.lo, want.lo); lo <= min(r.hi, want.hi) {
			return lo
		}
	}
	return r.lo
}
