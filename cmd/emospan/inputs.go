package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// checkInput refuses at once what a run would come to later: a file that is missing, unreadable or a folder.
func checkInput(path string) error {
	if path == "-" {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("no such input %s; name a text or JSONL file", path)
	case err != nil:
		return fmt.Errorf("input: %w", err)
	case info.IsDir():
		return fmt.Errorf("input %s is a directory; name the files in it", path)
	case !info.Mode().IsRegular():
		return nil // opening a pipe to look at it would lose its writer
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("input: %w; make it readable", err)
	}
	return f.Close()
}

// countTexts counts the lines of a plain file that are not blank; ok is false where only reading it as the run does would
// tell, as for pipes and compressed files.
func countTexts(path string) (n int, ok bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || strings.HasSuffix(path, ".gz") || strings.HasSuffix(path, ".zst") {
		return 0, false
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<16)
	blank := true
	for {
		part, err := r.ReadSlice('\n')
		blank = blank && len(bytes.TrimSpace(part)) == 0
		if err == bufio.ErrBufferFull {
			continue
		}
		if !blank {
			n++
		}
		blank = true
		if err != nil {
			return n, err == io.EOF
		}
	}
}

// isRegular reports whether an input is a file, which can be read without waiting for anybody.
func isRegular(path string) bool {
	info, err := os.Stdin.Stat()
	if path != "-" {
		info, err = os.Stat(path)
	}
	return err == nil && info.Mode().IsRegular()
}

func inputNames(files []string) string {
	names := slices.Clone(files)
	for i, name := range names {
		if name == "-" {
			names[i] = "standard input"
		}
	}
	return strings.Join(names, ", ")
}

// sameFile reports whether two paths lead to one file, be it there already or not.
func sameFile(a, b string) bool {
	if a == "-" || b == "-" {
		return false
	}
	first, errA := os.Stat(a)
	second, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return first.Mode().IsRegular() && os.SameFile(first, second)
	}
	return errA != nil && errB != nil && filepath.Clean(a) == filepath.Clean(b)
}

// A text is one text of the inputs, or what is wrong with a line or a file.
type text struct {
	dataset.Input
	err error
}

// eachText calls f for every text of the inputs, or with what is wrong with a line, until f returns false.
//
// Reading has a goroutine of its own, since a read from a silent pipe cannot be interrupted: it is one text ahead, and is left
// behind when ctx ends.
func eachText(ctx context.Context, o *tagOptions, f func(dataset.Input, *dataset.LineError) (more bool, err error)) error {
	texts := make(chan text)
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		defer close(texts)
		readTexts(o, func(t text) bool {
			select {
			case texts <- t:
				return true
			case <-stop:
				return false
			}
		})
	}()
	for {
		var next text
		ok := false
		select {
		case <-ctx.Done():
		case next, ok = <-texts:
		}
		if ctx.Err() != nil { // perhaps both were ready
			return context.Cause(ctx)
		}
		var bad *dataset.LineError
		if next.err != nil && !errors.As(next.err, &bad) {
			return fmt.Errorf("%w; mend or replace the file", next.err)
		}
		if !ok {
			return nil
		}
		if more, err := f(next.Input, bad); err != nil || !more {
			return err
		}
	}
}

// readTexts hands on every text of the inputs until send returns false. An error that is not a line's comes last.
func readTexts(o *tagOptions, send func(text) bool) {
	opts := dataset.ReaderOptions{Format: dataset.Format(o.input), TextField: o.textField, IDField: o.idField, IDs: new(dataset.IDSet)}
	for _, file := range o.files {
		r, err := dataset.OpenInput(file, opts)
		if err != nil {
			send(text{err: err})
			return
		}
		defer r.Close()
		for {
			in, err := r.Next()
			if err == io.EOF {
				break
			}
			var bad *dataset.LineError
			if !send(text{in, err}) || err != nil && !errors.As(err, &bad) {
				return
			}
		}
		opts.First = r.Index()
	}
}
