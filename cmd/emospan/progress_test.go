package main

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestProgressLines: without a terminal a line a minute, of the phase and then of records, at a rate that comes from finished ones; none
// of a run that waits for texts.
func TestProgressLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedText
		var flying atomic.Int64
		flying.Store(2)
		p := newProgress(&out, lines)
		want := func(after time.Duration, line string) {
			t.Helper()
			out.Reset()
			time.Sleep(after)
			synctest.Wait()
			if out.String() != line {
				t.Errorf("it says %q, want %q", out.String(), line)
			}
		}
		p.phase("loading the model", nil)
		want(59500*time.Millisecond, "") // so that nothing happens just when a line is due
		want(2*time.Second, "emospan: loading the model, 1m0s\n")
		p.phase("reading the prompt", func() string { return "200/537" })
		want(time.Minute, "emospan: reading the prompt 200/537, 58s\n")
		p.records("tagging", func() int { return int(flying.Load()) })
		p.expect(100)
		want(time.Minute, "emospan: tagging 0/100 records, 58s\n")
		time.Sleep(60 * time.Second) // the first record takes two minutes
		p.add()
		want(time.Minute, "emospan: tagging 1/100 records, 0.50 records/min, 3h18m0s left\n")
		time.Sleep(59 * time.Second)
		for range 39 {
			p.add()
		}
		want(time.Minute, "emospan: tagging 40/100 records, 0.17 records/s, 5m59s left\n")
		want(time.Minute, "emospan: tagging 40/100 records, 0.17 records/s, 5m59s left\n")
		flying.Store(0)
		want(10*time.Minute, "")
		p.end()
		p.end()
		want(time.Hour, "")
	})
}

// TestProgressDrawn: a line that is there at once, makes room for messages, and is gone at the end.
func TestProgressDrawn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out lockedText
		c := &console{w: &out, width: func() int { return 60 }}
		p := newProgress(c, drawn)
		p.phase("loading the model", nil)
		if got := shownLine(out.String()); got != "loading the model" {
			t.Errorf("at once it shows %q", got)
		}
		p.records("tagging", func() int { return 16 })
		p.expect(8)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if got, want := shownLine(out.String()), "tagging 0/8 records [------------------------], 3s"; got != want {
			t.Errorf("before the first record it shows %q, want %q", got, want)
		}
		for range 4 {
			time.Sleep(time.Second)
			p.add()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got, want := shownLine(out.String()), "tagging 4/8 records [############------------], 0.57 record"; got != want {
			t.Errorf("it shows %q, want %q", got, want)
		}
		if got := p.stopping(); got != "finishing 16 records; again to stop now" {
			t.Errorf("a signal is answered by %q", got)
		}
		out.Reset()
		c.Write([]byte("half a "))
		time.Sleep(time.Second)
		synctest.Wait()
		c.Write([]byte("message\n"))
		if got := out.String(); got != "\r"+strings.Repeat(" ", 59)+"\rhalf a message\n" {
			t.Errorf("a message comes as %q", got)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		p.end()
		if got := shownLine(out.String()); got != "" {
			t.Errorf("at the end it shows %q", got)
		}
	})
}

// lockedText is a strings.Builder for several goroutines.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lockedText) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// shownLine is what a terminal has on its last line.
func shownLine(text string) string {
	text = text[strings.LastIndex(text, "\n")+1:]
	var line []byte
	for part := range strings.SplitSeq(text, "\r") {
		copy(line, part)
		if len(part) > len(line) {
			line = append(line, part[len(line):]...)
		}
	}
	return strings.TrimRight(string(line), " ")
}
