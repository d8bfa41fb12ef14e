package agreement

import "slices"

// An index finds entries by a hash. Each is one number, the hash's first half
// above the entry's own, in ascending order, so that those of one hash are in
// the order of the file. Few entries of other hashes stand among them; whoever
// looks up holds the whole hash against the entry's.
type index []uint64

func indexed(hash uint64, entry int) uint64 { return hash>>32<<32 | uint64(entry) }

// entryOf is the entry's number.
func entryOf(v uint64) int { return int(uint32(v)) }

// search returns where the entries of a hash begin.
func (x index) search(hash uint64) int {
	n, _ := slices.BinarySearch(x, indexed(hash, 0))
	return n
}

// here reports whether an entry of the hash may stand at n.
func (x index) here(n int, hash uint64) bool { return n < len(x) && x[n]>>32 == hash>>32 }

// A bitmap is a set of entries.
type bitmap []uint64

func newBitmap(entries int) bitmap { return make(bitmap, (entries+63)/64) }

func (b bitmap) set(i int) { b[i/64] |= 1 << (i % 64) }

func (b bitmap) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }
