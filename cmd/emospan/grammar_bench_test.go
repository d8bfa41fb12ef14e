package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/examples"
	"github.com/emospan/emospan/grammar"
	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
)

// The figures of grammar/README.md, on Llama 3's vocabulary; make bench-grammar prints them.

// llama3 is Llama 3's tokenizer and its vocabulary.
func llama3(b *testing.B) (*llama.Model, *grammar.Vocab) {
	b.Helper()
	m, err := llama.Load(filepath.Join(fixtures.vocabularies, "ggml-vocab-llama-bpe.gguf"), llama.LoadOptions{VocabOnly: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { m.Close() })
	pieces, eog := piecesOf(m)
	v, err := grammar.NewVocab(pieces, grammar.VocabOptions{EOG: eog})
	if err != nil {
		b.Fatal(err)
	}
	return m, v
}

// piecesOf returns the bytes of each token, and the tokens that end a generation.
func piecesOf(m *llama.Model) (pieces [][]byte, eog []int32) {
	pieces = make([][]byte, m.VocabSize())
	for id := range int32(len(pieces)) {
		if m.IsEOG(id) {
			eog = append(eog, id)
			continue
		}
		pieces[id] = m.Piece(id)
	}
	return pieces, eog
}

// llamaGrammars are llama.cpp's own grammars, by name.
func llamaGrammars(b *testing.B) map[string]string {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(fixtures.vocabularies, "..", "grammars", "*.gbnf"))
	if err != nil || len(files) < 5 {
		b.Fatalf("llama.cpp's grammars: %q, %v", files, err)
	}
	grammars := map[string]string{}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		grammars[strings.TrimSuffix(filepath.Base(file), ".gbnf")] = string(src)
	}
	return grammars
}

func newMatcher(b *testing.B, src string, v *grammar.Vocab) *grammar.Matcher {
	b.Helper()
	g, err := grammar.Compile(src)
	if err != nil {
		b.Fatal(err)
	}
	c, err := grammar.NewConstraint(g, v)
	if err != nil {
		b.Fatal(err)
	}
	return c.NewMatcher()
}

// BenchmarkGrammarMaskSeen asks again for the mask of a state that is inside a string.
func BenchmarkGrammarMaskSeen(b *testing.B) {
	_, v := llama3(b)
	m := newMatcher(b, llamaGrammars(b)["json"], v)
	if err := m.AcceptBytes([]byte(`{"key": "val`)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Mask(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGrammarAccept accepts the tokens of a JSON text whose states are known.
func BenchmarkGrammarAccept(b *testing.B) {
	model, v := llama3(b)
	m := newMatcher(b, llamaGrammars(b)["json"], v)
	ids, err := model.Tokenize(`{"predictions": ["annoyance"], "tokens": ["Stop", "asking", "me"], "confidence": 0.91, "spans": [{"start": 0, "end": 2}]}`, false)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		i := n % len(ids)
		if i == 0 {
			m.Reset()
		}
		if err := m.AcceptToken(ids[i]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGrammarMaskNew walks at random through llama.cpp's grammars, each time with a constraint that knows nothing, and
// reports how long the masks took. Each walk is made three times over, and the shortest time of a step counts: what another
// program takes of the machine is not the mask's.
func BenchmarkGrammarMaskNew(b *testing.B) {
	_, v := llama3(b)
	for name, src := range llamaGrammars(b) {
		b.Run(name, func(b *testing.B) {
			g, err := grammar.Compile(src)
			if err != nil {
				b.Fatal(err)
			}
			var times []time.Duration
			for walk := uint64(0); b.Loop(); walk++ {
				best := timeMasks(b, g, v, walk)
				for range 2 {
					for i, d := range timeMasks(b, g, v, walk) {
						best[i] = min(best[i], d)
					}
				}
				times = append(times, best...)
			}
			reportTimes(b, times)
		})
	}
}

// BenchmarkGrammarMaskRecord does the same with the compact grammars of the project's texts. Their frame is not shared here:
// every mask is new.
func BenchmarkGrammarMaskRecord(b *testing.B) {
	_, v := llama3(b)
	texts := benchTexts()
	var times []time.Duration
	for n := 0; b.Loop(); n++ {
		stages, err := tagger.Stages(tagger.Compact, tagger.Autonomous, dataset.Default(), texts[n%len(texts)])
		if err != nil {
			b.Fatal(err)
		}
		g, err := grammar.Compile(stages[0].GBNF())
		if err != nil {
			b.Fatal(err)
		}
		best := timeMasks(b, g, v, uint64(n))
		for range 2 {
			for i, d := range timeMasks(b, g, v, uint64(n)) {
				best[i] = min(best[i], d)
			}
		}
		times = append(times, best...)
	}
	reportTimes(b, times)
}

// timeMasks walks at random through a grammar of which nothing is known yet.
func timeMasks(b *testing.B, g *grammar.Grammar, v *grammar.Vocab, seed uint64) (times []time.Duration) {
	b.Helper()
	c, err := grammar.NewConstraint(g, v)
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	m := c.NewMatcher()
	for range 40 {
		start := time.Now()
		mask, err := m.Mask()
		times = append(times, time.Since(start))
		if err != nil {
			break
		}
		ids := slices.Collect(mask.All())
		if m.AcceptToken(ids[rng.IntN(len(ids))]) != nil {
			b.Fatal("a token of the mask is not accepted")
		}
	}
	return times
}

func reportTimes(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	at := func(q float64) float64 { return float64(times[int(q*float64(len(times)-1))].Nanoseconds()) / 1e3 }
	b.ReportMetric(at(0.5), "p50-µs")
	b.ReportMetric(at(0.99), "p99-µs")
	b.ReportMetric(at(1), "worst-µs")
	b.ReportMetric(0, "ns/op")
}

// benchTexts are the project's own 200 texts.
func benchTexts() []string {
	return strings.Split(strings.TrimSpace(examples.Bench), "\n")
}

// BenchmarkGrammarRecord tags the project's texts with answers drawn by lot: what is left without a model. The times are
// those of a sampled token's mask, with the forced run before it and the pick behind it.
func BenchmarkGrammarRecord(b *testing.B) {
	texts := benchTexts()
	for _, decode := range tagger.Decodes {
		b.Run(string(decode), func(b *testing.B) {
			model, _ := llama3(b)
			dice := newDicer(model)
			t := newBenchTagger(b, dice, decode)
			for n := 0; b.Loop(); n++ {
				dice.rows = dice.rows[:0]
				if _, err := t.Tag(dataset.Input{ID: fmt.Sprint(n), Text: texts[n%len(texts)]}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(t.MaskTime(0.5).Nanoseconds())/1e3, "mask-p50-µs")
			b.ReportMetric(float64(t.MaskTime(0.99).Nanoseconds())/1e3, "mask-p99-µs")
		})
	}
}

func newBenchTagger(b *testing.B, model tagger.Model, decode tagger.Decode) *tagger.Tagger {
	b.Helper()
	prompt, err := tagger.BuiltinPrompt("level_2")
	if err != nil {
		b.Fatal(err)
	}
	t, err := tagger.New(model, tagger.Options{ModelName: "bench", Prompt: prompt, Taxonomy: dataset.Default(), Decode: decode})
	if err != nil {
		b.Fatal(err)
	}
	return t
}

// BenchmarkGrammarShare tags with the default model and reports what the masks, forced runs and picks take of the model's time.
func BenchmarkGrammarShare(b *testing.B) {
	store := models.OpenDefault()
	m, err := resolveModel(store, "")
	if err != nil {
		b.Fatal(err)
	}
	texts := benchTexts()
	for _, decode := range []tagger.Decode{tagger.Compact, tagger.Aligned} {
		b.Run(string(decode), func(b *testing.B) {
			e, err := openEngine(m, oneRecord(1))
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			model := &timedEngine{engine: e}
			t := newBenchTagger(b, model, decode)
			model.reset()
			for n := 0; b.Loop(); n++ {
				if _, err := t.Tag(dataset.Input{ID: fmt.Sprint(n), Text: texts[n%len(texts)]}); err != nil {
					b.Fatal(err)
				}
			}
			spent := t.Times()
			b.ReportMetric(100*float64(spent.Masks+spent.Sampling)/float64(model.spent), "%-of-model")
			b.ReportMetric(float64(t.MaskTime(0.5).Nanoseconds())/1e3, "mask-p50-µs")
			b.ReportMetric(float64(t.MaskTime(0.99).Nanoseconds())/1e3, "mask-p99-µs")
		})
	}
}
