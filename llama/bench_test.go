//go:build cgo

package llama

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkDecode measures one Decode of k tokens after a prefix, with logits for the last, as tagging one record does.
func BenchmarkDecode(b *testing.B) {
	m := defaultModel(b)
	for _, flash := range []int{-1, 1} {
		for _, prefix := range []int{64, 704} {
			for _, k := range []int{1, 4, 8, 32} {
				b.Run(fmt.Sprintf("flash=%d/prefix=%d/k=%d", flash, prefix, k), func(b *testing.B) {
					c := newContext(b, m, ContextOptions{Size: 4096, Sequences: 2, Threads: 2, FlashAttention: flash})
					ids := make([]int32, prefix)
					for i := range ids {
						ids[i] = int32(1000 + i)
					}
					for at := 0; at < prefix; at += 64 {
						decode(b, c, 0, int32(at), ids[at:at+64])
					}
					var batch Batch
					for b.Loop() {
						batch.Reset()
						for i := range k {
							batch.Add(int32(2000+i), int32(prefix+i), 0, i == k-1)
						}
						if err := c.Decode(&batch); err != nil {
							b.Fatal(err)
						}
						if err := c.RemoveKV(0, int32(prefix), -1); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(float64(k)*float64(b.N)/b.Elapsed().Seconds(), "tok/s")
				})
			}
		}
	}
}

// BenchmarkStates measures what keeping states costs: a Decode of 32 rows after a prefix, in a context without layers and in one with some,
// in turn. cost is the second's shortest time over the first's, which other programs on the machine disturb least.
func BenchmarkStates(b *testing.B) {
	const prefix, k = 540, 32
	m := defaultModel(b)
	ids := make([]int32, prefix)
	for i := range ids {
		ids[i] = int32(1000 + i)
	}
	for _, layers := range [][]int{nil, {15}, {9, 15, 21}, {4, 9, 12, 15, 18, 21, 24, 28}} {
		b.Run(fmt.Sprintf("layers=%d", len(layers)), func(b *testing.B) {
			o := ContextOptions{Size: 1024, Batch: 1024, Threads: 1, FlashAttention: -1}
			contexts, least := []*Context{newContext(b, m, o), nil}, []time.Duration{time.Hour, time.Hour}
			o.Layers = layers
			contexts[1] = newContext(b, m, o)
			var batch Batch
			for i := range k {
				batch.Add(int32(2000+i), int32(prefix+i), 0, i == k-1)
			}
			for _, c := range contexts {
				decode(b, c, 0, 0, ids)
			}
			for b.Loop() {
				for i, c := range contexts {
					start := time.Now()
					if err := c.Decode(&batch); err != nil {
						b.Fatal(err)
					}
					least[i] = min(least[i], time.Since(start))
					if err := c.RemoveKV(0, prefix, -1); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(least[1])/float64(least[0]), "cost")
		})
	}
}
