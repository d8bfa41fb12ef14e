package agreement

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/emospan/emospan/dataset"
)

// A Reference is the annotation that others are compared with, without its
// texts. Up to some MiB lie in memory, what is more in a temporary file (in
// [os.TempDir]) if there can be one; besides that it takes 16 bytes of memory for
// each annotation. It is immutable; goroutines may share it.
type Reference struct {
	name   string
	book   *Codebook
	format Format
	level  Level

	entries           store
	ids, texts, spans int    // how many they have
	entry             []byte // scratch

	byID, byText index
	firstID      string // of the first entry that has one
	duplicates   int    // whose id and text an earlier one has, which nothing is compared with
	leftOut      map[string]int
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
func ReadReference(ctx context.Context, src io.Reader, name string, book *Codebook, level Level) (ref *Reference, err error) {
	r := &Reference{name: name, book: book, leftOut: map[string]int{}}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
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
		if r.entries.entries == math.MaxInt32 {
			return nil, fmt.Errorf("%s: more than can be held as a reference; split it", name)
		}
		r.add(a)
	}
	if r.entries.entries == 0 {
		return nil, fmt.Errorf("%s: %w", name, ErrEmpty)
	}
	r.format, r.level = reader.Format(), reader.Level()
	r.entries.seal()
	if err := r.index(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

func (r *Reference) add(a *Annotation) {
	if a.ID != "" {
		r.ids++
		if r.firstID == "" {
			r.firstID = a.ID
		}
	}
	if a.text != 0 {
		r.texts++
	}
	for _, name := range a.LeftOut {
		r.leftOut[name]++
	}
	r.spans += len(a.Spans)
	r.entry = appendEntry(r.entry[:0], a)
	r.entries.add(r.entry)
}

// index sorts the entries for look-up. It has their hashes from the store, whose
// number is known by then, so that the lists are made in the size that they keep.
func (r *Reference) index() error {
	r.byID, r.byText = make(index, 0, r.ids), make(index, 0, r.texts)
	in := storeReader{store: &r.entries}
	for i := range r.entries.entries {
		entry, err := in.entry(i)
		if err != nil {
			return err
		}
		h := headOf(entry)
		if h.id != 0 {
			r.byID = append(r.byID, indexed(h.id, i))
		}
		if h.text != 0 {
			r.byText = append(r.byText, indexed(h.text, i))
		}
	}
	slices.Sort(r.byID)
	slices.Sort(r.byText)
	duplicates, err := r.findDuplicates(&in)
	if err != nil {
		return err
	}
	if r.duplicates > 0 {
		r.byText = slices.DeleteFunc(r.byText, func(v uint64) bool { return duplicates.has(entryOf(v)) })
	}
	return nil
}

// findDuplicates returns the entries that have the text too of the first with
// their id.
func (r *Reference) findDuplicates(in *storeReader) (bitmap, error) {
	found := newBitmap(r.entries.entries)
	texts := map[uint64]uint64{} // of the first, by id
	for n, end := 0, 0; n < len(r.byID); n = end {
		for end = n + 1; r.byID.here(end, r.byID[n]); end++ {
		}
		if end == n+1 {
			continue
		}
		clear(texts)
		for _, v := range r.byID[n:end] {
			entry, err := in.entry(entryOf(v))
			if err != nil {
				return nil, err
			}
			h := headOf(entry)
			if text, ok := texts[h.id]; !ok {
				texts[h.id] = h.text
			} else if text == h.text {
				found.set(entryOf(v))
				r.duplicates++
			}
		}
	}
	return found, nil
}

// Close gives the temporary file back, if there is one. A reference that is
// dropped without it gives it back when it is collected.
func (r *Reference) Close() error { return r.entries.close() }

// Len is the number of annotations.
func (r *Reference) Len() int { return r.entries.entries }

// Format is how the reference lies in its file.
func (r *Reference) Format() Format { return r.format }

// Level is the level that the labels are on.
func (r *Reference) Level() Level { return r.level }

// Codebook is what the labels are numbered with.
func (r *Reference) Codebook() *Codebook { return r.book }

// UnknownLabels counts the labels that the taxonomy does not know, by name. It
// must not be modified.
func (r *Reference) UnknownLabels() map[string]int { return r.leftOut }
