package main

import (
	"crypto/md5"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSchemaBytes: the form Schema is the baseline that other forms are held against, so what it writes stays as it is, to the byte. These
// are greedy choices, which another class of CPU may take otherwise where two tokens are nearly equal.
func TestSchemaBytes(t *testing.T) {
	long(t)
	const measuredOn = "avx512bf16"
	texts, err := os.ReadFile("../../examples/sentences.txt")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	in := filepath.Join(dir, "in.txt")
	if err := os.WriteFile(in, []byte(strings.Join(strings.SplitAfter(string(texts), "\n")[:6], "")), 0o644); err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]string{
		fixtures.tiny:  "7120265e454504d3cc056c122122e23e",
		"smollm2-135m": "496293394f73ec3303c626dcf2cb6fd2",
	} {
		out := filepath.Join(dir, filepath.Base(model)+".jsonl")
		cmd := exec.Command("emospan", "tag", "-m", model, "--calibrate", "none", "--decode", "schema", "--threads", "1", "-q", "-o", out, in)
		if said, err := cmd.CombinedOutput(); err != nil && cmd.ProcessState.ExitCode() != 1 { // every text is rejected
			t.Fatalf("%v: %s", err, said)
		}
		manifest, err := os.ReadFile(out + ".manifest.json")
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(manifest), `"cpu_variant": "`+measuredOn+`"`) {
			t.Skipf("the sums were taken on a CPU of the class %s", measuredOn)
		}
		h := md5.New()
		for _, name := range []string{out, out + ".rejects.jsonl"} {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			h.Write(data)
		}
		if got := fmt.Sprintf("%x", h.Sum(nil)); got != want {
			t.Errorf("%s: what was written has the sum %s, want %s", filepath.Base(model), got, want)
		}
	}
}
