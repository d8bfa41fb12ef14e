//go:build cgo

package llama

import (
	"fmt"
	"testing"
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
