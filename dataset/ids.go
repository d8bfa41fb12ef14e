package dataset

import (
	"crypto/sha256"
	"encoding/binary"
)

// IDSet finds ids that appear twice. It keeps 16 bytes an id in place of the
// id: the first 64 bits of its SHA-256 and where it stood, so that among ten
// million different ids two are taken for one with a probability below 10⁻⁵.
// The zero value is empty and ready. It must not be shared between goroutines.
type IDSet struct {
	seen  map[uint64]place
	files []string
}

// place packs an index into IDSet.files above a line number.
type place uint64

const lineBits = 44

// Add notes that id stands in a line of a file. Where it was already there, dup
// is true and the first place is returned and kept.
func (s *IDSet) Add(id, file string, line int) (firstFile string, firstLine int, dup bool) {
	if s.seen == nil {
		s.seen = make(map[uint64]place)
	}
	key := idKey(id)
	if p, ok := s.seen[key]; ok {
		return s.files[p>>lineBits], int(p & (1<<lineBits - 1)), true
	}
	if n := len(s.files); n == 0 || s.files[n-1] != file {
		s.files = append(s.files, file)
	}
	s.seen[key] = place(len(s.files)-1)<<lineBits | place(line)
	return "", 0, false
}

// Has reports whether id has been added.
func (s *IDSet) Has(id string) bool {
	_, ok := s.seen[idKey(id)]
	return ok
}

func idKey(id string) uint64 {
	sum := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint64(sum[:])
}

// Len is the number of different ids.
func (s *IDSet) Len() int { return len(s.seen) }
