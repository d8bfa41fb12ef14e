package dataset

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "page")
	give := func(text string, err error) func(io.Writer) error {
		return func(w io.Writer) error {
			if _, werr := io.WriteString(w, text); werr != nil {
				t.Fatal(werr)
			}
			return err
		}
	}
	failed := errors.New("failed")
	for _, step := range []struct {
		text string
		err  error
		want string
	}{{"half", failed, ""}, {"one", nil, "one"}, {"half", failed, "one"}, {"two", nil, "two"}} {
		if err := Replace(path, give(step.text, step.err)); err != step.err {
			t.Errorf("%q: %v", step.text, err)
		}
		if got, _ := os.ReadFile(path); string(got) != step.want {
			t.Errorf("after %q: %q", step.text, got)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files are left", len(entries))
	}
}
