package export

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// A File is an output that takes its name only when it is whole: until Commit
// it lies beside it under another. Standard output ("-"), pipes and devices are
// written to as they are. It is compressed where its name ends in .gz or .zst.
type File struct {
	path   string
	tmp    string // empty where it is written to in place
	force  bool
	file   *os.File
	buf    *bufio.Writer
	packed io.WriteCloser // nil without compression
}

// CreateFile opens an output. One that is there already is [dataset.ErrExists]
// unless force is set, which has Commit replace it.
func CreateFile(path string, force bool) (*File, error) {
	f := &File{path: path, force: force, file: os.Stdout}
	if path != "-" {
		if err := f.open(); err != nil {
			return nil, err
		}
	}
	f.buf = bufio.NewWriterSize(f.file, 256<<10)
	switch strings.ToLower(filepath.Ext(path)) {
	case ".gz":
		f.packed = gzip.NewWriter(f.buf)
	case ".zst":
		z, err := zstd.NewWriter(f.buf, zstd.WithEncoderConcurrency(1))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("output: %w", err), f.Discard())
		}
		f.packed = z
	}
	return f, nil
}

func (f *File) open() (err error) {
	info, err := os.Stat(f.path)
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("output: %w", err)
	case err == nil && info.IsDir():
		return fmt.Errorf("output: %s is a directory: name a file in it", f.path)
	case err == nil && !info.Mode().IsRegular():
		if f.file, err = os.OpenFile(f.path, os.O_WRONLY, 0); err != nil {
			return fmt.Errorf("output: %w", err)
		}
		return nil
	case err == nil && !f.force:
		return fmt.Errorf("%w: %s", dataset.ErrExists, f.path)
	case err == nil: // where a link leads, not the link, is replaced
		if f.path, err = filepath.EvalSymlinks(f.path); err != nil {
			return fmt.Errorf("output: %w", err)
		}
	}
	f.tmp = temporary(f.path)
	if f.file, err = os.OpenFile(f.tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666); err != nil {
		return fmt.Errorf("output: %w", err)
	}
	return nil
}

// temporary is a name beside path that no other process has.
func temporary(path string) string { return fmt.Sprintf("%s.%d.tmp", path, os.Getpid()) }

func (f *File) Write(p []byte) (int, error) {
	if f.packed != nil {
		return f.packed.Write(p)
	}
	return f.buf.Write(p)
}

// Commit completes the file and gives it its name. Where it fails, nothing is
// left but what was there before.
func (f *File) Commit() error {
	var err error
	if f.packed != nil {
		err = f.packed.Close()
	}
	if err == nil {
		err = f.buf.Flush()
	}
	if err != nil || f.tmp == "" {
		return errors.Join(err, f.Discard())
	}
	if err = f.file.Sync(); err == nil && !f.force {
		if _, there := os.Lstat(f.path); there == nil { // since CreateFile looked
			err = fmt.Errorf("%w: %s", dataset.ErrExists, f.path)
		}
	}
	if err == nil {
		err = os.Rename(f.tmp, f.path)
	}
	if err != nil {
		return errors.Join(err, f.Discard())
	}
	return f.file.Close()
}

// Discard gives the output up; what was there before stays.
func (f *File) Discard() error {
	var err error
	if f.file != os.Stdout {
		err = f.file.Close()
	}
	if f.tmp != "" {
		err = errors.Join(err, os.Remove(f.tmp))
	}
	return err
}
