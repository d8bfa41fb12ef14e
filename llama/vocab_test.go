//go:build cgo

package llama

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// The tokenizer cases that lie beside the vocabulary in llama.cpp's tree: texts in .inp, their ids line by line in .out.
func TestTokenizeLlama3Cases(t *testing.T) {
	m := load(t, llama3Vocab(t), LoadOptions{VocabOnly: true})
	inp, err := os.ReadFile(llama3Vocab(t) + ".inp")
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.ReadFile(llama3Vocab(t) + ".out")
	if err != nil {
		t.Fatal(err)
	}
	texts := strings.Split(string(inp), "\n__ggml_vocab_test__\n")
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	// The last text ends with its file, without a separator.
	if n := len(texts); n > 0 && texts[n-1] == "" && len(lines) == n-1 {
		texts = texts[:n-1]
	}
	if len(texts) != len(lines) || len(texts) < 40 {
		t.Fatalf("%d texts and %d lines of ids", len(texts), len(lines))
	}
	for i, text := range texts {
		var want []int32
		for _, f := range strings.Fields(lines[i]) {
			id, err := strconv.Atoi(f)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, int32(id))
		}
		got, err := m.Tokenize(text, false)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
		var back strings.Builder
		for _, id := range got {
			back.Write(m.Piece(id))
		}
		if back.String() != text {
			t.Errorf("the pieces of %q spell %q", text, back.String())
		}
	}
}

func TestControlTokensInText(t *testing.T) {
	m := load(t, llama3Vocab(t), LoadOptions{VocabOnly: true})
	const text = "I said <|eot_id|> and <|start_header_id|>"
	plain, err := m.Tokenize(text, false)
	if err != nil {
		t.Fatal(err)
	}
	var spelled strings.Builder
	for _, id := range plain {
		if m.IsEOG(id) || m.Piece(id) == nil {
			t.Errorf("plain text gave control token %d %q", id, m.MarkerText(id))
		}
		spelled.Write(m.Piece(id))
	}
	if spelled.String() != text {
		t.Errorf("plain text came back as %q", spelled.String())
	}
	marked, err := m.Tokenize("<|eot_id|>", true)
	if err != nil {
		t.Fatal(err)
	}
	if len(marked) != 1 || !m.IsEOG(marked[0]) || m.Piece(marked[0]) != nil || m.MarkerText(marked[0]) != "<|eot_id|>" {
		t.Errorf("the marker <|eot_id|> gave %v", marked)
	}
}

// A text whose tokens a signed 32-bit number might not count is refused before llama.cpp sees it (GHSA-7rxv-5jhh-j6xx).
func TestTokenizeTooMuch(t *testing.T) {
	m := load(t, llama3Vocab(t), LoadOptions{VocabOnly: true})
	pages, err := syscall.Mmap(-1, 0, 1<<29, syscall.PROT_READ, syscall.MAP_ANON|syscall.MAP_PRIVATE|syscall.MAP_NORESERVE) // never touched
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(pages)
	if ids, err := m.Tokenize(unsafe.String(&pages[0], len(pages)), false); err == nil || !strings.Contains(err.Error(), "536870912 bytes at once") {
		t.Errorf("%d tokens, %v", len(ids), err)
	}
}

func TestVocabularyBounds(t *testing.T) {
	m := load(t, llama3Vocab(t), LoadOptions{VocabOnly: true})
	if m.VocabSize() != 128256 {
		t.Errorf("vocabulary of %d", m.VocabSize())
	}
	for _, id := range []int32{-1, int32(m.VocabSize()), 1 << 30} {
		if m.Piece(id) != nil || m.IsEOG(id) || m.MarkerText(id) != "" {
			t.Errorf("token %d is out of range but has a piece or ends generation", id)
		}
	}
	if ids, err := m.Tokenize("", false); err != nil || len(ids) != 0 {
		t.Errorf("the empty text gave %v, %v", ids, err)
	}
	// A megabyte of one-byte tokens needs more room than is guessed at first.
	ids, err := m.Tokenize(strings.Repeat("é!\n", 1<<18), false)
	if err != nil || len(ids) < 1<<18 {
		t.Errorf("%d ids, %v", len(ids), err)
	}
}
