package main

import (
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
		return fmt.Errorf("no such input %s; name a file that is there", path)
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

// checkTexts refuses besides a file that is not of its format, and a table or JSON without the fields to read. It says what was found
// out about the file.
func checkTexts(stderr io.Writer, path string, o *tagOptions) error {
	if err := checkInput(path); err != nil || !isRegular(path) || path == "-" {
		return err
	}
	r, err := dataset.OpenInput(path, o.readerOptions())
	if err != nil {
		return inputError(err)
	}
	if notes := r.Notes(); len(notes) > 0 && !o.quiet {
		fmt.Fprintf(stderr, "emospan: %s: %s\n", printable(path), strings.Join(notes, "; "))
	}
	return r.Close()
}

// inputError adds to what is wrong with an input what to do about it.
func inputError(err error) error {
	var column *dataset.ColumnError
	switch {
	case errors.As(err, &column):
		if column.Field == "id" {
			return usageError("%w; name it with --id-field, or give --id-field none", err)
		}
		return usageError("%w; name it with --%s-field", err, column.Field)
	case errors.Is(err, dataset.ErrNotATable):
		return usageError("%w; leave out --delimiter and --quoting, or give --input csv or tsv", err)
	case errors.Is(err, dataset.ErrNotAFile):
		return fmt.Errorf("%w; unpack it, or save it, and name the file", err)
	}
	return fmt.Errorf("%w; mend or replace the file", err)
}

// countTexts counts the texts of a plain file without looking into them; ok is false where only reading it as the run does
// would tell, as for pipes, compressed files and sentences.
func countTexts(path string, o *tagOptions) (n int, ok bool) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || o.split == splitSentence || strings.HasSuffix(path, ".gz") || strings.HasSuffix(path, ".zst") {
		return 0, false
	}
	r, err := dataset.OpenInput(path, o.readerOptions())
	if err != nil {
		return 0, false
	}
	defer r.Close()
	n, err = r.Count()
	return n, err == nil
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
func eachText(ctx context.Context, o *tagOptions, f func(dataset.Input, *dataset.LineError) (more bool, err error)) error {
	s := openSource(o)
	defer s.close()
	return s.each(ctx, f)
}

// A source reads the texts of the inputs.
//
// Reading has a goroutine of its own, since a read from a silent pipe cannot be interrupted: it is one text ahead, and is left
// behind when the context ends.
type source struct {
	texts chan text
	stop  chan struct{}
	back  *text // handed back, and to be had again
}

func openSource(o *tagOptions) *source {
	s := &source{texts: make(chan text), stop: make(chan struct{})}
	go func() {
		defer close(s.texts)
		readTexts(o, func(t text) bool {
			select {
			case s.texts <- t:
				return true
			case <-s.stop:
				return false
			}
		})
	}()
	return s
}

func (s *source) close() { close(s.stop) }

// next returns the next text, or what is wrong with its line; behind the last one io.EOF.
func (s *source) next(ctx context.Context) (in dataset.Input, bad *dataset.LineError, err error) {
	var next text
	ok := s.back != nil
	if ok {
		next, s.back = *s.back, nil
	} else {
		select {
		case <-ctx.Done():
		case next, ok = <-s.texts:
		}
	}
	switch {
	case ctx.Err() != nil: // perhaps both were ready
		return in, nil, context.Cause(ctx)
	case next.err != nil && !errors.As(next.err, &bad):
		return in, nil, inputError(next.err)
	case !ok:
		return in, nil, io.EOF
	}
	return next.Input, bad, nil
}

// handBack has next return a text once more.
func (s *source) handBack(in dataset.Input, bad *dataset.LineError) {
	s.back = &text{Input: in}
	if bad != nil {
		s.back.err = bad
	}
}

// each calls f for the texts that are left, until it returns false.
func (s *source) each(ctx context.Context, f func(dataset.Input, *dataset.LineError) (more bool, err error)) error {
	for {
		in, bad, err := s.next(ctx)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if more, err := f(in, bad); err != nil || !more {
			return err
		}
	}
}

// readTexts hands on every text of the inputs that --shard has, or its sentences, until send returns false or --limit is reached.
// The texts of other shards are read all the same: numbers and ids are those of the whole. An error that is not a line's comes last.
func readTexts(o *tagOptions, send func(text) bool) {
	opts := o.readerOptions()
	opts.IDs = new(dataset.IDSet)
	for _, file := range o.files {
		r, err := dataset.OpenInput(file, opts)
		if err != nil {
			send(text{err: err})
			return
		}
		more := readFile(r, o, send)
		opts.First = r.Index()
		r.Close()
		if !more {
			return
		}
	}
}

// readFile hands on the texts of one input, and reports whether the next is wanted.
func readFile(r *dataset.Reader, o *tagOptions, send func(text) bool) (more bool) {
	for o.limit == 0 || r.Index() < o.limit {
		number := r.Index()
		in, err := r.Next()
		if err == io.EOF {
			return true
		}
		var bad *dataset.LineError
		if err == nil || errors.As(err, &bad) {
			if o.digest != nil {
				o.digest.Add(in, bad)
			}
			if !o.shard.Has(number) {
				continue
			}
		}
		if err == nil && o.split == splitSentence {
			more = eachSentence(in, func(part dataset.Input) bool { return send(text{Input: part}) })
		} else {
			more = send(text{in, err}) && (err == nil || bad != nil)
		}
		if !more {
			return false
		}
	}
	return false
}
