package dataset

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
)

// OpenStream opens a file, or standard input for "-", and takes gzip or zstd
// off it where its name or first bytes say so. A stream that is cut short or
// damaged is an error when that is read, never an early end. What comes of a file
// as it is can be read at any place, as [NewJSONReader] reads Parquet.
func OpenStream(path string) (io.ReadCloser, error) {
	f := os.Stdin
	name := "standard input"
	if path != "-" {
		var err error
		if f, err = openFile(path); err != nil {
			return nil, fmt.Errorf("input: %w", err)
		}
		name = path
	}
	src := bufio.NewReaderSize(whole(f), sniffSize)
	plain, release, err := decompress(src, name)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("input: %w", err)
	}
	opened := &openedStream{plain, release, f}
	if at, size, ok := randomAccess(f); ok && plain == io.Reader(src) {
		return &openedFile{opened, io.NewSectionReader(at, 0, size)}, nil
	}
	return opened, nil
}

// An openedFile is a stream that can be read at any place.
type openedFile struct {
	*openedStream
	at *io.SectionReader
}

func (f *openedFile) ReadAt(p []byte, off int64) (int, error) { return f.at.ReadAt(p, off) }
func (f *openedFile) Size() int64                             { return f.at.Size() }

type openedStream struct {
	io.Reader
	release func()
	file    *os.File
}

func (s *openedStream) Close() error {
	s.release()
	return s.file.Close()
}

// openFile opens what can be read as a file, which a folder cannot.
func openFile(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory: name the files in it", path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
