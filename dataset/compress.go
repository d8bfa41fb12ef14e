package dataset

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxZstdWindow is the memory a zstd stream may ask for, in bytes: what
// `zstd --long` makes, and no more.
const maxZstdWindow = 128 << 20

var (
	gzipMagic = []byte{0x1f, 0x8b}
	zstdMagic = []byte{0x28, 0xb5, 0x2f, 0xfd}
)

// decompress returns what src holds: gzip or zstd where the name or the first
// bytes say so, else src itself. The close function frees the decoder.
func decompress(src *bufio.Reader, name string) (io.Reader, func(), error) {
	isGzip, isZstd := startsWith(src, gzipMagic), startsWith(src, zstdMagic)
	switch ext := strings.ToLower(filepath.Ext(name)); {
	case ext == ".gz" && !isGzip:
		return nil, nil, fmt.Errorf("%s: not gzip data, as its name says", name)
	case ext == ".zst" && !isZstd:
		return nil, nil, fmt.Errorf("%s: not zstd data, as its name says", name)
	case isGzip:
		z, err := gzip.NewReader(src)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: gzip: %w", name, err)
		}
		return &streamReader{z, "gzip"}, func() { z.Close() }, nil
	case isZstd:
		z, err := zstd.NewReader(src, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return nil, nil, fmt.Errorf("%s: zstd: %w", name, err)
		}
		return &streamReader{z, "zstd"}, z.Close, nil
	}
	return src, func() {}, nil
}

// startsWith peeks byte by byte, so that an interactive source is not waited on
// for more than the first byte that differs.
func startsWith(src *bufio.Reader, magic []byte) bool {
	for n := range magic {
		got, err := src.Peek(n + 1)
		if err != nil || got[n] != magic[n] {
			return false
		}
	}
	return true
}

// streamReader names the format in errors, and says plainly that a stream ends
// too soon.
type streamReader struct {
	r      io.Reader
	format string
}

func (s *streamReader) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	switch {
	case err == nil || err == io.EOF:
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("%s stream is truncated: %w", s.format, err)
	default:
		err = fmt.Errorf("%s stream is corrupt: %w", s.format, err)
	}
	return n, err
}

// encoder turns whole lines into bytes for a file such that whatever has been
// encoded so far is readable once the trailer follows it.
type encoder interface {
	// encode returns the bytes for lines, valid until the next call.
	encode(lines []byte) ([]byte, error)
	// trailer returns what makes a file of the bytes so far complete.
	trailer() ([]byte, error)
}

func newEncoder(name string) (encoder, error) {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".gz":
		return &gzipEncoder{}, nil
	case ".zst":
		return newZstdEncoder()
	}
	return plainEncoder{}, nil
}

type plainEncoder struct{}

func (plainEncoder) encode(lines []byte) ([]byte, error) { return lines, nil }
func (plainEncoder) trailer() ([]byte, error)            { return nil, nil }

// gzipEncoder writes a member of its own for each call: every gzip reader takes
// members as one stream, and a file cut between two of them is complete.
type gzipEncoder struct {
	buf bytes.Buffer
	z   *gzip.Writer
}

func (e *gzipEncoder) encode(lines []byte) ([]byte, error) {
	e.buf.Reset()
	if e.z == nil {
		e.z = gzip.NewWriter(&e.buf)
	} else {
		e.z.Reset(&e.buf)
	}
	if _, err := e.z.Write(lines); err != nil {
		return nil, err
	}
	if err := e.z.Close(); err != nil {
		return nil, err
	}
	return e.buf.Bytes(), nil
}

func (e *gzipEncoder) trailer() ([]byte, error) {
	if e.z != nil {
		return nil, nil
	}
	return e.encode(nil)
}

// zstdEncoder writes one frame for the whole file, because common readers
// (python-zstandard's stream_reader and what is built on it) stop silently
// after the first. Each call ends a block. The frame has no checksum, so that
// an empty last block completes it wherever it was cut between two calls.
type zstdEncoder struct {
	buf   bytes.Buffer
	z     *zstd.Encoder
	begun bool
}

// zstdHeader begins a frame of unknown size with a window of 4 MiB and no
// checksum; zstdEnd is an empty raw block marked as the last (RFC 8878, 3.1.1).
var (
	zstdHeader = []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x60}
	zstdEnd    = []byte{0x01, 0x00, 0x00}
)

func newZstdEncoder() (*zstdEncoder, error) {
	e := &zstdEncoder{}
	var err error
	e.z, err = zstd.NewWriter(&e.buf, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithWindowSize(4<<20))
	return e, err
}

func (e *zstdEncoder) encode(lines []byte) ([]byte, error) {
	e.buf.Reset()
	e.begun = true
	if _, err := e.z.Write(lines); err != nil {
		return nil, err
	}
	if err := e.z.Flush(); err != nil {
		return nil, err
	}
	return e.buf.Bytes(), nil
}

func (e *zstdEncoder) trailer() ([]byte, error) {
	if !e.begun {
		return append(slices.Clip(zstdHeader), zstdEnd...), nil
	}
	return zstdEnd, nil
}
