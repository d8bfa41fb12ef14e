package dataset

import (
	"fmt"
	"strconv"
	"strings"
)

// MaxShards is the most shards that an input may be dealt to.
const MaxShards = 1 << 20

// Shard is one of the Count parts that an input is dealt to like cards: it has
// the texts whose record number leaves Index when divided by Count. So every
// text has one shard, which neither the texts behind it nor the length of the
// input change, and shards differ in length by one text at most. The zero value
// is the whole input.
type Shard struct{ Index, Count int }

// ParseShard reads I/N, with I from 0 to N-1 and N up to [MaxShards].
func ParseShard(s string) (Shard, error) {
	index, count, ok := strings.Cut(s, "/")
	i, errI := strconv.ParseUint(index, 10, 31)
	n, errN := strconv.ParseUint(count, 10, 31)
	if !ok || errI != nil || errN != nil || i >= n || n > MaxShards {
		return Shard{}, fmt.Errorf("shard %q: want I/N, I from 0 to N-1 and N up to %d", s, MaxShards)
	}
	return Shard{int(i), int(n)}, nil
}

// String writes I/N, or nothing for the whole input.
func (s Shard) String() string {
	if s.Count == 0 {
		return ""
	}
	return strconv.Itoa(s.Index) + "/" + strconv.Itoa(s.Count)
}

// Has reports whether the text with a record number is the shard's.
func (s Shard) Has(number int) bool { return s.Count == 0 || number%s.Count == s.Index }

// Size is the number of the shard's texts among the first n of the input.
func (s Shard) Size(n int) int {
	if s.Count == 0 {
		return n
	}
	return (n - s.Index + s.Count - 1) / s.Count
}
