package dataset

import (
	"math/rand/v2"
	"os"
	"syscall"
)

// faultFile is a file on a disk that fails at random: a write ends early, is interrupted, or is refused after some of its
// bytes; a sync fails and may have lost what was written since the last; a cut fails.
type faultFile struct {
	*os.File
	path   string
	rng    *rand.Rand
	rate   float64 // of faults, per call
	synced int64
	faults map[string]int
}

func (f *faultFile) fault() bool { return f.rng.Float64() < f.rate }

func (f *faultFile) Write(p []byte) (int, error) {
	if !f.fault() {
		return f.File.Write(p)
	}
	n, err := f.File.Write(p[:f.rng.IntN(len(p))])
	if err != nil {
		return n, err
	}
	switch f.rng.IntN(4) {
	case 0:
		if n > 0 {
			f.faults["short write"]++
			return n, nil
		}
		fallthrough
	case 1:
		f.faults["EINTR"]++
		return n, syscall.EINTR
	case 2:
		f.faults["EIO"]++
		return n, syscall.EIO
	}
	f.faults["ENOSPC"]++
	return n, syscall.ENOSPC
}

func (f *faultFile) Sync() error {
	if !f.fault() {
		info, err := f.File.Stat()
		if err == nil {
			f.synced = info.Size()
		}
		return err
	}
	f.faults["failed sync"]++
	// The kernel marks the pages clean, and later nobody finds them.
	if info, err := f.File.Stat(); err == nil && info.Size() > f.synced {
		lost := make([]byte, info.Size()-f.synced)
		f.overwrite(lost)
	}
	return syscall.EIO
}

// overwrite has zeros stand behind what was synced, as where a block was never written.
func (f *faultFile) overwrite(zeros []byte) {
	raw, err := os.OpenFile(f.path, os.O_WRONLY, 0)
	if err != nil {
		panic(err)
	}
	defer raw.Close()
	if _, err := raw.WriteAt(zeros, f.synced); err != nil {
		panic(err)
	}
}

func (f *faultFile) Truncate(size int64) error {
	if f.fault() {
		f.faults["failed cut"]++
		return syscall.EIO
	}
	return f.File.Truncate(size)
}
