package main

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sys/unix"
)

// checkedOutput is standard output that remembers its first error: what is printed piece by piece is not checked where it is printed,
// and a command whose output did not get through has not done its work.
type checkedOutput struct {
	w   io.Writer
	mu  sync.Mutex
	err error
}

func (c *checkedOutput) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err // by which failure knows it again
	}
	n, err := c.w.Write(b)
	c.err = err
	return n, err
}

// failure is err, or in place of none, or of the bare error of writing, one that says what to do.
func (c *checkedOutput) failure(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil || err != nil && !errors.Is(err, c.err) {
		return err
	}
	var cause unix.Errno
	if !errors.As(c.err, &cause) {
		return fmt.Errorf("cannot write standard output: %w", c.err)
	}
	switch {
	case cause == unix.EPIPE:
		return fmt.Errorf("cannot write standard output: its reader is gone")
	case noRoom(cause):
		return fmt.Errorf("cannot write standard output: %w; make room, then run again", cause)
	}
	return fmt.Errorf("cannot write standard output: %w; send it elsewhere", cause)
}
