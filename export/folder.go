package export

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/emospan/emospan/dataset"
)

// A folder is an output of several files that takes its name only when it is
// whole: until commit it lies beside its place under another. One that is there
// already is replaced only if all it holds is what an export of the format
// writes.
type folder struct {
	path, tmp string
	force     bool
	format    string
	owns      func(name string, dir bool) bool // whether the format writes such a slash-separated name
}

// newFolder makes a folder beside its place. One that is there and holds
// something is [dataset.ErrExists] unless force is set.
func newFolder(path string, force bool, format string, owns func(name string, dir bool) bool) (*folder, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	f := &folder{path: path, tmp: temporary(path), force: force, format: format, owns: owns}
	if err := f.checkPlace(); err != nil {
		return nil, err
	}
	if err := os.Mkdir(f.tmp, 0o777); err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	return f, nil
}

// checkPlace refuses what commit would not replace.
func (f *folder) checkPlace() error {
	info, err := os.Stat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("output: %w", err)
	case !info.IsDir():
		return fmt.Errorf("output: %s is not a folder, which %s writes here: name another", f.path, f.format)
	}
	return filepath.WalkDir(f.path, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == f.path {
			return err
		}
		name, err := filepath.Rel(f.path, path)
		if err != nil {
			return err
		}
		owned := f.owns(filepath.ToSlash(name), d.IsDir())
		if owned && d.IsDir() {
			return nil
		}
		if !f.force {
			return fmt.Errorf("%w: %s", dataset.ErrExists, f.path)
		}
		if !owned {
			return fmt.Errorf("output: the folder %s holds %s, which an export does not write: name another folder, or remove it", f.path, name)
		}
		return nil
	})
}

// create opens a file of the folder by its slash-separated name.
func (f *folder) create(name string) (*os.File, error) {
	path := filepath.Join(f.tmp, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, err
	}
	return os.Create(path)
}

// put writes a small file of the folder.
func (f *folder) put(name string, data []byte) error {
	file, err := f.create(name)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	return errors.Join(err, file.Sync(), file.Close())
}

// commit puts the folder in its place. An old one is moved away first, since a
// folder that is not empty cannot be renamed over, and moved back where that
// fails.
func (f *folder) commit() error {
	if err := f.checkPlace(); err != nil { // something may have come there meanwhile
		return err
	}
	old := f.path + fmt.Sprintf(".%d.old", os.Getpid())
	err := os.Rename(f.path, old)
	moved := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(f.tmp, f.path); err != nil {
		if moved {
			err = errors.Join(err, os.Rename(old, f.path))
		}
		return err
	}
	if moved {
		return os.RemoveAll(old)
	}
	return nil
}

// discard gives the folder up; what was there before stays.
func (f *folder) discard() error { return os.RemoveAll(f.tmp) }
