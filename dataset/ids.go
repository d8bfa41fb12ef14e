package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"sort"
	"strconv"
	"strings"
)

// IDSet finds ids that appear twice. Ids that count, as l2_0, l2_1 and so on
// do, take next to no memory: what is kept is where such a run begins, by what
// it goes on and how long it is. Of any other id 16 bytes are kept in its place,
// the first 64 bits of its SHA-256 and where it stood, so that among ten million
// of them two are taken for one with a probability below 10⁻⁵. The zero value
// is empty and ready. It must not be shared between goroutines.
type IDSet struct {
	seen  map[uint64]place
	files []string

	series map[string]*series // by what stands before the number
	prefix string             // the latest one
	latest *series
	len    int
}

// place packs an index into IDSet.files above a line number.
type place uint64

const lineBits = 44

// series are the ids of one prefix whose numbers grew as they came.
type series struct {
	runs []run
}

// A run is ids whose numbers go on by step, each in the line behind the one before.
type run struct {
	first, step uint64
	count       uint64
	place       place // of the first
}

// maxSeries bounds the prefixes that are tried; ids of random letters have one each.
const maxSeries = 64

// Add notes that id stands in a line of a file. Where it was already there, dup
// is true and the first place is returned and kept.
func (s *IDSet) Add(id, file string, line int) (firstFile string, firstLine int, dup bool) {
	at, ok := s.find(id)
	if ok {
		return s.files[at>>lineBits], int(at & (1<<lineBits - 1)), true
	}
	if n := len(s.files); n == 0 || s.files[n-1] != file {
		s.files = append(s.files, file)
	}
	s.len++
	at = place(len(s.files)-1)<<lineBits | place(line)
	if prefix, n, ok := counting(id); ok && s.of(prefix, true).add(n, at) {
		return "", 0, false
	}
	if s.seen == nil {
		s.seen = make(map[uint64]place)
	}
	s.seen[idKey(id)] = at
	return "", 0, false
}

// Has reports whether id has been added.
func (s *IDSet) Has(id string) bool {
	_, ok := s.find(id)
	return ok
}

// Len is the number of different ids.
func (s *IDSet) Len() int { return s.len }

func (s *IDSet) find(id string) (place, bool) {
	if prefix, n, ok := counting(id); ok {
		if at, ok := s.of(prefix, false).find(n); ok {
			return at, true
		}
	}
	if len(s.seen) == 0 {
		return 0, false
	}
	at, ok := s.seen[idKey(id)]
	return at, ok
}

func idKey(id string) uint64 {
	sum := sha256.Sum256([]byte(id))
	return binary.BigEndian.Uint64(sum[:])
}

// counting splits an id before the number that it ends in, which has no zero
// before it, so that prefix and number are the id.
func counting(id string) (prefix string, n uint64, ok bool) {
	const most = 15 // digits, so that sums stay exact
	start := len(id)
	for start > 0 && len(id)-start < most && '0' <= id[start-1] && id[start-1] <= '9' {
		start--
	}
	for start < len(id)-1 && id[start] == '0' {
		start++
	}
	n, err := strconv.ParseUint(id[start:], 10, 64)
	return id[:start], n, err == nil
}

// of returns the series of a prefix, nil where there is none and none is to be created.
func (s *IDSet) of(prefix string, create bool) *series {
	if s.latest != nil && s.prefix == prefix {
		return s.latest
	}
	found := s.series[prefix]
	if found == nil {
		if !create || len(s.series) == maxSeries {
			return nil
		}
		if s.series == nil {
			s.series = map[string]*series{}
		}
		found = new(series)
		prefix = strings.Clone(prefix) // not a part of the id, nor of what that is a part of
		s.series[prefix] = found
	} else if !create {
		return found // the latest one is that of the last id added
	}
	s.prefix, s.latest = prefix, found
	return found
}

// add takes a number that is larger than all there are.
func (s *series) add(n uint64, at place) bool {
	if s == nil {
		return false
	}
	if len(s.runs) == 0 {
		s.runs = append(s.runs, run{first: n, step: 1, count: 1, place: at})
		return true
	}
	r := &s.runs[len(s.runs)-1]
	last := r.last()
	switch {
	case n <= last:
		return false
	case at != r.place+place(r.count):
	case r.count == 1:
		r.step, r.count = n-last, 2
		return true
	case n == last+r.step:
		r.count++
		return true
	}
	s.runs = append(s.runs, run{first: n, step: 1, count: 1, place: at})
	return true
}

func (s *series) find(n uint64) (place, bool) {
	if s == nil {
		return 0, false
	}
	if end := len(s.runs); end > 0 && n > s.runs[end-1].last() {
		return 0, false // as most are
	}
	i := sort.Search(len(s.runs), func(i int) bool { return n <= s.runs[i].last() })
	if i == len(s.runs) || n < s.runs[i].first || (n-s.runs[i].first)%s.runs[i].step != 0 {
		return 0, false
	}
	return s.runs[i].place + place((n-s.runs[i].first)/s.runs[i].step), true
}

func (r *run) last() uint64 { return r.first + (r.count-1)*r.step }
