package grammar

import (
	"iter"
	"math/bits"
	"slices"
	"sync"
	"unicode/utf8"
)

// charSet is a set of characters by their first byte: an ASCII character each, and of the
// others all that begin with a byte. The bit for 0xC0, with which no character begins,
// stands for bytes that are no UTF-8.
type charSet [3]uint64

const notUTF8 = 0xC0

// isStart reports whether b is the first byte of a character or the only one.
func isStart(b byte) bool { return b < 0x80 || b >= 0xC0 }

// charBit returns the bit of a charSet for the characters that begin with b.
func charBit(b byte) int {
	if b < 0x80 {
		return int(b)
	}
	return int(b) - 0x40
}

// charByte is the inverse of charBit.
func charByte(bit int) byte {
	if bit < 0x80 {
		return byte(bit)
	}
	return byte(bit + 0x40)
}

func (s *charSet) add(b byte) { bit := charBit(b); s[bit>>6] |= 1 << (bit & 63) }

func (s *charSet) has(b byte) bool { bit := charBit(b); return s[bit>>6]&(1<<(bit&63)) != 0 }

func (s *charSet) join(t charSet) { s[0], s[1], s[2] = s[0]|t[0], s[1]|t[1], s[2]|t[2] }

func (s charSet) without(t charSet) charSet { return charSet{s[0] &^ t[0], s[1] &^ t[1], s[2] &^ t[2]} }

func (s *charSet) in(t *charSet) bool { return s[0]&^t[0]|s[1]&^t[1]|s[2]&^t[2] == 0 }

func (s *charSet) meets(t *charSet) bool { return s[0]&t[0]|s[1]&t[1]|s[2]&t[2] != 0 }

func (s charSet) len() int {
	return bits.OnesCount64(s[0]) + bits.OnesCount64(s[1]) + bits.OnesCount64(s[2])
}

// all yields the first bytes in the set, in order.
func (s charSet) all() iter.Seq[byte] {
	return func(yield func(byte) bool) {
		for i, w := range s {
			for ; w != 0; w &= w - 1 {
				if !yield(charByte(i<<6 + bits.TrailingZeros64(w))) {
					return
				}
			}
		}
	}
}

// continuations returns how many bytes of a character follow b, its first.
func continuations(b byte) int {
	switch {
	case b < 0xC2 || b > 0xF4:
		return 0
	case b < 0xE0:
		return 1
	case b < 0xF0:
		return 2
	}
	return 3
}

// utf8Reader tells the characters of a text apart that is read byte by byte and begins
// between two of them.
type utf8Reader struct {
	need   int // bytes that the character still lacks
	lo, hi byte
}

// read reads byte b and reports whether it goes on with UTF-8. After a byte that does not,
// the next character begins.
func (r *utf8Reader) read(b byte) bool {
	if r.need > 0 && r.lo <= b && b <= r.hi {
		r.need--
		r.lo, r.hi = 0x80, 0xBF
		return true
	}
	ok := r.need == 0 && (b < 0x80 || 0xC2 <= b && b <= 0xF4)
	r.need, r.lo, r.hi = continuations(b), 0x80, 0xBF
	switch b {
	case 0xE0:
		r.lo = 0xA0
	case 0xED:
		r.hi = 0x9F
	case 0xF0:
		r.lo = 0x90
	case 0xF4:
		r.hi = 0x8F
	}
	return ok
}

const (
	maxAtMost = 32 // characters of a token for which there is a mask of those that have no more
	maxWithin = 64 // masks of tokens within character sets that a Vocab keeps
)

// tokenChars knows of each token of a vocabulary which characters it has. So the mask of
// all tokens that stay within a set of characters takes no walk of the trie, and is kept.
type tokenChars struct {
	utf8   Mask            // tokens that are UTF-8, or begin so and end within a character
	later  [192]Mask       // those with a character, but the first, that begins with a byte; nil if none has
	atMost [maxAtMost]Mask // of utf8, those of at most so many characters
	longer [][]int32       // those of maxAtMost characters, of one more, and so on

	mu     sync.Mutex
	within map[charPair]Mask
	oldest []charPair
}

// charPair is the characters with which a token may begin, and those that may follow.
type charPair struct{ first, rest charSet }

// collectChars fills v.chars.
func (v *Vocab) collectChars() {
	c := &v.chars
	c.within = map[charPair]Mask{}
	c.utf8 = newMask(v.Len())
	byLength := make([][]int32, maxAtMost)
	type prefix struct {
		reader utf8Reader
		later  charSet // characters but the first
		chars  int
		wrong  bool // no UTF-8
	}
	path := make([]prefix, v.maxDepth+1)
	for i := range v.nodes[:len(v.nodes)-1] {
		n := &v.nodes[i]
		p := path[n.depth-1]
		p.wrong = !p.reader.read(n.b) || p.wrong
		if isStart(n.b) {
			if p.chars > 0 {
				p.later.add(n.b)
			}
			p.chars++
		}
		path[n.depth] = p
		ids := v.order[n.tokens:v.nodes[i+1].tokens]
		if len(ids) == 0 {
			continue
		}
		if p.wrong {
			continue
		}
		for b := range p.later.all() {
			later := &c.later[charBit(b)]
			if *later == nil {
				*later = newMask(v.Len())
			}
			for _, id := range ids {
				later.set(id)
			}
		}
		for len(byLength) <= p.chars {
			byLength = append(byLength, nil)
		}
		byLength[p.chars] = append(byLength[p.chars], ids...)
		for _, id := range ids {
			c.utf8.set(id)
		}
	}
	sum := newMask(v.Len())
	for n := range maxAtMost {
		for _, id := range byLength[n] {
			sum.set(id)
		}
		c.atMost[n] = slices.Clone(sum)
	}
	c.longer = byLength[maxAtMost:]
}

// beginning returns how many tokens begin with a character of s.
func (v *Vocab) beginning(s charSet) (n int) {
	for b := range s.all() {
		if i := v.root[b]; i >= 0 {
			n += int(v.nodes[v.nodes[i].skip].tokens - v.nodes[i].tokens)
		}
	}
	return n
}

// tokensWithin returns the tokens of at most length characters that begin with one of
// first and go on with those of rest. The last may be cut off. The Mask is the caller's.
func (v *Vocab) tokensWithin(first, rest charSet, length int) Mask {
	all := v.allWithin(charPair{first, rest})
	if length >= maxAtMost-1+len(v.chars.longer) {
		return slices.Clone(all)
	}
	if length >= maxAtMost {
		m := slices.Clone(all)
		for _, ids := range v.chars.longer[length+1-maxAtMost:] {
			for _, id := range ids {
				m.clear(id)
			}
		}
		return m
	}
	m := make(Mask, len(all))
	for i, w := range v.chars.atMost[length] {
		m[i] = w & all[i]
	}
	return m
}

// allWithin returns the tokens of any length, from the cache if it can.
func (v *Vocab) allWithin(p charPair) Mask {
	c := &v.chars
	c.mu.Lock()
	defer c.mu.Unlock()
	if m, ok := c.within[p]; ok {
		return m
	}
	m := slices.Clone(c.utf8)
	every := charSet{^uint64(0), ^uint64(0), ^uint64(0)}
	for b := range every.without(p.rest).all() {
		for i, w := range c.later[charBit(b)] {
			m[i] &^= w
		}
	}
	for b := range every.without(p.first).all() {
		if i := v.root[b]; i >= 0 {
			for _, id := range v.order[v.nodes[i].tokens:v.nodes[v.nodes[i].skip].tokens] {
				m.clear(id)
			}
		}
	}
	if len(c.oldest) == maxWithin {
		delete(c.within, c.oldest[0])
		c.oldest = c.oldest[1:]
	}
	c.within[p] = m
	c.oldest = append(c.oldest, p)
	return m
}

// wholeLeads returns the bytes with which only characters of ranges begin, of those beyond
// ASCII. The ranges are sorted and hold no surrogates.
func wholeLeads(ranges []Range) (s charSet) {
	for b := 0xC2; b <= 0xF4; b++ {
		var lo, hi rune
		switch {
		case b < 0xE0:
			lo = rune(b&0x1F) << 6
			hi = lo | 0x3F
		case b < 0xF0:
			lo = max(rune(b&0x0F)<<12, 0x800)
			hi = rune(b&0x0F)<<12 | 0xFFF
			if b == 0xED {
				hi = surrogateMin - 1
			}
		default:
			lo = max(rune(b&0x07)<<18, 0x10000)
			hi = min(rune(b&0x07)<<18|0x3FFFF, utf8.MaxRune)
		}
		for _, r := range ranges {
			if r.Lo <= lo && hi <= r.Hi {
				s.add(byte(b))
			}
		}
	}
	return s
}
