package grammar

import "unicode/utf8"

// byteRange is an inclusive range of bytes.
type byteRange struct{ lo, hi byte }

// sequence matches len(ranges[:n]) bytes, each in its range: the UTF-8 encodings of a
// range of code points.
type sequence struct {
	n      int
	ranges [utf8.UTFMax]byteRange
}

const (
	surrogateMin = 0xD800
	surrogateMax = 0xDFFF
)

// codePoints returns the ranges that a class or . matches, sorted, without surrogates.
func (e *Expr) codePoints() []Range {
	ranges := e.Ranges
	switch {
	case e.Op == OpAny:
		ranges = []Range{{0, utf8.MaxRune}}
	case e.Negate:
		ranges = nil
		next := rune(0)
		for _, r := range e.Ranges {
			if r.Lo > next {
				ranges = append(ranges, Range{next, r.Lo - 1})
			}
			next = r.Hi + 1
		}
		if next <= utf8.MaxRune {
			ranges = append(ranges, Range{next, utf8.MaxRune})
		}
	}
	var valid []Range
	for _, r := range ranges {
		if r.Lo < surrogateMin {
			valid = append(valid, Range{r.Lo, min(r.Hi, surrogateMin-1)})
		}
		if r.Hi > surrogateMax {
			valid = append(valid, Range{max(r.Lo, surrogateMax+1), r.Hi})
		}
	}
	return valid
}

// appendSequences appends the sequences of r, which holds no surrogates, in order. It cuts
// r where the length of the encoding changes and where the continuation bytes of one piece
// would depend on those before (the construction of RE2's compiler).
func appendSequences(seqs []sequence, r Range) []sequence {
	if r.Lo < surrogateMin && r.Hi > surrogateMax {
		seqs = appendSequences(seqs, Range{r.Lo, surrogateMin - 1})
		return appendSequences(seqs, Range{surrogateMax + 1, r.Hi})
	}
	for _, last := range []rune{0x7F, 0x7FF, 0xFFFF} {
		if r.Lo <= last && last < r.Hi {
			seqs = appendSequences(seqs, Range{r.Lo, last})
			return appendSequences(seqs, Range{last + 1, r.Hi})
		}
	}
	for n := 1; n < utf8.RuneLen(r.Lo); n++ {
		tail := rune(1)<<(6*n) - 1
		if r.Lo&^tail == r.Hi&^tail {
			continue
		}
		if r.Lo&tail != 0 {
			seqs = appendSequences(seqs, Range{r.Lo, r.Lo | tail})
			return appendSequences(seqs, Range{(r.Lo | tail) + 1, r.Hi})
		}
		if r.Hi&tail != tail {
			seqs = appendSequences(seqs, Range{r.Lo, r.Hi&^tail - 1})
			return appendSequences(seqs, Range{r.Hi &^ tail, r.Hi})
		}
	}
	var lo, hi [utf8.UTFMax]byte
	seq := sequence{n: utf8.EncodeRune(lo[:], r.Lo)}
	utf8.EncodeRune(hi[:], r.Hi)
	for i := range seq.n {
		seq.ranges[i] = byteRange{lo[i], hi[i]}
	}
	return append(seqs, seq)
}
