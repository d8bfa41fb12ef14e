package main

import (
	"context"
	"slices"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/tagger"
)

// run tags every text, until the end, the limit or an interruption.
func (j *job) run(ctx context.Context) error {
	return j.each(ctx, func(item tagger.Item, res tagger.Result) error {
		if err := j.begin(); err != nil {
			return err
		}
		if err := j.take(item, res); err != nil {
			return err
		}
		j.progress.add()
		return j.flush()
	})
}

// each tags every text and hands on what became of it.
func (j *job) each(ctx context.Context, f func(tagger.Item, tagger.Result) error) error {
	items, stop := make(chan tagger.Item, readAhead), make(chan struct{})
	defer close(stop)
	if j.texts == nil {
		j.texts = openSource(&j.opts)
	}
	var readErr error // once items is closed
	go func() {
		defer close(items)
		defer j.texts.close()
		readErr = j.texts.each(ctx, func(in dataset.Input, bad *dataset.LineError) (bool, error) {
			if bad == nil {
				j.language.add(in.Text)
			}
			select {
			case items <- tagger.Item{Input: in, Bad: bad}:
				return true, nil
			case <-ctx.Done():
				return false, context.Cause(ctx)
			case <-stop:
				return false, nil
			}
		})
		if readErr == nil {
			j.language.end()
		}
		for ctx.Err() != nil && len(items) > 0 { // an interruption does not wait for these
			select {
			case <-items:
			default:
			}
		}
	}()
	live := slices.ContainsFunc(j.opts.files, func(file string) bool { return !isRegular(file) })
	if err := j.tagger.Run(items, live, f); err != nil {
		return err
	}
	return readErr
}
