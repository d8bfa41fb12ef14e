package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// A JSONReader reads JSON values one at a time, however they lie in a file: one
// a line, as the elements of an array, as objects that go over several lines, or
// as the rows of a Parquet file. A byte order mark is passed over, and so are
// blank lines; UTF-16 is read as UTF-8. It must not be shared between goroutines.
//
// Whatever else has lines is read line by line: whether a line is JSON is for
// the caller to say. So is a value that is damaged, which is returned as it
// stands as far as it can be told from those around it. Memory is bounded by the
// longest value.
type JSONReader struct {
	src   io.Reader
	max   int
	from  jsonSource
	begun error // what came of looking how the values lie
}

// A jsonSource reads the values that lie in one way.
type jsonSource interface {
	next() ([]byte, error)
	place() int
	ready() bool
	blank() int
}

// NewJSONReader reads values of up to max bytes; max ≤ 0 means
// [DefaultMaxLine]. Nothing is read before the first is asked for. Parquet is
// read only from what can be read at any place: see [ErrNotAFile].
func NewJSONReader(src io.Reader, max int) *JSONReader {
	if max <= 0 {
		max = DefaultMaxLine
	}
	return &JSONReader{src: src, max: max}
}

// begin looks how the values lie.
func (j *JSONReader) begin() (jsonSource, error) {
	buf, ok := j.src.(*bufio.Reader)
	if !ok {
		buf = bufio.NewReaderSize(j.src, sniffSize)
	}
	if startsWith(buf, parquetMagic) {
		values, err := newParquetValues(j.src, j.max)
		if errors.Is(err, ErrNotAFile) {
			err = fmt.Errorf("%w; unpack it, or save it as a file", err)
		}
		if err != nil {
			return nil, err
		}
		return values, nil
	}
	text, _, err := plainText(buf)
	if err != nil {
		return nil, err
	}
	return jsonSourceOf(text, j.max), nil
}

// jsonSourceOf looks how values lie in a text.
func jsonSourceOf(text *bufio.Reader, max int) jsonSource {
	if goesOverLines(text) {
		return newValueScanner(text, max)
	}
	return &jsonLines{LineReader: NewLineReader(text, max)}
}

// Next returns the next value, valid until the next call. At the end it returns
// [io.EOF]; [ErrLineTooLong] concerns one value only; any other error is final,
// be it the source's or [ErrArrayCut].
func (j *JSONReader) Next() ([]byte, error) {
	if j.from == nil && j.begun == nil {
		j.from, j.begun = j.begin()
	}
	if j.begun != nil {
		return nil, j.begun
	}
	return j.from.next()
}

// Line says where the value that Next returned last begins, from 1: its line, in
// an array its element, in Parquet its row.
func (j *JSONReader) Line() int {
	if j.from == nil {
		return 0
	}
	return j.from.place()
}

// At names the place of the value that Next returned last, in the stream of that name, as messages have it.
func (j *JSONReader) At(name string) string {
	if n := j.Line(); n > 0 {
		return fmt.Sprintf("%s:%d", name, n)
	}
	return name
}

// OneALine reports, once a value was asked for, whether the values lie one a line.
func (j *JSONReader) OneALine() bool {
	_, ok := j.from.(*jsonLines)
	return ok
}

// Max is the longest value that is read, in bytes.
func (j *JSONReader) Max() int { return j.max }

// Ready reports whether Next most likely does not wait for the source.
func (j *JSONReader) Ready() bool { return j.from != nil && j.from.ready() }

// Blank is the number of blank lines passed over so far.
func (j *JSONReader) Blank() int {
	if j.from == nil {
		return 0
	}
	return j.from.blank()
}

// jsonLines are values one a line.
type jsonLines struct {
	*LineReader
	blanks int
}

func (l *jsonLines) next() ([]byte, error) {
	for {
		line, err := l.LineReader.Next()
		if err != nil {
			return nil, err
		}
		line = bytes.TrimPrefix(line, byteOrderMark) // where files were put one behind the other
		if !isBlankLine(line) {
			return line, nil
		}
		l.blanks++
	}
}

func (l *jsonLines) place() int  { return l.Line() }
func (l *jsonLines) ready() bool { return l.Ready() }
func (l *jsonLines) blank() int  { return l.blanks }
