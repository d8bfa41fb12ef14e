package main

import (
	"context"
	"fmt"
	"math"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
)

// agreementText is what models are compared on: plain sentences about feelings, as texts to tag are.
const agreementText = `When the letter finally came, she read it twice before she dared to smile. Her brother, who had pretended not to care,
was already dancing around the kitchen table. "I told you they would say yes," he shouted, and for once nobody asked him to be quiet.
Their mother was less certain. She was proud, of course, but the thought of an empty room at the end of the hallway made her throat tighten.
The neighbours complained about the noise again on Sunday. I do not understand why a single song at four in the afternoon is worth such anger.
Last night the old dog did not get up when I opened the door, and we both knew what that meant. The vet was kind, which made it worse.
Thanks for nothing, I wrote to the airline; three hours in a queue, no food, and then a voucher that nobody accepts. What surprised me was
the answer: a real person apologised and sent the money the same week. I was relieved, and a little ashamed of my tone.`

// modelAgreement compares what two models expect after each token of a text.
func modelAgreement(ctx context.Context, before, after string, threads int) (*models.Agreement, error) {
	first, ppl, err := expectations(ctx, before, threads)
	if err != nil {
		return nil, err
	}
	a := &models.Agreement{Tokens: len(first), Before: ppl}
	second, ppl, err := expectations(ctx, after, threads)
	if err != nil {
		return nil, err
	}
	a.After = ppl
	for i := range first {
		if first[i] == second[i] {
			a.Same++
		}
	}
	return a, nil
}

// expectations returns the token that a model finds likeliest after each of the text's but the last, and the perplexity.
func expectations(ctx context.Context, path string, threads int) (likeliest []int32, perplexity float64, err error) {
	m, err := llama.Load(path, llama.LoadOptions{})
	if err != nil {
		return nil, 0, err
	}
	defer m.Close()
	ids, err := m.Tokenize(agreementText, false)
	if err != nil {
		return nil, 0, err
	}
	if bos, ok := m.BOS(); ok {
		ids = append([]int32{bos}, ids...)
	}
	ids = ids[:min(len(ids), 256, m.Info().TrainedSize)]
	if len(ids) < 2 {
		return nil, 0, fmt.Errorf("%s cannot read a text to be compared on", path)
	}
	const rows = 128 // so many logits of the whole vocabulary at a time
	c, err := llama.NewContext(m, llama.ContextOptions{Size: len(ids), Batch: rows, Threads: threads, FlashAttention: -1})
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	var batch llama.Batch
	surprise := 0.0
	for from := 0; from < len(ids)-1; from += rows {
		batch.Reset()
		for i := from; i < min(from+rows, len(ids)-1); i++ {
			batch.Add(ids[i], int32(i), 0, true)
		}
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		if err := c.Decode(&batch); err != nil {
			return nil, 0, err
		}
		for i := range batch.Len() {
			logits := c.Logits(i)
			best, sum := 0, 0.0
			for j, l := range logits {
				if l > logits[best] {
					best = j
				}
			}
			for _, l := range logits {
				sum += math.Exp(float64(l - logits[best]))
			}
			surprise += math.Log(sum) - float64(logits[ids[from+i+1]]-logits[best])
			likeliest = append(likeliest, int32(best))
		}
	}
	return likeliest, math.Exp(surprise / float64(len(likeliest))), nil
}
