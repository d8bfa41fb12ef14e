//go:build cgo

package llama

import (
	"bytes"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/emospan/emospan/grammar"
)

// A vocabulary is one that both matchers work with: package grammar as package tagger sets it up, llama.cpp by itself.
type vocabulary struct {
	*grammar.Vocab
	name  string
	model *Model
	text  [][]byte         // what llama.cpp matches a token by: its piece, or a control token's name
	ids   map[string]int32 // of pieces
}

func newVocabulary(t testing.TB, name string, m *Model) *vocabulary {
	t.Helper()
	v := &vocabulary{name: name, model: m, ids: map[string]int32{}}
	pieces := make([][]byte, m.VocabSize())
	var eog []int32
	for id := range int32(len(pieces)) {
		v.text = append(v.text, []byte(m.MarkerText(id)))
		if m.IsEOG(id) {
			eog = append(eog, id)
			continue
		}
		pieces[id] = m.Piece(id)
		if _, ok := v.ids[string(pieces[id])]; !ok {
			v.ids[string(pieces[id])] = id
		}
	}
	var err error
	v.Vocab, err = grammar.NewVocab(pieces, grammar.VocabOptions{EOG: eog, Lookup: func(name string) (int32, bool) {
		ids, err := m.Tokenize(name, true)
		if err != nil || len(ids) != 1 {
			return 0, false
		}
		return ids[0], true
	}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func llama3Vocabulary(t testing.TB) *vocabulary {
	t.Helper()
	return newVocabulary(t, "Llama 3", load(t, llama3Vocab(t), LoadOptions{VocabOnly: true}))
}

// vocabularies are those that the matchers are compared on.
func vocabularies(t testing.TB) []*vocabulary {
	t.Helper()
	return []*vocabulary{llama3Vocabulary(t), newVocabulary(t, "SmolLM2", defaultModel(t))}
}

// A pair of matchers follows one output through one grammar.
type pair struct {
	vocab  *vocabulary
	src    string
	ours   *grammar.Matcher
	theirs *GrammarSampler

	terminals bool            // the grammar has token terminals
	excluded  []grammar.Range // by negated classes

	output  []int32
	pending []byte // of the character that the output ends within

	mask []uint64
	seen map[string]int // differences by their reason
}

func newPair(t testing.TB, v *vocabulary, src string) (*pair, error) {
	t.Helper()
	syntax, err := grammar.Parse(src)
	if err != nil {
		return nil, err
	}
	g, err := grammar.Compile(src)
	if err != nil {
		return nil, err
	}
	c, err := grammar.NewConstraint(g, v.Vocab)
	if err != nil {
		return nil, err
	}
	theirs, err := NewGrammarSampler(v.model, src)
	if err != nil {
		return nil, errTheirs{err}
	}
	t.Cleanup(func() { theirs.Close() }) // also where the test fails before it closes it
	p := &pair{
		vocab: v, src: src, ours: c.NewMatcher(), theirs: theirs,
		mask: make([]uint64, (v.Len()+63)/64), seen: map[string]int{},
	}
	for _, rule := range syntax.Rules {
		p.study(rule.Expr)
	}
	return p, nil
}

// errTheirs is an error of llama.cpp's about a grammar that package grammar compiles.
type errTheirs struct{ error }

func (p *pair) String() string {
	var out []byte
	for _, id := range p.output {
		out = fmt.Appendf(out, "%q ", p.vocab.text[id])
	}
	return fmt.Sprintf("grammar\n%s\nafter %v %s", p.src, p.output, out)
}

func (p *pair) reset(t testing.TB) {
	t.Helper()
	p.ours.Reset()
	p.output, p.pending = nil, nil
	if err := p.theirs.Reset(); err != nil {
		t.Fatal(err)
	}
}

func (p *pair) close() { p.theirs.Close() }

func (p *pair) addTo(seen map[string]int) {
	for reason, n := range p.seen {
		seen[reason] += n
	}
}

// compare fails the test where the allowed sets differ for no known reason. It returns the tokens that both allow.
func (p *pair) compare(t testing.TB) []int32 {
	t.Helper()
	if err := p.theirs.Allowed(p.mask); err != nil {
		t.Fatalf("%v\n%v", err, p)
	}
	ours, err := p.ours.Mask()
	var none *grammar.MatchError
	switch {
	case err == nil:
	case errors.As(err, &none) && none.Code == grammar.ErrNoToken:
		ours = make(grammar.Mask, len(p.mask))
	default:
		t.Fatalf("%v\n%v", err, p)
	}
	var both []int32
	unexplained := 0
	for i, theirs := range p.mask {
		for w := theirs | ours[i]; w != 0; w &= w - 1 {
			id := int32(i<<6 + bits.TrailingZeros64(w))
			bit := w & -w
			if theirs&ours[i]&bit != 0 {
				both = append(both, id)
				continue
			}
			reason := p.reason(id, ours[i]&bit != 0)
			p.seen[reason]++
			if reason != "" {
				continue
			}
			if unexplained++; unexplained <= 5 {
				t.Errorf("token %d %q: we allow it: %v, llama.cpp: %v\n%v", id, p.vocab.text[id], ours[i]&bit != 0, theirs&bit != 0, p)
			}
		}
	}
	if unexplained > 0 {
		t.Fatalf("%d tokens differ", unexplained)
	}
	return both
}

// accept appends a token that both allow.
func (p *pair) accept(t testing.TB, id int32) {
	t.Helper()
	if err := p.ours.AcceptToken(id); err != nil {
		t.Fatalf("%v\n%v", err, p)
	}
	if err := p.theirs.Accept(id); err != nil {
		t.Fatalf("%v\n%v", err, p)
	}
	p.output = append(p.output, id)
	p.pending = incomplete(append(p.pending, p.vocab.text[id]...))
}

// walk accepts up to steps tokens picked at random, comparing the allowed sets before each and at the end.
func (p *pair) walk(t testing.TB, r *rand.Rand, steps int) (compared int) {
	t.Helper()
	for range steps {
		allowed := p.compare(t)
		compared++
		allowed = slices.DeleteFunc(allowed, func(id int32) bool { return p.splitByTerminal(id) })
		if len(allowed) == 0 {
			return compared
		}
		id := p.pick(r, allowed)
		p.accept(t, id)
		if p.vocab.model.IsEOG(id) {
			return compared
		}
	}
	p.compare(t)
	return compared + 1
}

// pick picks a token, now and then a short one, or one that ends within a character, and one that ends the output if there are
// few others.
func (p *pair) pick(r *rand.Rand, allowed []int32) int32 {
	short, split := r.IntN(3) == 0, r.IntN(4) == 0
	rank := func(id int32) int {
		text, rank := p.vocab.text[id], 0
		if p.vocab.model.IsEOG(id) {
			rank += 1000
		}
		if split != (len(incomplete(text)) > 0) {
			rank += 100
		}
		if short {
			rank += len(text)
		}
		return rank
	}
	best := allowed[r.IntN(len(allowed))]
	for range 20 {
		if id := allowed[r.IntN(len(allowed))]; rank(id) < rank(best) {
			best = id
		}
	}
	return best
}

// incomplete returns the bytes at the end of b that begin a character and do not end it.
func incomplete(b []byte) []byte {
	for i := max(0, len(b)-utf8.UTFMax+1); i < len(b); i++ {
		if utf8.RuneStart(b[i]) && !utf8.FullRune(b[i:]) {
			return b[i:]
		}
	}
	return nil
}

// wellFormed reports whether b, but for a character that it ends within, is UTF-8.
func wellFormed(b []byte) bool { return utf8.Valid(bytes.TrimSuffix(b, incomplete(b))) }
