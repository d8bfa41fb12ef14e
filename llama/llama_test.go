//go:build cgo

package llama

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/emospan/emospan/models"
)

// tree is a file of the llama.cpp tree that was built.
func tree(t testing.TB, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{sourceDir}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the llama.cpp tree that was linked is gone: %v; run make native", err)
	}
	return path
}

// long marks a test that walks through much in one goroutine: the detectors' runs, which are -short, leave it out.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short")
	}
}

// llama3Vocab is the real Llama 3 vocabulary, without weights.
func llama3Vocab(t testing.TB) string { return tree(t, "models", "ggml-vocab-llama-bpe.gguf") }

var tiny struct {
	sync.Mutex
	path string
}

// tinyModel writes, once, a model of Llama's shape with the Llama 3 vocabulary and random weights.
func tinyModel(t testing.TB) string {
	t.Helper()
	tiny.Lock()
	defer tiny.Unlock()
	if tiny.path != "" {
		return tiny.path
	}
	vocab, err := models.OpenGGUF(llama3Vocab(t))
	if err != nil {
		t.Fatal(err)
	}
	defer vocab.Close()
	if tempDir, err = os.MkdirTemp("", "emospan-llama-"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(tempDir, "tiny.gguf")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := models.WriteSynthetic(f, vocab, models.TinyShape, 1); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	tiny.path = path
	return path
}

var tempDir string // of the tiny model, once that is made

func TestMain(m *testing.M) {
	code := m.Run()
	if tempDir != "" {
		os.RemoveAll(tempDir)
	}
	os.Exit(code)
}

func load(t testing.TB, path string, o LoadOptions) *Model {
	t.Helper()
	m, err := Load(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// defaultModel loads the pinned default model from the user's store.
func defaultModel(t testing.TB) *Model {
	t.Helper()
	dir, err := models.DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.Open(dir).Resolve("")
	if err != nil {
		t.Fatalf("%v (make test fetches it)", err)
	}
	return load(t, m.Path, LoadOptions{})
}
