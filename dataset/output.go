package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ErrExists says that an output is already there and may not be replaced.
var ErrExists = errors.New("output exists")

// flushSize is how much a Writer gathers before it writes, in bytes of lines.
const flushSize = 256 << 10

// File is what a Writer writes to, each time at its end; an *os.File opened
// with [os.O_APPEND] is one. A Write that ends early without an error, or with
// EINTR, is taken up where it ended.
type File interface {
	io.Writer
	Truncate(size int64) error
	Sync() error
	Close() error
}

// Line is one record of an output: *[Record] and *[Reject] are.
type Line interface {
	AppendJSON(dst []byte) ([]byte, error)
}

// Writer writes records, one a line, compressed where the output's name ends in
// .gz or .zst. Only whole records reach the file: every write to it ends at a
// line's end, and where one fails the file is cut back to the records before.
// As long as it is open its file is locked, where the file system can: see
// [ErrLocked]. It must not be shared between goroutines.
type Writer struct {
	name    string
	file    File
	enc     encoder
	replace func() error // empties an old output, nil once done
	discard func() error // takes back an output nothing was written to
	folder  string       // of a new file, until its name has been synced
	before  []*Writer    // flushed before this one writes

	lines    []byte // whole lines not yet written
	pending  int    // how many
	size     int64  // of the file up to the last whole write
	records  int    // in the file
	synced   mark   // up to where a sync has made it last
	durable  bool   // it has been synced once, so it is at its end too
	err      error  // the first failure; every later call returns it
	finished bool
}

// mark is a place between two records of a file.
type mark struct {
	size    int64
	records int
}

// WriteError is a failure to write or sync an output. A file then holds the first
// Records records, whole, and nothing else; a pipe may have got part of another.
type WriteError struct {
	Name    string
	Records int
	Err     error
}

func (e *WriteError) Error() string {
	return fmt.Sprintf("write %s: %v; its first %d records are safe", e.Name, e.Err, e.Records)
}

func (e *WriteError) Unwrap() error { return e.Err }

// Create opens an output: "-" is standard output. A file that is there already
// is [ErrExists] unless force is set. With force the old file must be writable
// at once, but keeps its content until the first records are written or Close
// is called, so a run that fails before then has cost nothing. A file that
// another Writer has open is [ErrLocked]. Devices and pipes are written to as
// they are.
func Create(path string, force bool) (*Writer, error) {
	if path == "-" {
		return NewWriter(stream{os.Stdout}, "standard output")
	}
	flags := os.O_WRONLY | os.O_APPEND | os.O_CREATE | os.O_EXCL
	info, err := os.Stat(path)
	old := err == nil
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("output: %w", err)
	case old && info.IsDir():
		return nil, fmt.Errorf("output: %s is a directory: name a file in it", path)
	case old && !info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("output: %w", err)
		}
		return NewWriter(stream{f}, path)
	case old && !force:
		return nil, fmt.Errorf("%w: %s", ErrExists, path)
	case old:
		flags = os.O_WRONLY | os.O_APPEND
	}
	f, err := os.OpenFile(path, flags, 0o666)
	if errors.Is(err, fs.ErrExist) {
		if target, err := os.Readlink(path); err == nil {
			return nil, fmt.Errorf("output: %s is a link to %s, which is not there: make that file", path, target)
		}
		return nil, fmt.Errorf("%w: %s", ErrExists, path)
	}
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	if err := lockOutput(f, path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	w, err := NewWriter(f, path)
	if err != nil {
		f.Close()
		return nil, err
	}
	if old {
		w.replace = func() error { return f.Truncate(0) }
	} else {
		w.discard = func() error { return os.Remove(path) }
		w.folder = filepath.Dir(path)
	}
	return w, nil
}

// NewWriter writes to f, an empty file, whose name decides the compression and
// appears in errors. Close closes f.
func NewWriter(f File, name string) (*Writer, error) {
	enc, err := newEncoder(name)
	if err != nil {
		return nil, fmt.Errorf("output %s: %w", name, err)
	}
	return &Writer{name: name, file: f, enc: enc}, nil
}

// Follow has what the others have gathered written each time before w writes,
// so that no line of w stands in its file before those that it belongs with.
func (w *Writer) Follow(others ...*Writer) { w.before = append(w.before, others...) }

// Write adds a record. One that cannot be encoded is an error that leaves the
// Writer as it was; a *[WriteError] is final.
func (w *Writer) Write(rec Line) error {
	if err := w.usable(); err != nil {
		return err
	}
	lines, err := rec.AppendJSON(w.lines)
	if err != nil {
		return fmt.Errorf("output %s: %w", w.name, err)
	}
	w.lines = append(lines, '\n')
	w.pending++
	if len(w.lines) >= flushSize {
		return w.Flush()
	}
	return nil
}

// Records is the number of records that are in the file: written, though
// perhaps not yet synced. Those in the buffer do not count.
func (w *Writer) Records() int { return w.records }

// Flush writes what has been gathered.
func (w *Writer) Flush() error {
	if err := w.usable(); err != nil {
		return err
	}
	if w.pending == 0 {
		return nil
	}
	for _, other := range w.before {
		if other.finished && other.err == nil {
			continue
		}
		if err := other.Flush(); err != nil {
			return err
		}
	}
	if err := w.Begin(); err != nil {
		return err
	}
	data, err := w.enc.encode(w.lines)
	if err != nil {
		return w.fail(nil, err)
	}
	n, err := writeAll(w.file, data)
	if err != nil {
		return w.fail(data[:n], err)
	}
	w.size += int64(n)
	w.records += w.pending
	w.lines, w.pending = w.lines[:0], 0
	return nil
}

// Sync flushes and asks the system to make it last. Once it has been called,
// Close does so too.
func (w *Writer) Sync() error {
	if err := w.Flush(); err != nil {
		return err
	}
	w.durable = true
	return w.sync()
}

func (w *Writer) sync() error {
	if err := w.file.Sync(); err != nil {
		// What a failed sync has kept is unknown, and asking again may not say so.
		w.size, w.records = w.synced.size, w.synced.records
		return w.fail(nil, err)
	}
	w.synced = mark{w.size, w.records}
	if w.folder != "" {
		w.err = syncDir(w.folder)
		w.folder = ""
	}
	return w.err
}

// Close flushes, completes the compressed stream and closes the file. With
// nothing written it leaves an empty output. Further calls do nothing.
func (w *Writer) Close() error {
	if w.finished {
		return nil
	}
	err := w.Flush()
	if err == nil {
		err = w.Begin()
	}
	if w.err == nil && w.replace == nil { // perhaps only another, which comes before this, could not be written
		if cerr := w.complete(); err == nil {
			err = cerr
		}
		if w.err == nil && w.durable {
			if serr := w.sync(); err == nil {
				err = serr
			}
		}
	}
	w.finished = true
	if cerr := w.file.Close(); cerr != nil && err == nil {
		err = fmt.Errorf("close %s: %w", w.name, cerr)
	}
	return err
}

// Abort is Close for a run that failed: if there was no record to write, an old
// output keeps its content and a new one is removed.
func (w *Writer) Abort() error {
	if w.finished || w.records+w.pending > 0 || w.err != nil || w.replace == nil && w.discard == nil {
		return w.Close()
	}
	w.finished = true
	err := w.file.Close()
	if w.discard != nil {
		err = errors.Join(err, w.discard())
	}
	return err
}

func (w *Writer) usable() error {
	if w.err == nil && w.finished {
		return fmt.Errorf("output %s: already closed", w.name)
	}
	return w.err
}

// Begin empties an old output, which else is done just before it is first
// written to.
func (w *Writer) Begin() error {
	if w.replace == nil {
		return nil
	}
	if err := w.replace(); err != nil {
		w.err = fmt.Errorf("output %s: %w", w.name, err)
	}
	w.replace = nil
	return w.err
}

// complete writes what ends the compressed stream, if anything does.
func (w *Writer) complete() error {
	end, err := w.enc.trailer()
	if err != nil || len(end) == 0 {
		return err
	}
	if n, err := writeAll(w.file, end); err != nil {
		return w.fail(end[:n], err)
	}
	return nil
}

func writeAll(f File, data []byte) (written int, err error) {
	for written < len(data) {
		n, err := f.Write(data[written:])
		written += n
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return written, err
		case n == 0:
			return written, io.ErrShortWrite
		}
	}
	return written, nil
}

// fail cuts the file back to its last whole record after only the bytes in
// written have reached it, and completes the compressed stream there.
func (w *Writer) fail(written []byte, err error) error {
	if _, plain := w.enc.(plainEncoder); plain {
		whole := written[:bytes.LastIndexByte(written, '\n')+1]
		w.size += int64(len(whole))
		w.records += bytes.Count(whole, []byte("\n"))
	}
	cut := w.file.Truncate(w.size)
	if end, terr := w.enc.trailer(); cut == nil && terr == nil && len(end) > 0 && w.size > 0 {
		// Cutting has made room for these few bytes; without them the records
		// can still be read, up to an error that says the stream is truncated.
		if n, _ := w.file.Write(end); n < len(end) {
			cut = w.file.Truncate(w.size)
		}
	}
	if cut != nil {
		err = fmt.Errorf("%w, and what follows its last whole record cannot be cut off: %w", err, cut)
	}
	w.err = &WriteError{Name: w.name, Records: w.records, Err: err}
	return w.err
}

// stream is a file that cannot be cut or synced: a pipe, a terminal, a device.
type stream struct{ *os.File }

func (stream) Truncate(int64) error { return nil }
func (stream) Sync() error          { return nil }

// Close leaves standard output open, which others may still write to.
func (s stream) Close() error {
	if s.File == os.Stdout {
		return nil
	}
	return s.File.Close()
}
