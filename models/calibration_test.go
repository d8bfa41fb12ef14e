package models

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestCalibrationPath: a calibration lies beside its model, is no model itself, and goes with it.
func TestCalibrationPath(t *testing.T) {
	ctx := t.Context()
	s, _ := ollamaStore(t, synthetic(t, smallShape, 1))
	theirs, err := s.Ollama("llama3:instruct")
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Add(ctx, "My-model:1", theirs.Path, Meta{})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		m    Model
		want string
	}{
		{"the store's", Model{Name: e.Name, Path: e.Path, Entry: &e}, filepath.Join(s.Dir(), "%4Dy-model%3A1.calibration.json")},
		{"Ollama's", theirs, filepath.Join(s.Dir(), "llama3%3Ainstruct.calibration.json")},
		{"Ollama's, of somebody", Model{Name: "some/one:x", Digest: "ab"}, filepath.Join(s.Dir(), "some%2Fone%3Ax.calibration.json")},
		{"a file", Model{Name: "a.gguf", Path: "folder/a.gguf"}, "folder/a.calibration.json"},
		{"a bundle's", Model{Name: "a.gguf", Path: "program", Entry: &e, Part: &Part{}}, ""},
	} {
		got, err := s.CalibrationPath(test.m)
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s: %q, %v, want %q", test.name, got, err, test.want)
		}
		if err == nil && filepath.Dir(got) == s.Dir() {
			writeAt(t, got, []byte("{}"))
		}
	}
	homeless := &Store{homeless: errors.New("no folder")}
	if got, err := homeless.CalibrationPath(theirs); err == nil {
		t.Errorf("without a store: %q", got)
	}
	if got, err := homeless.CalibrationPath(Model{Path: "a.gguf"}); got != "a.calibration.json" || err != nil {
		t.Errorf("a file without a store: %q, %v", got, err)
	}

	if entries, damaged, err := s.List(); len(entries) != 1 || damaged != nil || err != nil {
		t.Errorf("List: %v, %v, %v", entries, damaged, err)
	}
	if _, err := s.Add(ctx, "my-model.calibration", theirs.Path, Meta{}); !errors.Is(err, errName) {
		t.Errorf("a model whose description would be my-model's calibration: %v", err)
	}
	for _, test := range []struct {
		name string
		left []string
	}{
		{"library/llama3:instruct", []string{"%4Dy-model%3A1.calibration.json", "%4Dy-model%3A1.gguf", "%4Dy-model%3A1.json", "some%2Fone%3Ax.calibration.json"}},
		{"some/one:x", []string{"%4Dy-model%3A1.calibration.json", "%4Dy-model%3A1.gguf", "%4Dy-model%3A1.json"}},
		{"My-model:1", nil},
	} {
		if err := s.Remove(ctx, test.name); err != nil || !slices.Equal(files(t, s), test.left) {
			t.Errorf("Remove %s: %v leaves %q, want %q", test.name, err, files(t, s), test.left)
		}
		if err := s.Remove(ctx, test.name); !errors.Is(err, ErrNotFound) {
			t.Errorf("Remove %s again: %v", test.name, err)
		}
	}
	outside := filepath.Join(filepath.Dir(s.Dir()), "x.calibration.json")
	if err := os.WriteFile(outside, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../x", "a/../../x", ".."} {
		if err := s.Remove(ctx, name); err == nil {
			t.Errorf("Remove %s: no error", name)
		}
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}
