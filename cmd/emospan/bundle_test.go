package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamagedBundle runs bundles that were cut, lengthened or changed: each says so in one line before it does anything else.
func TestDamagedBundle(t *testing.T) {
	dir := t.TempDir()
	whole := filepath.Join(dir, "emospan")
	if out, err := exec.Command("emospan", "bundle", "-m", fixtures.tiny, "-o", whole).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := openBundle(whole)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	header := int(b.Program.Size+4095) / 4096 * 4096
	flip := func(at int) []byte {
		changed := bytes.Clone(data)
		changed[at] ^= 0x20
		return changed
	}
	texts := filepath.Join(dir, "in.txt")
	if err := os.WriteFile(texts, []byte("Nobody expects this.\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, data []byte, args ...string) (code int, stderr string) {
		folder := t.TempDir()
		path := filepath.Join(folder, "emospan")
		if err := os.WriteFile(path, data, 0o777); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(path, args...)
		var text strings.Builder
		cmd.Stderr = &text
		err := cmd.Run()
		if left, _ := os.ReadDir(folder); len(left) != 1 {
			t.Errorf("something was written: %v", left)
		}
		return exitCodeOf(t, err), text.String()
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"cut in the model":     {data[:len(data)-1000], "cut short"},
		"cut in the header":    {data[:header+60], "cut short"},
		"lengthened":           {append(bytes.Clone(data), "\n"...), "longer"},
		"changed in its index": {flip(header + 100), "header has changed"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, args := range [][]string{{"tag", "--threads", "1", texts, "-o", "out.jsonl"}, {"devices"}, {"bundle", "--verify"}} {
				code, stderr := run(t, c.data, args...)
				if code != 3 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.want) || !strings.Contains(stderr, "; copy it again") {
					t.Errorf("%v: exit code %d, %s", args, code, stderr)
				}
			}
			if code, stderr := run(t, c.data, "version"); code != 0 {
				t.Errorf("version: exit code %d, %s", code, stderr)
			}
		})
	}
	t.Run("changed in a weight", func(t *testing.T) {
		changed := flip(int(b.Model.Offset + b.Model.Size - 1))
		if code, stderr := run(t, changed, "bundle", "--verify"); code != 3 || !strings.Contains(stderr, "model has changed") {
			t.Errorf("exit code %d, %s", code, stderr)
		}
	})
}
