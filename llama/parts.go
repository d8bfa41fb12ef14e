//go:build cgo

package llama

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPart is the most bytes of text that llama.cpp splits at once. For most tokenizers of byte-level BPE it matches regular
// expressions by std::regex, which calls itself for each character of a match, 250 to 500 bytes of stack each: some ten thousand
// letters in a row ended the process. 2 MiB is the least stack that a thread commonly has.
const maxPart = 4096

// cutsBefore are what the expressions of all tokenizers part from a letter before it.
var cutsBefore = []string{" ", "\n", "\t", ".", ",", ";", ":", "!", "?", ")", "。", "，", "、", "；", "：", "！", "？"}

// byteLevel reports whether the tokenizer may split a text by std::regex. Tokenizers of SentencePiece's kind do not, and may put a
// space before each text; that of Kimi K2 is written out, and gives other tokens for parts of a text.
func (m *Model) byteLevel() bool {
	if m.metadata["tokenizer.ggml.model"] != "gpt2" {
		return false
	}
	switch m.metadata["tokenizer.ggml.pre"] {
	case "gemma4", "sarvam-moe", "whitespace", "kimi-k2":
		return false
	}
	return true
}

// partEnd is where a part of at most size bytes ends: behind the last letter that has one of cutsBefore behind it, if no token of
// the vocabulary lies across such a place, else between two characters.
func (m *Model) partEnd(text string, size int) int {
	if len(text) <= size {
		return len(text)
	}
	m.cutsOnce.Do(func() { m.cuts = m.findCuts() })
	for i := size; i > 0; i-- {
		for _, c := range m.cuts {
			if strings.HasPrefix(text[i:], c) {
				if r, _ := utf8.DecodeLastRuneInString(text[:i]); unicode.IsLetter(r) {
					return i
				}
			}
		}
	}
	end := size
	for end > 1 && !utf8.RuneStart(text[end]) {
		end--
	}
	return end
}

// findCuts leaves out of cutsBefore what has a token with a letter before it, or with a part of one.
func (m *Model) findCuts() []string {
	across := make([]bool, len(cutsBefore))
	for id := range int32(m.vocabSize) {
		piece := m.Piece(id)
		for i, c := range cutsBefore {
			across[i] = across[i] || liesAcross(piece, c)
		}
	}
	var cuts []string
	for i, c := range cutsBefore {
		if !across[i] {
			cuts = append(cuts, c)
		}
	}
	return cuts
}

// liesAcross reports whether a token may begin in a letter and end in what stands behind it.
func liesAcross(piece []byte, behind string) bool {
	for i := 1; i < len(piece); i++ {
		rest := piece[i:]
		if !bytes.HasPrefix(rest, []byte(behind)) && !strings.HasPrefix(behind, string(rest)) {
			continue
		}
		r, size := utf8.DecodeLastRune(piece[:i])
		if unicode.IsLetter(r) || r == utf8.RuneError && size == 1 {
			return true
		}
	}
	return false
}
