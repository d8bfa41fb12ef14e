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
// of which is taken once. It must not be shared between goroutines.
type Matcher struct {
	ref   *Reference
	by    By
	taken []bool
	next  map[uint64]int // of texts that are there several times: which of them to take next
	count Pairing
}

// Matcher begins the pairing of one file.
func (r *Reference) Matcher(by By) *Matcher {
	return &Matcher{ref: r, by: by, taken: make([]bool, len(r.items)), next: map[uint64]int{}}
}

// Match returns the annotation of the reference that belongs to a, which is the
// file's next. Texts are the same whatever white space they have; of a text that
// stands in both files several times, the first belongs to the first.
func (m *Matcher) Match(a *Annotation) (i int, ok bool) {
	m.count.Records++
	taken := false
	if m.by != ByText && a.ID != "" {
		if i, ok = m.id(hash([]byte(a.ID))); ok {
			text := m.ref.items[i].text
			same := text == a.text || text == 0 || a.text == 0
			if !same {
				m.count.OtherText++
			}
			if same || m.by == ByID {
				if !m.taken[i] {
					m.count.ByID++
					return m.take(i)
				}
				taken = true
			}
		}
	}
	if m.by != ByID && a.text != 0 && !taken {
		if i, ok, taken = m.text(a.text); ok {
			m.count.ByText++
			return m.take(i)
		}
	}
	if taken {
		m.count.Duplicates++
	} else {
		m.count.Unmatched++
	}
	return 0, false
}

func (m *Matcher) take(i int) (int, bool) {
	m.taken[i] = true
	m.count.Matched++
	return i, true
}

func (m *Matcher) id(hash uint64) (i int, ok bool) {
	r := m.ref
	n := r.search(r.byID, hash, func(it *item) uint64 { return it.id })
	if n == len(r.byID) || r.items[r.byID[n]].id != hash {
		return 0, false
	}
	return int(r.byID[n]), true
}

// text returns the first item of a text that is not taken; all is true where
// there are some, but none left.
func (m *Matcher) text(hash uint64) (i int, ok, all bool) {
	r := m.ref
	start, begun := m.next[hash]
	if !begun {
		start = r.search(r.byText, hash, func(it *item) uint64 { return it.text })
	}
	here := func(n int) bool { return n < len(r.byText) && r.items[r.byText[n]].text == hash }
	for n := start; here(n); n++ {
		if i := int(r.byText[n]); !m.taken[i] {
			if here(n + 1) {
				m.next[hash] = n + 1
			}
			return i, true, false
		}
		if n > start {
			m.next[hash] = n
		}
		all = true
	}
	return 0, false, all || begun
}

// Pairing is the count so far.
func (m *Matcher) Pairing() Pairing {
	c := m.count
	c.Reference, c.ReferenceDuplicates = len(m.ref.items), m.ref.duplicates
	c.ReferenceUnmatched = c.Reference - c.ReferenceDuplicates - c.Matched
	return c
}
