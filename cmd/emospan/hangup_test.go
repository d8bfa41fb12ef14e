package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emospan/emospan/dataset"
	"golang.org/x/sys/unix"
)

// startInTerminal starts a run whose session has a terminal of its own, and reads what it shows there until that holds a text.
func startInTerminal(t *testing.T, cmd *exec.Cmd, until string) (master *os.File, shown string) {
	t.Helper()
	master, slave := openTerminal(t)
	cmd.Stdin, cmd.Stderr = slave, slave
	cmd.Env = append(cmd.Env, "NO_COLOR=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	err := cmd.Start()
	slave.Close() // so that reading ends with the run
	if err != nil {
		t.Fatal(err)
	}
	part := make([]byte, 4096)
	for !strings.Contains(shown, until) {
		n, err := master.Read(part)
		if shown += string(part[:n]); err != nil {
			t.Fatalf("it never shows %q: %q, %v", until, shown, err)
		}
	}
	return master, shown
}

// TestTerminalClosed closes the terminal in which a run was started: while it reads the prompt, when nothing is left behind, and while
// it tags, when what is done is written and accounted for.
func TestTerminalClosed(t *testing.T) {
	t.Run("before the first record", func(t *testing.T) {
		dir := manyTexts(t)
		cmd := tagCommand(dir, "-o", "out.jsonl", "in.txt")
		master, shown := startInTerminal(t, cmd, "reading the prompt")
		if !strings.Contains(shown, "loading the model") {
			t.Errorf("it does not show that it loads the model: %q", shown)
		}
		master.Close()
		if code := exitCodeOf(t, cmd.Wait()); code != 130 {
			t.Errorf("exit code %d, want 130", code)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "out*")); err != nil {
			t.Fatal(err)
		} else if len(left) > 0 { // the first record was faster, so there is a whole output
			m, err := dataset.ReadManifest(filepath.Join(dir, "out.jsonl.manifest.json"))
			if err != nil || !m.Interrupted || m.Accepted == 0 {
				t.Fatalf("%q are left, manifest %+v, %v", left, m, err)
			}
			wantWhole(t, []byte(mustRead(t, filepath.Join(dir, "out.jsonl"))), m.Accepted)
		}
	})
	t.Run("while it tags", func(t *testing.T) {
		dir := manyTexts(t)
		cmd := tagCommand(dir, "--show", "-o", "out.jsonl", "in.txt")
		master, shown := startInTerminal(t, cmd, "l2_1  ")
		if strings.Contains(shown, "0.00 records") || strings.Contains(shown, "records/hr") {
			t.Errorf("it shows a rate before there is one: %q", shown)
		}
		master.Close()
		if code := exitCodeOf(t, cmd.Wait()); code != 130 {
			t.Errorf("exit code %d, want 130", code)
		}
		m, err := dataset.ReadManifest(filepath.Join(dir, "out.jsonl.manifest.json"))
		if err != nil || !m.Interrupted || m.Accepted == 0 || m.Records >= 20000 {
			t.Fatalf("manifest %+v, %v", m, err)
		}
		wantWhole(t, []byte(mustRead(t, filepath.Join(dir, "out.jsonl"))), m.Accepted)
	})
}

// TestIgnoredHangup: under nohup a run goes on to its end when its terminal is closed, though nobody reads what it says.
func TestIgnoredHangup(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "in.txt"), []byte(strings.Repeat("The kettle whistles and nobody minds.\n", 60)))
	cmd := tagCommand(dir, "--show", "-o", "out.jsonl", "in.txt")
	program, err := exec.LookPath("emospan")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", `trap "" HUP; exec "$@"`, "sh", program}, cmd.Args[1:]...)
	master, _ := startInTerminal(t, cmd, "l2_1  ")
	master.Close()
	if code := exitCodeOf(t, cmd.Wait()); code != 0 {
		t.Errorf("exit code %d, want 0", code)
	}
	wantWhole(t, []byte(mustRead(t, filepath.Join(dir, "out.jsonl"))), 60)
}

// TestUnreadMessages has the reader of standard error go away: the run goes on to its end.
func TestUnreadMessages(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "in.txt"), []byte(strings.Repeat("The kettle whistles and nobody minds.\n", 60)))
	cmd := tagCommand(dir, "--show", "-o", "out.jsonl", "in.txt")
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReaderSize(pipe, 16).ReadByte(); err != nil {
		t.Fatal(err)
	}
	pipe.Close()
	if code := exitCodeOf(t, cmd.Wait()); code != 0 {
		t.Errorf("exit code %d, want 0: %v", code, cmd.ProcessState)
	}
	wantWhole(t, []byte(mustRead(t, filepath.Join(dir, "out.jsonl"))), 60)
}

// TestStoppedAtOnce: a second Ctrl-C, or SIGQUIT, ends the run in one line. More of the signals of a closing terminal, and of a limit on
// processor time, do not. The run is held up by a reader that does not read.
func TestStoppedAtOnce(t *testing.T) {
	const atOnce = "emospan: stopped at once; what was flushed before is whole"
	for _, tt := range []struct {
		name string
		send []syscall.Signal
		last string
	}{
		{"SIGINT twice", []syscall.Signal{syscall.SIGINT, syscall.SIGINT}, atOnce},
		{"SIGHUP and SIGTERM", []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM}, atOnce},
		{"SIGQUIT", []syscall.Signal{syscall.SIGQUIT}, atOnce},
		{"SIGHUP and SIGXCPU again and again", []syscall.Signal{syscall.SIGHUP, syscall.SIGXCPU, syscall.SIGHUP, syscall.SIGXCPU}, " whole in the output"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := tagCommand(manyTexts(t), "in.txt")
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			messages, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			pipe := out.(*os.File)
			if _, err := unix.FcntlInt(pipe.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for waiting := 0; waiting < 2048; time.Sleep(10 * time.Millisecond) {
				if waiting, err = unix.IoctlGetInt(int(pipe.Fd()), unix.TIOCINQ); err != nil || exited(cmd) {
					t.Fatalf("it writes nothing: %v", err)
				}
			}
			stderr := bufio.NewReader(messages)
			for i, s := range tt.send {
				if err := cmd.Process.Signal(s); err != nil {
					t.Fatal(err)
				}
				if i == 0 && s != syscall.SIGQUIT {
					if line, err := stderr.ReadString('\n'); err != nil || !strings.HasPrefix(line, "emospan: finishing ") {
						t.Errorf("the first signal is answered by %q, %v", line, err)
					}
				}
			}
			if tt.last != atOnce {
				go io.Copy(io.Discard, out)
			}
			rest, err := io.ReadAll(stderr)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSuffix(string(rest), "\n"), "\n")
			if code := exitCodeOf(t, cmd.Wait()); code != 130 || !strings.HasSuffix(lines[len(lines)-1], tt.last) || tt.last == atOnce && len(lines) > 1 {
				t.Errorf("exit code %d, %q", code, rest)
			}
		})
	}
}

// exited reports whether a process that nobody has waited for is a zombie.
func exited(cmd *exec.Cmd) bool {
	var info unix.Siginfo
	return unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) == nil && info.Signo != 0
}
