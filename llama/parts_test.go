//go:build cgo

package llama

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// preTokenizers are names that llama.cpp knows for how a byte-level BPE splits a text, the first of those that mean the same.
func preTokenizers(t *testing.T) []string {
	t.Helper()
	source, err := os.ReadFile(tree(t, "src", "llama-vocab.cpp"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range regexp.MustCompile(`if \(\s*tokenizer_pre == "([^"]+)"`).FindAllSubmatch(source, -1) {
		switch name := string(m[1]); name {
		case "gemma4", "sarvam-moe", "whitespace", "kimi-k2": // see byteLevel
		default:
			names = append(names, name)
		}
	}
	if len(names) < 30 {
		t.Fatalf("%d names", len(names))
	}
	return names
}

// withPreTokenizer copies a vocabulary, to be split in another way.
func withPreTokenizer(t *testing.T, vocab, name string) string {
	t.Helper()
	data, err := os.ReadFile(vocab)
	if err != nil {
		t.Fatal(err)
	}
	key := []byte("tokenizer.ggml.pre")
	at := bytes.Index(data, key) + len(key) + 4 // the type
	end := at + 8 + int(binary.LittleEndian.Uint64(data[at:]))
	text := binary.LittleEndian.AppendUint64(nil, uint64(len(name)))
	path := filepath.Join(t.TempDir(), "vocab.gguf")
	if err := os.WriteFile(path, slices.Concat(data[:at], text, []byte(name), data[end:]), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func spell(m *Model, ids []int32) string {
	var b strings.Builder
	for _, id := range ids {
		b.Write(m.Piece(id))
	}
	return b.String()
}

// Each way to split that llama.cpp has gives the same tokens for a text as for the parts that it is cut into.
func TestTokenizeParts(t *testing.T) {
	long(t)
	vocab := tree(t, "models", "ggml-vocab-gpt-2.gguf")
	words := []string{"that", " was", "so", "KIND", "Straße", " 12", "3,456", ".", ", ", "\n", "\n\n", "  ", "\t", "!", "?!", "'s", "it's", " (oh)", "...", "“no”",
		" naïve", "привет", " мир", "中文", "。", "，", "か。", "\u00a0", "e.g.", "a:b", "x)", "é", "e\u0301", "😀", "\r\n", "/", " -", "한국"}
	r := rand.New(rand.NewPCG(1, 2))
	texts := make([]string, 3)
	for i := range texts {
		var b strings.Builder
		for b.Len() < 400 {
			b.WriteString(words[r.IntN(len(words))])
		}
		texts[i] = b.String()
	}
	cut := 0
	var places []string // the same for all: it is one vocabulary
	for _, name := range preTokenizers(t) {
		m := load(t, withPreTokenizer(t, vocab, name), LoadOptions{VocabOnly: true})
		if places == nil {
			places = m.findCuts()
		}
		m.cutsOnce.Do(func() { m.cuts = places })
		for _, text := range texts {
			want, err := m.tokenize(text, false)
			if err != nil {
				t.Fatal(err)
			}
			// As short as the longest stretch of this text without a place to cut allows.
			for size := 40; size < len(text); size++ {
				if !cutsEverywhere(m, text, size) {
					continue
				}
				cut++
				got, err := m.tokenizeParts(text, false, size)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%s: %q in parts of %d: %v, want %v", name, text, size, got, want)
				}
				break
			}
		}
	}
	if cut < 50 {
		t.Errorf("only %d texts were cut", cut)
	}
}

// cutsEverywhere reports whether each part of so many bytes ends where the tokenizer cuts.
func cutsEverywhere(m *Model, text string, size int) bool {
	for len(text) > size {
		n := m.partEnd(text, size)
		if !slices.ContainsFunc(m.cuts, func(c string) bool { return strings.HasPrefix(text[n:], c) }) {
			return false
		}
		text = text[n:]
	}
	return true
}

// A stretch without a place to cut goes through each of them, where as much of it at once overflows the stack of most.
func TestTokenizeLongRuns(t *testing.T) {
	long(t)
	vocab := tree(t, "models", "ggml-vocab-gpt-2.gguf")
	for _, name := range []string{"default", "deepseek-llm", "tekken"} {
		m := load(t, withPreTokenizer(t, vocab, name), LoadOptions{VocabOnly: true})
		for _, unit := range []string{"a", "7", "!", "中"} {
			text := strings.Repeat(unit, 64<<10/len(unit))
			ids, err := m.Tokenize(text, false)
			if err != nil {
				t.Fatal(err)
			}
			if spell(m, ids) != text {
				t.Errorf("%s: the tokens of %d times %q do not spell it", name, len(text)/len(unit), unit)
			}
		}
	}
}

func TestLiesAcross(t *testing.T) {
	for _, c := range []struct {
		piece, behind string
		want          bool
	}{
		{"a b", " ", true}, {" b", " ", false}, {"  ", " ", false}, {"a", " ", false}, {"1.", ".", false}, {".com", ".", false}, {"e.g", ".", true},
		{"文。", "。", true}, {"。。", "。", false}, {"文\xe3\x80", "。", true}, {"\x87。", "。", true}, {"!\xe3", "。", false}, {"é!", "!", true},
	} {
		if got := liesAcross([]byte(c.piece), c.behind); got != c.want {
			t.Errorf("%q before %q: %v", c.piece, c.behind, got)
		}
	}
}
