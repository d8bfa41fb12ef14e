package dataset

import (
	"bufio"
	"errors"
	"io"
)

// ErrArrayCut says that a JSON array has no end, or is damaged where nothing
// tells its elements from each other any more.
var ErrArrayCut = errors.New("the JSON array cannot be read to its end: the file was cut short, or a bracket or quotation mark is missing")

// A valueScanner cuts JSON values out of a stream in which lines do not: the
// elements of an array, or objects that go over several lines.
//
// A value in which brackets and quotation marks go wrong ends there: what there is
// of it is returned, as no JSON, and reading goes on with the next line that
// begins a value as far to the left as the first one was. Memory is bounded by the
// limit, and time is linear in the input.
type valueScanner struct {
	src *bufio.Reader
	max int

	line   int // of the next byte, from 1
	column int // white space before it, -1 behind anything else
	indent int // of the lines that begin a value

	inArray bool
	element int // number of the element, 0 where the values are no array's
	begins  int // line of the value

	buf     []byte
	lost    bool // behind a damaged value
	started bool
	valueSyntax
}

func newValueScanner(src *bufio.Reader, max int) *valueScanner {
	return &valueScanner{src: src, max: max, line: 1}
}

func (s *valueScanner) place() int {
	if s.element > 0 {
		return s.element
	}
	return s.begins
}

func (s *valueScanner) blank() int { return 0 }

func (s *valueScanner) ready() bool {
	seen, _ := s.src.Peek(s.src.Buffered())
	for _, c := range seen {
		if c == '}' {
			return true
		}
	}
	return false
}

// next returns a value, or what there is of a damaged one.
func (s *valueScanner) next() ([]byte, error) {
	if s.lost {
		if err := s.resume(); err != nil {
			return nil, err
		}
	}
	if err := s.seek(); err != nil {
		return nil, err
	}
	s.begins = s.line
	if s.inArray || s.element > 0 {
		s.element++
	}
	if !s.started {
		s.started, s.indent = true, max(s.column, 1)
	}
	s.valueSyntax.reset()
	s.buf = s.buf[:0]
	over, ended := false, false
	for !ended && !s.lost {
		chunk, err := s.ahead()
		switch {
		case err == io.EOF && s.inArray:
			return nil, ErrArrayCut
		case err == io.EOF:
			ended = true
			continue
		case err != nil:
			return nil, err
		}
		n := 0
		for n < len(chunk) && !ended && !s.lost {
			c := chunk[n]
			if s.endsBefore(c) || c == '{' && s.column >= 0 && s.column <= s.indent && s.in == betweenLexemes && s.done {
				ended = true // in the second case without its closing bracket, as the next value begins
				break
			}
			n++
			if s.count(c); !s.step(c) {
				s.lost = true
			} else {
				ended = s.atEnd()
			}
		}
		if over = over || len(s.buf)+n > s.max; !over {
			s.buf = append(s.buf, chunk[:n]...)
		}
		s.src.Discard(n)
	}
	if over {
		return nil, ErrLineTooLong
	}
	return s.buf, nil
}

// ahead returns some of the bytes that come next, one at least.
func (s *valueScanner) ahead() ([]byte, error) {
	if _, err := s.src.Peek(1); err != nil {
		return nil, err
	}
	return s.src.Peek(s.src.Buffered())
}

// count goes on to the place behind a byte.
func (s *valueScanner) count(c byte) {
	switch {
	case c == '\n':
		s.line++
		s.column = 0
	case s.column >= 0 && (c == ' ' || c == '\t' || c == '\r'):
		s.column++
	default:
		s.column = -1
	}
}

// seek goes to the first byte of the next value. Commas are not missed or found too many: no value depends on them.
func (s *valueScanner) seek() error {
	for {
		c, err := s.src.ReadByte()
		switch {
		case err == io.EOF && s.inArray:
			return ErrArrayCut
		case err != nil:
			return err
		case c == '[' && !s.inArray:
			s.inArray = true
		case c == ']' && s.inArray:
			s.inArray = false
		case c == ' ', c == '\t', c == '\r', c == '\n', c == ',':
		default:
			if err := s.src.UnreadByte(); err != nil || !startsWith(s.src, byteOrderMark) {
				return err
			}
			s.src.Discard(len(byteOrderMark)) // where files were put one behind the other
		}
		s.count(c)
	}
}

// resume goes to the next line that begins a value, or ends the array.
func (s *valueScanner) resume() error {
	s.lost = false
	for {
		for s.column < 0 || s.column > s.indent {
			c, err := s.src.ReadByte()
			if err != nil {
				return s.unresumed(err)
			}
			if s.count(c); c != '\n' && s.column < 0 {
				if err := s.endLine(); err != nil {
					return s.unresumed(err)
				}
			}
		}
		c, err := s.src.ReadByte()
		switch {
		case err != nil:
			return s.unresumed(err)
		case c == '{', c == ']' && s.inArray, c == ',':
			return s.src.UnreadByte()
		}
		if s.count(c); s.column < 0 {
			if err := s.endLine(); err != nil {
				return s.unresumed(err)
			}
		}
	}
}

// endLine goes to the next line.
func (s *valueScanner) endLine() error {
	for {
		_, err := s.src.ReadSlice('\n')
		switch err {
		case nil:
			s.count('\n')
			return nil
		case bufio.ErrBufferFull:
		default:
			return err
		}
	}
}

func (s *valueScanner) unresumed(err error) error {
	if err == io.EOF && s.inArray {
		return ErrArrayCut
	}
	return err
}
