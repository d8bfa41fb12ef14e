package validate

import (
	"fmt"
	"io"
	"sync"

	"github.com/emospan/emospan/dataset"
)

const (
	batchBytes = 64 << 10 // of lines, beyond which a batch takes no more
	batchLines = 512
	keepBytes  = 1 << 20 // a batch that grew beyond this is not used again
)

// batch is a run of lines, or of values that lie otherwise, which one worker checks at a time. Its memory is
// used again for the lines to come.
type batch struct {
	text    []byte // the lines, end to end
	results []Result
	records []dataset.Record // of the results
	ends    []int            // of the lines in text, -1 for one that was too long
	places  []int            // of the lines in the stream
	err     error            // behind these lines the stream ends so
	checked chan struct{}    // a worker is done with it
}

// fill reads lines, no more than can be had without waiting once there is one.
func (b *batch) fill(lines *dataset.JSONReader, name string) {
	b.text, b.ends, b.places, b.err = b.text[:0], b.ends[:0], b.places[:0], nil
	for {
		raw, err := lines.Next()
		switch {
		case err == io.EOF:
			b.err = io.EOF
			return
		case err == dataset.ErrLineTooLong:
			b.ends = append(b.ends, -1)
		case err != nil:
			b.err = fmt.Errorf("%s: %w", lines.At(name), err)
			return
		default:
			b.text = append(b.text, raw...)
			b.ends = append(b.ends, len(b.text))
		}
		b.places = append(b.places, lines.Line())
		if len(b.text) >= batchBytes || len(b.ends) == batchLines || !lines.Ready() {
			return
		}
	}
}

// check makes the results of the lines.
func (b *batch) check(tax *dataset.Taxonomy, fix bool, maxLine int) {
	if n := len(b.ends) - len(b.records); n > 0 {
		b.records = append(b.records, make([]dataset.Record, n)...)
	}
	b.results = b.results[:0]
	start := 0
	for i, end := range b.ends {
		res := Result{Line: b.places[i]}
		if end < 0 {
			res.Problems = []Problem{{Code: CodeLineTooLong, Expected: fmt.Sprintf("at most %d bytes", maxLine), Found: "more"}}
		} else {
			res.Raw = b.text[start:end:end]
			res.check(&b.records[i], tax, fix)
			start = end
		}
		b.results = append(b.results, res)
	}
}

// pipeline has lines read by one goroutine, checked by some, and handed back
// in the order they were read.
type pipeline struct {
	free, work, ordered chan *batch
	stop                chan struct{}
	workers             sync.WaitGroup
}

func newPipeline(lines *dataset.JSONReader, tax *dataset.Taxonomy, opts *StreamOptions) *pipeline {
	batches := 2*opts.Workers + 1 // one being read and one being handed back beside those being checked
	p := &pipeline{
		free: make(chan *batch, batches), work: make(chan *batch, batches), ordered: make(chan *batch, batches),
		stop: make(chan struct{}),
	}
	for range batches {
		p.free <- newBatch()
	}
	go p.read(lines, opts.Name)
	for range opts.Workers {
		p.workers.Add(1)
		go func() {
			defer p.workers.Done()
			for {
				select {
				case b := <-p.work:
					b.check(tax, opts.Fix, lines.Max())
					b.checked <- struct{}{}
				case <-p.stop:
					return
				}
			}
		}()
	}
	return p
}

func newBatch() *batch { return &batch{checked: make(chan struct{}, 1)} }

// read sends batches until one ends the stream. The channels hold all batches
// there are, so it waits for nothing but a free one and the source.
func (p *pipeline) read(lines *dataset.JSONReader, name string) {
	for {
		select {
		case b := <-p.free:
			b.fill(lines, name)
			last := b.err != nil
			p.ordered <- b
			p.work <- b
			if last {
				return
			}
		case <-p.stop:
			return
		}
	}
}

// release gives a batch back for other lines.
func (p *pipeline) release(b *batch) {
	if cap(b.text) > keepBytes {
		b = newBatch()
	}
	p.free <- b
}

// close ends the goroutines. It does not wait for one that waits for the source.
func (p *pipeline) close() {
	close(p.stop)
	p.workers.Wait()
}
