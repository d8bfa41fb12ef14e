package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/emospan/emospan/tagger"
)

// benchRun is what tagging texts in one form, so many at a time, came to. Rates are over Seconds, from the first text to the
// last record, with the model loaded and the shared prompt decoded; shares are of Seconds.
type benchRun struct {
	Test     string `json:"test"` // runTest
	Decode   string `json:"decode"`
	Parallel int    `json:"parallel"`

	Sizes      string      `json:"sizes"` // as tag's --sizes
	TagThreads int         `json:"tag_threads"`
	sizes      engineSizes // all of them

	Records           int     `json:"records"`
	Accepted          int     `json:"accepted"`
	Rejected          int     `json:"rejected"`
	Seconds           float64 `json:"seconds"`
	RecordsPerSecond  float64 `json:"records_per_second"`
	AcceptedPerSecond float64 `json:"accepted_per_second"`

	PromptTokens           int     `json:"prompt_tokens"`
	ForcedTokens           int     `json:"forced_tokens"`
	SampledTokens          int     `json:"sampled_tokens"`
	TokensPerSecond        float64 `json:"tokens_per_second"` // the three together
	PromptTokensPerSecond  float64 `json:"prompt_tokens_per_second"`
	ForcedTokensPerSecond  float64 `json:"forced_tokens_per_second"`
	SampledTokensPerSecond float64 `json:"sampled_tokens_per_second"`
	PromptTokensPerRecord  float64 `json:"prompt_tokens_per_record"`
	ForcedTokensPerRecord  float64 `json:"forced_tokens_per_record"`
	SampledTokensPerRecord float64 `json:"sampled_tokens_per_record"`

	Batches            int     `json:"batches"`
	ForwardedTokens    int     `json:"forwarded_tokens"` // rows of these batches: the last tokens of an answer need no decoding
	ForwardedPerSecond float64 `json:"forwarded_tokens_per_second"`
	ForwardedPerRecord float64 `json:"forwarded_tokens_per_record"`
	ForwardedOfPP512   float64 `json:"forwarded_of_pp512"`       // forwarded_tokens_per_second ÷ pp512
	Limit              float64 `json:"limit_records_per_second"` // pp512 ÷ forwarded_tokens_per_record

	ModelShare    float64 `json:"model_share"`
	MaskShare     float64 `json:"mask_share"`
	SamplingShare float64 `json:"sampling_share"`
	RecordShare   float64 `json:"record_share"` // a text's words, prompt and grammar, its record and the checks
	IdleShare     float64 `json:"idle_share"`   // the rest

	MaskMicrosP50 float64 `json:"mask_us_p50"`
	MaskMicrosP99 float64 `json:"mask_us_p99"`

	LoadSeconds        float64 `json:"load_seconds"`
	PrefixTokens       int     `json:"prefix_tokens"` // of the prompt that all records share
	PrefixSeconds      float64 `json:"prefix_seconds"`
	FirstRecordSeconds float64 `json:"first_record_seconds"` // from before the model was loaded
	PeakRSS            int64   `json:"peak_rss_bytes"`

	machineLoad
}

const (
	runTest    = "tag"
	tuningTest = "tuning"
)

// timedEngine is an engine that notes what its model takes.
type timedEngine struct {
	*engine
	spent         time.Duration // in Decode and waiting for logits
	batches, rows int
}

func (t *timedEngine) reset() { t.spent, t.batches, t.rows = 0, 0, 0 }

func (t *timedEngine) Decode(rows []tagger.Row) error {
	defer t.spend(time.Now())
	t.batches++
	t.rows += len(rows)
	return t.engine.Decode(rows)
}

func (t *timedEngine) Logits(row int) []float32 {
	defer t.spend(time.Now())
	return t.engine.Logits(row)
}

func (t *timedEngine) spend(start time.Time) { t.spent += time.Since(start) }

// tag measures one form in some sizes. It begins no text after so many seconds (0: it begins all), but for as many as go at a time.
func (b *bench) tag(ctx context.Context, decode tagger.Decode, sizes engineSizes, seconds float64) (benchRun, error) {
	parallel := sizes.Parallel
	r := benchRun{Test: runTest, Decode: string(decode), Parallel: parallel, Sizes: sizes.list(), TagThreads: sizes.Threads, sizes: sizes}
	resetPeakRSS()
	start := time.Now()
	e, err := b.open(b.model, sizes)
	if err != nil {
		return r, err
	}
	defer e.Close()
	defer abortWith(ctx, e)()
	r.LoadSeconds = time.Since(start).Seconds()
	model := &timedEngine{engine: e}
	t, err := tagger.New(model, tagger.Options{ModelName: b.model.Name, Prompt: b.prompt, Taxonomy: b.tax, Decode: decode, Priors: true})
	if err != nil {
		return r, err
	}
	r.PrefixTokens, r.PrefixSeconds = t.PrefixTokens(), model.spent.Seconds()
	model.reset()

	began, before := time.Now(), readLoad()
	items, stop := make(chan tagger.Item, 1), make(chan struct{})
	defer close(stop)
	go func() {
		defer close(items)
		for i, in := range b.texts {
			if seconds > 0 && i >= parallel && time.Since(began).Seconds() > seconds || ctx.Err() != nil {
				return
			}
			select {
			case items <- tagger.Item{Input: in}:
			case <-stop:
				return
			}
		}
	}()
	err = t.Run(items, false, func(_ tagger.Item, res tagger.Result) error {
		if r.Records++; r.Records == 1 {
			r.FirstRecordSeconds = time.Since(start).Seconds()
		}
		if res.Record != nil {
			r.Accepted++
		} else {
			r.Rejected++
		}
		return nil
	})
	took := time.Since(began)
	r.machineLoad = readLoad().since(before, sizes.Threads)
	if err := cause(ctx, err); err != nil {
		return r, err
	}
	r.account(t, model, took)
	r.PeakRSS, err = peakRSS()
	return r, err
}

// account fills in what follows from the counts and times of a tagger and its model.
func (r *benchRun) account(t *tagger.Tagger, model *timedEngine, took time.Duration) {
	r.Seconds = took.Seconds()
	r.RecordsPerSecond = ratio(float64(r.Records), r.Seconds)
	r.AcceptedPerSecond = ratio(float64(r.Accepted), r.Seconds)

	total := t.Totals()
	r.PromptTokens, r.ForcedTokens, r.SampledTokens = total.Prompt, total.Forced, total.Sampled
	r.TokensPerSecond = ratio(float64(total.Prompt+total.Forced+total.Sampled), r.Seconds)
	both := func(tokens int) (perSecond, perRecord float64) {
		return ratio(float64(tokens), r.Seconds), ratio(float64(tokens), float64(r.Records))
	}
	r.PromptTokensPerSecond, r.PromptTokensPerRecord = both(total.Prompt)
	r.ForcedTokensPerSecond, r.ForcedTokensPerRecord = both(total.Forced)
	r.SampledTokensPerSecond, r.SampledTokensPerRecord = both(total.Sampled)
	r.Batches, r.ForwardedTokens = model.batches, model.rows
	r.ForwardedPerSecond, r.ForwardedPerRecord = both(model.rows)

	times := t.Times()
	share := func(d time.Duration) float64 { return ratio(d.Seconds(), r.Seconds) }
	r.ModelShare, r.MaskShare = share(model.spent), share(times.Masks)
	r.SamplingShare, r.RecordShare = share(times.Sampling), share(times.Records)
	r.IdleShare = max(0, 1-r.ModelShare-r.MaskShare-r.SamplingShare-r.RecordShare)

	r.MaskMicrosP50 = float64(t.MaskTime(0.5).Nanoseconds()) / 1e3
	r.MaskMicrosP99 = float64(t.MaskTime(0.99).Nanoseconds()) / 1e3
}

// relate compares the run with the rate at which the model takes a prompt, in tokens per second.
func (r *benchRun) relate(promptSpeed float64) {
	r.ForwardedOfPP512 = ratio(r.ForwardedPerSecond, promptSpeed)
	r.Limit = ratio(promptSpeed, r.ForwardedPerRecord)
}

// ratio is a ÷ b, and 0 where there is nothing to divide by: JSON has no number for that.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// resetPeakRSS has peakRSS count from now on, where the kernel lets it.
func resetPeakRSS() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// peakRSS is the most memory that the process had, in bytes: the model's file included where it was read.
func peakRSS() (int64, error) {
	if text, err := os.ReadFile("/proc/self/status"); err == nil {
		for line := range bytes.Lines(text) {
			var kib int64
			if _, err := fmt.Sscanf(string(line), "VmHWM: %d kB", &kib); err == nil {
				return kib << 10, nil
			}
		}
	}
	var usage syscall.Rusage
	err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return usage.Maxrss << 10, err
}
