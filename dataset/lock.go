package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// ErrLocked says that another run is writing to an output.
var ErrLocked = errors.New("another run is writing to it")

// Lock takes the lock that a [Writer] holds on its file, by whatever name the
// file is reached; it is [ErrLocked] where somebody has it. The file must be
// there. Release gives the lock back.
func Lock(path string) (release func() error, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := lockOutput(f, path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f.Close, nil
}

// lockOutput locks an open file that is to be found at path.
func lockOutput(f *os.File, path string) error {
	if err := lockFile(f); err != nil {
		return fmt.Errorf("output %s: %w", path, err)
	}
	// Whoever had the lock before may have put another file in its place.
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	now, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("output: %w", err)
	}
	if err != nil || !os.SameFile(mine, now) {
		return fmt.Errorf("output %s: %w", path, ErrLocked)
	}
	return nil
}
