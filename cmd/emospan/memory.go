package main

import (
	"fmt"
	"math"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
)

// A memoryEstimate is what a model and a context of it take, in bytes. Memory that is reserved counts, though the system
// gives a page of it only when it is first used.
type memoryEstimate struct {
	Weights int64 // the file: mapped, or copied to where they lie as this CPU multiplies fastest
	KV      int64 // keys and values
	Compute int64 // activations; llama.cpp logs it as the compute buffer
	Output  int64 // the logits of one row for each sequence
	Scratch int64 // into which a product of matrices converts its right-hand side
	States  int64 // hidden states of the layers that are read, of a batch's rows and of all texts in the cache
	Total   int64
	GPU     int64 // of the total, in memory of a GPU's own

	Available int64 // when it was estimated: before the model took any
}

// estimateMemory reckons from the header what llama.cpp will allocate for the model and a context, at most. Layers with a
// sliding window count as the others: their cache is as long here. It is an upper bound for architectures in which layers
// share keys and values, or have a state of fixed size instead.
func estimateMemory(g *models.GGUF, o llama.ContextOptions) memoryEstimate {
	d := g.Dimensions()
	size, sequences := o.Size, max(o.Sequences, 1)
	if size == 0 {
		size = g.ContextLength()
	}
	rows := o.Batch
	if rows <= 0 {
		rows = llama.DefaultBatch
	}
	rows = min(size, max(rows, sequences))
	const cellsPad = 256
	pad := func(n int) int { return (n + cellsPad - 1) / cellsPad * cellsPad }
	cells, streams := pad(size), 1 // that a row attends to, and how often there are so many
	if o.SplitKV {
		cells, streams = pad(cells/sequences), sequences
	}

	// What lives at once where most does: while attending, in the feed-forward network, at the output head.
	const half, single = 2, 4
	attention := single * product(rows, 2*d.Embedding+3*d.Queries+2*d.LayerKV)
	if o.FlashAttention > 0 {
		attention += half * product(rows, cells) // the mask
	} else {
		attention += single * product(rows, cells, d.Heads+1) // the scores and the mask
	}
	network := single * product(rows, 2*d.FeedForward+3*d.Embedding)
	head := single * product(rows, d.Vocabulary+3*d.Embedding)
	scratch := half * product(rows, max(d.FeedForward, d.Queries, d.Embedding))
	if o.FlashAttention <= 0 {
		scratch = max(scratch, half*product(rows, cells, d.Heads))
	}
	e := memoryEstimate{
		Weights: g.Size(), KV: whole(numberSize(o.KV) * product(d.KV, cells, streams)), Compute: whole(max(attention, network, head)),
		Output: whole(single * product(d.Vocabulary, sequences)), Scratch: whole(scratch),
	}
	e.States = whole(single * product(rows+size, d.Embedding, len(o.Layers)))
	e.Total = whole(float64(e.Weights) + float64(e.KV) + float64(e.Compute) + float64(e.Output) + float64(e.Scratch) + float64(e.States))
	return e
}

// numberSize is what a cached number takes, in bytes.
func numberSize(t llama.KVType) float64 {
	switch t {
	case llama.KVQ8:
		return 34.0 / 32
	case llama.KVF32:
		return 4
	}
	return 2
}

// product multiplies without overflow, which a damaged header could make happen.
func product(numbers ...int) float64 {
	p := 1.0
	for _, n := range numbers {
		p *= float64(n)
	}
	return p
}

func whole(x float64) int64 {
	if x >= math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(x)
}

// String says what takes how much.
func (e memoryEstimate) String() string {
	return fmt.Sprintf("%s (weights %s, KV cache %s, buffers %s)", bytesText(e.Total), bytesText(e.Weights), bytesText(e.KV),
		bytesText(e.Total-e.Weights-e.KV))
}

// estimateRun is what decoding in these sizes takes where so much memory is available.
func estimateRun(g *models.GGUF, sizes engineSizes, available int64) memoryEstimate {
	e := estimateMemory(g, contextOptions(g.ContextLength(), sizes))
	e.Available = available
	if sizes.gpu != nil && ownMemory(sizes.gpu) {
		e.GPU = min(offloaded(g, sizes, available).Moved, e.Weights+e.KV)
	}
	return e
}

// here is what of it is taken of the machine's memory.
func (e memoryEstimate) here() int64 { return e.Total - e.GPU }

// checkMemory estimates what decoding in these sizes takes. It refuses what does not fit the bytes available and
// says what would.
func checkMemory(name string, g *models.GGUF, sizes engineSizes, available int64) (memoryEstimate, error) {
	e := estimateRun(g, sizes, available)
	if e.here() <= available {
		return e, nil
	}
	next := "use a smaller model, or one in a format of fewer bits (emospan models convert)"
	for p := sizes.Parallel - 1; p > 0; p-- {
		if estimateRun(g, sizes.with(p), available).here() <= available {
			next = fmt.Sprintf("--parallel %d fits", p)
			break
		}
	}
	return e, fmt.Errorf("%s takes %s and %s of memory is available; %s", name, e, bytesText(available), next)
}
