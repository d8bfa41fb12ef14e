//go:build cgo

package llama

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func newContext(t testing.TB, m *Model, o ContextOptions) *Context {
	t.Helper()
	c, err := NewContext(m, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// decode appends ids to a sequence at a position and returns a copy of the last row's logits.
func decode(t testing.TB, c *Context, sequence, position int32, ids []int32) []float32 {
	t.Helper()
	var b Batch
	row := 0
	for i, id := range ids {
		row = b.Add(id, position+int32(i), sequence, i == len(ids)-1)
	}
	if err := c.Decode(&b); err != nil {
		t.Fatal(err)
	}
	logits := c.Logits(row)
	if len(logits) != c.Model().VocabSize() {
		t.Fatalf("%d logits for a vocabulary of %d", len(logits), c.Model().VocabSize())
	}
	return slices.Clone(logits)
}

func argmax(logits []float32) int32 {
	best := 0
	for i, l := range logits {
		if l > logits[best] {
			best = i
		}
	}
	return int32(best)
}

func generate(t *testing.T, m *Model, prompt string, n int) string {
	c := newContext(t, m, ContextOptions{Size: 512, Threads: 2})
	ids, err := m.Tokenize(prompt, true)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	position := int32(0)
	for range n {
		next := argmax(decode(t, c, 0, position, ids))
		if m.IsEOG(next) {
			break
		}
		position += int32(len(ids))
		out.Write(m.Piece(next))
		ids = []int32{next}
	}
	return out.String()
}

// TestContextOptions: what was left to the defaults is filled in.
func TestContextOptions(t *testing.T) {
	m := defaultModel(t)
	if got, want := newContext(t, m, ContextOptions{Size: 64}).Options(), (ContextOptions{Size: 64, Batch: 512, Sequences: 1, Threads: 1}); !reflect.DeepEqual(got, want) {
		t.Errorf("options %+v, want %+v", got, want)
	}
	for _, o := range []ContextOptions{{Size: 64, KV: "f8"}, {Size: 64, KV: KVQ8, FlashAttention: -1}} {
		if c, err := NewContext(m, o); err == nil {
			c.Close()
			t.Errorf("%+v made a context", o)
		}
	}
	if got := newContext(t, m, ContextOptions{Size: 64, Batch: 2, Sequences: 5}).Options().Batch; got != 5 {
		t.Errorf("a batch of %d rows for five sequences", got)
	}
	newContext(t, m, ContextOptions{Size: 64, KV: KVQ8, FlashAttention: 1})
	decode(t, newContext(t, m, ContextOptions{Size: 1, Sequences: 5}), 4, 0, []int32{1})
	asked := ContextOptions{Size: 256, Batch: 16, KV: KVF32, Sequences: 3, Threads: 2, FlashAttention: -1, SplitKV: true, Layers: []int{20, 3}}
	if got := newContext(t, m, asked).Options(); !reflect.DeepEqual(got, asked) {
		t.Errorf("options %+v, asked for %+v", got, asked)
	}
}

// The default model answers a question whose answer cannot come from noise.
func TestDefaultModelAnswers(t *testing.T) {
	m := defaultModel(t)
	if m.Template() != ChatML {
		t.Fatalf("template %v", m.Template())
	}
	var prompt strings.Builder
	for _, p := range m.Template().Render([]Turn{{User, "What is the capital of France?"}}, true) {
		prompt.WriteString(p.Text)
	}
	if got := generate(t, m, prompt.String(), 24); !strings.Contains(got, "Paris") {
		t.Errorf("the default model says %q", got)
	}
	info := m.Info()
	if info.Layers != 30 || info.Embedding != 576 || info.Heads != 9 || info.KVHeads != 3 || info.VocabSize != 49152 {
		t.Errorf("hyper-parameters %+v", info)
	}
}

// A record that continues a copy of a shared prefix sees what it would have seen had it begun with the prefix itself.
func TestSharedPrefix(t *testing.T) {
	m := load(t, tinyModel(t), LoadOptions{})
	prefix, _ := m.Tokenize("A prompt that every record begins with.", false)
	text, _ := m.Tokenize(" And a text.", false)
	for _, o := range []ContextOptions{{}, {SplitKV: true}, {KV: KVF32, FlashAttention: -1}, {KV: KVF32, FlashAttention: 1, SplitKV: true}} {
		o.Size, o.Sequences, o.Threads = 512, 3, 2
		c := newContext(t, m, o)
		want := decode(t, c, 0, 0, append(slices.Clone(prefix), text...))
		c.ClearKV()
		decode(t, c, 0, 0, prefix)
		for round := range 3 {
			if err := c.CopyKV(0, 1, 0, -1); err != nil {
				t.Fatal(err)
			}
			got := decode(t, c, 1, int32(len(prefix)), text)
			for i := range got {
				if d := math.Abs(float64(got[i] - want[i])); d > 1e-2 {
					t.Fatalf("%+v, round %d: logit %d is %v, want %v", o, round, i, got[i], want[i])
				}
			}
			if err := c.RemoveKV(1, 0, -1); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestLogitsOnlyWhereAsked(t *testing.T) {
	m := load(t, tinyModel(t), LoadOptions{})
	c := newContext(t, m, ContextOptions{Size: 128})
	var b Batch
	b.Add(10, 0, 0, false)
	b.Add(11, 1, 0, true)
	b.Add(12, 2, 0, false)
	if err := c.Decode(&b); err != nil {
		t.Fatal(err)
	}
	for row, want := range map[int]bool{-1: false, 0: false, 1: true, 2: false, 3: false} {
		if got := c.Logits(row) != nil; got != want {
			t.Errorf("row %d has logits: %v, want %v", row, got, want)
		}
	}
}

// What llama.cpp would end the process for is an error here.
func TestBadBatches(t *testing.T) {
	m := load(t, tinyModel(t), LoadOptions{})
	c := newContext(t, m, ContextOptions{Size: 256, Batch: 32, Sequences: 2})
	row := func(token, position, sequence int32) *Batch {
		b := new(Batch)
		b.Add(token, position, sequence, true)
		return b
	}
	long := new(Batch)
	for i := range int32(33) {
		long.Add(1, i, 0, false)
	}
	ragged := row(1, 0, 0)
	ragged.Positions = append(ragged.Positions, 1)
	for name, b := range map[string]*Batch{
		"empty": new(Batch), "too long": long, "ragged": ragged,
		"negative token": row(-1, 0, 0), "token beyond the vocabulary": row(int32(m.VocabSize()), 0, 0),
		"negative position": row(1, -1, 0), "position beyond the context": row(1, int32(c.Size()), 0),
		"negative sequence": row(1, 0, -1), "sequence beyond those asked for": row(1, 0, 2),
	} {
		if err := c.Decode(b); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
	for name, err := range map[string]error{
		"remove of a bad sequence": c.RemoveKV(2, 0, -1), "remove from a negative position": c.RemoveKV(0, -1, -1),
		"copy to a bad sequence": c.CopyKV(0, 9, 0, -1),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	decode(t, c, 0, 0, []int32{1, 2, 3}) // and the context is still good

	// A batch holds no more than the cache was to hold, whatever was asked for.
	c = newContext(t, m, ContextOptions{Size: 64, Batch: 512, Sequences: 2})
	long.Reset()
	for i := range int32(65) {
		long.Add(1, i, 0, false)
	}
	if err := c.Decode(long); err == nil || c.BatchSize() != 64 {
		t.Errorf("65 rows in a context of 64: %v, batches of %d", err, c.BatchSize())
	}
	decode(t, c, 0, 0, long.Tokens[:64])
}

func TestNoRoom(t *testing.T) {
	m := load(t, tinyModel(t), LoadOptions{})
	c := newContext(t, m, ContextOptions{Size: 256, Batch: 256, Sequences: 2})
	b := new(Batch)
	for i := range int32(c.Size()) {
		b.Add(1, i, 0, false)
	}
	if err := c.Decode(b); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	b.Add(1, 0, 1, true)
	if err := c.Decode(b); !errors.Is(err, ErrNoRoom) {
		t.Errorf("decoding into a full cache: %v", err)
	}
}

func TestAbort(t *testing.T) {
	m := load(t, tinyModel(t), LoadOptions{})
	c := newContext(t, m, ContextOptions{Size: 128})
	c.Abort(true)
	b := new(Batch)
	b.Add(1, 0, 0, true)
	if err := c.Decode(b); !errors.Is(err, ErrAborted) {
		t.Errorf("an aborted Decode gave %v", err)
	}
	c.Abort(false)
	c.ClearKV()
	decode(t, c, 0, 0, []int32{1})
}

// A model in the middle of a file gives the logits of the same model in a file of its own.
func TestLoadFileAtOffset(t *testing.T) {
	path := tinyModel(t)
	want := decode(t, newContext(t, load(t, path, LoadOptions{}), ContextOptions{Size: 64}), 0, 0, []int32{5, 6, 7})
	const offset = 4096
	inside := filepath.Join(t.TempDir(), "inside")
	out, err := os.Create(inside)
	if err != nil {
		t.Fatal(err)
	}
	model, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer model.Close()
	if _, err := out.Write(bytes.Repeat([]byte{0xAA}, offset)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, model); err != nil {
		t.Fatal(err)
	}
	if _, err := out.WriteString("and something behind it"); err != nil {
		t.Fatal(err)
	}
	m, err := LoadFile(out, offset, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	got := decode(t, newContext(t, m, ContextOptions{Size: 64}), 0, 0, []int32{5, 6, 7})
	if !slices.Equal(got, want) {
		t.Error("logits differ from those of the plain file")
	}
}

// Errors carry llama.cpp's own last line.
func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	whole, err := os.ReadFile(tinyModel(t))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for name, c := range map[string]struct{ path, want string }{
		"missing":   {filepath.Join(dir, "none.gguf"), "No such file"},
		"text":      {write("text.gguf", []byte("This is no model at all, but a text of some length.")), "invalid magic"},
		"truncated": {write("cut.gguf", whole[:len(whole)/2]), "not within the file bounds"},
		"empty":     {write("empty.gguf", nil), "empty.gguf"},
	} {
		_, err := Load(c.path, LoadOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestCloseOrder(t *testing.T) {
	m, err := Load(tinyModel(t), LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewContext(m, ContextOptions{Size: 64})
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	m.Close()
	decode(t, c, 0, 0, []int32{1, 2}) // the context keeps the model
	for _, size := range []int{64, 0} {
		if _, err := NewContext(m, ContextOptions{Size: size}); err == nil {
			t.Error("a closed model made a context")
		}
	}
	c.Close()
	c.Close()
	if c.Logits(1) != nil {
		t.Error("a closed context has logits")
	}
	if m.c != nil {
		t.Error("the model was not freed with its last context")
	}
}
