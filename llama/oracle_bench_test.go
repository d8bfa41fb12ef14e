//go:build cgo

package llama

import (
	"testing"
	"time"

	"github.com/emospan/emospan/grammar"
)

// BenchmarkAgainstLlama takes llama.cpp's grammar sampler and package grammar through the same steps over the Llama 3 vocabulary,
// one after the other: the allowed tokens, then one accepted. It prints the time of a step of each, ours with a Constraint made
// for the output (cold; making it counts) and with one that has seen the output before (warm), and how many times faster ours is.
func BenchmarkAgainstLlama(b *testing.B) {
	v := llama3Vocabulary(b)
	tests := []struct{ name, src, text string }{
		{"record", recordGrammar(records[0].text), records[0].answer},
		{"json", grammarFile(b, "json.gbnf"), `{"place": "Łódź", "open": true, "rooms": [12, 3.5e2, null], "note": "quiet, \"almost\" empty"}`},
	}
	for _, test := range tests {
		b.Run(test.name, func(b *testing.B) {
			ids, err := v.model.Tokenize(test.text, false)
			if err != nil {
				b.Fatal(err)
			}
			g, err := grammar.Compile(test.src)
			if err != nil {
				b.Fatal(err)
			}
			sampler, err := NewGrammarSampler(v.model, test.src)
			if err != nil {
				b.Fatal(err)
			}
			defer sampler.Close()
			mask := make([]uint64, (v.Len()+63)/64)
			var theirs, cold, warm time.Duration
			const warmRuns = 10
			for b.Loop() {
				if err := sampler.Reset(); err != nil {
					b.Fatal(err)
				}
				start := time.Now()
				for _, id := range ids {
					if err := sampler.Allowed(mask); err != nil {
						b.Fatal(err)
					}
					if err := sampler.Accept(id); err != nil {
						b.Fatal(err)
					}
				}
				theirs += time.Since(start)

				start = time.Now()
				c, err := grammar.NewConstraint(g, v.Vocab)
				if err != nil {
					b.Fatal(err)
				}
				benchmarkSteps(b, c, ids)
				cold += time.Since(start)

				start = time.Now()
				for range warmRuns {
					benchmarkSteps(b, c, ids)
				}
				warm += time.Since(start)
			}
			steps := float64(b.N * len(ids))
			step := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) / steps }
			b.ReportMetric(0, "ns/op") // all of them together
			b.ReportMetric(step(theirs), "llama.cpp-µs/step")
			b.ReportMetric(step(cold), "cold-µs/step")
			b.ReportMetric(step(warm)/warmRuns, "warm-µs/step")
			b.ReportMetric(theirs.Seconds()/cold.Seconds(), "x-vs-llama.cpp-cold")
			b.ReportMetric(theirs.Seconds()/warm.Seconds()*warmRuns, "x-vs-llama.cpp-warm")
		})
	}
}

func benchmarkSteps(b *testing.B, c *grammar.Constraint, ids []int32) {
	m := c.NewMatcher()
	for _, id := range ids {
		if _, err := m.Mask(); err != nil {
			b.Fatal(err)
		}
		if err := m.AcceptToken(id); err != nil {
			b.Fatal(err)
		}
	}
}
