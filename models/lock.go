package models

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// tempPrefix marks files and folders in the store that are being written. The
// one writer at a time removes those that a killed one left.
const tempPrefix = ".tmp-"

// lock makes the caller the store's only writer, in this process and others,
// until unlock is called or the process ends. It makes the folder if need be
// and waits for another writer until ctx is cancelled.
func (s *Store) lock(ctx context.Context) (unlock func(), err error) {
	if s.homeless != nil {
		return nil, s.homeless
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the folder for models: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(s.dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("cannot write to the folder for models: %w", err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		// Closing the file gives the lock back, and so does the kernel when
		// the process ends, however it ends.
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("cannot lock the folder for models: %w", &os.PathError{Op: "flock", Path: f.Name(), Err: err})
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("waiting for another emospan that writes to %s: %w", s.dir, ctx.Err())
		case <-tick.C:
		}
	}
	if err := s.sweep(); err != nil {
		f.Close()
		return nil, err
	}
	return func() { f.Close() }, nil
}

func (s *Store) sweep() error {
	files, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if strings.HasPrefix(f.Name(), tempPrefix) {
			if err := os.RemoveAll(filepath.Join(s.dir, f.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}
