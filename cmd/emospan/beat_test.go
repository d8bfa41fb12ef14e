package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBeat: a step of the build that takes long says so, and ends as its command does.
func TestBeat(t *testing.T) {
	run := func(every string, command ...string) (output string, code int) {
		cmd := exec.Command(filepath.Join(root, "scripts/beat.sh"), append([]string{"waiting for paint"}, command...)...)
		cmd.Env = append(os.Environ(), "EMOSPAN_BEAT="+every)
		text, err := cmd.CombinedOutput()
		return string(text), exitCodeOf(t, err)
	}
	if output, code := run("1", "sh", "-c", "sleep 2.5; echo dry"); code != 0 || !strings.HasPrefix(output, "waiting for paint: ") || !strings.HasSuffix(output, " s so far\ndry\n") {
		t.Errorf("exit code %d, %q", code, output)
	}
	if output, code := run("30", "sh", "-c", "echo gone; exit 7"); code != 7 || output != "gone\n" {
		t.Errorf("exit code %d, %q", code, output)
	}
}
