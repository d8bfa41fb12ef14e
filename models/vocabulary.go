package models

import (
	"bytes"
	"compress/gzip"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
)

// vocabularyFiles holds Llama 3's vocabulary where llama/native/build.sh has put
// it. Its folder is never empty, so the package builds without it too.
//
//go:embed vocabulary
var vocabularyFiles embed.FS

// ErrNoVocabulary is returned by [Llama3Vocabulary] in a build without one.
var ErrNoVocabulary = errors.New("this executable was built without the Llama 3 vocabulary; build it with make")

// Llama3Vocabulary returns the GGUF of Llama 3's vocabulary that this executable
// holds: tokens, merges, types and pre-tokenizer, no weights. It takes some 8 MB
// of memory once it was asked for.
func Llama3Vocabulary() (*GGUF, error) { return llama3Vocabulary() }

var llama3Vocabulary = sync.OnceValues(func() (*GGUF, error) { return readVocabulary(vocabularyFiles) })

func readVocabulary(files fs.FS) (*GGUF, error) {
	packed, err := files.Open("vocabulary/llama3.gguf.gz")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoVocabulary
	}
	if err != nil {
		return nil, err
	}
	defer packed.Close()
	g, err := unpackGGUF(packed)
	if err != nil {
		return nil, fmt.Errorf("the Llama 3 vocabulary in this executable: %w; build it again with make", err)
	}
	return g, nil
}

func unpackGGUF(packed io.Reader) (*GGUF, error) {
	z, err := gzip.NewReader(packed)
	if err != nil {
		return nil, err
	}
	file, err := io.ReadAll(z)
	if err != nil {
		return nil, err
	}
	return ReadGGUF(bytes.NewReader(file), int64(len(file)))
}
