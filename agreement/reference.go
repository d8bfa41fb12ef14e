package agreement

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/emospan/emospan/dataset"
)

// A Reference is the annotation that others are compared with, in memory
// without its texts. It is immutable; goroutines may share it.
type Reference struct {
	name   string
	book   *Codebook
	format Format
	level  Level

	items  []item
	spans  []Span   // of all items, in order
	values []uint8  // of their attributes
	chunks []entity // of the items whose BIO labels do not follow their spans

	byID, byText []int32 // items in the order of their hashes, then of the file
	firstID      string  // of the first item that has one
	duplicates   int
	leftOut      map[string]int
}

// item is one annotation of a reference.
type item struct {
	id, text    uint64 // hashes, 0 where there is none
	labels      Set
	spans       int32 // where its spans begin; they end where the next item's begin
	chunks      int32 // likewise, those in strict reading behind the others
	strict      int32 // where these begin
	first       uint8
	spanned     bool
	irregular   bool
	onlyLeftOut bool // it has labels, but none that the taxonomy knows
	duplicate   bool // an earlier one has its id and its text
}

// ErrEmpty says that a file holds no annotation.
var ErrEmpty = errors.New("no records")

// OpenReference reads a reference from a file, or from standard input for "-".
// For the level see [NewReader].
func OpenReference(ctx context.Context, path string, book *Codebook, level Level) (*Reference, error) {
	src, err := dataset.OpenStream(path)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return ReadReference(ctx, src, path, book, level)
}

// ReadReference reads a reference; the name appears in errors. For the level see
// [NewReader].
func ReadReference(ctx context.Context, src io.Reader, name string, book *Codebook, level Level) (*Reference, error) {
	r := &Reference{name: name, book: book, leftOut: map[string]int{}}
	reader := NewReader(src, name, book, level)
	for a := new(Annotation); ; {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		err := reader.Next(a)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if len(r.items) == math.MaxInt32-1 || len(r.spans) > math.MaxInt32-len(a.Spans) || len(r.values) > math.MaxInt32-len(a.values) || len(r.chunks) > math.MaxInt32-len(a.chunks)-len(a.strict) {
			return nil, fmt.Errorf("%s: more than can be held as a reference; split it", name)
		}
		r.add(a)
	}
	if len(r.items) == 0 {
		return nil, fmt.Errorf("%s: %w", name, ErrEmpty)
	}
	r.format, r.level = reader.Format(), reader.Level()
	r.index()
	return r, nil
}

func (r *Reference) add(a *Annotation) {
	it := item{
		text: a.text, labels: a.Labels, first: a.First, spanned: a.Spanned, irregular: a.irregular,
		onlyLeftOut: a.Labels == 0 && len(a.LeftOut) > 0,
		spans:       int32(len(r.spans)), chunks: int32(len(r.chunks)),
	}
	if a.ID != "" {
		it.id = hash([]byte(a.ID))
		if r.firstID == "" {
			r.firstID = a.ID
		}
	}
	for _, name := range a.LeftOut {
		r.leftOut[name]++
	}
	for _, s := range a.Spans {
		if s.attrs.values > 0 {
			s.attrs.values += uint32(len(r.values))
		}
		r.spans = append(r.spans, s)
	}
	r.values = append(r.values, a.values...)
	r.chunks = append(r.chunks, a.chunks...)
	it.strict = int32(len(r.chunks))
	r.chunks = append(r.chunks, a.strict...)
	r.items = append(r.items, it)
}

// index sorts the items for look-up. Of items with one id the first has it; one
// that has its text too is a duplicate, which nothing is compared with.
func (r *Reference) index() {
	sorted := func(key func(*item) uint64) []int32 {
		list := make([]int32, 0, len(r.items))
		for i := range r.items {
			if it := &r.items[i]; key(it) != 0 && !it.duplicate {
				list = append(list, int32(i))
			}
		}
		slices.SortFunc(list, func(i, j int32) int {
			return cmp.Or(cmp.Compare(key(&r.items[i]), key(&r.items[j])), cmp.Compare(i, j))
		})
		return list
	}
	r.byID = sorted(func(it *item) uint64 { return it.id })
	first := -1
	for n, i := range r.byID {
		if n == 0 || r.items[i].id != r.items[first].id {
			first = int(i)
		} else if r.items[i].text == r.items[first].text {
			r.items[i].duplicate = true
			r.duplicates++
		}
	}
	r.byText = sorted(func(it *item) uint64 { return it.text })
}

// search returns where in an index the items of a hash begin.
func (r *Reference) search(index []int32, hash uint64, key func(*item) uint64) int {
	n, _ := slices.BinarySearchFunc(index, hash, func(i int32, hash uint64) int { return cmp.Compare(key(&r.items[i]), hash) })
	return n
}

// Len is the number of annotations.
func (r *Reference) Len() int { return len(r.items) }

// Format is how the reference lies in its file.
func (r *Reference) Format() Format { return r.format }

// Level is the level that the labels are on.
func (r *Reference) Level() Level { return r.level }

// Codebook is what the labels are numbered with.
func (r *Reference) Codebook() *Codebook { return r.book }

// Labels are the labels of an annotation on the reference's level.
func (r *Reference) Labels(i int) Set { return r.items[i].labels }

// Spanned reports whether spans were looked for in a text.
func (r *Reference) Spanned(i int) bool { return r.items[i].spanned }

// Spans are the spans of an annotation, by their start. They must not be
// modified.
func (r *Reference) Spans(i int) []Span {
	end := len(r.spans)
	if i+1 < len(r.items) {
		end = int(r.items[i+1].spans)
	}
	return r.spans[r.items[i].spans:end]
}

// Class is the number of the span's label on the level it was read on; ok is
// false where the taxonomy does not know the label.
func (s Span) Class() (class uint8, ok bool) { return s.class, s.class != noClass }

// chunksOf are the entities of an irregular item's BIO labels.
func (r *Reference) chunksOf(i int) (chunks, strict []entity) {
	end := len(r.chunks)
	if i+1 < len(r.items) {
		end = int(r.items[i+1].chunks)
	}
	it := &r.items[i]
	return r.chunks[it.chunks:it.strict], r.chunks[it.strict:end]
}

// UnknownLabels counts the labels that the taxonomy does not know, by name. It
// must not be modified.
func (r *Reference) UnknownLabels() map[string]int { return r.leftOut }
