package export

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
)

// place is where something lies in a text: from start up to, not including,
// end in bytes, and from, to in code points. Of the code points before from
// and before to, wideFrom and wideTo lie above U+FFFF: UTF-16 has two units
// for each of those.
type place struct {
	start, end       int
	from, to         int
	wideFrom, wideTo int
}

// utf16 is where the place lies in UTF-16 code units.
func (p place) utf16() (from, to int) { return p.from + p.wideFrom, p.to + p.wideTo }

// shifted reports whether a program that counts UTF-16 units sees another
// place in the code points from and to.
func (p place) shifted() bool { return p.wideTo > 0 }

// wide counts the code points above U+FFFF.
func wide(s string) int {
	n := 0
	for i := range len(s) {
		if s[i] >= 0xf0 { // the first of four bytes
			n++
		}
	}
	return n
}

// layout says where the tokens of a record lie in its text. It is filled anew
// for each record.
type layout struct {
	text   string
	tokens []place
	pieces []piece
}

// set finds the tokens, each behind the one before it with nothing but white
// space between, which is what validate checks.
func (l *layout) set(r *dataset.Record) error {
	l.text, l.tokens = r.Text, l.tokens[:0]
	var at place
	for i, token := range r.Data.Tokens {
		start := at.end
		if !strings.HasPrefix(r.Text[start:], token) {
			start = len(r.Text) - len(strings.TrimLeftFunc(r.Text[start:], dataset.IsSpace))
		}
		if token == "" || !strings.HasPrefix(r.Text[start:], token) {
			return fmt.Errorf("record %q: token %d, %q, is not the next of its text", r.SrcID, i, token)
		}
		from, wideFrom := at.to+utf8.RuneCountInString(r.Text[at.end:start]), at.wideTo+wide(r.Text[at.end:start])
		at = place{start, start + len(token), from, from + utf8.RuneCountInString(token), wideFrom, wideFrom + wide(token)}
		l.tokens = append(l.tokens, at)
	}
	for i := range r.Data.Spans {
		if s := &r.Data.Spans[i]; s.Start < 0 || s.End < s.Start || s.End >= len(l.tokens) {
			return fmt.Errorf("record %q: span %d is not one of its tokens", r.SrcID, i)
		}
	}
	return nil
}

// span is where a span of the record lies.
func (l *layout) span(s *dataset.Span) place {
	first, last := l.tokens[s.Start], l.tokens[s.End]
	return place{first.start, last.end, first.from, last.to, first.wideFrom, last.wideTo}
}

// piece is a token as spaCy has them: one space behind it belongs to it, and
// all other white space is a token of its own, so that pieces make up the text.
type piece struct {
	place
	token int  // its index in the record, -1 for white space
	space bool // one follows it
}

// split returns the pieces of the text, valid until the next call.
func (l *layout) split() []piece {
	l.pieces = l.pieces[:0]
	var at place // its end is that of what is done
	gap := func(end, to int) {
		if end > at.end {
			l.pieces = append(l.pieces, piece{place: place{start: at.end, end: end, from: at.to, to: to}, token: -1})
		}
	}
	for i, t := range l.tokens {
		gap(t.start, t.from)
		at = t
		space := strings.HasPrefix(l.text[t.end:], " ")
		if space {
			at.end++
			at.to++
		}
		l.pieces = append(l.pieces, piece{t, i, space})
	}
	gap(len(l.text), at.to+utf8.RuneCountInString(l.text[at.end:]))
	return l.pieces
}
