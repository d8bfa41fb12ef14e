//go:build unix

package dataset

import (
	"os"
	"runtime"
	"syscall"
)

// A mapping is memory outside Go's heap, all zeros at first. It is given back by
// free, or once the collector finds that nothing refers to it; who uses its bytes
// must keep it alive.
type mapping struct {
	bytes   []byte
	cleanup runtime.Cleanup
}

// newMapping returns so many bytes, rounded up to whole pages, or nil where the system has none to give.
func newMapping(size int) *mapping {
	page := os.Getpagesize()
	bytes, err := syscall.Mmap(-1, 0, (size+page-1)/page*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil
	}
	m := &mapping{bytes: bytes}
	m.cleanup = runtime.AddCleanup(m, unmap, bytes)
	return m
}

func (m *mapping) free() {
	m.cleanup.Stop()
	unmap(m.bytes)
	m.bytes = nil
}

func unmap(bytes []byte) {
	if err := syscall.Munmap(bytes); err != nil {
		panic(err) // of what Mmap returned: not possible
	}
}
