//go:build cgo && threadprobe

package llama

/*
#include "threadprobe.h"
#include <stdlib.h>
*/
import "C"

import (
	"syscall"
	"unsafe"
)

// A ThreadAttempt is what one of ggml's threads met: the error of each attempt, 0 where it succeeded.
type ThreadAttempt struct {
	Thread                int // its id
	Open, Create, Connect syscall.Errno
}

// ProbeThreads has each of ggml's threads try to open a file, to create one and to make a socket. It is in builds with the tag
// threadprobe alone, for a test of the sandbox.
func ProbeThreads(threads int, openPath, createPath string) ([]ThreadAttempt, error) {
	if _, err := Start(); err != nil {
		return nil, err
	}
	open, create := C.CString(openPath), C.CString(createPath)
	defer C.free(unsafe.Pointer(open))
	defer C.free(unsafe.Pointer(create))
	out := make([]C.es_attempt, threads)
	clearErrors()
	if C.es_probe_threads(C.int32_t(threads), open, create, &out[0]) != 0 {
		return nil, lastError("cannot probe the threads")
	}
	list := make([]ThreadAttempt, threads)
	for i, a := range out {
		list[i] = ThreadAttempt{int(a.thread), syscall.Errno(a.open_error), syscall.Errno(a.create_error), syscall.Errno(a.socket_error)}
	}
	return list, nil
}
