package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// The signals that end a run. The first of them lets the records in flight be finished. After that a second SIGINT or SIGTERM ends the
// program at once; SIGHUP and SIGXCPU do not, since a closing terminal sends more than one and the kernel one for each further second.
// SIGQUIT always ends it at once.
var endingSignals = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGXCPU, syscall.SIGQUIT}

// sayWithin bounds how long a terminal that takes nothing, as after Ctrl-S, can hold up the answer to a signal.
const sayWithin = 200 * time.Millisecond

// An interruption tells what the first signal will do.
type interruption struct {
	mu     sync.Mutex
	answer func() string // nil where nothing need be said
}

type interruptionKey struct{}

// answerInterrupt has the first signal answered with a line that f gives, or without one where that is empty. f is called on another
// goroutine.
func answerInterrupt(ctx context.Context, f func() string) {
	if in, ok := ctx.Value(interruptionKey{}).(*interruption); ok {
		in.mu.Lock()
		defer in.mu.Unlock()
		in.answer = f
	}
}

func (in *interruption) line() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.answer == nil {
		return ""
	}
	return in.answer()
}

// interruptible returns a context that the first of the ending signals cancels. A signal that was ignored when the program began, as
// nohup has it for SIGHUP, stays ignored.
func interruptible(stderr io.Writer) (context.Context, func()) {
	in := new(interruption)
	ctx, cancel := context.WithCancelCause(context.WithValue(context.Background(), interruptionKey{}, in))
	signals := make(chan os.Signal, 8)
	for _, s := range endingSignals {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	done := make(chan struct{})
	go func() {
		for first := true; ; {
			select {
			case <-done:
				return
			case s := <-signals:
				switch {
				case s == syscall.SIGQUIT, !first && (s == syscall.SIGINT || s == syscall.SIGTERM):
					sayLine(stderr, "emospan: stopped at once; what was flushed before is whole")
					os.Exit(exitInterrupted)
				case first:
					first = false
					if line := in.line(); line != "" {
						sayLine(stderr, "emospan: "+line)
					}
					cancel(errInterrupted)
				}
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(errors.New("done"))
	}
}

// sayLine writes a line, or gives up waiting for it.
func sayLine(w io.Writer, line string) {
	said := make(chan struct{})
	go func() {
		fmt.Fprintln(w, line)
		close(said)
	}()
	select {
	case <-said:
	case <-time.After(sayWithin):
	}
}
