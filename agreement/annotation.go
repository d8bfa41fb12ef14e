package agreement

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sort"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
)

// An Annotation is what one line says of one text, in numbers of a [Codebook].
//
// Places in the text are counted in bytes of the text without its white space.
// They are the same for a text and for its tokens one after the other, so that
// spans over one tokenisation can be laid over another.
type Annotation struct {
	Line    int
	ID      string // "" where there is none; a reference keeps none
	Labels  Set
	First   uint8    // the label named first, noClass where there is none
	LeftOut []string // labels that the taxonomy does not know; a reference counts them only
	Spanned bool     // spans were looked for, even if none were found
	Spans   []Span   // by their start

	values []uint8 // of the spans' attributes: see attrs

	onlyLeftOut bool // a reference's: it has labels, but none that the taxonomy knows

	text uint64  // hash of the text, 0 where there is none
	ends []int32 // where each token ends

	// What the BIO labels hold, where that is not what the spans hold.
	irregular      bool
	chunks, strict []entity
}

// A Span is one run of a text with an emotion. Start and End are counted as
// [Annotation] says, half open.
type Span struct {
	Start, End int32
	class      uint8 // noClass where the taxonomy does not know it
	kind       uint8 // the span type's number, 0 where the format has none
	attrs      attrs
}

// Class is the number of the span's label on the level it was read on; ok is
// false where the taxonomy does not know the label.
func (s Span) Class() (class uint8, ok bool) { return s.class, s.class != noClass }

// attrs are a span's attributes. Equal targets have equal hashes.
type attrs struct {
	values     uint32 // 1 + where its codes begin in the values beside the spans, one for each vocabulary; 0 where it has none
	target     uint32
	confidence float32
	sentence   uint16
	clause     uint16
}

// codes are those of a span's attributes among the values beside its list of spans; nil where it has none.
func (a *attrs) codes(values []uint8, book *Codebook) []uint8 {
	if a.values == 0 {
		return nil
	}
	return values[a.values-1:][:len(book.attributes)]
}

// An entity is a run of tokens, or of bytes before it is laid over tokens, with
// a class or a span type. The end is exclusive.
type entity struct {
	class      uint8
	start, end int32
}

func compareEntities(a, b entity) int {
	return cmp.Or(cmp.Compare(a.class, b.class), cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
}

// squeeze appends a text without its white space to dst.
func squeeze(dst []byte, text string) []byte {
	start := 0
	for i, r := range text {
		if dataset.IsSpace(r) {
			dst = append(dst, text[start:i]...)
			start = i + utf8.RuneLen(r)
		}
	}
	return append(dst, text[start:]...)
}

// hash is the first 64 bits of SHA-256, never 0: among a million texts two are
// taken for one with a probability below 10⁻⁷.
func hash(b []byte) uint64 {
	sum := sha256.Sum256(b)
	return max(1, binary.BigEndian.Uint64(sum[:]))
}

// tokens returns the half-open run of tokens that hold some of the bytes from
// start to end.
func (a *Annotation) tokens(start, end int32) (from, to int32) {
	from = int32(sort.Search(len(a.ends), func(i int) bool { return a.ends[i] > start }))
	to = from
	for int(to) < len(a.ends) && (to == from || a.ends[to-1] < end) {
		to++
	}
	return from, to
}

// Tokens returns the half-open run of a record's tokens that a span, which may be
// another annotation's of the same text, lies over.
func (a *Annotation) Tokens(s Span) (from, to int) {
	start, end := a.tokens(s.Start, s.End)
	return int(start), int(end)
}

// place returns where a token begins.
func (a *Annotation) place(token int) int32 {
	if token == 0 {
		return 0
	}
	return a.ends[token-1]
}

// mergeOverlapping makes one of entities of a class that lie over each other,
// which it sorts by class and start first.
func mergeOverlapping(list []entity) []entity {
	slices.SortFunc(list, compareEntities)
	merged := list[:0]
	for _, e := range list {
		if n := len(merged); n > 0 && merged[n-1].class == e.class && e.start < merged[n-1].end {
			merged[n-1].end = max(merged[n-1].end, e.end)
			continue
		}
		merged = append(merged, e)
	}
	return merged
}
