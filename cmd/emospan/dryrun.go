package main

import (
	"context"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/tagger"
)

// dryRunSample is how many texts --dry-run tags to measure the time that one takes.
const dryRunSample = 32

// A dryRun counts what a run would do, and tags a few texts to tell how long it would take.
type dryRun struct {
	memory               memoryEstimate
	device               string
	offload              offload
	language             *languageCheck
	records, bad, tokens int
	sampled              int
	sampleTokens         int
	sampleTime           time.Duration
}

// count reads every text as the run would, without writing anything, and tags the first.
func (d *dryRun) count(ctx context.Context, t *tagger.Tagger, o *tagOptions) error {
	sample := make(chan tagger.Item, dryRunSample)
	err := eachText(ctx, o, func(in dataset.Input, bad *dataset.LineError) (bool, error) {
		d.records++
		if bad != nil {
			d.bad++
			return true, nil
		}
		d.language.add(in.Text)
		tokens, err := t.TextTokens(in)
		if err != nil {
			return false, err
		}
		d.tokens += tokens
		if d.sampled < dryRunSample {
			d.sampled++
			d.sampleTokens += tokens
			sample <- tagger.Item{Input: in}
		}
		return true, nil
	})
	close(sample)
	if err != nil {
		return err
	}
	d.language.end()
	start := time.Now()
	err = t.Run(sample, false, func(tagger.Item, tagger.Result) error { return context.Cause(ctx) })
	d.sampleTime = time.Since(start)
	return err
}

func (d *dryRun) print(out io.Writer) error {
	if d.records == 0 {
		return dataError("no texts; name a file with one text a line, JSON lines, or a table with a column of texts")
	}
	fmt.Fprintf(out, "records  %d, of which %d lines cannot be read and would be rejected\n", d.records, d.bad)
	fmt.Fprintf(out, "tokens   %d in the texts and what the chat template puts around them\n", d.tokens)
	if d.sampleTokens > 0 {
		estimate := time.Duration(float64(d.sampleTime) * float64(d.tokens) / float64(d.sampleTokens))
		fmt.Fprintf(out, "measured %d texts: %.2f records/s\n", d.sampled, float64(d.sampled)/d.sampleTime.Seconds())
		fmt.Fprintf(out, "time     about %s for all\n", estimate.Round(time.Second))
	}
	if d.offload.Layers > 0 {
		fmt.Fprintf(out, "device   %s: %s, %s of its memory\n", printable(d.device), d.offload, bytesText(d.offload.Bytes))
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "memory   up to %s; %s was available, %s was used at the peak so far\n", d.memory, bytesText(d.memory.Available), bytesText(usage.Maxrss*1024))
	return err
}
