//go:build cgo

package llama

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// someTokens are the tokens of a text that no other seed has.
func someTokens(m *Model, seed, n int) []int32 {
	ids := make([]int32, n)
	for i := range ids {
		ids[i] = int32((1009*seed + 7919*i*i + 31*i) % m.VocabSize())
	}
	return ids
}

// relativeError is the distance of two vectors over the length of the second.
func relativeError(got []float32, want []float64) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	var distance, length float64
	for i, w := range want {
		distance += (float64(got[i]) - w) * (float64(got[i]) - w)
		length += w * w
	}
	return math.Sqrt(distance / length)
}

// interleavings are orders in which rows of sequences lie in a batch: each names sequences, one for each row.
var interleavings = map[string][]int32{
	"one":                {0, 0, 0, 0, 0},
	"one row":            {3},
	"one after another":  {0, 0, 0, 0, 1, 1, 2, 2, 2},
	"in turn":            {0, 1, 2, 3, 0, 1, 2, 3},
	"backwards":          {3, 3, 2, 1, 1, 1, 0, 0},
	"with gaps":          {2, 0, 2, 3, 0, 0, 2, 2, 3, 0},
	"of unequal lengths": {1, 0, 1, 3, 1, 2, 1, 1, 3, 1, 0, 1},
	"a gap that closes":  {0, 2, 2, 1, 0, 2, 1, 2},
}

// The states are those of a forward pass that is computed here, after each layer and for each row, however the rows of several sequences lie
// in the batch, after prefixes of other lengths, whatever is wanted, with one cache and with several.
func TestStatesAgainstReference(t *testing.T) {
	path, reference := newReferenceModel(t)
	m := load(t, path, LoadOptions{})
	const sequences = 4
	texts := make([][]int32, sequences)
	want := make([][][][]float64, sequences)
	for q := range texts {
		texts[q] = someTokens(m, q+1, 30)
		want[q] = reference.states(texts[q])
	}
	// After 22 tokens these two have the same, whose states their prefixes alone tell apart.
	copy(texts[1][22:], texts[0][22:])
	want[1] = reference.states(texts[1])
	for layer, states := range want[0] {
		if e := relativeError(float32s(states[25]), want[1][layer][25]); e < 0.02 {
			t.Fatalf("layer %d: sequences with other prefixes differ by %g only", layer, e)
		}
	}
	for _, o := range []ContextOptions{
		{KV: KVF32, FlashAttention: -1, Layers: []int{0, 1, 2}, Threads: 2},
		{KV: KVF32, FlashAttention: -1, Layers: []int{2, 0}, SplitKV: true},
		{KV: KVF32, FlashAttention: 1, Layers: []int{1}, SplitKV: true, Threads: 3},
	} {
		tolerance := 1e-5
		if o.FlashAttention > 0 {
			tolerance = 5e-3 // it computes with numbers of 16 bits
		}
		o.Size, o.Sequences = 1024, sequences
		c := newContext(t, m, o)
		for name, rows := range interleavings {
			for _, prefixes := range [][]int32{{0, 0, 0, 0}, {5, 5, 5, 5}, {1, 18, 7, 12}, {22, 22, 22, 22}} {
				c.ClearKV()
				var b Batch
				at := slices.Clone(prefixes)
				for q, n := range prefixes {
					for position, id := range texts[q][:n] {
						b.Add(id, int32(position), int32(q), false)
					}
				}
				if b.Len() > 0 {
					if err := c.Decode(&b); err != nil {
						t.Fatal(err)
					}
					b.Reset()
				}
				for i, q := range rows {
					b.Add(texts[q][at[q]], at[q], q, i%3 == 2)
					at[q]++
				}
				if err := c.Decode(&b); err != nil {
					t.Fatalf("%s after %v: %v", name, prefixes, err)
				}
				for _, layer := range o.Layers {
					for row, q := range rows {
						if e := relativeError(c.States(layer, row), want[q][layer][b.Positions[row]]); !(e < tolerance) {
							t.Fatalf("%+v, %s after %v: layer %d, row %d is off by %g", o, name, prefixes, layer, row, e)
						}
					}
				}
			}
		}
	}
}

// What there is not gives an error or nil.
func TestStatesThatAreNot(t *testing.T) {
	m := load(t, tinyModel(t), LoadOptions{})
	for _, test := range []struct {
		layers []int
		want   string
	}{
		{[]int{-1}, "the model's layers are 0 to 1"},
		{[]int{0, 2}, "no layer 2"},
		{[]int{0, 0}, "asked for twice"},
		{[]int{1}, "layer 1 for wanted rows alone"},
		{[]int{math.MaxInt}, "no layer 9223372036854775807"},
	} {
		c, err := NewContext(m, ContextOptions{Size: 128, Layers: test.layers})
		if err == nil {
			c.Close()
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("layers %v: error %v, want one with %q", test.layers, err, test.want)
		}
	}
	if m.contexts != 0 {
		t.Errorf("%d contexts still hold the model", m.contexts)
	}

	plain := newContext(t, m, ContextOptions{Size: 128})
	decode(t, plain, 0, 0, []int32{1, 2, 3})
	if plain.States(0, 0) != nil {
		t.Error("a context without layers has states")
	}

	TakeLog()
	c := newContext(t, m, ContextOptions{Size: 128, Batch: 2, Sequences: 2, Layers: []int{0}})
	for _, line := range TakeLog() {
		if line.Level == 'E' || strings.Contains(line.Text, "decode") || strings.Contains(line.Text, "removing") {
			t.Errorf("making a context with layers logs %q", line.Text)
		}
	}
	if c.BatchSize() != 4 {
		t.Errorf("a batch of %d rows", c.BatchSize())
	}
	newContext(t, m, ContextOptions{Size: 1, Layers: []int{0}}) // with room for the trial
	gone := func(when string) {
		t.Helper()
		for _, row := range []int{-1, 0, 1, 2, 3} {
			if c.States(0, row) != nil {
				t.Errorf("%s row %d has states", when, row)
			}
		}
	}
	gone("before a batch")
	decode(t, c, 0, 0, []int32{1, 2, 3})
	for _, place := range [][2]int{{0, -1}, {0, 3}, {1, 0}, {-1, 0}, {0, math.MaxInt}} {
		if c.States(place[0], place[1]) != nil {
			t.Errorf("there are states of layer %d, row %d", place[0], place[1])
		}
	}
	if s := c.States(0, 2); len(s) != m.Info().Embedding || cap(s) != len(s) {
		t.Errorf("states of length %d", len(s))
	}

	var b Batch
	b.Add(4, 3, 0, true)
	c.Abort(true)
	if err := c.Decode(&b); !errors.Is(err, ErrAborted) {
		t.Errorf("an aborted Decode gave %v", err)
	}
	gone("after an aborted Decode")
	c.Abort(false)
	decode(t, c, 0, 3, []int32{4})
	if c.States(0, 0) == nil {
		t.Error("no states after the Decode that follows an aborted one")
	}
	b.Tokens[0] = -1
	if err := c.Decode(&b); err == nil {
		t.Error("a bad batch was decoded")
	}
	gone("after a bad batch")
	c.Close()
	gone("after Close")
}

// Keeping states changes no logit, and any number of threads gives the same.
func TestStatesChangeNothing(t *testing.T) {
	m := load(t, tinyModel(t), LoadOptions{})
	want := decode(t, newContext(t, m, ContextOptions{Size: 128}), 0, 0, someTokens(m, 1, 48))
	var states []float32
	for _, threads := range []int{1, 2, 5} {
		c := newContext(t, m, ContextOptions{Size: 128, Threads: threads, Layers: []int{0}})
		if got := decode(t, c, 0, 0, someTokens(m, 1, 48)); !slices.Equal(got, want) {
			t.Errorf("%d threads: the logits are not those of a context without layers", threads)
		}
		var all []float32
		for row := range 48 {
			all = append(all, c.States(0, row)...)
		}
		if states == nil {
			states = all
		}
		if !slices.Equal(all, states) {
			t.Errorf("%d threads: the states are not those of one", threads)
		}
	}
}

// A sequence of the default model has the states that it has when it is decoded by itself: nearly, and with a cache for each sequence and
// two rows at least in each micro-batch to the last bit.
func TestStatesOfDefaultModel(t *testing.T) {
	long(t)
	m := defaultModel(t)
	layers := []int{9, 15, 21, 28}
	lengths := []int{3, 5, 8}
	for _, o := range []ContextOptions{{FlashAttention: -1, SplitKV: true}, {FlashAttention: -1}, {FlashAttention: 1, SplitKV: true}} {
		t.Run(fmt.Sprintf("flash=%d/split=%v", o.FlashAttention, o.SplitKV), func(t *testing.T) {
			o.Size, o.Sequences, o.Threads, o.Layers = 768, len(lengths), 2, layers
			c := newContext(t, m, o)
			var b Batch
			for at := range slices.Max(lengths) {
				for q, n := range lengths {
					if at < n {
						b.Add(someTokens(m, q+1, n)[at], int32(at), int32(q), false)
					}
				}
			}
			if err := c.Decode(&b); err != nil {
				t.Fatal(err)
			}
			together := map[[3]int][]float32{} // by layer, sequence and position
			for row, q := range b.Sequences {
				for _, layer := range layers {
					together[[3]int{layer, int(q), int(b.Positions[row])}] = slices.Clone(c.States(layer, row))
				}
			}
			for q, n := range lengths {
				c.ClearKV()
				decode(t, c, int32(q), 0, someTokens(m, q+1, n))
				for at := range n {
					for _, layer := range layers {
						alone, beside := c.States(layer, at), together[[3]int{layer, q, at}]
						if similarity := cosine(alone, beside); !(similarity > 0.999) {
							t.Errorf("layer %d, sequence %d, position %d: cosine %g", layer, q, at, similarity)
						}
						if o.SplitKV && o.FlashAttention < 0 && !slices.Equal(alone, beside) {
							t.Errorf("layer %d, sequence %d, position %d: other bits", layer, q, at)
						}
					}
				}
			}
		})
	}
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range min(len(a), len(b)) {
		ab += float64(a[i]) * float64(b[i])
		aa += float64(a[i]) * float64(a[i])
		bb += float64(b[i]) * float64(b[i])
	}
	return ab / math.Sqrt(aa*bb)
}

func float32s(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}
