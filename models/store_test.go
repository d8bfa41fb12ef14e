package models

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// files returns the names in the store's folder, the lock apart.
func files(t *testing.T, s *Store) (names []string) {
	t.Helper()
	list, err := os.ReadDir(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if f.Name() != ".lock" {
			names = append(names, f.Name())
		}
	}
	return names
}

func TestStore(t *testing.T) {
	ctx := t.Context()
	s := Open(filepath.Join(t.TempDir(), "not", "yet"))
	if entries, damaged, err := s.List(); len(entries)+len(damaged) > 0 || err != nil {
		t.Errorf("List of no folder: %v, %v, %v", entries, damaged, err)
	}
	if err := s.Remove(ctx, "llama3:instruct"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Remove from no folder: %v", err)
	}

	src := writeFile(t, "mine.gguf", synthetic(t, smallShape, 1))
	added, err := s.Add(ctx, "llama3:instruct", src, Meta{ChatTemplate: "llama3"})
	if err != nil {
		t.Fatal(err)
	}
	sum, err := HashFile(ctx, src)
	if err != nil {
		t.Fatal(err)
	}
	if added.SHA256 != sum || added.Source != "mine.gguf" || added.ChatTemplate != "llama3" {
		t.Errorf("Add: %+v", added)
	}
	if got, err := s.Get("llama3:instruct"); err != nil || got != added {
		t.Errorf("Get: %+v, %v, want %+v", got, err, added)
	}
	if want := []string{"llama3%3Ainstruct.gguf", "llama3%3Ainstruct.json"}; !slices.Equal(files(t, s), want) {
		t.Errorf("files %q, want %q", files(t, s), want)
	}
	if err := s.Verify(ctx, "llama3:instruct"); err != nil {
		t.Error(err)
	}
	if _, err := s.Add(ctx, "llama3:instruct", src, Meta{}); !errors.Is(err, ErrExists) {
		t.Errorf("Add again: %v", err)
	}
	if _, err := s.Add(ctx, "Another", src, Meta{Source: "a friend"}); err != nil {
		t.Error(err)
	}
	entries, damaged, err := s.List()
	if err != nil || len(damaged) > 0 || len(entries) != 2 || entries[0].Name != "Another" || entries[1] != added {
		t.Errorf("List: %+v, %v, %v", entries, damaged, err)
	}
	if err := s.Remove(ctx, "llama3:instruct"); err != nil {
		t.Error(err)
	}
	if _, err := s.Get("llama3:instruct"); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get after Remove: %v", err)
	}
}

func TestStoreDamage(t *testing.T) {
	const pull = "emospan models pull " + DefaultModel
	for _, test := range []struct {
		name   string
		damage func(gguf, json string) error
		want   string // of Get, or of Verify where Get is content
	}{
		{"JSON missing", func(_, json string) error { return os.Remove(json) }, "its description is missing"},
		{"JSON cut", func(_, json string) error { return os.Truncate(json, 30) }, "not valid JSON"},
		{"JSON of another", func(_, json string) error { return os.WriteFile(json, []byte(`{"name":"x"}`), 0o644) }, "lacks the name"},
		{"JSON a folder", func(_, json string) error { return errors.Join(os.Remove(json), os.Mkdir(json, 0o755)) }, "is a directory"},
		{"GGUF missing", func(gguf, _ string) error { return os.Remove(gguf) }, "its GGUF file is missing"},
		{"GGUF a folder", func(gguf, _ string) error { return errors.Join(os.Remove(gguf), os.Mkdir(gguf, 0o755)) }, "not a regular file"},
		{"GGUF cut", func(gguf, _ string) error { return os.Truncate(gguf, 100) }, "has 100 bytes, expected"},
		{"GGUF changed", func(gguf, _ string) error {
			b, err := os.ReadFile(gguf)
			b[len(b)-1] ^= 1
			return errors.Join(err, os.WriteFile(gguf, b, 0o644))
		}, "has sha256"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := synthetic(t, smallShape, 1)
			s := pinnedStore(t, wheelOf(t, file), file)
			e, err := s.Add(t.Context(), DefaultModel, writeFile(t, "m.gguf", file), Meta{})
			if err != nil {
				t.Fatal(err)
			}
			if err := test.damage(e.Path, strings.TrimSuffix(e.Path, ".gguf")+".json"); err != nil {
				t.Fatal(err)
			}
			err = s.Verify(t.Context(), DefaultModel)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), pull) {
				t.Errorf("got %v, want %q and %q", err, test.want, pull)
			}
			entries, damaged, err := s.List()
			if err != nil || len(entries)+len(damaged) != 1 {
				t.Errorf("List: %v, %v, %v", entries, damaged, err)
			}
		})
	}
}

func TestListOtherFiles(t *testing.T) {
	s := Open(t.TempDir())
	for _, name := range []string{"My Model.gguf", "notes.txt", ".tmp-1.gguf", "half.gguf"} {
		if err := os.WriteFile(filepath.Join(s.Dir(), name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	entries, damaged, err := s.List()
	if err != nil || len(entries) != 0 || len(damaged) != 2 {
		t.Fatalf("List: %v, %v, %v", entries, damaged, err)
	}
	for i, want := range []string{"My Model.gguf is not a file of the store", `model "half" is damaged`} {
		if !strings.Contains(damaged[i].Error(), want) {
			t.Errorf("got %v, want %q", damaged[i], want)
		}
	}
}

func TestAddRefuses(t *testing.T) {
	file := synthetic(t, smallShape, 1)
	good := writeFile(t, "good.gguf", file)
	cut := writeFile(t, "cut.gguf", file[:len(file)-1])
	vocab := writeFile(t, "vocab.gguf", vocabFile().bytes())
	for _, test := range []struct{ name, path, want string }{
		{"../escape", good, "not a model name"},
		{"", good, "not a model name"},
		{"m", cut, "the file is truncated"},
		{"m", vocab, "vocabulary but no weights"},
		{"m", filepath.Dir(good), "is a directory"},
		{"m", good + "x", "no such file"},
		{DefaultModel, good, "is pinned"},
	} {
		s := Open(t.TempDir())
		if _, err := s.Add(t.Context(), test.name, test.path, Meta{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Add(%q, %s): %v, want %q", test.name, test.path, err, test.want)
		}
		if left := files(t, s); len(left) > 0 {
			t.Errorf("Add(%q, %s) left %q", test.name, test.path, left)
		}
	}
}

func TestAddCancelled(t *testing.T) {
	s := Open(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Add(ctx, "m", writeFile(t, "m.gguf", synthetic(t, smallShape, 1)), Meta{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if left := files(t, s); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

// One of several writers of a name wins, and what it wrote is whole.
func TestAddAtOnce(t *testing.T) {
	s := Open(t.TempDir())
	var paths []string
	for seed := range uint64(4) {
		paths = append(paths, writeFile(t, "m.gguf", synthetic(t, smallShape, seed)))
	}
	errs := make([]error, len(paths))
	var wg sync.WaitGroup
	for i, path := range paths {
		wg.Go(func() { _, errs[i] = s.Add(t.Context(), "m", path, Meta{}) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if !errors.Is(err, ErrExists) {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d writers won", won)
	}
	if err := s.Verify(t.Context(), "m"); err != nil {
		t.Error(err)
	}
}

func TestLockWaits(t *testing.T) {
	s := Open(t.TempDir())
	unlock, err := s.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.lock(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a second lock: %v", err)
	}
	stale := filepath.Join(s.Dir(), tempPrefix+"stale", "inside")
	if err := os.MkdirAll(stale, 0o755); err != nil {
		t.Fatal(err)
	}
	unlock()
	if unlock, err = s.lock(t.Context()); err != nil {
		t.Fatal(err)
	}
	unlock()
	if left := files(t, s); len(left) > 0 {
		t.Errorf("left by a killed writer and not swept: %q", left)
	}
}

func TestNames(t *testing.T) {
	for name, file := range map[string]string{
		"smollm2-135m":    "smollm2-135m",
		"llama3:instruct": "llama3%3Ainstruct",
		"Qwen3.0_B+1":     "%51wen3.0_%42%2B1",
		"7":               "7",
	} {
		if err := checkName(name); err != nil {
			t.Error(err)
		}
		if got := encodeName(name); got != file {
			t.Errorf("encodeName(%q) = %q, want %q", name, got, file)
		}
		if got, err := decodeName(file); err != nil || got != name {
			t.Errorf("decodeName(%q) = %q, %v", file, got, err)
		}
	}
	for _, name := range []string{"", ".", "..", ".hidden", "-m", "a/b", `a\b`, "a b", "é", "a\x00", "a\n", "model.gguf", "MODEL.GGUF", "%41", strings.Repeat("a", 101)} {
		if err := checkName(name); !errors.Is(err, errName) {
			t.Errorf("checkName(%q) = %v", name, err)
		}
	}
	for _, file := range []string{"Upper", "a%3a", "a%", "%61", "..", "a%2Fb", "a:b"} {
		if name, err := decodeName(file); err == nil {
			t.Errorf("decodeName(%q) = %q", file, name)
		}
	}
}

func TestDefaultDir(t *testing.T) {
	for _, test := range []struct{ models, data, home, want string }{
		{"/m", "/d", "/h", "/m"},
		{"", "/d", "/h", "/d/emospan/models"},
		{"", "relative", "/h", "/h/.local/share/emospan/models"},
		{"", "", "/h", "/h/.local/share/emospan/models"},
		{"", "", "", ""},
	} {
		t.Setenv("EMOSPAN_MODELS", test.models)
		t.Setenv("XDG_DATA_HOME", test.data)
		t.Setenv("HOME", test.home)
		dir, err := DefaultDir()
		if dir != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%+v: got %q, %v", test, dir, err)
		}
		if err != nil && !strings.Contains(err.Error(), "EMOSPAN_MODELS") {
			t.Errorf("no home: %v", err)
		}
	}
}

func TestResolve(t *testing.T) {
	ctx := t.Context()
	file := synthetic(t, smallShape, 1)
	s := pinnedStore(t, wheelOf(t, file), file)
	path := writeFile(t, "file.gguf", file)
	t.Chdir(filepath.Dir(path))
	if err := os.WriteFile("weights", file, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("mine", []byte("not looked at: the store comes first"), 0o644); err != nil {
		t.Fatal(err)
	}
	mine, err := s.Add(ctx, "mine", path, Meta{})
	if err != nil {
		t.Fatal(err)
	}

	refused := func(arg string, want ...string) {
		t.Helper()
		_, err := s.Resolve(arg)
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("Resolve(%q): %v, want %q", arg, err, w)
			}
		}
	}
	refused("", DefaultModel, "emospan models pull "+DefaultModel)
	refused(DefaultModel, "emospan models pull "+DefaultModel)
	refused("nobody", `no model "nobody"`, "neither in the store", s.Dir(), "nor a file", "emospan models list", "emospan models pull")
	refused("no body", "neither in the store", s.Dir(), "emospan models list")
	refused("./absent", "no model file ./absent")
	refused("absent.GGUF", "no model file absent.GGUF")
	refused(filepath.Dir(path), "is a directory")

	if _, err := s.Add(ctx, DefaultModel, path, Meta{}); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]Model{
		"":          {Name: DefaultModel, Path: s.path(DefaultModel, ".gguf"), SHA256: mine.SHA256},
		"mine":      {Name: "mine", Path: mine.Path, SHA256: mine.SHA256},
		"weights":   {Name: "weights", Path: "weights"},
		"./mine":    {Name: "mine", Path: "./mine"},
		"file.gguf": {Name: "file.gguf", Path: "file.gguf"},
		path:        {Name: "file.gguf", Path: path},
	} {
		m, err := s.Resolve(arg)
		if inStore := m.Entry != nil; err != nil || inStore != (m.SHA256 != "") {
			t.Errorf("Resolve(%q): entry %v, %v", arg, m.Entry, err)
		}
		m.Entry = nil
		if m != want {
			t.Errorf("Resolve(%q) = %+v, want %+v", arg, m, want)
		}
	}
	m, err := s.Resolve("weights")
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := m.Hash(ctx); err != nil || sum != mine.SHA256 {
		t.Errorf("Hash: %s, %v, want %s", sum, err, mine.SHA256)
	}

	if err := os.Remove(mine.Path); err != nil {
		t.Fatal(err)
	}
	refused("mine", "its GGUF file is missing", "emospan models rm mine")
}

// TestHomeless: who has no folder for models can use a file, and is told about the folder by everything else.
func TestHomeless(t *testing.T) {
	for _, name := range []string{"EMOSPAN_MODELS", "XDG_DATA_HOME", "HOME", "OLLAMA_MODELS"} {
		t.Setenv(name, "")
	}
	s := OpenDefault()
	path := filepath.Join(t.TempDir(), "a.gguf")
	if err := os.WriteFile(path, []byte("GGUF"), 0o666); err != nil {
		t.Fatal(err)
	}
	if m, err := s.Resolve(path); err != nil || m.Path != path {
		t.Errorf("a file: %+v, %v", m, err)
	}
	_, getErr := s.Resolve("")
	_, _, listErr := s.List()
	_, lockErr := s.lock(t.Context())
	for what, err := range map[string]error{"get": getErr, "list": listErr, "write": lockErr, "remove": s.Remove(t.Context(), "a")} {
		if err == nil || !strings.Contains(err.Error(), "set EMOSPAN_MODELS to one") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
