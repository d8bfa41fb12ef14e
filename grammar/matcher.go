package grammar

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	maxForced = 1 << 12 // bytes of a forced run
	maxTail   = 40      // bytes of output that an error quotes
)

// Matcher follows one output through a grammar. It belongs to one goroutine at a time.
type Matcher struct {
	constraint *Constraint
	position
	text   []byte     // accepted so far
	before []position // one for each thing accepted
	lent   bool       // text and before are those of a clone too
}

// position is somewhere in an output.
type position struct {
	state *state
	size  int  // of the text so far
	ended bool // by an end-of-generation token
}

// NewMatcher returns a Matcher before the first byte.
func (c *Constraint) NewMatcher() *Matcher {
	m := &Matcher{constraint: c}
	m.Reset()
	return m
}

// Reset takes the Matcher back before the first byte.
func (m *Matcher) Reset() {
	if m.lent {
		m.before, m.text, m.lent = nil, nil, false
	}
	m.before, m.text = m.before[:0], m.text[:0]
	m.position = position{state: m.constraint.automaton.renew(m.constraint.start)}
}

// Clone returns an independent Matcher in the same position, in constant time.
func (m *Matcher) Clone() *Matcher {
	m.lent = true
	clone := *m
	return &clone
}

// Rollback takes back the last n calls of AcceptToken and AcceptBytes that succeeded, in
// constant time. It panics if there were fewer since the start or the last Reset.
func (m *Matcher) Rollback(n int) {
	if n == 0 {
		return
	}
	m.position = m.before[len(m.before)-n]
	m.before = m.before[:len(m.before)-n]
	m.text = m.text[:m.size]
}

// advance moves to state s, to which the output text led.
func (m *Matcher) advance(s *state, text []byte) {
	if m.lent { // what is appended must not be seen by the other
		m.before = slices.Clone(m.before)
		m.text = slices.Clone(m.text)
		m.lent = false
	}
	m.before = append(m.before, m.position)
	m.state = s
	m.text = append(m.text, text...)
	m.size = len(m.text)
}

// Done reports whether the output so far is a complete text of the grammar.
func (m *Matcher) Done() bool { return m.state.complete }

// AcceptBytes appends b to the output. If the grammar does not allow it, the error is a
// *MatchError and the Matcher is unchanged. Token terminals do not match bytes.
func (m *Matcher) AcceptBytes(b []byte) error {
	if m.ended && len(b) > 0 {
		return m.fail(ErrEnded, fmt.Sprintf("%q", b[:1]))
	}
	s := m.state
	for i, c := range b {
		next, err := m.constraint.automaton.step(s, c)
		if err != nil {
			return m.limit(err)
		}
		if next == dead {
			at := Matcher{constraint: m.constraint, position: position{state: s}, text: slices.Concat(m.text, b[:i])}
			return at.fail(ErrByteNotAllowed, fmt.Sprintf("%q", b[i:i+1]))
		}
		s = next
	}
	m.advance(s, b)
	return nil
}

// AcceptToken appends the token id to the output. An end-of-generation token is accepted
// only when Done, and then nothing is accepted after it. If the token is not in Mask, the
// error is a *MatchError and the Matcher is unchanged.
func (m *Matcher) AcceptToken(id int32) error {
	c := m.constraint
	if id < 0 || int(id) >= c.vocab.Len() {
		return m.fail(ErrInvalidID, strconv.Itoa(int(id)))
	}
	if m.ended {
		return m.fail(ErrEnded, m.tokenText(id))
	}
	if c.vocab.isEOG(id) {
		if !m.state.complete {
			return m.fail(ErrTokenNotAllowed, m.tokenText(id))
		}
		m.advance(m.state, nil)
		m.ended = true
		return nil
	}
	piece := c.vocab.piece(id)
	next, err := m.stepPiece(piece)
	if err == nil && m.state.tokens {
		next, err = c.automaton.stepToken(m.state, next, func(t int32) bool { return c.admits(t, id) })
	}
	if err != nil {
		return m.limit(err)
	}
	if next == dead {
		return m.fail(ErrTokenNotAllowed, m.tokenText(id))
	}
	m.advance(next, piece)
	return nil
}

// stepPiece returns the state after the bytes of a token; one without text leads nowhere.
func (m *Matcher) stepPiece(piece []byte) (*state, error) {
	if len(piece) == 0 {
		return dead, nil
	}
	s := m.state
	for _, b := range piece {
		var err error
		if s, err = m.constraint.automaton.step(s, b); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Mask returns the tokens that may come next: those that AcceptToken accepts, among them
// the end-of-generation tokens exactly when Done. If there are none, the error is a
// *MatchError. The Mask is shared; it must not be written and stays valid.
func (m *Matcher) Mask() (Mask, error) {
	if m.ended {
		return nil, m.fail(ErrEnded, "")
	}
	m.state = m.constraint.automaton.renew(m.state)
	mask, err := m.constraint.mask(m.state)
	if err != nil {
		return nil, m.limit(err)
	}
	if mask.Empty() {
		return nil, m.fail(ErrNoToken, "")
	}
	return mask, nil
}

// Forced returns the bytes with which every continuation of the output begins: up to where
// the grammar allows two different bytes, a token terminal, or the end. It is at most 4096
// bytes long and may end inside a character. The Matcher is unchanged.
func (m *Matcher) Forced() []byte {
	if m.ended {
		return nil
	}
	var run []byte
	s := m.state
	for len(run) < maxForced {
		b, ok := m.constraint.automaton.program.onlyByte(s)
		if !ok {
			break
		}
		next, err := m.constraint.automaton.step(s, b)
		if err != nil || next == dead {
			break
		}
		run = append(run, b)
		s = next
	}
	return run
}

// Longer reports whether an allowed token begins with prefix and is longer.
func (m *Matcher) Longer(prefix []byte) (bool, error) {
	if m.ended {
		return false, m.fail(ErrEnded, "")
	}
	c := m.constraint
	node, ok := c.vocab.find(prefix)
	if !ok {
		return false, nil
	}
	if m.state.tokens {
		return true, nil
	}
	s, err := m.stepPiece(prefix)
	if err != nil {
		return false, m.limit(err)
	}
	w := walk{c: c, first: true}
	if err := w.below(c.automaton, s, node+1, int(c.vocab.nodes[node].skip), nil, nil); err != nil {
		return false, m.limit(err)
	}
	return w.found, nil
}

// onlyByte returns the byte that must follow in state s, if there is just one.
func (p *program) onlyByte(s *state) (b byte, ok bool) {
	if s.complete || s.tokens {
		return 0, false
	}
	for i, c := range s.configs {
		in := p.at(c.pc)
		if in.op != opByte || in.lo != in.hi || i > 0 && in.lo != b {
			return 0, false
		}
		b = in.lo
	}
	return b, len(s.configs) > 0
}

// Next returns which bytes the grammar allows next: those that AcceptBytes accepts.
func (m *Matcher) Next() (allowed [256]bool) {
	if m.ended {
		return allowed
	}
	for b := range m.state.bytes.all() {
		to, err := m.constraint.automaton.step(m.state, b)
		allowed[b] = err == nil && to != dead
	}
	return allowed
}

func (m *Matcher) tokenText(id int32) string {
	return fmt.Sprintf("%d (%q)", id, m.constraint.vocab.piece(id))
}

// fail returns an error that names the current position.
func (m *Matcher) fail(code MatchErrorCode, text string) error {
	const shown = 4
	e := &MatchError{Code: code, Text: text, Offset: len(m.text), Tail: string(m.text[max(0, len(m.text)-maxTail):])}
	for _, c := range m.state.configs {
		path := strings.Join(m.constraint.automaton.program.path(c), " > ")
		if slices.Contains(e.Rules, path) {
			continue
		}
		if len(e.Rules) == shown {
			break
		}
		e.Rules = append(e.Rules, path)
	}
	return e
}

// limit returns an error of the automaton with the current position.
func (m *Matcher) limit(err error) error {
	var limit *limitError
	if errors.As(err, &limit) {
		return m.fail(limit.code, "rule "+limit.rule)
	}
	return err
}
