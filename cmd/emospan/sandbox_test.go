package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/sandbox"
)

// TestSandbox looks at every thread of a run, ggml's too, while it waits for more texts.
func TestSandbox(t *testing.T) {
	can := sandbox.Supported()
	for _, c := range []struct {
		args          []string
		status, state string
	}{
		{nil, "NoNewPrivs 1, Seccomp 2", can.String()},
		{[]string{"--no-sandbox"}, threadStatus(t, os.Getpid())[0], "off (--no-sandbox)"},
	} {
		if c.args == nil && (can.Landlock == 0 || !can.Seccomp) {
			t.Logf("this kernel cannot: %s", can)
			continue
		}
		dir := t.TempDir()
		cmd := tagCommand(dir, append([]string{"-", "--threads", "3", "--show", "-q", "-o", "out.jsonl"}, c.args...)...)
		texts, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		pipe, err := cmd.StderrPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(texts, "The lamp is on.\n"); err != nil {
			t.Fatal(err)
		}
		stderr := bufio.NewReader(pipe)
		if line, err := stderr.ReadString('\n'); err != nil || !strings.HasPrefix(line, "l2_0  ") {
			t.Errorf("the first record does not show: %q %v", line, err)
		}
		status := threadStatus(t, cmd.Process.Pid)
		texts.Close()
		rest, err := io.ReadAll(stderr)
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %s", err, rest)
		}
		if len(status) < 5 {
			t.Errorf("%d threads only", len(status))
		}
		for _, got := range status {
			if got != c.status {
				t.Errorf("%v: a thread has %q, want %q", c.args, got, c.status)
			}
		}
		m, err := dataset.ReadManifest(filepath.Join(dir, "out.jsonl.manifest.json"))
		if err != nil || m.Sandbox != c.state || m.Accepted+m.Rejected != 1 {
			t.Errorf("manifest %+v, %v, want sandbox %q", m, err, c.state)
		}
	}
}

// threadStatus reads what the kernel says of each thread's rights.
func threadStatus(t *testing.T, pid int) (list []string) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		var of []string
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); name == "Seccomp" || name == "NoNewPrivs" {
				of = append(of, name+" "+strings.TrimSpace(value))
			}
		}
		list = append(list, strings.Join(of, ", "))
	}
	return list
}
