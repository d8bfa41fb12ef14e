package corpus

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// maxFaults is how many lines at fault are named.
const maxFaults = 20

// Error says what is wrong with a line, and what to do.
type Error struct {
	File   string
	Line   int // from 1
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason) }

// faults collects the errors of lines.
type faults struct {
	list []error
	more int // that are not in the list
}

func (f *faults) add(err *Error) {
	if len(f.list) == maxFaults {
		f.more++
		return
	}
	f.list = append(f.list, err)
}

func (f *faults) err() error {
	if f.more > 0 {
		return errors.Join(append(f.list, fmt.Errorf("%d more lines are at fault; mend these first", f.more))...)
	}
	return errors.Join(f.list...)
}

// shorten cuts what an error shows of a line.
func shorten(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	end := most
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
