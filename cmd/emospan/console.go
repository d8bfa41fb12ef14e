package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// A console is standard error. Messages and the line of progress share it: a message takes the place of that line, which is drawn anew
// below it. Where nobody can read it any more, as once a terminal is closed, what is written to it is lost and the program goes on.
type console struct {
	mu    sync.Mutex
	w     io.Writer
	width func() int // columns of the terminal
	line  int        // columns of the line of progress that stands there, 0 where none does
	open  bool       // a message has not come to its line's end
}

// newConsole writes to a file by a descriptor of its own: a write to descriptor 2 whose reader is gone would end the program.
func newConsole(f *os.File) *console {
	if fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3); err == nil {
		f = os.NewFile(uintptr(fd), f.Name())
	}
	return &console{w: f, width: func() int {
		width, _, err := term.GetSize(int(f.Fd()))
		if err != nil || width <= 0 {
			return 80
		}
		return width
	}}
}

func (c *console) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.erase()
	c.open = len(b) > 0 && b[len(b)-1] != '\n'
	n, err := c.w.Write(b)
	if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.EIO) && isTerminal(c.w) {
		return len(b), nil
	}
	return n, err
}

// draw puts a line of progress below what was written, in place of the one before; an empty one takes it away. The text is ASCII.
func (c *console) draw(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open {
		return
	}
	text = text[:min(len(text), c.width()-1)]
	before := c.line
	c.line = len(text)
	if text == "" {
		c.line = before
		c.erase()
		return
	}
	io.WriteString(c.w, "\r"+text+strings.Repeat(" ", max(0, before-len(text))))
}

// erase works without escape sequences, which not every reader knows.
func (c *console) erase() {
	if c.line > 0 {
		io.WriteString(c.w, "\r"+strings.Repeat(" ", c.line)+"\r")
		c.line = 0
	}
}
