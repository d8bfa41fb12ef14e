package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// DefaultMaxLine is the longest line that is read where nothing else is said,
// in bytes.
const DefaultMaxLine = 16 << 20

// ErrLineTooLong says that a line is longer than its reader's limit. The line
// has been passed over and the next call reads the one behind it.
var ErrLineTooLong = errors.New("line longer than the limit")

// LineReader reads lines of bounded length. However long a line is, it
// holds little more of it in memory than the limit. It must not be shared between goroutines.
type LineReader struct {
	src  *bufio.Reader
	max  int
	buf  []byte // a line that does not fit src's buffer
	line int
}

// NewLineReader reads lines of up to max bytes, not counting the line's end;
// max ≤ 0 means [DefaultMaxLine].
func NewLineReader(r io.Reader, max int) *LineReader {
	if max <= 0 {
		max = DefaultMaxLine
	}
	src, ok := r.(*bufio.Reader)
	if !ok {
		src = bufio.NewReaderSize(r, 64<<10)
	}
	return &LineReader{src: src, max: max}
}

// Line is the number, from 1, of the line that Next returned last.
func (l *LineReader) Line() int { return l.line }

// Max is the longest line that is read, in bytes.
func (l *LineReader) Max() int { return l.max }

// Ready reports whether the whole of the next line is in memory, so that Next
// does not wait for the source.
func (l *LineReader) Ready() bool {
	seen, _ := l.src.Peek(l.src.Buffered())
	return bytes.IndexByte(seen, '\n') >= 0
}

// Next returns the next line without its LF or CRLF, valid until the next
// call. At the end it returns [io.EOF]; [ErrLineTooLong] concerns one line
// only; any other error is the source's and final.
func (l *LineReader) Next() ([]byte, error) {
	chunk, err := l.src.ReadSlice('\n')
	if err == io.EOF && len(chunk) == 0 {
		return nil, io.EOF
	}
	l.line++
	line := chunk
	if err == bufio.ErrBufferFull {
		line = append(l.buf[:0], chunk...)
		for err == bufio.ErrBufferFull && len(line) <= l.max {
			chunk, err = l.src.ReadSlice('\n')
			line = append(line, chunk...)
		}
		l.buf = line
		if err == bufio.ErrBufferFull {
			return nil, l.skip()
		}
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	if len(line) > l.max {
		return nil, ErrLineTooLong
	}
	return line, nil
}

// skip reads to the end of a line that is too long.
func (l *LineReader) skip() error {
	for {
		switch _, err := l.src.ReadSlice('\n'); err {
		case nil, io.EOF:
			return ErrLineTooLong
		case bufio.ErrBufferFull:
		default:
			return err
		}
	}
}
