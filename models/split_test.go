package models

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// splitModel writes the model in n files, as llama-gguf-split does: all keys
// in the first, each tensor in one of them. It returns the first one's path.
func splitModel(t *testing.T, whole []byte, n int) string {
	t.Helper()
	g := read(t, whole)
	dir := t.TempDir()
	for i := range n {
		h := &header{}
		if i == 0 {
			for _, v := range g.keys {
				h.raw(whole[v.start:v.end])
			}
		}
		h.uint16("split.no", uint16(i))
		h.uint16("split.count", uint16(n))
		h.key("split.tensors.count", kindInt32)
		h.keys = binary.LittleEndian.AppendUint32(h.keys, uint32(len(g.tensors)))
		var data []byte
		for j, x := range g.tensors {
			if j*n/len(g.tensors) != i {
				continue
			}
			shape := make([]int, len(x.Shape))
			for k, d := range x.Shape {
				shape[k] = int(d)
			}
			padding, err := h.tensor(x.Name, x.Type, shape...)
			if err != nil {
				t.Fatal(err)
			}
			data = append(append(data, whole[x.Offset:x.Offset+x.Size]...), make([]byte, padding)...)
		}
		if err := os.WriteFile(splitPath(dir, i, n), append(h.bytes(), data...), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return splitPath(dir, 0, n)
}

func splitPath(dir string, i, n int) string {
	return filepath.Join(dir, fmt.Sprintf("small-%05d-of-%05d.gguf", i+1, n))
}

func TestSplit(t *testing.T) {
	whole := synthetic(t, smallShape, 1)
	want := read(t, whole)
	first := splitModel(t, whole, 3)
	g, err := OpenGGUF(first)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if err := g.Usable(); err != nil || g.Parameters() != want.Parameters() || g.VocabSize() != want.VocabSize() {
		t.Errorf("%v, %d parameters, %d tokens", err, g.Parameters(), g.VocabSize())
	}
	var all []byte
	for i := range 3 {
		part, err := os.ReadFile(splitPath(filepath.Dir(first), i, 3))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, part...)
	}
	if g.Size() != int64(len(all)) {
		t.Errorf("Size = %d, the files have %d", g.Size(), len(all))
	}
	if sum, err := (Model{Path: first}).Hash(t.Context()); err != nil || sum != hexSum(all) {
		t.Errorf("Hash = %s, %v, want %s", sum, err, hexSum(all))
	}
	identical := func(kind TensorType, packed []byte, out []float32) error {
		for i := range out {
			out[i] = float32(packed[i*len(packed)/len(out)])
		}
		return nil
	}
	if off, err := WeightError(t.Context(), want, g, identical); err != nil || off != 0 {
		t.Errorf("the weights are off by %v, %v", off, err)
	}

	// In the store it is one file, and the model's own again.
	s := &Store{dir: t.TempDir()}
	e, err := s.Add(t.Context(), "small", first, Meta{})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile(e.Path)
	if err != nil || !bytes.Equal(stored, whole) {
		t.Errorf("the joined file differs from the one that was split, %v", err)
	}
}

func TestSplitRefuses(t *testing.T) {
	whole := synthetic(t, smallShape, 1)
	second := func(dir string) string { return splitPath(dir, 1, 3) }
	for _, test := range []struct {
		name   string
		damage func(t *testing.T, dir string) (path string)
		want   string
	}{
		{"another than the first", func(_ *testing.T, dir string) string { return second(dir) }, "this is file 2 of the 3 of a split model: name the first"},
		{"a file is missing", func(t *testing.T, dir string) string { remove(t, second(dir)); return "" }, "file 2 of 3 of a split model: "},
		{"a file is cut", func(t *testing.T, dir string) string { cut(t, second(dir), 100); return "" }, "the file is truncated"},
		{"a file twice", func(t *testing.T, dir string) string { copyTo(t, splitPath(dir, 2, 3), second(dir)); return "" }, "this is file 3 of 3, expected 2 of 3"},
		{"another model's file", func(t *testing.T, dir string) string {
			copyTo(t, splitPath(filepath.Dir(splitModel(t, whole, 4)), 1, 4), second(dir))
			return ""
		}, "this is file 2 of 4, expected 2 of 3"},
		{"a tensor twice", func(t *testing.T, dir string) string {
			text, err := os.ReadFile(second(dir))
			if err != nil || !bytes.Contains(text, []byte("blk.1.attn_q.weight")) {
				t.Fatal("no such tensor in the second file", err)
			}
			writeAt(t, second(dir), bytes.Replace(text, []byte("blk.1.attn_q.weight"), []byte("blk.0.attn_q.weight"), 1))
			return ""
		}, `tensor "blk.0.attn_q.weight" is in an earlier file too`},
		{"called otherwise", func(t *testing.T, dir string) string {
			path := filepath.Join(dir, "model.gguf")
			copyTo(t, splitPath(dir, 0, 3), path)
			return path
		}, "not called so"},
		{"fewer by its name", func(t *testing.T, dir string) string {
			copyTo(t, splitPath(dir, 0, 3), splitPath(dir, 0, 2))
			return splitPath(dir, 0, 2)
		}, "not called so"},
	} {
		t.Run(test.name, func(t *testing.T) {
			first := splitModel(t, whole, 3)
			path := test.damage(t, filepath.Dir(first))
			if path == "" {
				path = first
			}
			g, err := OpenGGUF(path)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, %v, want %q", g, err, test.want)
			}
		})
	}

	// Numbers of the wrong width end llama.cpp's process.
	g := read(t, modelHeader("llama", func(h *header) { h.uint32("split.no", 0); h.uint32("split.count", 2) }))
	if err := g.openRest("small-00001-of-00002.gguf"); err == nil || !strings.Contains(err.Error(), "16-bit") {
		t.Error(err)
	}
}

func TestSplitFiles(t *testing.T) {
	got, ok := splitFiles("dir/x-00001-of-00002.gguf")
	if want := []string{"dir/x-00001-of-00002.gguf", "dir/x-00002-of-00002.gguf"}; !ok || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, ok)
	}
	for _, path := range []string{"x.gguf", "x-00002-of-00002.gguf", "x-00001-of-00000.gguf", "x-00001-of-99999.gguf", "x-1-of-2.gguf"} {
		if got, ok := splitFiles(path); ok {
			t.Errorf("%s: %q", path, got)
		}
	}
}

func cut(t *testing.T, path string, n int64) {
	t.Helper()
	if err := os.Truncate(path, n); err != nil {
		t.Fatal(err)
	}
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err := errors.Join(err, os.WriteFile(to, text, 0o644)); err != nil {
		t.Fatal(err)
	}
}
