//go:build reliability

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestInjectedFaults has the kernel refuse or interrupt writes and syncs of each file, by strace, and goes on.
func TestInjectedFaults(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "in.jsonl"), reliabilityTexts(120, false), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"--split", "sentence", "in.jsonl"}
	whole := tagWhole(t, dir, args...)
	for _, side := range sideFiles {
		for _, fault := range []struct {
			call, kind string
			ends       bool
		}{{"write", "error=EIO", true}, {"write", "error=ENOSPC", true}, {"write", "error=ENODEV", true}, {"write", "error=EINTR", false}, {"fsync", "error=EIO", true}, {"fsync", "error=ENODEV", true}, {"fsync", "error=EINTR", false}} {
			for _, when := range []string{"1", "3"} {
				t.Run(fmt.Sprintf("%s %s %s %s", strings.TrimPrefix(side, "."), fault.call, fault.kind, when), func(t *testing.T) {
					injectFault(t, dir, whole, side, fault.call, fault.kind+":when="+when, fault.ends, args)
				})
			}
		}
	}
}

func injectFault(t *testing.T, dir string, whole *wholeRun, side, call, fault string, ends bool, args []string) {
	out := filepath.Join(dir, "out.jsonl")
	old, err := filepath.Glob(out + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range old {
		os.Remove(name)
	}
	tag := tagCommand(dir, append([]string{"-q", "--deterministic", "--resume", "--fsync", "always", "-o", "out.jsonl"}, args...)...)
	program, err := exec.LookPath("emospan")
	if err != nil {
		t.Fatal(err)
	}
	strace := []string{"-f", "-qq", "-o", filepath.Join(dir, "trace"), "-P", out + side, "-e", "trace=" + call, "-e", "inject=" + call + ":" + fault, program}
	cmd := exec.Command("strace", append(strace, tag.Args[1:]...)...)
	cmd.Dir, cmd.Env = tag.Dir, tag.Env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	code := exitCodeOf(t, cmd.Run())
	if trace, err := os.ReadFile(filepath.Join(dir, "trace")); err != nil || !strings.Contains(string(trace), "INJECTED") {
		if code == 0 && strings.HasSuffix(fault, "when=3") { // strace counts for each thread: perhaps none had three
			whole.check(t, out, true)
			return
		}
		t.Fatalf("nothing was injected (%v): exit code %d, %s", err, code, &stderr)
	}
	if !ends {
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, &stderr)
		}
		whole.check(t, out, true)
		return
	}
	if code != 3 || strings.Count(stderr.String(), "\n") != 1 || !strings.HasPrefix(stderr.String(), "emospan: cannot write out.jsonl"+side+": ") || !strings.HasSuffix(stderr.String(), "go on with --resume\n") {
		t.Errorf("exit code %d, %q", code, &stderr)
	}
	whole.check(t, out, false)
	if text, err := tag.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	whole.check(t, out, true)
}
