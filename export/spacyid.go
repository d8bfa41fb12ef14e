package export

import (
	_ "embed"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// spacySymbols lists the strings that have a small number of their own in
// spaCy 3 ("spacy.symbols"), one a line behind that number. A test holds it
// against spaCy.
//
//go:embed spacysymbols.txt
var spacySymbols string

var symbolIDs = sync.OnceValue(func() map[string]uint64 {
	ids := make(map[string]uint64)
	for line := range strings.Lines(spacySymbols) {
		number, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		id, err := strconv.ParseUint(number, 10, 64)
		if err != nil {
			panic("spacysymbols.txt: " + err.Error())
		}
		ids[name] = id
	}
	return ids
})

// spacyID is the number of a string in spaCy's StringStore: that of a symbol,
// or else the string's hash.
func spacyID(s string) uint64 {
	if s == "" {
		return 0
	}
	if id, ok := symbolIDs()[s]; ok {
		return id
	}
	return murmur64A(s, 1)
}

// murmur64A is MurmurHash64A, the 64-bit MurmurHash2 of Austin Appleby for
// 64-bit machines (https://github.com/aappleby/smhasher, in the public domain).
func murmur64A(s string, seed uint64) uint64 {
	const m, r = 0xc6a4a7935bd1e995, 47
	h := seed ^ uint64(len(s))*m
	rest := []byte(s)
	for ; len(rest) >= 8; rest = rest[8:] {
		k := binary.LittleEndian.Uint64(rest) * m
		k ^= k >> r
		h = (h ^ k*m) * m
	}
	if len(rest) > 0 {
		var last [8]byte
		copy(last[:], rest)
		h = (h ^ binary.LittleEndian.Uint64(last[:])) * m
	}
	h = (h ^ h>>r) * m
	return h ^ h>>r
}

// sorted returns the strings in order, so that equal records give equal bytes.
func sorted(set map[string]uint64) []string { return slices.Sorted(maps.Keys(set)) }
