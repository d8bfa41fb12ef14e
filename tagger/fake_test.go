package tagger

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
)

// fakeModel is a Model without weights. Its logits are what a script makes of the sequence so far, and its cache reports
// to the test whatever a real one would suffer from: a gap between positions, a copy onto tokens, logits nobody reads.
type fakeModel struct {
	t              testing.TB
	vocab          *fakeVocab
	context, batch int
	script         script
	decodeErr      error // of the next Decode

	parallel int // sequences beside the prefix; 0 is 1
	cache    int // tokens of all; 0 is context

	cells  [32][]int32  // the tokens of each sequence
	rows   []Row        // of the last Decode
	unread map[int]bool // those of them whose logits were computed and not looked at
	logits []float32

	mostCells  int     // that were taken at a time
	prefixRows int     // decoded into prefixSequence
	first      int32   // position of the record's first row
	recordRows int     // decoded for the record
	asked      int     // logits computed for it
	last       []int32 // the record's tokens when it was removed
	turns      [][]Turn
	copyErr    error
}

// A script sets the logits after a sequence; they are 0 beforehand.
type script func(m *fakeModel, sequence []int32, logits []float32)

func newFakeModel(t testing.TB, s script) *fakeModel {
	return &fakeModel{t: t, vocab: englishVocab(), context: 8192, batch: 64, script: s}
}

func (m *fakeModel) VocabSize() int        { return len(m.vocab.pieces) }
func (m *fakeModel) Piece(id int32) []byte { return m.vocab.pieces[id] }
func (m *fakeModel) ContextSize() int      { return m.context }
func (m *fakeModel) CacheSize() int        { return max(m.cache, m.context+64) }
func (m *fakeModel) BatchSize() int        { return m.batch }

func (m *fakeModel) IsEOG(id int32) bool {
	return id == m.vocab.control(stop) || id == m.vocab.control(stopToo)
}

func (m *fakeModel) Tokenize(text string) ([]int32, error) { return m.vocab.tokenize(text), nil }

func (m *fakeModel) Chat(turns []Turn, first, answer bool) ([]int32, error) {
	m.turns = append(m.turns, turns)
	var ids []int32
	if first {
		ids = append(ids, m.vocab.control(begin))
	}
	for _, t := range turns {
		role, ok := map[string]int{"system": system, "user": user, "assistant": assistant}[t.Role]
		if !ok {
			return nil, fmt.Errorf("no role %q", t.Role)
		}
		ids = append(ids, m.vocab.control(role))
		ids = append(ids, m.vocab.tokenize(t.Text)...)
		ids = append(ids, m.vocab.control(turnEnd))
	}
	if answer {
		ids = append(ids, m.vocab.control(assistant))
	}
	return ids, nil
}

func (m *fakeModel) Decode(rows []Row) error {
	m.t.Helper()
	if err := m.decodeErr; err != nil {
		return err
	}
	m.allRead()
	if len(rows) == 0 || len(rows) > m.batch {
		m.t.Errorf("%d rows in a batch of %d", len(rows), m.batch)
	}
	for i, r := range rows {
		cells := m.cells[r.Sequence]
		switch {
		case int(r.Position) != len(cells):
			m.t.Errorf("row %d is at position %d of a sequence of %d tokens", i, r.Position, len(cells))
		case int(r.Position) >= m.context:
			m.t.Errorf("row %d is at position %d of a context of %d", i, r.Position, m.context)
		case !m.common(r.Sequence) && len(cells) == 0:
			m.t.Errorf("row %d belongs to a sequence that was removed", i)
		case m.common(r.Sequence) && r.Logits:
			m.t.Error("logits of the prefix")
		}
		m.cells[r.Sequence] = append(cells, r.Token)
		if m.common(r.Sequence) {
			m.prefixRows++
			continue
		}
		if m.recordRows++; m.recordRows == 1 {
			m.first = r.Position
		}
		if r.Logits {
			m.asked++
			m.unread[i] = true
		}
	}
	m.rows = slices.Clone(rows)
	used := len(m.cells[prefixSequence])
	for _, cells := range m.cells[1:] {
		used += len(cells) - commonPrefix(cells, m.cells[prefixSequence])
	}
	if m.mostCells = max(m.mostCells, used); used > m.CacheSize() {
		m.t.Errorf("%d tokens in a cache for %d", used, m.CacheSize())
	}
	return nil
}

func (m *fakeModel) allRead() {
	for row := range m.unread {
		m.t.Errorf("nobody looked at the logits of row %d", row)
	}
	m.unread = map[int]bool{}
}

func (m *fakeModel) Logits(row int) []float32 {
	r := m.rows[row]
	if !m.unread[row] {
		m.t.Errorf("logits of row %d, which were not computed or are read twice", row)
	}
	delete(m.unread, row)
	if m.logits == nil {
		m.logits = make([]float32, m.VocabSize())
	}
	clear(m.logits)
	m.script(m, m.cells[r.Sequence][:r.Position+1], m.logits)
	return m.logits
}

func (m *fakeModel) CopyKV(source, destination int32) error {
	if m.copyErr != nil {
		return m.copyErr
	}
	if !m.common(source) || int(destination) >= m.Sequences() || len(m.cells[destination]) > 0 {
		m.t.Errorf("sequence %d copied to %d, which holds %d tokens", source, destination, len(m.cells[destination]))
	}
	m.cells[destination] = slices.Clone(m.cells[source])
	return nil
}

func (m *fakeModel) Sequences() int { return max(m.parallel, 1) + 1 }

// common reports whether a sequence is there for others to begin with.
func (m *fakeModel) common(sequence int32) bool {
	return sequence == prefixSequence
}

// left is the number of tokens of a record that are in the cache.
func (m *fakeModel) left() int {
	n := 0
	for i, cells := range m.cells[1:] {
		if m.common(int32(i + 1)) {
			continue
		}
		n += max(0, len(cells)-len(m.cells[prefixSequence]))
	}
	return n
}

func (m *fakeModel) RemoveKV(sequence, from int32) error {
	if m.common(sequence) || int(from) > len(m.cells[sequence]) {
		m.t.Errorf("sequence %d of %d tokens removed from %d on", sequence, len(m.cells[sequence]), from)
	}
	if m.recordRows > 0 {
		m.last = slices.Clone(m.cells[sequence])
	}
	m.cells[sequence] = m.cells[sequence][:from]
	return nil
}

// answer is what a sequence holds after its last turn's beginning.
func (m *fakeModel) answer(sequence []int32) []int32 {
	for i := len(sequence) - 1; i >= 0; i-- {
		if sequence[i] == m.vocab.control(assistant) {
			return sequence[i+1:]
		}
	}
	return sequence
}

func (m *fakeModel) written(sequence []int32) []byte { return m.vocab.bytes(m.answer(sequence)) }

// say steers towards an answer in its canonical tokens, then towards the end.
func say(answer string) script {
	return func(m *fakeModel, sequence []int32, logits []float32) {
		rest, ok := bytes.CutPrefix([]byte(answer), m.written(sequence))
		switch {
		case !ok:
			m.t.Fatalf("%q was written in place of %q", m.written(sequence), answer)
		case len(rest) == 0:
			logits[m.vocab.control(stop)] = 9
		default:
			logits[m.vocab.longestToken(string(rest))] = 9
		}
	}
}

// noise is logits in [-4, 4) that depend on nothing but the seed and the sequence.
func noise(seed uint64) script {
	return func(_ *fakeModel, sequence []int32, logits []float32) {
		h := seed
		for _, id := range sequence {
			h = mix(h ^ uint64(id))
		}
		for id := range logits {
			logits[id] = float32(mix(h+uint64(id))>>40)/(1<<21) - 4
		}
	}
}

// lively is noise that does not answer neutral, which it otherwise mostly would: with a text of few words, most of the
// tokens allowed spell that.
func lively(seed uint64) script {
	random := noise(seed)
	return func(m *fakeModel, sequence []int32, logits []float32) {
		random(m, sequence, logits)
		written := m.written(sequence)
		for _, neutral := range []string{`["n`, `{"predictions":["n`} {
			for id, piece := range m.vocab.pieces {
				if len(written) < len(neutral) && bytes.HasPrefix(append(written[:len(written):len(written)], piece...), []byte(neutral)) {
					logits[id] = -99
				}
			}
		}
	}
}

// mix is a step of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// maskOf is the mask of some tokens of a vocabulary of size n.
func maskOf(n int, ids ...int32) grammar.Mask {
	mask := make(grammar.Mask, (n+63)/64)
	for _, id := range ids {
		mask[id/64] |= 1 << (id % 64)
	}
	return mask
}

// vocabOf is a vocabulary as package grammar wants it.
func vocabOf(t testing.TB, v *fakeVocab) *grammar.Vocab {
	t.Helper()
	pieces, eog := piecesOf(&fakeModel{vocab: v})
	vocab, err := grammar.NewVocab(pieces, grammar.VocabOptions{EOG: eog})
	if err != nil {
		t.Fatal(err)
	}
	return vocab
}

// matcherOf follows one output through a grammar over a vocabulary.
func matcherOf(t testing.TB, src string, v *fakeVocab) *grammar.Matcher {
	t.Helper()
	g, err := grammar.Compile(src)
	if err != nil {
		t.Fatal(err)
	}
	c, err := grammar.NewConstraint(g, vocabOf(t, v))
	if err != nil {
		t.Fatal(err)
	}
	return c.NewMatcher()
}

// planOf is the plan of an answer of some stages, each a grammar.
func planOf(t testing.TB, v *fakeVocab, sources ...string) plan {
	t.Helper()
	vocab := vocabOf(t, v)
	var stages []stage
	for i, src := range sources {
		f, err := newFrame(src)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.bind(vocab); err != nil {
			t.Fatal(err)
		}
		stages = append(stages, stage{name: fmt.Sprint(i), frame: f, last: i == len(sources)-1})
	}
	return func([]byte) (stage, error) {
		s := stages[0]
		stages = stages[1:]
		return s, nil
	}
}

// formOf is a form bound to a vocabulary of bytes.
func formOf(t testing.TB, d Decode) form {
	t.Helper()
	f, err := newForm(d, Autonomous, dataset.Default())
	if err != nil {
		t.Fatal(err)
	}
	bindBytes(t, f)
	return f
}

func bindBytes(t testing.TB, f form) {
	t.Helper()
	vocab := vocabOf(t, newFakeVocab())
	for _, f := range f.frames() {
		if err := f.bind(vocab); err != nil {
			t.Fatal(err)
		}
	}
}

// accepts reports whether an answer is a whole text of a grammar.
func accepts(m *grammar.Matcher, answer string) bool {
	m.Reset()
	return m.AcceptBytes([]byte(answer)) == nil && m.Done()
}

// A textForm tells which answers a form lets the model give about a text. Each stage is asked twice: as it is decoded with,
// and as its GBNF reads.
type textForm struct {
	t      testing.TB
	form   form
	d      *document
	stages map[string][2]*grammar.Matcher // by GBNF
}

func newReader(t testing.TB, f form, text string) *textForm {
	return &textForm{t, f, newDocument(text), map[string][2]*grammar.Matcher{}}
}

// takes follows an answer through the stages. Where the grammar does not go on with it, at is how far it came.
func (r *textForm) takes(answer string) (ok bool, at int) {
	r.t.Helper()
	p := r.form.stages(r.d)
	var before []byte
	for {
		s, err := p(before)
		if err != nil {
			r.t.Fatal(err)
		}
		src := s.gbnf()
		both, known := r.stages[src]
		if !known {
			c, err := s.fill()
			if err != nil {
				r.t.Fatal(err)
			}
			both = [2]*grammar.Matcher{c.NewMatcher(), matcherOf(r.t, src, newFakeVocab())}
			r.stages[src] = both
		}
		var ends [2]int
		for i, m := range both {
			m.Reset()
			n := at
			for n < len(answer) && m.AcceptBytes([]byte(answer[n:n+1])) == nil {
				n++
			}
			ends[i] = n
		}
		if ends[0] != ends[1] || both[0].Done() != both[1].Done() {
			r.t.Fatalf("stage %s takes %q to byte %d, %v, its GBNF to %d, %v\n%s", s.name, answer[at:], ends[0], both[0].Done(), ends[1], both[1].Done(), src)
		}
		before = []byte(answer[at:ends[0]])
		at = ends[0]
		if !both[0].Done() || s.last {
			return both[0].Done() && at == len(answer), at
		}
	}
}
