package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// The texts of a folder of licences are a work's own too, as of gonum, which has code of Cephes and others.
func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"LICENSE":                         "own",
		"README.md":                       "no licence",
		"THIRD_PARTY_LICENSES/A-LICENSE":  "of A",
		"THIRD_PARTY_LICENSES/README":     "of B",
		"cmd/LICENSE":                     "of a folder that is not linked",
		"licenses-detector/LICENSE":       "of another folder",
		"third-party-licenses.d/LICENSE":  "of another folder",
		"THIRD_PARTY_LICENSES/deep/C.txt": "too deep",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := files(dir), []string{"own", "of A", "of B"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
