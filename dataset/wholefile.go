package dataset

import (
	"fmt"
	"io"
	"os"
)

// A wholeFile is a file that must not become shorter while it is read: its
// end would else look like the end of the texts.
type wholeFile struct {
	*os.File
	size int64
}

// whole is src, with an error in place of an end that came too early where src
// is a regular file.
func whole(src io.Reader) io.Reader {
	f, ok := src.(*os.File)
	if !ok {
		return src
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		return &wholeFile{f, info.Size()}
	}
	return src
}

func (w *wholeFile) Read(b []byte) (int, error) {
	n, err := w.File.Read(b)
	if err != io.EOF {
		return n, err
	}
	if info, serr := w.Stat(); serr == nil && info.Size() < w.size {
		return n, fmt.Errorf("the file was cut from %d to %d bytes while it was read", w.size, info.Size())
	}
	return n, err
}
