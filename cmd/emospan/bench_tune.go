package main

import (
	"context"

	"github.com/emospan/emospan/tagger"
)

// tuneSizes tries changes of the fastest of the first form's runs, one after the other, and goes on from each that is
// faster. (How many records at a time was the sweep's to find.) The format of the cache is not among them: it changes
// what is computed.
func (b *bench) tuneSizes(ctx context.Context, r *benchReport) error {
	best := r.Runs[0]
	for _, run := range r.Runs {
		if run.Decode == best.Decode && run.RecordsPerSecond > best.RecordsPerSecond {
			best = run
		}
	}
	for _, change := range []func(*engineSizes){
		func(s *engineSizes) { s.Split = !s.Split && s.Parallel > 1 },
		func(s *engineSizes) { s.Flash = !s.Flash },
		func(s *engineSizes) { s.Batch = 64 },
		func(s *engineSizes) { s.Batch = 512 },
		func(s *engineSizes) {
			if b.opts.anyThreads { // a thread for each core, where the processors are twice as many
				s.Threads = max(1, s.Threads/2)
			}
		},
	} {
		sizes := best.sizes
		change(&sizes)
		if sizes == best.sizes || !b.fits(sizes) {
			continue
		}
		run, err := b.run(ctx, tagger.Decode(best.Decode), sizes, b.opts.seconds/2, r.promptSpeed())
		if err != nil {
			return err
		}
		run.Test = tuningTest
		r.Tuning = append(r.Tuning, run)
		if run.RecordsPerSecond > best.RecordsPerSecond {
			best = run
		}
	}
	return nil
}

func (b *bench) fits(s engineSizes) bool {
	g, err := openModel(b.model)
	if err != nil {
		return false
	}
	defer g.Close()
	return fitting(g, s, availableMemory()) == s.Parallel
}
