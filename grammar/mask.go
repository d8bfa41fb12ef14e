package grammar

import (
	"iter"
	"math/bits"
)

// Mask is a set of token ids, a bit for each token of the vocabulary: id is in the set if
// bit id%64 of word id/64 is set. A Mask from a Matcher is shared and must not be written.
type Mask []uint64

func newMask(tokens int) Mask { return make(Mask, (tokens+63)/64) }

// Has reports whether id is in the set.
func (m Mask) Has(id int32) bool {
	return id >= 0 && int(id>>6) < len(m) && m[id>>6]&(1<<(id&63)) != 0
}

// Count returns the number of ids in the set.
func (m Mask) Count() int {
	n := 0
	for _, w := range m {
		n += bits.OnesCount64(w)
	}
	return n
}

// All yields the ids in the set in ascending order.
func (m Mask) All() iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for i, w := range m {
			for ; w != 0; w &= w - 1 {
				if !yield(int32(i<<6 + bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}

// Empty reports whether no id is in the set.
func (m Mask) Empty() bool {
	for _, w := range m {
		if w != 0 {
			return false
		}
	}
	return true
}

func (m Mask) set(id int32)   { m[id>>6] |= 1 << (id & 63) }
func (m Mask) clear(id int32) { m[id>>6] &^= 1 << (id & 63) }

// fill puts all ids below tokens into the set.
func (m Mask) fill(tokens int) {
	for i := range m {
		m[i] = ^uint64(0)
	}
	if rest := tokens % 64; rest != 0 {
		m[len(m)-1] = 1<<rest - 1
	}
}
