package dataset

import (
	"bufio"
	"fmt"
	"io"
	"unicode/utf8"
)

// A tableScanner cuts CSV or TSV into records as RFC 4180 has it. What
// encoding/csv reads without an error it reads alike, but that CRLF in a quoted
// field stays CRLF: such a field may hold separators, line ends and doubled
// quotes. A quote inside a field that does not begin with one stands for itself,
// and without quoting each does.
//
// A record whose quotes go wrong costs its first line: reading goes on with the
// line behind that one, so that a quote which somebody forgot to close does not
// swallow the rows after it. A record over the limit is passed over to its end.
// Memory is bounded by the limit, and time is linear in the input.
type tableScanner struct {
	src   *bufio.Reader
	comma byte
	quote bool // fields may stand in quotation marks
	max   int  // bytes of a record, without its line end

	buf  []byte // what was read of src and may have to be read again
	pos  int    // in buf, of the next byte
	line int    // that pos lies in, from 1

	// doomed is the last line in which quotes were found wrong. The record in question had gone on into each line before it
	// inside quotes, so another that does so comes to the same end, which need not be looked for again.
	doomed int

	begins int      // the record's first line
	fields [][]byte // the record's, valid until the next is read

	state  scanState
	start  int    // in buf, of the record
	second int    // in buf, of the record's second line, 0 before that
	over   bool   // the record is over the limit, and only its end is looked for
	text   []byte // the fields, one behind the other
	field  int    // in text, of the one that is read
	ends   []int  // in text, of those before it
}

type scanState int

const (
	fieldStart scanState = iota
	inField
	inQuotes
	behindQuote  // which closes the field, or is the first of two
	behindReturn // behind such a quote
	inJunk       // up to the line's end
)

func newTableScanner(src *bufio.Reader, comma byte, o *ReaderOptions) *tableScanner {
	return &tableScanner{src: src, comma: comma, quote: o.Quoting != QuotingNone, max: o.maxLine(), line: 1}
}

// next reads a record, or returns [io.EOF]. A reason says what is wrong with the record, and the next call goes on behind it.
func (s *tableScanner) next() (*Reason, error) {
	s.begin()
	var bad *Reason
	for last := false; !last; {
		s.takeRun()
		c, err := s.readByte()
		switch {
		case err == io.EOF && s.pos == s.start:
			return nil, io.EOF
		case err == io.EOF:
			c, last = '\n', true
			if s.state == inQuotes {
				bad = s.unclosed()
				continue
			}
		case err != nil:
			return nil, err
		}
		end, wrong := s.step(c)
		if bad == nil {
			bad = wrong
		}
		if wrong != nil && s.second > 0 && !s.over {
			break
		}
		last = last || end
		if n := s.pos - s.start; !last && (n > s.max+1 || n > s.max && c != '\r') {
			s.over = true
		}
		if s.over {
			s.text, s.ends, s.field = s.text[:0], s.ends[:0], 0
		}
	}
	switch {
	case s.over:
		return tooLong("record", s.max), nil
	case bad != nil:
		s.doomed = max(s.doomed, s.line)
		if s.second > 0 {
			s.pos, s.line = s.second, s.begins+1
		}
		return bad, nil
	}
	if raw := s.buf[s.start:s.pos]; !utf8.Valid(raw) {
		return invalidUTF8(raw), nil
	}
	from := 0
	for _, end := range s.ends {
		s.fields = append(s.fields, s.text[from:end])
		from = end
	}
	return nil, nil
}

// begin makes ready for the next record and lets go of what cannot be read again.
func (s *tableScanner) begin() {
	if s.pos > len(s.buf)/2 || s.pos == len(s.buf) {
		s.buf = s.buf[:copy(s.buf, s.buf[s.pos:])]
		s.pos = 0
	}
	s.begins, s.fields = s.line, s.fields[:0]
	s.state, s.start, s.second, s.over = fieldStart, s.pos, 0, false
	s.text, s.field, s.ends = s.text[:0], 0, s.ends[:0]
}

func (s *tableScanner) readByte() (byte, error) {
	if s.pos == len(s.buf) {
		c, err := s.src.ReadByte()
		if err != nil || s.over {
			return c, err
		}
		s.buf = append(s.buf, c)
	}
	c := s.buf[s.pos]
	s.pos++
	return c, nil
}

// takeRun takes at once what step would take byte by byte for a field's own: nearly all of most inputs.
func (s *tableScanner) takeRun() {
	if s.state != inField && s.state != inQuotes || s.pos < len(s.buf) {
		return
	}
	ahead, _ := s.src.Peek(s.src.Buffered())
	if !s.over {
		ahead = ahead[:min(len(ahead), max(0, s.max-(s.pos-s.start)))]
	}
	n := 0
	for n < len(ahead) && ahead[n] != '"' && ahead[n] != s.comma && ahead[n] != '\n' {
		n++
	}
	if !s.over {
		s.buf = append(s.buf, ahead[:n]...)
		s.text = append(s.text, ahead[:n]...)
		s.pos += n
	}
	s.src.Discard(n)
}

// step takes a byte of the record, and reports whether it was its last and what it shows to be wrong.
func (s *tableScanner) step(c byte) (last bool, wrong *Reason) {
	if c == '\n' {
		return s.lineEnd()
	}
	switch {
	case s.state == inJunk:
	case s.state == inQuotes && c == '"':
		s.state = behindQuote
	case s.state == inQuotes:
		s.text = append(s.text, c)
	case s.state == fieldStart && c == '"' && s.quote:
		s.state = inQuotes
	case s.state == behindQuote && c == '"':
		s.state = inQuotes
		s.text = append(s.text, c)
	case c == s.comma && s.state != behindReturn:
		s.endField()
	case s.state == behindQuote && c == '\r':
		s.state = behindReturn
	case s.state == behindQuote, s.state == behindReturn:
		s.state = inJunk
		return false, &Reason{
			Code: CodeInputSyntax, Expected: "a separator or the line's end behind a closing quote",
			Found: fmt.Sprintf("something else in line %d", s.line),
		}
	default:
		s.state = inField
		s.text = append(s.text, c)
	}
	return false, nil
}

// lineEnd takes an LF, which ends the record unless it stands in quotes. A CR before it belongs to it.
func (s *tableScanner) lineEnd() (last bool, wrong *Reason) {
	s.line++
	if n := len(s.text) - 1; n >= s.field && s.text[n] == '\r' && s.state == inField {
		s.text = s.text[:n]
	}
	if s.state != inQuotes {
		s.endField()
		return true, nil
	}
	s.text = append(s.text, '\n')
	if s.second == 0 {
		s.second = s.pos
	}
	if s.line <= s.doomed {
		s.state = inJunk
		return false, s.unclosed()
	}
	return false, nil
}

func (s *tableScanner) endField() {
	s.ends = append(s.ends, len(s.text))
	s.state, s.field = fieldStart, len(s.text)
}

func (s *tableScanner) unclosed() *Reason {
	return &Reason{Code: CodeInputSyntax, Expected: "a quote that closes the field", Found: "none"}
}
