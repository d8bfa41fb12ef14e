package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

// tagCommand is a run of the program with the tiny model in a folder.
func tagCommand(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("emospan", append([]string{"tag", "-m", fixtures.tiny, "--threads", "1", "--calibrate", "none"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GORACE="+raceOptions)
	return cmd
}

// manyTexts writes a file of more texts than a test lets the program finish.
func manyTexts(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	text := strings.Repeat("The kettle whistles and nobody minds.\n", 20000)
	if err := os.WriteFile(filepath.Join(dir, "in.txt"), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

// startShowing starts a run with --show and returns its standard error as it goes on after the first record's first line.
func startShowing(t *testing.T, cmd *exec.Cmd) *bufio.Reader {
	t.Helper()
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stderr := bufio.NewReader(pipe)
	if line, err := stderr.ReadString('\n'); err != nil || !strings.HasPrefix(line, "l2_0  ") {
		t.Errorf("the first record does not show: %q %v", line, err)
	}
	return stderr
}

func exitCodeOf(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit == nil {
		return 0
	}
	return exit.ExitCode()
}

// wantWhole checks that an output holds n valid records and nothing else.
func wantWhole(t *testing.T, data []byte, n int) {
	t.Helper()
	if len(data) > 0 && data[len(data)-1] != '\n' {
		t.Errorf("the output ends in half a record: %q", data[max(0, len(data)-40):])
	}
	sum, err := validate.Stream(bytes.NewReader(data), dataset.Default(), validate.StreamOptions{Name: "output"})
	if err != nil || sum.Invalid > 0 || sum.Records != n {
		t.Errorf("the output has %d records, %d of them invalid (%v), want %d", sum.Records, sum.Invalid, err, n)
	}
}

// TestInterrupt stops a run while it tags: what is done is written, whole, and accounted for.
func TestInterrupt(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGXCPU} {
		t.Run(sig.String(), func(t *testing.T) {
			dir := manyTexts(t)
			cmd := tagCommand(dir, "--show", "-o", "out.jsonl", "in.txt")
			stderr := startShowing(t, cmd)
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(stderr)
			if err != nil {
				t.Fatal(err)
			}
			if code := exitCodeOf(t, cmd.Wait()); code != 130 {
				t.Errorf("exit code %d, want 130", code)
			}
			if answer := regexp.MustCompile(`(?m)^emospan: finishing ([1-9]|1[0-6]) records?; again to stop now$`); !answer.Match(rest) {
				t.Errorf("the signal is not answered: %s", rest)
			}
			for _, want := range []string{", interrupted; ", "\nemospan: interrupted; ", " whole in the output; --resume goes on with it\n"} {
				if !strings.Contains(string(rest), want) {
					t.Errorf("standard error lacks %q: %s", want, rest)
				}
			}
			var m dataset.Manifest
			data, err := os.ReadFile(filepath.Join(dir, "out.jsonl.manifest.json"))
			if err == nil {
				err = json.Unmarshal(data, &m)
			}
			if err != nil || !m.Interrupted || m.Accepted == 0 || m.Records >= 20000 {
				t.Errorf("manifest %+v, %v", m, err)
			}
			out, err := os.ReadFile(filepath.Join(dir, "out.jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			wantWhole(t, out, m.Accepted)
		})
	}
}

// TestInterruptRetry stops a retry: what passed is in the output, in its place, and the rest is in the log as it was.
func TestInterruptRetry(t *testing.T) {
	const n = 20000
	dir := t.TempDir()
	var log bytes.Buffer
	for i := range n {
		fmt.Fprintf(&log, `{"src_id":"l2_%d","line":%d,"index":%d,"decode":"compact","text":"The kettle whistles and nobody minds.","seed":1,"reasons":[{"code":"answer.limit"}]}`+"\n", i, i+1, i)
	}
	for name, data := range map[string][]byte{"out.jsonl": nil, "out.jsonl.rejects.jsonl": log.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("emospan", "retry-rejects", "-m", fixtures.tiny, "--threads", "1", "--progress", "always", "out.jsonl.rejects.jsonl")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GORACE="+raceOptions)
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stderr := bufio.NewReader(pipe)
	for shown := ""; !regexp.MustCompile(`[1-9][0-9]*/20000`).MatchString(shown); {
		part, err := stderr.ReadString('\r')
		if err != nil {
			t.Fatalf("no progress: %q, %v", part, err)
		}
		shown = part
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(stderr)
	if err != nil {
		t.Fatal(err)
	}
	if code := exitCodeOf(t, cmd.Wait()); code != 130 || !strings.Contains(string(rest), "emospan: interrupted; ") {
		t.Errorf("exit code %d, %s", code, rest)
	}
	out, err := os.ReadFile(filepath.Join(dir, "out.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	merged := bytes.Count(out, []byte("\n"))
	wantWhole(t, out, merged)
	left, err := os.ReadFile(filepath.Join(dir, "out.jsonl.rejects.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if merged == 0 || merged == n || merged+bytes.Count(left, []byte("\n")) != n || !bytes.HasSuffix(log.Bytes(), left[bytes.Index(left, []byte(fmt.Sprintf(`{"src_id":"l2_%d"`, n-1000))):]) {
		t.Errorf("%d merged, %d left", merged, bytes.Count(left, []byte("\n")))
	}
	var m dataset.Manifest
	if err := json.Unmarshal([]byte(mustRead(t, filepath.Join(dir, "out.jsonl.manifest.json"))), &m); err != nil || m.Accepted != merged || m.Records != n || len(m.Retries) != 1 {
		t.Errorf("manifest %+v, %v", m, err)
	}
}

// TestInterruptSilentInput stops a run that waits for a text which does not come.
func TestInterruptSilentInput(t *testing.T) {
	cmd := tagCommand(t.TempDir(), "-q")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(stdin, "The first text and the only one.\n"); err != nil {
		t.Fatal(err)
	}
	stdout := bufio.NewReader(pipe)
	first, err := stdout.ReadBytes('\n') // each record goes out at once
	if err != nil {
		t.Fatalf("no record for the first text: %v", err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(stdout)
	if err != nil || len(rest) > 0 {
		t.Errorf("after the signal came %q, %v", rest, err)
	}
	if code := exitCodeOf(t, cmd.Wait()); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	if got, want := stderr.String(), "emospan: interrupted; 1 record whole in the output\n"; got != want {
		t.Errorf("standard error %q, want %q", got, want)
	}
	wantWhole(t, first, 1)
}

// TestBrokenPipe has the reader of standard output go away: the program ends like any other in a pipe, without a word.
func TestBrokenPipe(t *testing.T) {
	cmd := tagCommand(manyTexts(t), "in.txt")
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(pipe).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	wantWhole(t, line, 1)
	pipe.Close()
	cmd.Wait()
	if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGPIPE {
		t.Errorf("ended with %v, want the signal SIGPIPE", cmd.ProcessState)
	}
	if stderr.Len() > 0 {
		t.Errorf("standard error %q", &stderr)
	}
}

// TestFullDisk fills a small file system, or where none can be mounted hits a limit on the size of files.
func TestFullDisk(t *testing.T) {
	in := filepath.Join(manyTexts(t), "in.txt")
	dir := t.TempDir()
	cmd := tagCommand(dir, "-o", "out.jsonl", in)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16k"); err == nil {
		t.Cleanup(func() {
			if err := syscall.Unmount(dir, 0); err != nil {
				t.Error(err)
			}
		})
	} else {
		cmd.Path = "/bin/sh"
		cmd.Args = append([]string{"sh", "-c", `ulimit -f 16; exec "$@"`, "sh"}, cmd.Args...)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if code := exitCodeOf(t, cmd.Run()); code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
	got := stderr.String()
	last := got[strings.LastIndex(strings.TrimSuffix(got, "\n"), "\n")+1:]
	if strings.Count(got, "emospan: ") != 1 || !strings.HasPrefix(last, "emospan: cannot write out.jsonl: ") || !strings.HasSuffix(last, "; make room, then go on with --resume\n") {
		t.Errorf("standard error %q", got)
	}
	out, err := os.ReadFile(filepath.Join(dir, "out.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	n := bytes.Count(out, []byte("\n"))
	if n == 0 {
		t.Error("no record was written")
	}
	wantWhole(t, out, n)
	if want := strconv.Itoa(n) + " records: "; !strings.HasPrefix(got, want) {
		t.Errorf("the summary does not begin with %q: %q", want, got)
	}
}
