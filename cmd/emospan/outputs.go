package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/emospan/emospan/dataset"
	"golang.org/x/sys/unix"
)

// createOutput makes an output file, with what to do where it is there already or its folder cannot be written to.
func createOutput(path string, force bool) (*dataset.Writer, error) {
	if path == "-" && isTerminal(os.Stdout) {
		return dataset.NewWriter(&terminal{File: os.Stdout}, "standard output")
	}
	w, err := dataset.Create(path, force)
	switch {
	case err == nil:
		return w, nil
	case errors.Is(err, dataset.ErrExists):
		if m, err := dataset.ReadManifest(path + manifestSuffix); err == nil && m.Interrupted {
			return nil, fmt.Errorf("%s is there already, of a run of tag that was interrupted; --resume goes on with it, --force replaces it", path)
		}
		return nil, errThere(path)
	case errors.Is(err, dataset.ErrLocked):
		return nil, errLocked(path)
	}
	if err := checkFolder(path); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w; name another file", err)
}

func errThere(path string) error {
	return fmt.Errorf("%s is there already; --force replaces it, or name another file", path)
}

func errLocked(path string) error {
	return fmt.Errorf("another run is writing to %s; wait for its end, or name another file", path)
}

// written is a file that a flag names for writing, or none.
type written struct{ flag, path string }

// checkWritten refuses files that one run would both read and write, or write twice.
func checkWritten(inputs []string, outputs ...written) error {
	for i, w := range outputs {
		if w.path == "" {
			continue
		}
		for _, file := range inputs {
			if sameFile(file, w.path) {
				return usageError("%s %s is also an input; name another file", w.flag, w.path)
			}
		}
		for _, other := range outputs[:i] {
			if other.path != "" && sameFile(other.path, w.path) {
				return usageError("%s and %s are both %s; name two files", other.flag, w.flag, w.path)
			}
		}
	}
	return nil
}

// checkFolder refuses a file whose folder is not there or cannot be written to.
func checkFolder(path string) error {
	dir := filepath.Dir(path)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("cannot write %s: there is no folder %s; make it, or name another file", path, dir)
	case err != nil || !info.IsDir():
		return fmt.Errorf("cannot write %s: %s is not a folder; name another file", path, dir)
	case unix.Access(dir, unix.W_OK) != nil:
		return fmt.Errorf("cannot write %s: the folder %s may not be written to; name a file in another", path, dir)
	}
	return nil
}

// checkManifest refuses at once what writing the manifest would come to after all the work.
func checkManifest(path string, force bool) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return fmt.Errorf("the manifest %s is not a regular file; name another file", path)
	case err == nil && !force:
		return errThere(path)
	}
	return checkFolder(path)
}

// writeFailure says what an output holds that could not be written to its end, and what to do.
func writeFailure(err error) error {
	return writeFailureOr(err, "run again with --force", "name another file")
}

// writeFailureOr names what to do once there is room again, and else.
func writeFailureOr(err error, again, remedy string) error {
	var write *dataset.WriteError
	if !errors.As(err, &write) {
		return err
	}
	cause := write.Err
	if path, ok := cause.(*fs.PathError); ok {
		cause = path.Err // the name is said already
	}
	if errors.Is(cause, unix.EPIPE) {
		return fmt.Errorf("cannot write %s: its reader is gone; it was given %s", write.Name, plural(write.Records, "whole record"))
	}
	if noRoom(cause) {
		remedy = "make room, then " + again
	}
	return fmt.Errorf("cannot write %s: %w; it holds %s; %s", write.Name, cause, plural(write.Records, "whole record"), remedy)
}

func noRoom(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EFBIG)
}
