package dataset

import (
	"bufio"
)

// maxValueDepth is where the JSON decoder stops, too.
const maxValueDepth = 10_000

// valueSyntax follows the brackets and strings of a JSON value byte by byte, and
// sees where they go wrong. What stands between them it leaves to the decoder.
type valueSyntax struct {
	open []byte // brackets
	in   lexeme
	done bool // a value, or a member's name, has just ended: no other may follow without a separator
}

type lexeme int

const (
	betweenLexemes lexeme = iota
	inString
	inEscape
	inScalar // a number or a word
)

func (v *valueSyntax) reset() { v.open, v.in, v.done = v.open[:0], betweenLexemes, false }

// atEnd reports whether the value's last byte has been seen. A number's is only seen by [valueSyntax.endsBefore].
func (v *valueSyntax) atEnd() bool { return v.done && len(v.open) == 0 && v.in == betweenLexemes }

// endsBefore reports whether the byte that comes next does not belong to the value, a number or a word.
func (v *valueSyntax) endsBefore(c byte) bool {
	return v.in == inScalar && len(v.open) == 0 && !isScalar(c)
}

// step takes a byte, and reports whether it can stand there.
func (v *valueSyntax) step(c byte) bool {
	switch v.in {
	case inEscape:
		v.in = inString
		return c != '\n'
	case inString:
		switch c {
		case '"':
			v.in, v.done = betweenLexemes, true
		case '\\':
			v.in = inEscape
		}
		return c != '\n'
	case inScalar:
		if isScalar(c) {
			return true
		}
		v.in, v.done = betweenLexemes, true
	}
	switch c {
	case ' ', '\t', '\r', '\n':
	case ',', ':':
		v.done = false
		return len(v.open) > 0
	case '{', '[':
		v.open = append(v.open, c+2) // the bracket that closes it
		return !v.done && len(v.open) <= maxValueDepth
	case '}', ']':
		last := len(v.open) - 1
		if last < 0 || v.open[last] != c {
			return false
		}
		v.open, v.done = v.open[:last], true
	case '"':
		v.in = inString
		return !v.done
	default:
		v.in = inScalar
		return !v.done
	}
	return true
}

// isScalar reports whether a byte can go on with a number or a word, be it none that JSON has.
func isScalar(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ':', '{', '}', '[', ']', '"':
		return false
	}
	return true
}

// goesOverLines reports whether a stream begins with an array of objects, or with
// an object that goes over several lines, rather than with values one a line. It
// reads no further than it must to tell, and at most sniffSize bytes.
func goesOverLines(buf *bufio.Reader) bool {
	var v valueSyntax
	at, lines, bracket := 0, 0, false
	for n := 1; ; n = buf.Buffered() + 1 {
		seen, err := buf.Peek(n)
		if err == nil {
			seen, _ = buf.Peek(buf.Buffered())
		}
		for ; at < len(seen); at++ {
			c := seen[at]
			space := c == ' ' || c == '\t' || c == '\r' || c == '\n'
			switch {
			case space && len(v.open) == 0 && !(bracket && c == '\n'):
			case bracket: // what follows it: an element, the array's end, or a new line where a line's text would go on
				return c == '{' || c == ']' || c == '\n'
			case len(v.open) == 0 && c == '[':
				bracket = true
			case len(v.open) == 0 && c != '{':
				return false
			case lines == 1 && c == '{' && seen[at-1] == '\n': // the next line's object, behind one that was cut
				return false
			case !v.step(c):
				return false
			case v.atEnd():
				return lines > 0
			case c == '\n':
				lines++
			}
		}
		if err != nil {
			return bracket || lines > 0
		}
	}
}
