//go:build cgo

package llama

/*
#include "quantize.h"
#include <stdlib.h>
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"unsafe"
)

var formats = map[string]C.enum_es_format{"F16": C.ES_F16, "Q8_0": C.ES_Q8_0, "Q4_0": C.ES_Q4_0, "Q4_K_M": C.ES_Q4_K_M}

// quantizing is held by the one conversion that may run; see quantize.h.
var quantizing sync.Mutex

// Quantize writes the model of the GGUF file in, with its weights in another format (F16, Q8_0, Q4_0 or Q4_K_M), to the
// file out, which it makes or cuts to nothing first. Weights that are quantised already are unpacked and packed anew. Norms
// keep their type, and as llama.cpp's tool has it the embeddings may get more bits than the rest.
//
// It ends before the next tensor when ctx is cancelled, and returns an error that wraps ctx.Err. After an error out holds
// part of a file: the caller removes it. Several calls wait for each other. Check the file with package models first.
func Quantize(ctx context.Context, in, out, format string, threads int) error {
	number, ok := formats[format]
	if !ok {
		return fmt.Errorf("weight format %q cannot be made", format)
	}
	if strings.IndexByte(in+out, 0) >= 0 {
		return errors.New("a file name with a NUL in it")
	}
	if _, err := Start(); err != nil {
		return err
	}
	quantizing.Lock()
	defer quantizing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	q := C.es_quantizer_new()
	if q == nil {
		return errors.New("out of memory")
	}
	defer C.es_quantizer_free(q)
	called := make(chan struct{})
	disarm := context.AfterFunc(ctx, func() {
		C.es_quantizer_stop(q)
		close(called)
	})
	defer func() {
		if !disarm() {
			<-called
		}
	}()
	cin, cout := C.CString(in), C.CString(out)
	defer C.free(unsafe.Pointer(cin))
	defer C.free(unsafe.Pointer(cout))
	clearErrors()
	status := C.es_quantizer_run(q, cin, cout, number, C.int32_t(min(max(threads, 1), 512)))
	what := fmt.Sprintf("cannot convert %s to %s", in, format)
	switch {
	case status == 0:
		return nil
	case status == 1:
		clearErrors()
		return fmt.Errorf("%s: %w", what, ctx.Err())
	}
	return lastError(what)
}

// Dequantize unpacks weights of a ggml_type, whole blocks of them, into out, which is as long as they are many.
func Dequantize(kind uint32, packed []byte, out []float32) error {
	if len(packed) == 0 || len(out) == 0 {
		return errors.New("no weights to unpack")
	}
	clearErrors()
	if !C.es_dequantize(C.uint32_t(kind), unsafe.Pointer(unsafe.SliceData(packed)), C.size_t(len(packed)),
		(*C.float)(unsafe.SliceData(out)), C.int64_t(len(out))) {
		return lastError("cannot unpack weights")
	}
	runtime.KeepAlive(packed)
	return nil
}

// MatrixSpeed measures, in some fifty milliseconds, how fast one thread of this CPU multiplies a matrix of weights of a
// ggml_type with a batch of vectors, as when many sequences are decoded together: 10^9 multiply-adds a second. The weights
// are repacked as they are when a model is loaded. It counts the thread's processor time and takes the fastest of some
// repetitions, so that other work on the machine matters little.
func MatrixSpeed(kind uint32) (float64, error) {
	// Rows of 1024 suit every type, whose blocks hold up to 256 weights. With 64 vectors computing takes the time, not
	// reading the weights.
	const columns, rows, batch, repetitions = 1024, 2048, 64, 4
	if _, err := Start(); err != nil {
		return 0, err
	}
	clearErrors()
	seconds := C.es_mul_mat_seconds(C.uint32_t(kind), columns, rows, batch, repetitions)
	if seconds <= 0 {
		return 0, lastError("cannot time a product of weights")
	}
	return columns * rows * batch / float64(seconds) / 1e9, nil
}
