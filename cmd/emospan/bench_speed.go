package main

import (
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/emospan/emospan/llama"
)

// A speedTest passes tokens drawn by lot through the model, so many in each batch, as llama-bench's test of that name does.
type speedTest struct {
	name          string
	tokens, batch int
}

var speedTests = []speedTest{{"pp512", 512, 512}, {"tg128", 128, 1}}

// promptTest is the test to whose rate that of tagging is compared.
const promptTest = "pp512"

// speedBatch is the most tokens of one batch, llama-bench's default for its -ub.
const speedBatch = 512

// benchSpeed is what one test came to: mean and sample standard deviation over its repetitions.
type benchSpeed struct {
	Test              string  `json:"test"`
	Repeats           int     `json:"repeats"`
	TokensPerSecond   float64 `json:"tokens_per_second"`
	TokensPerSecondSD float64 `json:"tokens_per_second_sd"`
	machineLoad
}

// measureSpeeds runs the speed tests with the attention that tagging uses, and notes that as llama-bench's -fa does, and the device.
func (b *bench) measureSpeeds(ctx context.Context, r *benchReport) error {
	e, err := b.open(b.model, oneRecord(b.opts.threads))
	if err != nil {
		return err
	}
	defer e.Close()
	r.Device, r.GPULayers = gpuName(e.sizes.gpu), e.offload.Layers
	o := llama.ContextOptions{Batch: speedBatch, Threads: b.opts.threads, FlashAttention: e.context.Options().FlashAttention}
	r.FlashAttention = flashName(o.FlashAttention)
	e.context.Close() // its memory; each test has a context of its own
	for _, test := range speedTests {
		b.say("%s: once to warm up, then %s", test.name, plural(b.opts.repeats, "time"))
		before := readLoad()
		rates, err := test.run(ctx, e.Model, o, b.opts.repeats)
		if err != nil {
			return err
		}
		s := benchSpeed{Test: test.name, Repeats: len(rates)}
		s.machineLoad = readLoad().since(before, o.Threads)
		s.TokensPerSecond, s.TokensPerSecondSD = meanSD(rates)
		b.say("%.2f ± %.2f tokens/s", s.TokensPerSecond, s.TokensPerSecondSD)
		r.Speeds = append(r.Speeds, s)
	}
	return nil
}

func flashName(setting int) string {
	switch {
	case setting < 0:
		return "off"
	case setting > 0:
		return "on"
	}
	return "auto"
}

// run warms up and returns the tokens per second of each repetition.
func (test speedTest) run(ctx context.Context, m *llama.Model, o llama.ContextOptions, repeats int) ([]float64, error) {
	o.Size = test.tokens
	c, err := llama.NewContext(m, o)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	defer abortWith(ctx, c)()
	rng := rand.New(rand.NewPCG(1, 2))
	if err := test.pass(c, test.batch, rng); err != nil { // a whole prompt, or one token
		return nil, err
	}
	var rates []float64
	for range repeats {
		c.ClearKV()
		start := time.Now()
		if err := test.pass(c, test.tokens, rng); err != nil {
			return nil, err
		}
		rates = append(rates, float64(test.tokens)/time.Since(start).Seconds())
	}
	return rates, ctx.Err()
}

// pass decodes so many tokens into an empty cache: the model's first one where it has such, then any. Each batch has logits
// for its last, which are waited for.
func (test speedTest) pass(c *llama.Context, tokens int, rng *rand.Rand) error {
	vocabSize := int32(c.Model().VocabSize())
	bos, hasBOS := c.Model().BOS()
	var batch llama.Batch
	for at := 0; at < tokens; at += test.batch {
		batch.Reset()
		for i := range test.batch {
			token := rng.Int32N(vocabSize)
			if hasBOS && at+i == 0 {
				token = bos
			}
			batch.Add(token, int32(at+i), 0, i == test.batch-1)
		}
		if err := c.Decode(&batch); err != nil {
			return err
		}
		c.Logits(test.batch - 1)
	}
	return nil
}

// meanSD returns mean and sample standard deviation; that of a single value is 0.
func meanSD(values []float64) (mean, sd float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	if len(values) < 2 {
		return mean, 0
	}
	for _, v := range values {
		sd += (v - mean) * (v - mean) / float64(len(values)-1)
	}
	return mean, math.Sqrt(sd)
}
