package main

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar is a progress bar, or nothing where none is wanted.
type bar struct{ p *progressbar.ProgressBar }

// newRecordBar shows records done, their rate and the time left; total is negative where it is not known.
func newRecordBar(w io.Writer, total int) bar {
	b := bar{progressbar.NewOptions(total,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("tagging"), progressbar.OptionShowCount(),
		progressbar.OptionShowIts(), progressbar.OptionSetItsString("records"), progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetWidth(24), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
	)}
	_ = b.p.RenderBlank() // its clock starts here, not after the first record
	return b
}

// newByteBar shows bytes fetched, where w is a terminal.
func newByteBar(w io.Writer, what string) bar {
	if !isTerminal(w) {
		return bar{}
	}
	return bar{progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what), progressbar.OptionShowBytes(true),
		progressbar.OptionSetPredictTime(true), progressbar.OptionSetWidth(24), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)}
}

func (b bar) add() {
	if b.p != nil {
		_ = b.p.Add(1)
	}
}

func (b bar) set(done, total int64) {
	if b.p != nil {
		if b.p.GetMax64() != total {
			b.p.ChangeMax64(total)
		}
		_ = b.p.Set64(done)
	}
}

// clear takes the bar off the screen, so that a line can be written in its place.
func (b bar) clear() {
	if b.p != nil {
		_ = b.p.Clear()
	}
}
