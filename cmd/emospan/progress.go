package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

const (
	drawEvery = 200 * time.Millisecond // in a terminal
	lineEvery = time.Minute            // elsewhere
	barWidth  = 24
)

// How a progress is shown.
type progressMode int

const (
	hidden progressMode = iota
	drawn               // a line that is drawn again and again
	lines               // a line a minute
)

// A progress says what a run is doing: the phases up to its first record, then how many are finished, at what rate, and how long the
// others will take. Rate and time left come from finished records alone. Its methods may be called from any goroutine, and on nil, which
// shows nothing.
type progress struct {
	out *console // where it is drawn
	w   io.Writer

	mu       sync.Mutex
	mode     progressMode
	what     string        // the phase
	part     func() string // how far it is, nil where that is not known
	since    time.Time     // the phase's beginning
	counted  bool          // records are counted
	done     int           // records
	total    int           // negative where it is not known
	finished time.Time     // when the last of them was
	inFlight func() int    // records, nil before any can be
	shown    string        // the last line
	tick     *time.Ticker
	stop     chan struct{}
}

// newProgress shows nothing before the first phase. stderr is the console, unless a test puts something else there.
func newProgress(stderr io.Writer, mode progressMode) *progress {
	p := &progress{w: stderr, mode: mode, total: -1, stop: make(chan struct{})}
	p.out, _ = stderr.(*console)
	if p.out == nil && mode == drawn {
		p.out = &console{w: stderr, width: func() int { return 80 }}
	}
	every := lineEvery
	if mode == drawn {
		every = drawEvery
	}
	if mode != hidden {
		p.tick = time.NewTicker(every)
		go p.run()
	}
	return p
}

func (p *progress) run() {
	for {
		select {
		case <-p.stop:
			return
		case <-p.tick.C:
			p.mu.Lock()
			p.show()
			p.mu.Unlock()
		}
	}
}

// phase begins another phase. part, where there is one, tells how far it is: it is called on another goroutine.
func (p *progress) phase(what string, part func() string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.what != what {
		p.what, p.since = what, time.Now()
	}
	p.part = part
	p.redraw()
}

// records begins the phase in which records are finished. inFlight tells how many are begun and not finished.
func (p *progress) records(what string, inFlight func() int) {
	if p == nil {
		return
	}
	p.phase(what, nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counted, p.inFlight = true, inFlight
	p.redraw()
}

// expect says how many records there will be.
func (p *progress) expect(total int) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total = total
	p.redraw()
}

// add counts a finished record.
func (p *progress) add() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.finished = time.Now()
	if p.done == 1 {
		p.redraw()
	}
}

// end takes its line off the screen, for good. A first signal is answered all the same.
func (p *progress) end() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mode == drawn {
		p.out.draw("")
	}
	if p.mode != hidden {
		p.tick.Stop()
		close(p.stop)
	}
	p.mode = hidden
}

// redraw shows a change at once where lines are drawn.
func (p *progress) redraw() {
	if p.mode == drawn {
		p.show()
	}
}

// show draws the line, or writes one where the last is another or time goes by.
func (p *progress) show() {
	switch p.mode {
	case drawn:
		p.out.draw(p.text(true))
	case lines:
		waiting := p.counted && p.done > 0 && p.inFlight != nil && p.inFlight() == 0
		if text := p.text(false); !waiting || text != p.shown {
			p.shown = text
			fmt.Fprintln(p.w, "emospan:", text)
		}
	}
}

// text is the line; with a bar where it is drawn and the end is known.
func (p *progress) text(bar bool) string {
	if !p.counted {
		text := p.what
		if p.part != nil {
			if part := p.part(); part != "" {
				text += " " + part
			}
		}
		if spent := time.Since(p.since).Truncate(time.Second); spent > 0 {
			text += ", " + spent.String()
		}
		return text
	}
	count := plural(p.done, "record")
	if p.total >= 0 {
		count = fmt.Sprintf("%d/%s", p.done, plural(p.total, "record"))
	}
	text := p.what + " " + count
	if bar && p.total > 0 {
		full := min(barWidth, barWidth*p.done/p.total)
		text += " [" + strings.Repeat("#", full) + strings.Repeat("-", barWidth-full) + "]"
	}
	if p.done == 0 {
		if spent := time.Since(p.since).Truncate(time.Second); spent > 0 {
			text += ", " + spent.String()
		}
		return text
	}
	rate := float64(p.done) / max(p.finished.Sub(p.since).Seconds(), 1e-3)
	text += ", " + rateText(rate)
	if left := p.total - p.done; p.total >= 0 && left > 0 {
		text += ", " + (time.Duration(float64(left) / rate * float64(time.Second))).Round(time.Second).String() + " left"
	}
	return text
}

// rateText writes a rate in the unit that gives it digits.
func rateText(perSecond float64) string {
	switch {
	case perSecond >= 100:
		return fmt.Sprintf("%.0f records/s", perSecond)
	case perSecond >= 0.1:
		return fmt.Sprintf("%.2f records/s", perSecond)
	}
	return fmt.Sprintf("%.2f records/min", 60*perSecond)
}

// stopping says what the first signal will do, nothing where that is done at once.
func (p *progress) stopping() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inFlight == nil {
		return "interrupted while " + p.what + ": no record is begun; again to stop now"
	}
	n := p.inFlight()
	if n == 0 {
		return ""
	}
	text := fmt.Sprintf("finishing %s; again to stop now", plural(n, "record"))
	p.what = "finishing"
	return text
}
