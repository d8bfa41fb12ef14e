package dataset

import (
	"bufio"
	"io"
	"unicode/utf8"
)

// lineRows are the rows of a format that has one a line.
type lineRows struct {
	lines  *LineReader
	parse  func(line []byte, r *row) *Reason
	blanks int
}

func newLineRows(src *bufio.Reader, o *ReaderOptions, parse func([]byte, *row) *Reason) *lineRows {
	return &lineRows{lines: NewLineReader(src, o.MaxLine), parse: parse}
}

func (l *lineRows) next() (row, *Reason, error) {
	for {
		line, err := l.lines.Next()
		r := row{line: l.lines.Line()}
		switch {
		case err == ErrLineTooLong:
			return r, tooLong("line", l.lines.Max()), nil
		case err != nil:
			return r, nil, err
		case isBlankLine(line):
			l.blanks++
			continue
		case !utf8.Valid(line):
			return r, invalidUTF8(line), nil
		}
		reason := l.parse(line, &r)
		return r, reason, nil
	}
}

func (l *lineRows) count() (n int, err error) {
	for {
		line, err := l.lines.Next()
		switch {
		case err == io.EOF:
			return n, nil
		case err != nil && err != ErrLineTooLong:
			return n, err
		case err != nil || !isBlankLine(line):
			n++
		}
	}
}

func (l *lineRows) blank() int { return l.blanks }

func parseText(line []byte, r *row) *Reason {
	r.text = string(line)
	return nil
}
