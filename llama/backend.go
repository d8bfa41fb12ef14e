//go:build cgo

package llama

/*
#cgo CXXFLAGS: -std=c++17 -O2
#include "mappedfile.h"
#include "shim.h"
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"unsafe"
)

var started struct {
	sync.Once
	variant string
	err     error
}

// Start chooses the CPU variant, the best one that this executable holds and this machine runs or the one that EMOSPAN_CPU
// names, and registers it with ggml. It returns the variant's name. Later calls return what the first did.
func Start() (variant string, err error) {
	started.Do(func() {
		C.es_log_init()
		started.variant, started.err = choose(Choices(), os.Getenv(EnvCPU))
		if started.err != nil {
			return
		}
		name := C.CString(started.variant)
		defer C.free(unsafe.Pointer(name))
		if C.es_variant_register(name) != 0 {
			started.err = lastError("cannot start the CPU variant " + started.variant)
		}
	})
	return started.variant, started.err
}

// Choices reports on every CPU variant as this machine and this executable have it.
func Choices() []Choice { return survey(Variants, lacking, Linked) }

// Linked reports whether this executable holds the CPU variant.
func Linked(variant string) bool {
	name := C.CString(variant)
	defer C.free(unsafe.Pointer(name))
	return bool(C.es_variant_linked(name))
}

// Features lists the instruction sets that the registered CPU variant uses, as ggml names them.
func Features() []string { return strings.Fields(takeString(C.es_variant_features())) }

// Devices lists what ggml can compute on. Start must have been called.
func Devices() []Device {
	types := []DeviceType{CPU, GPU, IntegratedGPU, OtherDevice}
	var devices []Device
	for i := range int(C.es_device_count()) {
		var d C.es_device
		if !C.es_device_get(C.int(i), &d) {
			continue
		}
		devices = append(devices, Device{
			Name:        C.GoString(d.name),
			Description: strings.TrimSpace(C.GoString(d.description)),
			Type:        types[d._type],
			MemoryFree:  uint64(d.memory_free),
			MemoryTotal: uint64(d.memory_total),
		})
	}
	return devices
}

// TakeLog returns what llama.cpp and ggml logged since the previous call, oldest first; a megabyte is kept at most.
func TakeLog() []LogLine {
	var lines []LogLine
	for line := range strings.Lines(takeString(C.es_log_take())) {
		if line = strings.TrimRight(line, "\n"); len(line) > 2 {
			lines = append(lines, LogLine{line[0], line[2:]})
		}
	}
	return lines
}

// lastError makes a Go error of what llama.cpp logged as an error since clearErrors.
func lastError(what string) error {
	if line := strings.TrimSpace(takeString(C.es_take_errors())); line != "" {
		return fmt.Errorf("%s: %s", what, line)
	}
	return errors.New(what)
}

// mappedFileLost reports whether what llama.cpp computes is worth nothing any more: see [ErrMappedFile].
func mappedFileLost() bool { return bool(C.es_mapped_file_lost()) }

// clearErrors forgets errors of calls that succeeded all the same.
func clearErrors() { takeString(C.es_take_errors()) }

// takeString copies and frees a string that C allocated; NULL gives "".
func takeString(s *C.char) string {
	defer C.free(unsafe.Pointer(s))
	return C.GoString(s)
}
