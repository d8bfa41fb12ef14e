package export

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

func content(t *testing.T, path string) string {
	t.Helper()
	r, err := dataset.OpenStream(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	list := []string{}
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestFile(t *testing.T) {
	for _, name := range []string{"out.conll", "out.conll.gz", "out.conll.zst"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		f, err := CreateFile(path, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(f, strings.Repeat("line\n", 100_000)); err != nil {
			t.Fatal(err)
		}
		if got := names(t, dir); len(got) != 1 || got[0] == name {
			t.Errorf("before it is whole: %q", got)
		}
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		if got := names(t, dir); !slices.Equal(got, []string{name}) {
			t.Errorf("files %q", got)
		}
		if got := content(t, path); got != strings.Repeat("line\n", 100_000) {
			t.Errorf("%s holds %d bytes", name, len(got))
		}
		if info, err := os.Stat(path); err != nil || (name != "out.conll") != (info.Size() < 10_000) {
			t.Errorf("%s has %d bytes, %v", name, info.Size(), err)
		}
	}
}

func TestFileThere(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "out"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(path, []byte("old"), 0o666), os.Symlink("out", link)); err != nil {
		t.Fatal(err)
	}
	if _, err := CreateFile(path, false); !errors.Is(err, dataset.ErrExists) {
		t.Errorf("an old file: %v", err)
	}
	f, err := CreateFile(link, true)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "new")
	if err := f.Discard(); err != nil || content(t, path) != "old" {
		t.Errorf("discarded: %v, %q", err, content(t, path))
	}
	if f, err = CreateFile(link, true); err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "new")
	if err := f.Commit(); err != nil || content(t, path) != "new" {
		t.Errorf("replaced: %v, %q", err, content(t, path))
	}
	if got := names(t, dir); !slices.Equal(got, []string{"link", "out"}) {
		t.Errorf("files %q", got)
	}

	// One that came while it was written.
	other := filepath.Join(dir, "other")
	if f, err = CreateFile(other, false); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, []byte("theirs"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); !errors.Is(err, dataset.ErrExists) || content(t, other) != "theirs" {
		t.Errorf("%v, %q", err, content(t, other))
	}
	if got := names(t, dir); !slices.Equal(got, []string{"link", "other", "out"}) {
		t.Errorf("files %q", got)
	}
}

func TestFileInPlace(t *testing.T) {
	f, err := CreateFile(os.DevNull, false)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "gone")
	if err := f.Commit(); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(os.DevNull); err != nil || info.Mode().IsRegular() {
		t.Errorf("%s was replaced: %v", os.DevNull, err)
	}
	if _, err := CreateFile(t.TempDir(), true); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := CreateFile(filepath.Join(t.TempDir(), "no", "out"), true); err == nil {
		t.Error("a folder that is not there")
	}
}
