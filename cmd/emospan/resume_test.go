package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

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
