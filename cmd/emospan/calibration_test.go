package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
)

// TestOwnCalibration: the calibration that the user made comes before the built-in one, which stands in for one of another taxonomy.
func TestOwnCalibration(t *testing.T) {
	t.Setenv("EMOSPAN_MODELS", t.TempDir())
	m := models.Model{Name: "m.gguf", Path: filepath.Join(t.TempDir(), "m.gguf")}
	if err := os.Symlink(filepath.Join(fixtures.store, "smollm2-135m.gguf"), m.Path); err != nil {
		t.Fatal(err)
	}
	hash, err := m.Hash(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	data := tagger.BuiltinCalibration(hash)
	if data == nil {
		t.Fatal("no calibration is built in for the default model")
	}
	path, err := models.OpenDefault().CalibrationPath(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, file, old, new, want string
	}{
		{"none of the user's", "", "", "", "smollm2-135m"},
		{"the user's", path, `"name":"smollm2-135m"`, `"name":"mine"`, "mine"},
		{"the user's, of another taxonomy", path, `"neutral":"neutral"`, `"neutral":"calm"`, "smollm2-135m"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.file != "" {
				changed := bytes.Replace(data, []byte(test.old), []byte(test.new), 1)
				if bytes.Equal(changed, data) {
					t.Fatalf("the file has no %s", test.old)
				}
				if err := os.WriteFile(test.file, changed, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			c, _, other, err := ownCalibration(t.Context(), m, dataset.Default())
			if err != nil || other != nil || c.Name != test.want {
				t.Errorf("%v, %v, want %s", other, err, test.want)
			}
		})
	}
}
