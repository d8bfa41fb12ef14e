package models

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

func smallSynthetic(t *testing.T, shape Shape) *SyntheticModel {
	t.Helper()
	m, err := newSyntheticModel("synthetic-small", read(t, vocabFile().bytes()), shape)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestSyntheticModelWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache", "synthetic")
	m := smallSynthetic(t, smallShape)
	write := func() {
		t.Helper()
		var done, total int64
		if err := m.Write(t.Context(), dir, func(d, n int64) { done, total = d, n }); err != nil {
			t.Fatal(err)
		}
		if done != total || total != 0 && total != m.Header().Size() {
			t.Errorf("progress ended at %d of %d", done, total)
		}
	}
	inode := func() uint64 {
		t.Helper()
		info, err := os.Stat(m.Path(dir))
		if err != nil {
			t.Fatal(err)
		}
		return info.Sys().(*syscall.Stat_t).Ino
	}
	if m.Whole(dir) {
		t.Error("whole before it was written")
	}
	write()
	got, err := os.ReadFile(m.Path(dir))
	if err != nil || !bytes.Equal(got, synthetic(t, smallShape, syntheticSeed)) || int64(len(got)) != m.Header().Size() {
		t.Errorf("%d bytes, %v: not what WriteSynthetic writes", len(got), err)
	}
	g, err := OpenGGUF(m.Path(dir))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if err := errors.Join(g.Usable(), m.Header().Usable()); err != nil {
		t.Error(err)
	}

	first := inode()
	write()
	if inode() != first {
		t.Error("a whole file was written anew")
	}
	for name, damage := range map[string]func() error{
		"cut":          func() error { return os.Truncate(m.Path(dir), int64(len(got))-1) },
		"longer":       func() error { return os.Truncate(m.Path(dir), int64(len(got))+1) },
		"other header": func() error { return os.WriteFile(m.Path(dir), append([]byte("GGML"), got[4:]...), 0o644) },
		"empty":        func() error { return os.Truncate(m.Path(dir), 0) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if m.Whole(dir) {
			t.Errorf("%s: taken for whole", name)
		}
		write()
		if again, err := os.ReadFile(m.Path(dir)); err != nil || !bytes.Equal(again, got) {
			t.Errorf("%s: not repaired, %v", name, err)
		}
	}

	other := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(other, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	removed, err := RemoveSynthetic(t.Context(), dir)
	if err != nil || !slices.Equal(removed, []string{m.Name}) || m.Whole(dir) {
		t.Errorf("removed %q, %v", removed, err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Error("a file of somebody else's was removed")
	}
	if removed, err := RemoveSynthetic(t.Context(), filepath.Join(dir, "none")); removed != nil || err != nil {
		t.Errorf("an absent folder: %q, %v", removed, err)
	}
}

func TestSyntheticModelWriteFails(t *testing.T) {
	m := smallSynthetic(t, smallShape)
	dir := t.TempDir()
	m.free = func(string) (int64, error) { return m.file.size - 1, nil }
	err := m.Write(t.Context(), dir, nil)
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "MB are needed") || !strings.Contains(err.Error(), "XDG_CACHE_HOME") {
		t.Errorf("full disk: %v", err)
	}
	m.free = freeBytes
	ctx, cancel := context.WithCancel(t.Context())
	err = m.Write(ctx, dir, func(done, total int64) {
		if done > int64(len(m.file.header)) {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 || files[0].Name() != ".lock" {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestNewSyntheticModelRefuses(t *testing.T) {
	for _, test := range []struct {
		shape  string
		format Format
		want   string
	}{
		{"llama3-405b", "Q4_0", "choose one of llama3-8b, llama3.2-1b"},
		{"llama3-8b", "Q4_K_M", "choose one of [F16 Q8_0 Q4_0]"},
	} {
		if _, err := NewSyntheticModel(test.shape, test.format); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s in %s: %v, want %q", test.shape, test.format, err, test.want)
		}
	}
}

func TestReadVocabulary(t *testing.T) {
	packed := func(b []byte) fstest.MapFS {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write(b)
		w.Close()
		return fstest.MapFS{"vocabulary/llama3.gguf.gz": {Data: z.Bytes()}}
	}
	g, err := readVocabulary(packed(vocabFile().bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if tokens, err := g.Strings("tokenizer.ggml.tokens"); err != nil || !slices.Equal(tokens, vocabTokens) {
		t.Errorf("%d tokens, %v", len(tokens), err)
	}
	if _, err := readVocabulary(fstest.MapFS{"vocabulary/README.md": {}}); !errors.Is(err, ErrNoVocabulary) {
		t.Errorf("without one: %v", err)
	}
	for name, files := range map[string]fstest.MapFS{
		"not packed": {"vocabulary/llama3.gguf.gz": {Data: []byte("GGUF")}},
		"no GGUF":    packed([]byte("tokens")),
	} {
		if _, err := readVocabulary(files); err == nil || !strings.HasSuffix(err.Error(), "build it again with make") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
