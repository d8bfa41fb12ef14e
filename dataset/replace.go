package dataset

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Replace writes a file, all of it or nothing: what write gives goes to a new
// file beside path, which is synced and then takes path's name. Where write
// fails its error is returned as it is, and path is as it was.
func Replace(path string, write func(io.Writer) error) error {
	return replace(path, true, write)
}

// replace is Replace, which a power cut may undo where durable is false.
func replace(path string, durable bool, write func(io.Writer) error) error {
	tmp := fmt.Sprintf("%s.%d.tmp", path, os.Getpid())
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	buf := bufio.NewWriterSize(f, 64<<10)
	err = write(buf)
	if err == nil {
		err = buf.Flush()
	}
	if err == nil && durable {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		os.Remove(tmp)
		return err
	}
	if !durable {
		return nil
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes a rename or a new name last through a power cut. File systems
// that cannot sync a directory say so with an error that changes nothing.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	d.Sync()
	return d.Close()
}
