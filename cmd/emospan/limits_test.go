//go:build reliability

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// memoryGroup makes a control group that may hold so much memory, and skips the test where none can be made.
func memoryGroup(t *testing.T, limit int) (dir string) {
	t.Helper()
	var why error
	for _, v := range []struct{ root, limit string }{{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, {"/sys/fs/cgroup", "memory.max"}} {
		dir := filepath.Join(v.root, fmt.Sprintf("emospan-test-%d", os.Getpid()))
		if why = os.Mkdir(dir, 0o755); why != nil {
			continue
		}
		t.Cleanup(func() {
			for range 100 { // until the last process is gone
				if os.Remove(dir) == nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
			t.Errorf("%s is left over", dir)
		})
		if why = os.WriteFile(filepath.Join(dir, v.limit), fmt.Append(nil, limit), 0); why == nil {
			return dir
		}
	}
	t.Skipf("no control group with a memory limit can be made here: %v", why)
	return ""
}

// inGroup has a command run in a control group, as the one that the kernel kills first there.
func inGroup(cmd *exec.Cmd, group string) *exec.Cmd {
	cmd.Args = append([]string{"sh", "-c", `echo $$ >"$0"/cgroup.procs && echo 1000 >/proc/self/oom_score_adj && exec "$@"`, group}, cmd.Args...)
	cmd.Path = "/bin/sh"
	return cmd
}

// TestControlGroupTooSmall: a model that would not fit a control group's limit is refused before it is loaded.
func TestControlGroupTooSmall(t *testing.T) {
	group := memoryGroup(t, 24<<20)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "in.txt"), []byte("so glad\n"))
	var stderr strings.Builder
	cmd := inGroup(tagCommand(dir, "-q", "in.txt"), group)
	cmd.Stderr = &stderr
	if code := exitCodeOf(t, cmd.Run()); code != 3 || strings.Count(stderr.String(), "\n") != 1 || !strings.Contains(stderr.String(), "memory") {
		t.Errorf("exit code %d, %q", code, &stderr)
	}
}

// TestOutOfMemory has the kernel kill a run because others in its control group took the memory, and goes on.
func TestOutOfMemory(t *testing.T) {
	const limit = 400 << 20
	group := memoryGroup(t, limit)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "in.jsonl"), reliabilityTexts(400, true))
	whole := tagWhole(t, dir, "in.jsonl")
	args := []string{"-q", "--deterministic", "--resume", "--fsync", "always", "-o", "out.jsonl", "in.jsonl"}
	run := inGroup(tagCommand(dir, args...), group)
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.jsonl")
	for begin := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if info, err := os.Stat(out); err == nil && info.Size() > 0 {
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatal("the run has written nothing for a minute")
		}
	}
	// tail keeps what it is to print last, nearly all that the group may hold.
	taker := exec.Command("sh", "-c", fmt.Sprintf(`echo $$ >"$0"/cgroup.procs && head -c %d /dev/zero | tail -c %[1]d >/dev/null`, limit-20<<20), group)
	if err := taker.Start(); err != nil {
		t.Fatal(err)
	}
	taker.Wait() // perhaps killed too, where the run's memory was not free in time
	run.Wait()
	if status := run.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Fatalf("the run ended with %v", run.ProcessState)
	}
	whole.check(t, out, false)
	if text, err := tagCommand(dir, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	whole.check(t, out, true)
}

// TestReadOnlyDisk: an output on a disk that is mounted without leave to write.
func TestReadOnlyDisk(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "in.txt"), []byte("so glad\n"))
	disk := filepath.Join(dir, "disk")
	if err := os.Mkdir(disk, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_RDONLY, "size=1m"); err != nil {
		t.Skipf("a disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	var stderr strings.Builder
	cmd := tagCommand(dir, "-q", "-o", "disk/out.jsonl", "in.txt")
	cmd.Stderr = &stderr
	if code := exitCodeOf(t, cmd.Run()); code != 3 || strings.Count(stderr.String(), "\n") != 1 || stderr.String() != "emospan: cannot write disk/out.jsonl: the folder disk may not be written to; name a file in another\n" {
		t.Errorf("exit code %d, %q", code, &stderr)
	}
}
