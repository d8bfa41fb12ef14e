package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// TestOtherwise changes each thing that a record follows from: it is named. What else a manifest says may be another.
func TestOtherwise(t *testing.T) {
	made := func() *dataset.Manifest {
		return &dataset.Manifest{
			Model: "m", ModelSHA256: "1", Prompt: "p", PromptSHA256: "2", GrammarSHA256: "3", TaxonomySHA256: "4", Decode: "compact", Confidence: "self",
			Calibration: &dataset.Calibration{Name: "c", SHA256: "5"}, Temperature: 0.5, TopP: 0.9, Seed: 3, Flags: map[string]string{"split": "none"}, Sizes: "cache=one,kv=f16",
		}
	}
	for want, change := range map[string]func(m *dataset.Manifest){
		"model (m, now n)":                         func(m *dataset.Manifest) { m.Model = "n" },
		"model (m, with other content)":            func(m *dataset.Manifest) { m.ModelSHA256 = "" },
		"prompt (p, now q)":                        func(m *dataset.Manifest) { m.Prompt, m.PromptSHA256 = "q", "9" },
		"prompt (p, with other content)":           func(m *dataset.Manifest) { m.PromptSHA256 = "9" },
		"taxonomy (with other content)":            func(m *dataset.Manifest) { m.TaxonomySHA256, m.GrammarSHA256 = "9", "9" },
		"grammar (compact, with other content)":    func(m *dataset.Manifest) { m.GrammarSHA256 = "9" },
		"--decode (compact, now schema)":           func(m *dataset.Manifest) { m.Decode, m.GrammarSHA256 = "schema", "9" },
		"calibration (c, now none)":                func(m *dataset.Manifest) { m.Calibration = nil },
		"calibration (c, with other content)":      func(m *dataset.Manifest) { m.Calibration.SHA256 = "9" },
		"--confidence (self, now model)":           func(m *dataset.Manifest) { m.Confidence = "model" },
		"--temperature (0.5, now 0)":               func(m *dataset.Manifest) { m.Temperature = 0 },
		"--top-p (0.9, now 1)":                     func(m *dataset.Manifest) { m.TopP = 1 },
		"--seed (3, now 4)":                        func(m *dataset.Manifest) { m.Seed = 4 },
		"--split (none, now sentence)":             func(m *dataset.Manifest) { m.Flags["split"] = "sentence" },
		"--labels-field (, now gold)":              func(m *dataset.Manifest) { m.Flags["labels-field"] = "gold" },
		"--deterministic (false, now true)":        func(m *dataset.Manifest) { m.Flags["deterministic"] = "true" },
		"--sizes kv= (f16, now f32)":               func(m *dataset.Manifest) { m.Sizes = "batch=3,kv=f32" },
		"model (m, now n), --top-p (0.9, now 0.1)": func(m *dataset.Manifest) { m.Model, m.TopP = "n", 0.1 },
		"": func(m *dataset.Manifest) {
			m.Parallel, m.Threads, m.Device, m.CPUVariant, m.Output, m.Sizes = 9, 9, "gpu", "amx", "x", "batch=9"
			m.Flags = map[string]string{"threads": "9", "limit": "9", "max-rejects": "9"}
		},
	} {
		now := made()
		change(now)
		if got := strings.Join(otherwise(made(), now, now.Sizes), ", "); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := otherwise(made(), made(), ""); !reflect.DeepEqual(got, []string(nil)) {
		t.Errorf("the same run differs in %q", got)
	}
}

// TestTwoRuns begins a run on an output that another is writing to, under its name and another one.
func TestTwoRuns(t *testing.T) {
	dir := manyTexts(t)
	first := tagCommand(dir, "--show", "-o", "out.jsonl", "in.txt")
	pipe, err := first.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		first.Process.Kill()
		first.Wait()
	}()
	if _, err := pipe.Read(make([]byte, 1)); err != nil { // a record shows, so the outputs are open
		t.Fatal(err)
	}
	go io.Copy(io.Discard, pipe)
	if err := os.Symlink("out.jsonl", filepath.Join(dir, "link.jsonl")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"tag", "--resume", "-o", "out.jsonl", "in.txt"},
		{"tag", "--force", "-o", "out.jsonl", "in.txt"},
		{"tag", "--resume", "-o", "link.jsonl", "in.txt"},
		{"tag", "--force", "--rejects", "out.jsonl.rejects.jsonl", "-o", "other.jsonl", "in.txt"},
		{"retry-rejects", "out.jsonl.rejects.jsonl"},
	} {
		cmd := exec.Command("emospan", append(args, "-m", fixtures.tiny, "--threads", "1")...)
		cmd.Dir = dir
		var stderr strings.Builder
		cmd.Stderr = &stderr
		if code := exitCodeOf(t, cmd.Run()); code != 3 || !strings.Contains(stderr.String(), " run is writing to ") || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%q: exit code %d, %s", args, code, &stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "other.jsonl")); err == nil {
		t.Error("an output is left of a run that was refused")
	}
}

// TestFullDiskResumed fills a small file system, makes room and goes on: nothing is lost. Where no file system can be mounted,
// the limit is one on the size of files.
func TestFullDiskResumed(t *testing.T) {
	in := t.TempDir()
	if err := os.WriteFile(filepath.Join(in, "in.jsonl"), reliabilityTexts(120, true), 0o666); err != nil {
		t.Fatal(err)
	}
	whole := tagWhole(t, in, "in.jsonl")
	dir := t.TempDir()
	args := []string{"-q", "--deterministic", "--resume", "-o", "out.jsonl", filepath.Join(in, "in.jsonl")}
	mounted := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k") == nil
	if mounted {
		t.Cleanup(func() {
			if err := syscall.Unmount(dir, 0); err != nil {
				t.Error(err)
			}
		})
	}
	for i, size := range []int{64, 128, 0} {
		cmd := tagCommand(dir, args...)
		if mounted {
			room := fmt.Sprintf("size=%dk", size)
			if size == 0 {
				room = "size=16m"
			}
			if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, room); err != nil {
				t.Fatal(err)
			}
		} else if size > 0 {
			cmd.Path = "/bin/sh"
			cmd.Args = append([]string{"sh", "-c", fmt.Sprintf(`ulimit -f %d; exec "$@"`, size), "sh"}, cmd.Args...)
		}
		var stderr strings.Builder
		cmd.Stderr = &stderr
		code := exitCodeOf(t, cmd.Run())
		if size == 0 {
			if code != 0 {
				t.Fatalf("exit code %d: %s", code, &stderr)
			}
			break
		}
		if code != 3 || strings.Count(stderr.String(), "\n") != 1 || !strings.HasSuffix(stderr.String(), "go on with --resume\n") {
			t.Fatalf("attempt %d with %d KB: exit code %d, %q", i, size, code, &stderr)
		}
		whole.check(t, filepath.Join(dir, "out.jsonl"), false)
	}
	whole.check(t, filepath.Join(dir, "out.jsonl"), true)
}
