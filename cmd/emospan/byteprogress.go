package main

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

// A byteProgress is a progress in bytes, of something that is fetched or written.
type byteProgress struct {
	*progress
	done, total, first atomic.Int64 // first: done at the beginning, as where a download goes on
	began              time.Time
}

func newByteProgress(stderr io.Writer, what string) *byteProgress {
	mode := lines
	if isTerminal(stderr) {
		mode = drawn
	}
	p := &byteProgress{progress: newProgress(stderr, mode), began: time.Now()}
	p.first.Store(-1)
	p.phase(what, p.text)
	return p
}

// set says how many bytes there are, of how many: 0 or less where that is not known.
func (p *byteProgress) set(done, total int64) {
	p.done.Store(done)
	p.total.Store(total)
	p.first.CompareAndSwap(-1, done)
}

func (p *byteProgress) text() string {
	done, total, fresh := p.done.Load(), p.total.Load(), p.done.Load()-p.first.Load()
	text := bytesText(done)
	if total > 0 {
		text += "/" + bytesText(total)
	}
	if p.first.Load() < 0 || fresh <= 0 {
		return text
	}
	rate := float64(fresh) / max(time.Since(p.began).Seconds(), 1e-3)
	text += fmt.Sprintf(", %s/s", bytesText(int64(rate)))
	if total > done {
		text += ", " + time.Duration(float64(total-done)/rate*float64(time.Second)).Round(time.Second).String() + " left"
	}
	return text
}
