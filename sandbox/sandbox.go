// Package sandbox takes rights from the process that runs a model, as far as the
// kernel allows: with Landlock it reads and writes no files but those that it is
// told of, with seccomp it makes no sockets and starts no programs.
//
// Both must hold for every thread, those of C libraries included. Linux lets a
// thread put itself under Landlock, and the threads that it starts later; all
// threads at once only since ABI 8 (Linux 7.0). A Go program has several threads
// before main, so [Restrict] restricts the one it runs on and has that execute
// the program anew: execve leaves this thread alone, and everything that comes
// after is under Landlock from its first instruction. The seccomp filter comes
// behind that and is set for all threads by the kernel (SECCOMP_FILTER_FLAG_TSYNC).
//
// The system calls of Landlock are made here, through golang.org/x/sys:
// go-landlock would set every thread by signals (libcap's psx), which takes a
// /proc, and ends the process where there is none.
package sandbox

import (
	"fmt"
	"strings"
)

// A Policy names the files that the process may still use. Paths that do not
// exist are passed over.
type Policy struct {
	Read  []string // files, and folders with all that is in them
	Write []string // the same, to be written too; in a folder files may be made, renamed and removed
}

// A State tells what is in force, or could be.
type State struct {
	Landlock int    `json:"landlock"` // ABI of Landlock, 0 where files are not restricted
	Seccomp  bool   `json:"seccomp"`  // sockets and execution are refused
	Reason   string `json:"reason"`   // why not both, empty where both
}

// String says it in a few words.
func (s State) String() string {
	var parts []string
	if s.Landlock > 0 {
		parts = append(parts, fmt.Sprintf("landlock %d", s.Landlock))
	}
	if s.Seccomp {
		parts = append(parts, "seccomp")
	}
	if s.Reason != "" {
		parts = append(parts, s.Reason)
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// because adds a reason.
func (s *State) because(format string, args ...any) {
	if s.Reason != "" {
		s.Reason += "; "
	}
	s.Reason += fmt.Sprintf(format, args...)
}
