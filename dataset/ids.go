package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"runtime"
	"slices"
	"unsafe"
)

// IDSet finds ids that appear twice. Of an id it keeps 16 bytes and nothing
// else: the first 64 bits of its SHA-256 and where it stood, so that among ten
// million different ids two are taken for one with a probability below 10⁻⁵.
//
// These lie in hash tables between 74 and 87 percent full, which makes 18 to 22
// bytes an id in memory. There are 64 tables, by the hash's first bits, so that
// what one takes for a moment longer when it grows is little beside the rest. On
// Unix they lie outside Go's heap, which grows to twice what lives in it before
// it is collected.
//
// The zero value is empty and ready. It must not be copied once it is in use, nor shared between goroutines.
type IDSet struct {
	tables [idTables]idTable
	n      int
	files  []string
}

const (
	tableBits = 6
	idTables  = 1 << tableBits
)

// An idTable is a hash table with open addressing and linear probing.
type idTable struct {
	slots  []idSlot
	n      int      // of the slots that are taken
	memory *mapping // of the slots, nil where they lie in the heap
}

type idSlot struct {
	hash  uint64
	place place // 0 in a slot that is free
}

// place packs an index into IDSet.files above a line number, which is never 0.
type place uint64

const lineBits = 44

// Add notes that id stands in a line of a file. Where it was already there, dup
// is true and the first place is returned and kept.
func (s *IDSet) Add(id, file string, line int) (firstFile string, firstLine int, dup bool) {
	sum := sha256.Sum256([]byte(id))
	hash := binary.BigEndian.Uint64(sum[:])
	defer runtime.KeepAlive(s) // and with it the slots' memory, which the collector does not see
	table := &s.tables[hash>>(64-tableBits)]
	if 8*(table.n+1) > 7*len(table.slots) {
		table.grow()
	}
	slot := table.find(hash)
	if p := slot.place; p != 0 {
		return s.files[p>>lineBits], int(p & (1<<lineBits - 1)), true
	}
	if n := len(s.files); n == 0 || s.files[n-1] != file {
		s.files = append(s.files, file)
	}
	*slot = idSlot{hash, place(len(s.files)-1)<<lineBits | place(line)}
	table.n++
	s.n++
	return "", 0, false
}

// find returns the slot of a hash, or the free one that it would take. One slot at least must be free.
func (t *idTable) find(hash uint64) *idSlot {
	// The bits behind the table's, as a fraction of its length: that need not be a power of two.
	at, _ := bits.Mul64(hash<<tableBits, uint64(len(t.slots)))
	for i := int(at); ; i++ {
		if i == len(t.slots) {
			i = 0
		}
		if slot := &t.slots[i]; slot.place == 0 || slot.hash == hash {
			return slot
		}
	}
}

// mappedSlots is the length from which a table lies outside the heap, where it takes whole pages.
const mappedSlots = 2048

// grow makes the table an eighth longer, and as much more as it would take in memory anyway.
func (t *idTable) grow() {
	old, memory := t.slots, t.memory
	n := len(old) + len(old)/8 + 8
	t.slots, t.memory = nil, nil
	if n >= mappedSlots {
		if m := newMapping(n * int(unsafe.Sizeof(idSlot{}))); m != nil {
			t.memory = m
			t.slots = unsafe.Slice((*idSlot)(unsafe.Pointer(&m.bytes[0])), len(m.bytes)/int(unsafe.Sizeof(idSlot{})))
		}
	}
	if t.slots == nil {
		t.slots = slices.Grow([]idSlot(nil), n)
		t.slots = t.slots[:cap(t.slots)]
	}
	for _, slot := range old {
		if slot.place != 0 {
			*t.find(slot.hash) = slot
		}
	}
	if memory != nil {
		memory.free()
	}
}

// Has reports whether id has been added.
func (s *IDSet) Has(id string) bool {
	sum := sha256.Sum256([]byte(id))
	hash := binary.BigEndian.Uint64(sum[:])
	defer runtime.KeepAlive(s)
	table := &s.tables[hash>>(64-tableBits)]
	return len(table.slots) > 0 && table.find(hash).place != 0
}

// Len is the number of different ids.
func (s *IDSet) Len() int { return s.n }
