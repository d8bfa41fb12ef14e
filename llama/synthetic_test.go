//go:build cgo

package llama

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/emospan/emospan/models"
)

// The executable holds the vocabulary of the tree that is linked.
func TestLlama3Vocabulary(t *testing.T) {
	held, err := models.Llama3Vocabulary()
	if err != nil {
		t.Fatal(err)
	}
	own, err := models.OpenGGUF(llama3Vocab(t))
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	for _, key := range []string{"tokenizer.ggml.tokens", "tokenizer.ggml.merges"} {
		want, err := own.Strings(key)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := held.Strings(key); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %d strings instead of %d, %v", key, len(got), len(want), err)
		}
	}
	if pre, _ := held.String("tokenizer.ggml.pre"); pre != "llama-bpe" || held.VocabSize() != 128256 {
		t.Errorf("pre-tokenizer %q, %d tokens", pre, held.VocabSize())
	}
}

// The shapes have as many weights as the models that they are named after.
func TestSyntheticShapes(t *testing.T) {
	published := map[string]int64{"llama3-8b": 8_030_261_248, "llama3.2-1b": 1_235_814_400}
	for _, shape := range models.SyntheticShapes() {
		for _, f := range models.SyntheticFormats() {
			m, err := models.NewSyntheticModel(shape, f)
			if err != nil {
				t.Fatal(err)
			}
			g := m.Header()
			if g.Parameters() != published[shape] || g.FileType() != string(f) {
				t.Errorf("%s: %d weights in %s, want %d in %s", m.Name, g.Parameters(), g.FileType(), published[shape], f)
			}
			if err := g.Usable(); err != nil || DetectTemplate(g.ChatTemplate()) != Llama3 {
				t.Errorf("%s: template %s, %v", m.Name, DetectTemplate(g.ChatTemplate()), err)
			}
		}
	}
	if len(published) != len(models.SyntheticShapes()) {
		t.Errorf("shapes %q", models.SyntheticShapes())
	}
}

// A deep model of each kind of weights, with a head of its own and without, tokenizes as the vocabulary does and gives
// finite logits that differ between tokens.
func TestSyntheticDecodes(t *testing.T) {
	vocab, err := models.Llama3Vocabulary()
	if err != nil {
		t.Fatal(err)
	}
	tokenizer := load(t, llama3Vocab(t), LoadOptions{VocabOnly: true})
	text := "I can't wait for Friday!\n\tDoch: 3.14 naïve 日本語 👩‍👩‍👧 <|eot_id|>"
	for _, kind := range []models.TensorType{models.F16, models.Q8_0, models.Q4_0} {
		for _, untied := range []bool{false, true} {
			if untied && testing.Short() {
				continue
			}
			shape := models.Shape{Layers: 32, Embedding: 256, FeedForward: 768, Heads: 4, KVHeads: 2, Context: 512, WeightType: kind, Untied: untied}
			path := filepath.Join(t.TempDir(), "synthetic.gguf")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := models.WriteSynthetic(f, vocab, shape, 1); err != nil {
				t.Fatal(err)
			}
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			m := load(t, path, LoadOptions{})
			for _, special := range []bool{false, true} {
				want, err := tokenizer.Tokenize(text, special)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := m.Tokenize(text, special); err != nil || !slices.Equal(got, want) {
					t.Errorf("%s: tokens %v, want %v, %v", kind, got, want, err)
				}
			}
			ids, err := m.Tokenize(text, true)
			if err != nil {
				t.Fatal(err)
			}
			c := newContext(t, m, ContextOptions{Size: 128})
			logits := decode(t, c, 0, 0, ids)
			var squares float64
			for _, x := range logits {
				squares += float64(x) * float64(x)
			}
			// The head's weights and the norm before it make them near normal, of variance one.
			if spread := math.Sqrt(squares / float64(len(logits))); !(spread > 0.8 && spread < 1.25) {
				t.Errorf("%s, untied %v: logits of size %g", kind, untied, spread)
			}
			if m.Template() != Llama3 {
				t.Errorf("%s: template %s", kind, m.Template())
			}
		}
	}
}
