package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
)

var canonicalRecords = flag.Int("canonical", 2000, "records of TestForcedTokens for each of the first vocabularies; a hundred times those of TestCanonicalRecords")

// canonicalPrompt is short, so that a record costs little.
const canonicalPrompt = `{{define "system"}}Quote the words that carry an emotion and name it, or answer neutral.{{end}}{{define "user"}}{{.Text}}{{end}}
{{define "examples"}}{"text": "I love this song so much!", "answer": ["I love"," love high asserted present self 95 target this song"]}
{"text": "Where did you put it? I'm scared.", "answer": ["Where"," curiosity low questioned present self 70 target you","I'm scared"," fear high asserted present self 88"]}{{end}}`

// scraps are put between the words of sentences.
var scraps = []string{
	"😂", "😂😂", "❤️", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🙄!!", ":)", "<3", ">:(", "xD", "^^", "¯\\_(ツ)_/¯", "3.14", "1,000,000", "10:30", "2nd", "50%", "$5", "€20", "-7", "#tag", "#1", "@you",
	"don't", "I'd", "y'all", "’tis", "'s", "can’t", "\"so", "what\"", "“so”", "'no'", "«oui»", "(sic)", "[NAME]", "{x}", "*sigh*", "_so_", "...", "…", "?!", "--", "—", "/s", "C:\\new",
	"naïve", "e\u0301te\u0301", "Straße", "日本語", "とても嬉しい", "我很高兴", "정말", "очень", "πολύ", "שלום", "سعيد", "नमस्ते", "ขอบคุณ", "\u200b", "\ufeff", "ok.But", "https://example.org/a?b=c&d=1",
	"aaaaaaaaargh", "hahahahaha", "NOOOO", "u/fox", "e.g.", "Mr.", "=", "+", "~", "`x`", "|", "&amp;", "<br>", "null", "neutral", "joy", "],[", "\":\"", "\x1f", "\\\"", "I", "a",
}

// canonicalTexts makes texts of sentences of the examples, some of them cut up and mixed with scraps.
func canonicalTexts(t *testing.T, n int) []string {
	var sentences []string
	for _, name := range []string{"bench.txt", "sentences.txt"} {
		text, err := os.ReadFile(filepath.Join(root, "examples", name))
		if err != nil {
			t.Fatal(err)
		}
		sentences = append(sentences, strings.Split(strings.TrimSpace(string(text)), "\n")...)
	}
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	one := func(list []string) string { return list[rng.IntN(len(list))] }
	gaps := []string{" ", " ", " ", " ", " ", "  ", "\t", "", ", ", "\u00a0"}
	texts := make([]string, n)
	for i := range texts {
		switch i % 4 {
		case 0:
			texts[i] = one(sentences)
		case 1:
			a, b := strings.Fields(one(sentences)), strings.Fields(one(sentences))
			texts[i] = strings.Join(slices.Concat(a[:(len(a)+1)/2], b[len(b)/2:]), " ")
		default:
			var b strings.Builder
			for _, word := range strings.Fields(one(sentences)) {
				if rng.IntN(3) == 0 {
					word = one(scraps)
				}
				if b.Len() > 0 {
					b.WriteString(one(gaps))
				}
				b.WriteString(word)
			}
			texts[i] = b.String()
		}
	}
	return texts
}

// A dicer is a tokenizer without a model: its logits are thrown, the longer tokens a little likelier. It notes what it is
// given to decode for a record.
type dicer struct {
	*llama.Model
	noise []float32 // twice as many as there are tokens
	rng   *rand.Rand
	rows  []tagger.Row
}

func newDicer(m *llama.Model) *dicer {
	d := &dicer{Model: m, rng: rand.New(rand.NewPCG(3, 4))}
	for range 2 * m.VocabSize() {
		d.noise = append(d.noise, d.rng.Float32())
	}
	return d
}

func (d *dicer) Tokenize(text string) ([]int32, error) { return d.Model.Tokenize(text, false) }

func (d *dicer) Chat(turns []tagger.Turn, first, answer bool) ([]int32, error) {
	var ids []int32
	for _, turn := range turns {
		part, err := d.Tokenize(turn.Role + "\n" + turn.Text + "\n")
		if err != nil {
			return nil, err
		}
		ids = append(ids, part...)
	}
	return ids, nil
}

func (d *dicer) ContextSize() int { return 1 << 16 }
func (d *dicer) CacheSize() int   { return 1 << 17 }
func (d *dicer) Sequences() int   { return 2 }
func (d *dicer) BatchSize() int   { return 1 << 10 }

func (d *dicer) Decode(rows []tagger.Row) error {
	d.rows = append(d.rows, rows...)
	return nil
}

func (d *dicer) Logits(int) []float32 {
	at := d.rng.IntN(d.VocabSize())
	return d.noise[at : at+d.VocabSize()]
}

func (d *dicer) CopyKV(int32, int32) error   { return nil }
func (d *dicer) RemoveKV(int32, int32) error { return nil }

// TestForcedTokens: whatever is chosen, forced tokens are those that the tokenizer makes of the whole answer at their place.
func TestForcedTokens(t *testing.T) {
	long(t)
	store := models.OpenDefault()
	for _, v := range []struct {
		name    string // of llama.cpp's vocabularies or of a model in the store
		records int
	}{
		{"llama-bpe", *canonicalRecords}, {defaultModelName, *canonicalRecords}, {"qwen2", *canonicalRecords / 20},
		{"gemma3-270m", *canonicalRecords / 20}, {"llama-spm", *canonicalRecords / 20},
	} {
		t.Run(v.name, func(t *testing.T) {
			path := filepath.Join(fixtures.vocabularies, "ggml-vocab-"+v.name+".gguf")
			if _, err := os.Stat(path); err != nil {
				m, err := resolveModel(store, v.name)
				if err != nil {
					t.Fatal(err)
				}
				path = m.Path
			}
			m, err := llama.Load(path, llama.LoadOptions{VocabOnly: true})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			texts := canonicalTexts(t, v.records)
			compact := len(texts) * 4 / 5
			for _, part := range []struct {
				decode tagger.Decode
				texts  []string
			}{{tagger.Compact, texts[:compact]}, {tagger.Aligned, texts[compact:]}} {
				d := newDicer(m)
				_, tokens := checkCanonical(t, d, &d.rows, part.texts, part.decode)
				t.Logf("%s: %d records, %d tokens in forced runs", part.decode, len(part.texts), tokens)
			}
		})
	}
}

// A notingEngine notes what it is given to decode for a record.
type notingEngine struct {
	*engine
	rows []tagger.Row
}

func (e *notingEngine) Decode(rows []tagger.Row) error {
	e.rows = append(e.rows, rows...)
	return e.engine.Decode(rows)
}

// TestCanonicalRecords: what the default model chooses as the likeliest is nearly always what the tokenizer would make too, so
// that whole answers have its tokens.
func TestCanonicalRecords(t *testing.T) {
	long(t)
	store := models.OpenDefault()
	m, err := resolveModel(store, defaultModelName)
	if err != nil {
		t.Fatal(err)
	}
	texts := canonicalTexts(t, *canonicalRecords/100)
	for _, part := range []struct {
		decode tagger.Decode
		texts  []string
	}{{tagger.Compact, texts[:len(texts)*3/4]}, {tagger.Aligned, texts[len(texts)*3/4:]}} {
		e, err := openEngine(m, oneRecord(1))
		if err != nil {
			t.Fatal(err)
		}
		noting := &notingEngine{engine: e}
		records := len(part.texts)
		whole, tokens := checkCanonical(t, noting, &noting.rows, part.texts, part.decode)
		t.Logf("%s: %d records, %d tokens in forced runs; %d records have the tokenizer's tokens throughout", part.decode, records, tokens, whole)
		if whole < records*3/4 {
			t.Errorf("%s: of %d records only %d have the tokenizer's tokens", part.decode, records, whole)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// checkCanonical tags texts and compares tokens: those of the answer with the rows that were decoded, and those of forced runs
// with what the tokenizer makes of the whole answer. It returns how many answers have the tokenizer's tokens throughout, and how
// many tokens were in forced runs.
func checkCanonical(t *testing.T, m tagger.Model, decoded *[]tagger.Row, texts []string, decode tagger.Decode) (whole, forced int) {
	t.Helper()
	prompt, err := tagger.ParsePrompt("canonical", canonicalPrompt)
	if err != nil {
		t.Fatal(err)
	}
	tag, err := tagger.New(m, tagger.Options{ModelName: "m", Prompt: prompt, Taxonomy: dataset.Default(), Decode: decode})
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		*decoded = (*decoded)[:0]
		res, err := tag.Tag(dataset.Input{ID: fmt.Sprint(i), Text: text})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if res.Record == nil {
			t.Fatalf("%q: %v", text, res.Reject.Reasons)
		}
		a := res.Answer
		rows := *decoded
		for i, row := range rows[min(res.Counts.Prompt, len(rows)):] {
			if i >= len(a.Tokens) || row.Token != a.Tokens[i] {
				t.Fatalf("%q: token %d was fed at %d of the answer %v", text, row.Token, i, a.Tokens)
			}
		}
		canonical, err := m.Tokenize(string(a.Text))
		if err != nil {
			t.Fatal(err)
		}
		if slices.Equal(canonical, a.Tokens) {
			whole++
		}
		places := map[int]int{} // by offset in the answer, the token of the whole that begins there
		offset := len(a.Text)
		for _, id := range canonical {
			offset -= len(m.Piece(id)) // -1 remains of a space that the tokenizer put in front
		}
		for i, id := range canonical {
			places[offset] = i
			offset += len(m.Piece(id))
		}
		offset = 0
		runs := a.Forced
		for i, id := range a.Tokens {
			if len(runs) > 0 && runs[0].Begin == i {
				ids := a.Tokens[i:runs[0].End]
				place, ok := places[offset]
				if !ok || place+len(ids) > len(canonical) || !slices.Equal(canonical[place:place+len(ids)], ids) {
					t.Errorf("%s\nforced %s\nof       %s\nthe tokenizer makes %s", a.Text, split(m, ids), split(m, a.Tokens[max(0, i-5):runs[0].End]), split(m, canonical[max(0, place-5):min(len(canonical), place+len(ids)+2)]))
				}
				forced += len(ids)
				runs = runs[1:]
			}
			offset += len(m.Piece(id))
		}
		if offset != len(a.Text) || len(runs) > 0 {
			t.Fatalf("%q: %d bytes of tokens, %d of text, %d runs beyond them", text, offset, len(a.Text), len(runs))
		}
	}
	return whole, forced
}

// split shows tokens apart.
func split(m tagger.Model, ids []int32) string {
	var list []string
	for _, id := range ids {
		list = append(list, fmt.Sprintf("%q", m.Piece(id)))
	}
	return strings.Join(list, " ")
}
