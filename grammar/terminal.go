package grammar

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// The parsers of terminals begin at the first byte of one and end after the last.

func (p *parser) parseLiteral() (*Expr, error) {
	off := p.pos
	p.pos++
	var b strings.Builder
	for p.peek() != '"' {
		if p.pos == len(p.src) {
			return nil, p.fail(ErrMissingQuote, off, snippet(p.src, off))
		}
		at := p.pos
		r, err := p.parseChar()
		if err != nil {
			return nil, err
		}
		if !utf8.ValidRune(r) {
			return nil, p.fail(ErrInvalidEscape, at, p.src[at:p.pos])
		}
		b.WriteRune(r)
	}
	p.pos++
	if b.Len() == 0 {
		return nil, nil
	}
	return &Expr{Op: OpLiteral, Text: b.String(), off: off}, nil
}

func (p *parser) parseClass() (*Expr, error) {
	off := p.pos
	e := &Expr{Op: OpClass, off: off}
	p.pos++
	if p.peek() == '^' {
		p.pos++
		e.Negate = true
	}
	for p.peek() != ']' {
		if p.pos == len(p.src) {
			return nil, p.fail(ErrMissingBracket, off, snippet(p.src, off))
		}
		at := p.pos
		lo, err := p.parseChar()
		if err != nil {
			return nil, err
		}
		hi := lo
		if p.peek() == '-' && !strings.HasPrefix(p.src[p.pos:], "-]") {
			p.pos++
			if p.pos == len(p.src) {
				return nil, p.fail(ErrMissingBracket, off, snippet(p.src, off))
			}
			if hi, err = p.parseChar(); err != nil {
				return nil, err
			}
		}
		if hi < lo {
			return nil, p.fail(ErrInvalidRange, at, p.src[at:p.pos])
		}
		e.Ranges = append(e.Ranges, Range{lo, hi})
	}
	p.pos++
	if len(e.Ranges) == 0 {
		return nil, nil
	}
	e.Ranges = mergeRanges(e.Ranges)
	if len(e.codePoints()) == 0 {
		return nil, p.fail(ErrEmptyClass, off, p.src[off:min(p.pos, off+maxSnippet)])
	}
	return e, nil
}

// mergeRanges sorts ranges and joins those that overlap or touch.
func mergeRanges(ranges []Range) []Range {
	slices.SortFunc(ranges, func(a, b Range) int { return cmp.Compare(a.Lo, b.Lo) })
	merged := ranges[:1]
	for _, r := range ranges[1:] {
		if last := &merged[len(merged)-1]; r.Lo <= last.Hi+1 {
			last.Hi = max(last.Hi, r.Hi)
		} else {
			merged = append(merged, r)
		}
	}
	return merged
}

// parseChar parses a code point of a literal or class, which may be escaped.
func (p *parser) parseChar() (rune, error) {
	off := p.pos
	if p.peek() != '\\' {
		r, n := utf8.DecodeRuneInString(p.src[p.pos:])
		p.pos += n
		return r, nil
	}
	p.pos++
	c := p.peek()
	p.pos++
	switch c {
	case 'x':
		return p.parseHex(off, 2)
	case 'u':
		return p.parseHex(off, 4)
	case 'U':
		return p.parseHex(off, 8)
	case 't':
		return '\t', nil
	case 'r':
		return '\r', nil
	case 'n':
		return '\n', nil
	case '\\', '"', '[', ']', '-':
		return rune(c), nil
	}
	p.pos = off
	_, n := utf8.DecodeRuneInString(p.src[off+1:])
	return 0, p.fail(ErrInvalidEscape, off, p.src[off:off+1+n])
}

func (p *parser) parseHex(off, digits int) (rune, error) {
	var v uint32
	for range digits {
		c := p.peek()
		switch {
		case isDigit(c):
			v = v<<4 | uint32(c-'0')
		case 'a' <= c && c <= 'f':
			v = v<<4 | uint32(c-'a'+10)
		case 'A' <= c && c <= 'F':
			v = v<<4 | uint32(c-'A'+10)
		default:
			return 0, p.fail(ErrInvalidEscape, off, p.src[off:p.pos])
		}
		p.pos++
	}
	if v > utf8.MaxRune {
		return 0, p.fail(ErrInvalidEscape, off, p.src[off:p.pos])
	}
	return rune(v), nil
}

func (p *parser) parseToken() (*Expr, error) {
	off := p.pos
	e := &Expr{Op: OpToken, off: off}
	if p.peek() == '!' {
		p.pos++
		e.Negate = true
	}
	if p.peek() != '<' {
		return nil, p.fail(ErrInvalidToken, off, snippet(p.src, off))
	}
	start := p.pos
	p.pos++
	if p.peek() == '[' {
		p.pos++
		id, ok := p.number(math.MaxInt32)
		if !ok || !strings.HasPrefix(p.src[p.pos:], "]>") {
			return nil, p.fail(ErrInvalidToken, off, snippet(p.src, off))
		}
		p.pos += len("]>")
		e.ID = int32(id)
		return e, nil
	}
	n := strings.IndexByte(p.src[p.pos:], '>')
	if n < 0 {
		return nil, p.fail(ErrInvalidToken, off, snippet(p.src, off))
	}
	p.pos += n + 1
	e.Text = p.src[start:p.pos]
	return e, nil
}
