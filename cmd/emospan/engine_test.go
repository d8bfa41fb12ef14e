package main

import (
	"errors"
	"testing"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
)

// TestEngineWiden: a wide engine's sequences hold more and nothing of what they held, and Abort outlives the change.
func TestEngineWiden(t *testing.T) {
	e, err := openEngine(models.Model{Name: "tiny", Path: fixtures.llama3}, defaultSizes(tagger.Schema, 1).with(2))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	row := []tagger.Row{{Token: 5, Sequence: 2, Logits: true}}
	for _, wide := range []bool{true, false, true} {
		if err := e.Decode(row); err != nil {
			t.Fatal(err)
		}
		if err := e.Widen(wide); err != nil {
			t.Fatal(err)
		}
		if wide != (e.ContextSize() == e.WideSize()) || e.CacheSize() < e.ContextSize() {
			t.Errorf("wide %v: %d and %d of %d tokens", wide, e.ContextSize(), e.WideSize(), e.CacheSize())
		}
	}
	e.Abort(true)
	if err := e.Widen(false); err != nil {
		t.Fatal(err)
	}
	if err := e.Decode(row); !errors.Is(err, llama.ErrAborted) {
		t.Errorf("after Abort: %v", err)
	}
	e.Abort(false)
	if err := e.Decode(row); err != nil {
		t.Error(err)
	}
}

// header opens a model's file for the time of a test.
func header(t *testing.T, path string) *models.GGUF {
	t.Helper()
	g, err := openGGUF(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}
