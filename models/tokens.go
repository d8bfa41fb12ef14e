package models

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxToken is far above the longest token of any vocabulary, in bytes.
const maxToken = 1 << 16

// tokenizers are the kinds that the chat models emospan knows are made with:
// SentencePiece, byte-level BPE and Gemma 4's. llama.cpp reads more, some of
// which end the process where a special token is missing.
var tokenizers = []string{"llama", "gpt2", "gemma4"}

// checkVocabulary refuses vocabularies that llama.cpp asserts on: tokens must
// be distinct as it reads them.
func (g *GGUF) checkVocabulary() error {
	kind, ok := g.String("tokenizer.ggml.model")
	if !ok || kind == "none" || kind == "no_vocab" {
		return errors.New("this file has no tokenizer (tokenizer.ggml.model): " + useChat)
	}
	if !slices.Contains(tokenizers, kind) {
		return fmt.Errorf("this file has a tokenizer of kind %.80q, expected one of %s: %s", kind, strings.Join(tokenizers, ", "), useChat)
	}
	tokens, err := g.Strings("tokenizer.ggml.tokens")
	if err != nil {
		return damaged("%w", err)
	}
	if len(tokens) == 0 {
		return errors.New("this file has an empty vocabulary: " + useChat)
	}
	seen := make(map[string]int, len(tokens))
	for i, t := range tokens {
		if len(t) > maxToken {
			return damaged("token %d has %d bytes, at most %d are expected", i, len(t), maxToken)
		}
		read := asRead(t, i)
		if first, dup := seen[read]; dup {
			return damaged("tokens %d and %d are both %.80q", first, i, read)
		}
		seen[read] = i
	}
	return nil
}

// asRead is the i-th token as llama.cpp takes it from the file: up to a zero
// byte, and by a name where nothing is left.
func asRead(token string, i int) string {
	token, _, _ = strings.Cut(token, "\x00")
	if token == "" {
		return fmt.Sprintf("[EMPTY_%d]", i)
	}
	return token
}
