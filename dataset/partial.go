package dataset

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxOutputLine bounds a line of an output, in bytes: in a reject log a text of
// DefaultMaxLine bytes may take six times as many.
const maxOutputLine = 8 * DefaultMaxLine

// Partial is an output that an earlier run left, perhaps in the middle of a
// line or a compressed stream. It is read from its beginning: Peek shows the
// next whole line, Keep says that it stays. Writer then goes on behind the lines
// that were kept. Until then the file is as it was. It holds the file's lock and
// must not be shared between goroutines.
type Partial struct {
	path    string
	file    *os.File
	made    bool // by Reopen
	src     *bufio.Reader
	release func()

	line  []byte // the next one, with its newline
	ready bool   // line is it
	ended bool
	torn  bool
	err   error // of reading
	kept  int
	size  int64 // of what was kept, uncompressed
}

// Reopen opens an output to go on with it. One that is not there is made.
func Reopen(path string) (*Partial, error) {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real // Writer may put another file in its place
	}
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("output: %s is not a regular file", path)
	}
	made := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	if err := lockOutput(f, path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	p := &Partial{path: path, file: f, made: made, release: func() {}}
	if err := p.rewind(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return p, nil
}

// rewind has the next line be the first.
func (p *Partial) rewind() error {
	p.release()
	p.release = func() {}
	if _, err := p.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	p.src = bufio.NewReaderSize(p.file, sniffSize)
	p.ready, p.ended, p.torn = false, false, false
	if _, err := p.src.Peek(1); err == io.EOF {
		return nil // not even the beginning of a compressed stream
	}
	plain, release, err := decompress(p.src, p.path)
	if err != nil {
		var read *fs.PathError
		if errors.As(err, &read) {
			return err
		}
		p.ended, p.torn = true, true // its first bytes are not whole
		return nil
	}
	p.release = release
	p.src = bufio.NewReaderSize(plain, sniffSize)
	return nil
}

// Peek returns the next whole line without its newline, or nil behind the last
// one. It is valid until Keep is called. An error is one of reading the file.
func (p *Partial) Peek() ([]byte, error) {
	if !p.ready && !p.ended && p.err == nil {
		p.read()
	}
	if !p.ready {
		return nil, p.err
	}
	return p.line[:len(p.line)-1], nil
}

func (p *Partial) read() {
	p.line = p.line[:0]
	for {
		chunk, err := p.src.ReadSlice('\n')
		p.line = append(p.line, chunk...)
		var read *fs.PathError
		switch {
		case err == nil:
			p.ready = true
			return
		case err == bufio.ErrBufferFull && len(p.line) <= maxOutputLine:
			continue
		case errors.As(err, &read):
			p.err = err
		}
		p.ended, p.torn = true, err != io.EOF || len(p.line) > 0
		return
	}
}

// Keep says that the line which Peek returned stays.
func (p *Partial) Keep() {
	p.kept++
	p.size += int64(len(p.line))
	p.ready = false
}

// Torn reports whether more than whole lines was found, once Peek has returned
// nil: the beginning of a line, or a compressed stream without its end.
func (p *Partial) Torn() bool { return p.torn }

// Name is the file's, with symbolic links followed.
func (p *Partial) Name() string { return p.path }

// Close leaves the file as it was. After Writer it does nothing.
func (p *Partial) Close() error {
	if p.file == nil {
		return nil
	}
	p.release()
	err := p.file.Close()
	if p.made {
		err = errors.Join(err, os.Remove(p.path))
	}
	return err
}

// Writer goes on behind the lines that were kept, and cuts off what follows
// them. A compressed file is written anew with those lines, since nothing can
// follow a stream that was cut, and takes the old one's place. Where there is
// an error the file is as it was.
func (p *Partial) Writer() (*Writer, error) {
	w, err := NewWriter(p.file, p.path)
	if err != nil {
		return nil, err
	}
	if _, plain := w.enc.(plainEncoder); !plain && p.kept > 0 {
		return p.rewrite()
	}
	if err := p.file.Truncate(p.size); err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	p.release()
	p.file = nil
	w.size, w.records, w.synced, w.folder = p.size, p.kept, mark{p.size, p.kept}, filepath.Dir(p.path)
	return w, nil
}

func (p *Partial) rewrite() (w *Writer, err error) {
	name := filepath.Join(filepath.Dir(p.path), ".resume-"+filepath.Base(p.path)) // one at a time, under p's lock
	info, err := p.file.Stat()
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_TRUNC, info.Mode().Perm())
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(name)
		}
	}()
	if err := lockOutput(f, name); err != nil {
		return nil, err
	}
	if w, err = NewWriter(f, p.path); err != nil {
		return nil, err
	}
	keep := p.kept
	if err := p.rewind(); err != nil {
		return nil, err
	}
	for range keep {
		line, err := p.Peek()
		if err == nil && line == nil {
			err = fmt.Errorf("output %s: it changed while it was read", p.path)
		}
		if err == nil {
			err = w.Write(rawLine(line))
		}
		if err != nil {
			return nil, err
		}
		p.ready = false
	}
	if err := w.Sync(); err != nil {
		return nil, err
	}
	w.durable = false // that is the caller's choice
	if err := os.Rename(name, p.path); err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	w.folder = filepath.Dir(p.path)
	p.release()
	p.file.Close()
	p.file = nil
	return w, nil
}

// rawLine is a line that is written as it was read.
type rawLine []byte

func (l rawLine) AppendJSON(dst []byte) ([]byte, error) { return append(dst, l...), nil }
