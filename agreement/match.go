package agreement

// By is what pairs the annotations of two files.
type By string

const (
	ByAuto By = "auto"   // the id where the texts are the same as well, else the text
	ByID   By = "src_id" // the id alone
	ByText By = "text"   // the text alone
)

// A Pairing counts how the annotations of a file and of a reference found each
// other. Of the reference Matched, Duplicates and Unmatched are all there are,
// of the file likewise.
type Pairing struct {
	Reference           int `json:"reference_records"`
	ReferenceUnmatched  int `json:"reference_unmatched"`
	ReferenceDuplicates int `json:"reference_duplicates"` // an earlier one has the id and the text
	Records             int `json:"records"`
	Unmatched           int `json:"unmatched"`
	Duplicates          int `json:"duplicates"` // an earlier one took what they match
	Matched             int `json:"matched"`
	ByID                int `json:"matched_by_id"`
	ByText              int `json:"matched_by_text"`
	OtherText           int `json:"same_id_other_text"` // however they were paired in the end
}

// A Matcher pairs the annotations of one file with those of a reference, each
// of which is taken once. It must not be shared between goroutines, nor used
// once the reference is closed.
type Matcher struct {
	ref   *Reference
	by    By
	in    storeReader
	taken bitmap
	next  map[uint64]int // of texts that are there many times: which of them to look at next
	found Annotation
	count Pairing
}

// Matcher begins the pairing of one file.
func (r *Reference) Matcher(by By) *Matcher {
	return &Matcher{ref: r, by: by, in: storeReader{store: &r.entries}, taken: newBitmap(r.Len()), next: map[uint64]int{}}
}

// Match returns the annotation of the reference that belongs to a, which is the
// file's next, or nil; it is valid until the next call. Texts are the same
// whatever white space they have; of a text that stands in both files several
// times, the first belongs to the first. The error is [ErrReadBack].
func (m *Matcher) Match(a *Annotation) (*Annotation, error) {
	m.count.Records++
	taken := false
	if m.by != ByText && a.ID != "" {
		i, text, ok, err := m.id(hash([]byte(a.ID)))
		if err != nil {
			return nil, err
		}
		if ok {
			same := text == a.text || text == 0 || a.text == 0
			if !same {
				m.count.OtherText++
			}
			if same || m.by == ByID {
				if !m.taken.has(i) {
					m.count.ByID++
					return m.take(i)
				}
				taken = true
			}
		}
	}
	if m.by != ByID && a.text != 0 && !taken {
		i, ok, all, err := m.text(a.text)
		if err != nil {
			return nil, err
		}
		if ok {
			m.count.ByText++
			return m.take(i)
		}
		taken = all
	}
	if taken {
		m.count.Duplicates++
	} else {
		m.count.Unmatched++
	}
	return nil, nil
}

func (m *Matcher) take(i int) (*Annotation, error) {
	entry, err := m.in.entry(i)
	if err != nil {
		return nil, err
	}
	decodeEntry(entry, &m.found)
	m.taken.set(i)
	m.count.Matched++
	return &m.found, nil
}

func (m *Matcher) head(i int) (head, error) {
	entry, err := m.in.entry(i)
	if err != nil {
		return head{}, err
	}
	return headOf(entry), nil
}

// id returns the first entry of an id, and its text's hash.
func (m *Matcher) id(hash uint64) (i int, text uint64, ok bool, err error) {
	x := m.ref.byID
	for n := x.search(hash); x.here(n, hash); n++ {
		i := entryOf(x[n])
		if h, err := m.head(i); err != nil || h.id == hash {
			return i, h.text, err == nil, err
		}
	}
	return 0, 0, false, nil
}

// manyTaken is from where the place behind the entries of a text that are taken
// is kept: a map for all texts that are there twice would be as large as the index.
const manyTaken = 32

// text returns the first entry of a text that is not taken; all is true where
// there are some, but none left.
func (m *Matcher) text(hash uint64) (i int, ok, all bool, err error) {
	x := m.ref.byText
	n, some := m.next[hash]
	if !some {
		n = x.search(hash)
	}
	start := n
	for ; x.here(n, hash); n++ {
		i = entryOf(x[n])
		taken := m.taken.has(i)
		if taken && some {
			continue
		}
		h, err := m.head(i)
		if err != nil {
			return 0, false, false, err
		}
		if h.text != hash {
			continue
		}
		some = true
		if !taken {
			ok = true
			break
		}
	}
	if some && n-start >= manyTaken {
		m.next[hash] = n
	}
	return i, ok, some && !ok, nil
}

// Pairing is the count so far.
func (m *Matcher) Pairing() Pairing {
	c := m.count
	c.Reference, c.ReferenceDuplicates = m.ref.Len(), m.ref.duplicates
	c.ReferenceUnmatched = c.Reference - c.ReferenceDuplicates - c.Matched
	return c
}
