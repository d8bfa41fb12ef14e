//go:build unix

package dataset

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes the lock on a file, which the kernel gives back when the file
// is closed or the process ends, however it ends. Where the file system knows
// no locks there is none.
func lockFile(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EWOULDBLOCK:
			return ErrLocked
		case errors.Is(err, errors.ErrUnsupported) || err == syscall.ENOLCK:
			return nil
		}
		return err
	}
}
