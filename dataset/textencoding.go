package dataset

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// byteOrderMark is UTF-8's.
var byteOrderMark = []byte("\ufeff")

// errUTF32 is of a stream that begins with UTF-32's byte order mark.
var errUTF32 = errors.New("UTF-32 text: convert it to UTF-8")

// plainText takes a byte order mark off a stream. A stream that UTF-16's mark
// begins is read as UTF-8, and named so.
func plainText(src *bufio.Reader) (text *bufio.Reader, encoding string, err error) {
	switch {
	case startsWith(src, byteOrderMark):
		src.Discard(len(byteOrderMark))
	case startsWith(src, []byte{0, 0, 0xfe, 0xff}), startsWith(src, []byte{0xff, 0xfe, 0, 0}):
		return nil, "", errUTF32
	case startsWith(src, []byte{0xff, 0xfe}):
		return utf16Text(src, binary.LittleEndian), "UTF-16", nil
	case startsWith(src, []byte{0xfe, 0xff}):
		return utf16Text(src, binary.BigEndian), "UTF-16", nil
	}
	return src, "", nil
}

func utf16Text(src *bufio.Reader, order binary.ByteOrder) *bufio.Reader {
	src.Discard(2)
	return bufio.NewReaderSize(&utf16Reader{src: src, order: order}, sniffSize)
}

// A utf16Reader reads UTF-16 as UTF-8. What is no character, half a pair of
// surrogates or half a unit, becomes bytes that are not UTF-8, so that the line
// it stands in is refused and not changed.
type utf16Reader struct {
	src   *bufio.Reader
	order binary.ByteOrder
	out   []byte // decoded and not yet read
	buf   [2 * utf8.UTFMax]byte
}

func (u *utf16Reader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if len(u.out) == 0 {
			if n > 0 && u.src.Buffered() < 2 {
				return n, nil // without waiting for more
			}
			if err := u.decode(); err != nil {
				return n, err
			}
		}
		took := copy(p[n:], u.out)
		u.out = u.out[took:]
		n += took
	}
	return n, nil
}

// notUTF8 stands for half a unit.
var notUTF8 = []byte{0xff}

// decode reads a character.
func (u *utf16Reader) decode() error {
	unit, err := u.src.Peek(2)
	switch {
	case len(unit) == 1 && err == io.EOF:
		u.src.Discard(1)
		u.out = notUTF8
		return nil
	case err != nil:
		return err
	}
	r := rune(u.order.Uint16(unit))
	u.src.Discard(2)
	if utf16.IsSurrogate(r) {
		second, _ := u.src.Peek(2) // an error comes again
		if len(second) < 2 || utf16.DecodeRune(r, rune(u.order.Uint16(second))) == utf8.RuneError {
			u.out = append(u.buf[:0], 0xe0|byte(r>>12), 0x80|byte(r>>6)&0xbf, 0x80|byte(r)&0xbf) // as UTF-8 would have it
			return nil
		}
		r = utf16.DecodeRune(r, rune(u.order.Uint16(second)))
		u.src.Discard(2)
	}
	u.out = utf8.AppendRune(u.buf[:0], r)
	return nil
}
