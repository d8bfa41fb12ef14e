package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"unsafe"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
)

// A recordingEngine notes the logits behind every text that it was asked about.
type recordingEngine struct {
	*engine
	cells  map[int32][]int32 // tokens by sequence
	rows   []tagger.Row
	behind map[[32]byte][32]byte // by the tokens' hash, the logits'
}

func (r *recordingEngine) Decode(rows []tagger.Row) error {
	r.rows = slices.Clone(rows)
	for _, row := range rows {
		r.cells[row.Sequence] = append(r.cells[row.Sequence][:row.Position:row.Position], row.Token)
	}
	return r.engine.Decode(rows)
}

func (r *recordingEngine) Logits(row int) []float32 {
	logits := r.engine.Logits(row)
	at := r.rows[row]
	key := make([]byte, 0, 4096)
	for _, id := range r.cells[at.Sequence][:at.Position+1] {
		key = binary.LittleEndian.AppendUint32(key, uint32(id))
	}
	r.behind[sha256.Sum256(key)] = sha256.Sum256(unsafe.Slice((*byte)(unsafe.Pointer(&logits[0])), 4*len(logits)))
	return logits
}

func (r *recordingEngine) CopyKV(from, to int32) error {
	r.cells[to] = slices.Clone(r.cells[from])
	return r.engine.CopyKV(from, to)
}

func (r *recordingEngine) RemoveKV(sequence, from int32) error {
	r.cells[sequence] = r.cells[sequence][:from]
	return r.engine.RemoveKV(sequence, from)
}

func (r *recordingEngine) Widen(wide bool) error {
	clear(r.cells)
	return r.engine.Widen(wide)
}

// recordLogits tags texts so many at a time and returns the logits behind every choice.
func recordLogits(t *testing.T, m models.Model, decode tagger.Decode, texts []string, sizes engineSizes, alike bool) map[[32]byte][32]byte {
	t.Helper()
	e, err := openEngine(m, sizes)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	r := &recordingEngine{engine: e, cells: map[int32][]int32{}, behind: map[[32]byte][32]byte{}}
	prompt, err := tagger.BuiltinPrompt("level_2")
	if err != nil {
		t.Fatal(err)
	}
	tag, err := tagger.New(r, tagger.Options{ModelName: "m", Prompt: prompt, Taxonomy: dataset.Default(), Decode: decode, Alike: alike, Priors: true})
	if err != nil {
		t.Fatal(err)
	}
	items := make(chan tagger.Item, len(texts))
	for i, text := range texts {
		items <- tagger.Item{Input: dataset.Input{ID: fmt.Sprint(i), Text: text}}
	}
	close(items)
	if err := tag.Run(items, false, func(tagger.Item, tagger.Result) error { return nil }); err != nil {
		t.Fatal(err)
	}
	return r.behind
}

// TestAlike: with --deterministic the logits behind a text are the same to the last bit however many records are decoded at a
// time, in each format that alikeTypes names. Without it they are not, or it would be of no use.
func TestAlike(t *testing.T) {
	long(t)
	gemma := models.Model{Path: filepath.Join(fixtures.store, "gemma3-270m.gguf")} // has weights that are repacked
	if sizes, alike, err := alikeSizes(header(t, gemma.Path), tagger.Compact, 1, 9, ""); err != nil || alike || sizes.Parallel != 1 || sizes.Split {
		t.Errorf("%v, %v, %v", sizes, alike, err)
	}
	half := filepath.Join(t.TempDir(), "half.gguf")
	if err := llama.Quantize(t.Context(), fixtures.llama3, half, "F16", 1); err != nil {
		t.Fatal(err)
	}
	otherwise := 0
	for _, test := range []struct {
		name, path string
		decode     tagger.Decode
		texts      int
	}{
		{"Q4_1", filepath.Join(fixtures.store, "smollm2-135m.gguf"), tagger.Compact, 6},
		{"Q8_0", fixtures.llama3, tagger.Compact, 20},
		{"F16", half, tagger.Compact, 20},
		{"F16, aligned", half, tagger.Aligned, 8},
	} {
		m := models.Model{Name: test.name, Path: test.path}
		texts := benchTexts()[:test.texts]
		sizes, alike, err := alikeSizes(header(t, m.Path), test.decode, 1, 2, "")
		if err != nil || !alike || sizes.Parallel != 2 || !sizes.Split {
			t.Fatalf("%s: %v, %v, %v", test.name, sizes, alike, err)
		}
		want := recordLogits(t, m, test.decode, texts, sizes, true)
		if len(want) < 3*len(texts) {
			t.Errorf("%s: only %d choices", test.name, len(want))
		}
		for _, parallel := range []int{3, 7} {
			got := recordLogits(t, m, test.decode, texts, sizes.with(parallel), true)
			differ := 0
			for key, logits := range want {
				if got[key] != logits {
					differ++
				}
			}
			if differ > 0 || len(got) != len(want) {
				t.Errorf("%s, %d at a time: %d and %d choices, other logits behind %d", test.name, parallel, len(got), len(want), differ)
			}
		}
		if test.decode != tagger.Compact {
			continue
		}
		for key, logits := range recordLogits(t, m, test.decode, texts, defaultSizes(test.decode, 1), false) {
			if want[key] != logits {
				otherwise++
			}
		}
	}
	if otherwise == 0 {
		t.Error("nothing differs without it either")
	}
}
