//go:build !linux

package sandbox

const nothing = "this system has neither Landlock nor seccomp"

// Supported reports that there is nothing to restrict a process with.
func Supported() State { return State{Reason: nothing} }

// Restrict does nothing.
func Restrict(Policy, string, []string) (State, error) { return Supported(), nil }

// Entered is false: nothing is executed anew.
func Entered() bool { return false }
