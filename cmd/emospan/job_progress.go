package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
)

// startProgress has what the run does be shown from now on, and has the first signal be answered.
func (j *job) startProgress(ctx context.Context) {
	o, mode := &j.opts, hidden
	switch {
	case o.progress == "always", o.progress == "auto" && !o.quiet && isTerminal(j.stderr):
		mode = drawn
	case o.progress == "auto" && !o.quiet:
		mode = lines
	}
	j.progress = newProgress(j.stderr, mode)
	answerInterrupt(ctx, j.progress.stopping)
}

// startRecords has finished records be counted.
func (j *job) startRecords() {
	if j.opts.progress == "auto" && j.opts.out == "-" && isTerminal(os.Stdout) {
		j.progress.end() // the records would run into the line
	}
	j.progress.records("tagging", j.tagger.InFlight)
	count := func() {
		if total := j.countTexts(); total >= 0 {
			j.progress.expect(total)
		}
	}
	size := int64(0)
	for _, file := range j.opts.files {
		if info, err := os.Stat(file); err == nil {
			size += info.Size()
		}
	}
	if size <= countAtOnce {
		count()
	} else {
		go count()
	}
}

// countAtOnce is the size of inputs, in bytes, up to which tagging begins when their texts are counted.
const countAtOnce = 16 << 20

// countTexts is how many records there will be, negative where that is not known.
func (j *job) countTexts() (total int) {
	for _, file := range j.opts.files {
		n, ok := countTexts(file, &j.opts)
		if !ok {
			return -1
		}
		total += n
	}
	if j.opts.limit > 0 && total > j.opts.limit {
		total = j.opts.limit
	}
	return j.opts.shard.Size(total) - j.earlier
}

// loadEngine loads the model, unless ctx ends before that is done.
func (j *job) loadEngine(ctx context.Context, m models.Model, g *models.GGUF) (*engine, error) {
	j.progress.phase("loading the model", func() string {
		if loaded := llama.LoadProgress(); loaded > 0 {
			return fmt.Sprintf("%.0f %%", 100*loaded)
		}
		return ""
	})
	stopped := make(chan struct{})
	unset := context.AfterFunc(ctx, func() {
		llama.StopLoading(true)
		close(stopped)
	})
	e, err := loadEngine(m, g, j.sizes)
	if !unset() {
		<-stopped
		llama.StopLoading(false)
		if e != nil {
			err = errors.Join(err, e.Close())
		}
		return nil, errors.Join(stoppedEarly(ctx), err)
	}
	return e, err
}

// readingPrompt is told how much of the prompt the model has read.
func (j *job) readingPrompt(done, total int) {
	j.progress.phase("reading the prompt", func() string { return fmt.Sprintf("%d/%d", done, total) })
}

// stoppedEarly is why a run ended before its first record.
func stoppedEarly(ctx context.Context) error {
	err := context.Cause(ctx)
	if errors.Is(err, errInterrupted) {
		err = fmt.Errorf("%w; nothing was written", err)
	}
	return err
}
