//go:build cgo

package llama

import (
	"slices"
	"unicode/utf8"

	"github.com/emospan/emospan/grammar"
)

// Why the two matchers may allow different tokens at one position, and rightly so.
const (
	controlIsText   = "llama.cpp spells text with control tokens"
	zeroFirst       = "llama.cpp allows no token that begins with U+0000"
	illFormed       = "llama.cpp allows bytes that are not UTF-8"
	endsWithin      = "llama.cpp allows the end of generation within a character"
	negatedPartial  = "llama.cpp refuses the start of a character where another that starts so is excluded by a negated class"
	terminalWithin  = "llama.cpp's mask looks at token terminals within a token, its accept does not"
	terminalPartial = "llama.cpp's token terminals match no token that has no whole character"
)

// maxRefused is how many tokens llama.cpp is asked to accept, for each grammar, as its mask says and its accept does not.
const maxRefused = 5000

var reasons = []string{controlIsText, zeroFirst, illFormed, endsWithin, negatedPartial, terminalWithin, terminalPartial}

// reason tells why just one of the matchers, ours or theirs, allows a token, "" where there is no good reason.
func (p *pair) reason(id int32, ours bool) string {
	text := p.vocab.text[id]
	all := slices.Concat(p.pending, text)
	switch {
	case p.vocab.model.IsEOG(id):
		if !ours && len(p.pending) > 0 {
			return endsWithin
		}
	case ours:
		switch tail := incomplete(all); {
		case len(text) == 0 || text[0] == 0:
			return zeroFirst
		case len(tail) > 0 && p.excludes(tail):
			return negatedPartial
		case p.terminals && (!wellFormed(all) || len(tail) == len(all)):
			return terminalPartial
		}
	default:
		switch {
		case len(p.vocab.model.Piece(id)) == 0 && p.ours.Clone().AcceptBytes(text) == nil:
			return controlIsText
		case !wellFormed(all):
			return illFormed
		case p.terminals && (p.seen[terminalWithin] >= maxRefused || p.theirsFails(id)):
			return terminalWithin
		}
	}
	return ""
}

// excludes reports whether a negated class of the grammar excludes a character that begins with the bytes of tail.
func (p *pair) excludes(tail []byte) bool {
	lo, hi := completions(tail)
	return slices.ContainsFunc(p.excluded, func(r grammar.Range) bool { return r.Lo <= hi && lo <= r.Hi })
}

// completions returns the first and the last of the characters that begin with the bytes of tail.
func completions(tail []byte) (lo, hi rune) {
	n := 2
	switch {
	case tail[0] >= 0xF0:
		n = 4
	case tail[0] >= 0xE0:
		n = 3
	}
	b := slices.Clone(tail)
	for c := range 64 { // the first byte of those that may follow is 0x80, 0x90 or 0xA0
		b = append(b[:len(tail)], 0x80+byte(c))
		if !utf8.FullRune(b) || utf8.Valid(b) {
			break
		}
	}
	for len(b) < n {
		b = append(b, 0x80)
	}
	lo, _ = utf8.DecodeRune(b)
	return lo, lo | (1<<(6*(n-len(tail))) - 1)
}

// study notes what of the expression tells why the matchers differ.
func (p *pair) study(e *grammar.Expr) {
	p.terminals = p.terminals || e.Op == grammar.OpToken
	if e.Op == grammar.OpClass && e.Negate {
		p.excluded = append(p.excluded, e.Ranges...)
	}
	for _, sub := range e.Sub {
		p.study(sub)
	}
}

// theirsFails reports whether llama.cpp does not accept a token that it allows, or accepts it without a look at the start of a
// character that it ends with.
func (p *pair) theirsFails(id int32) bool {
	text := p.vocab.text[id]
	if whole := len(text) - len(incomplete(text)); whole < len(text) && p.ours.Clone().AcceptBytes(text[:whole]) == nil {
		return true
	}
	clone, err := p.theirs.Clone()
	if err != nil {
		return false
	}
	defer clone.Close()
	return clone.Accept(id) != nil
}

// splitByTerminal reports whether a token, if it were accepted by a token terminal, would leave llama.cpp with the start of a
// character that is none of the text's: what follows would then have to go on with that character.
func (p *pair) splitByTerminal(id int32) bool {
	return p.terminals && len(incomplete(slices.Concat(p.pending, p.vocab.text[id]))) > 0
}
