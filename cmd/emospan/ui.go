package main

// What the program says, and where.
//
// Data goes to standard output or to --out, everything else to standard error. An error is one line: what is wrong, then,
// after a semicolon, what to do. Progress and colour appear only where standard error is a terminal, NO_COLOR switches
// colour off, and text from records is stripped of control characters before it is shown; data too where standard output is a
// terminal.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/emospan/emospan/dataset"
	"golang.org/x/term"
)

// Exit codes.
const (
	exitDone        = 0
	exitData        = 1 // the data is at fault
	exitUsage       = 2
	exitUnusable    = 3 // the model, device or a file cannot be used
	exitInterrupted = 130
)

var errInterrupted = errors.New("interrupted")

// codeError is an error that has an exit code of its own; other errors exit with exitUnusable.
type codeError struct {
	code int
	err  error
}

func (e *codeError) Error() string { return e.err.Error() }
func (e *codeError) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &codeError{exitUsage, fmt.Errorf(format, args...)}
}

func dataError(format string, args ...any) error {
	return &codeError{exitData, fmt.Errorf(format, args...)}
}

func exitCode(err error) int {
	var coded *codeError
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &coded):
		return coded.code
	case errors.Is(err, dataset.ErrArrayCut):
		return exitData
	}
	return exitUnusable
}

// oneLine keeps a message to one line of printable text, whatever a library put into it.
func oneLine(s string) string {
	return printable(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; "))
}

// printable replaces what could steer a terminal: control and invisible format characters, but for the joiners of emoji. Bytes that are
// not UTF-8, as names of files may have, are written as \xff.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\u200d' || unicode.IsGraphic(r) {
			return r
		}
		if unicode.IsSpace(r) {
			return ' '
		}
		return unicode.ReplacementChar
	}, dataset.ShownName(s))
}

func isTerminal(w any) bool {
	if out, ok := w.(*checkedOutput); ok {
		w = out.w
	}
	if c, ok := w.(*console); ok {
		w = c.w
	}
	if _, ok := w.(*terminal); ok {
		return true
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colour reports whether to colour what is written to w.
func colour(w any) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(w)
}

// printJSON writes v indented, for --json.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// printJSONLine writes v on one line.
func printJSONLine(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// plural writes a number of things.
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// bytesText writes a size in binary units.
func bytesText(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, exp := float64(n), -1
	for value >= unit && exp < 4 {
		value /= unit
		exp++
	}
	return fmt.Sprintf("%.1f %ciB", value, "KMGTP"[exp])
}
