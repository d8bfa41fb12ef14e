package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// TestModelFileChanged changes the model's file while a run reads its weights from it: the run ends in one line, its records are whole,
// and it goes on to the same bytes once the file is as it was.
func TestModelFileChanged(t *testing.T) {
	model := []byte(mustRead(t, fixtures.tiny))
	other := bytes.Clone(model)
	for i := len(other) / 2; i < len(other); i++ {
		other[i] ^= 0x55
	}
	for _, tt := range []struct {
		name, out, want string
		change          func(path string) error
	}{
		{"cut", "out.jsonl", fmt.Sprintf("was cut from %d to 4096 bytes", len(model)), func(path string) error { return os.Truncate(path, 4096) }},
		{"emptied", "out.jsonl.gz", fmt.Sprintf("was cut from %d to 0 bytes", len(model)), func(path string) error { return os.Truncate(path, 0) }},
		{"replaced in place", "out.jsonl", "was written to", func(path string) error { return overwrite(path, other) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "model.gguf")
			for name, data := range map[string][]byte{path: model, filepath.Join(dir, "in.jsonl"): reliabilityTexts(400, false)} {
				if err := os.WriteFile(name, data, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			args := []string{"tag", "-m", "model.gguf", "--threads", "2", "--deterministic", "--calibrate", "none", "in.jsonl"}
			tag := func(more ...string) *exec.Cmd {
				cmd := exec.Command("emospan", append(args, more...)...)
				cmd.Dir, cmd.Env = dir, append(os.Environ(), "GORACE="+raceOptions)
				return cmd
			}
			if text, err := tag("-q", "-o", "whole.jsonl").CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, text)
			}

			cmd := tag("--show", "-o", tt.out)
			stderr := startShowing(t, cmd)
			if err := tt.change(path); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(stderr)
			if err != nil {
				t.Fatal(err)
			}
			code, text := exitCodeOf(t, cmd.Wait()), strings.TrimSuffix(string(rest), "\n")
			last := text[strings.LastIndex(text, "\n")+1:]
			if code != 3 || !strings.HasPrefix(last, "emospan: the model's file model.gguf "+tt.want) || !strings.HasSuffix(last, " whole in the output; --resume goes on with it") {
				t.Errorf("exit code %d, last line %q", code, last)
			}
			if strings.Contains(text, "goroutine") || strings.Contains(text, "llama.cpp:") {
				t.Errorf("standard error: %s", text)
			}

			if err := os.WriteFile(path, model, 0o666); err != nil {
				t.Fatal(err)
			}
			want := []byte(mustRead(t, filepath.Join(dir, "whole.jsonl")))
			if got := unpacked(t, filepath.Join(dir, tt.out)); len(got) == 0 || len(got) == len(want) || !bytes.HasPrefix(want, got) {
				t.Errorf("%d bytes were written, which do not begin the %d of the whole run, or are none or all of them", len(got), len(want))
			}
			if text, err := tag("-q", "--resume", "-o", tt.out).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			if got := unpacked(t, filepath.Join(dir, tt.out)); !bytes.Equal(got, want) {
				t.Errorf("resumed, it has other bytes than an uninterrupted run: %d and %d", len(got), len(want))
			}
		})
	}
}

// unpacked reads an output, compressed or not.
func unpacked(t *testing.T, path string) []byte {
	t.Helper()
	f, err := dataset.OpenStream(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestRunningBundle: the file of a bundle that runs cannot be cut short, so its model stays whole.
func TestRunningBundle(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "bundle")
	if text, err := exec.Command("emospan", "bundle", "-m", fixtures.tiny, "-o", path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	cmd := exec.Command(path, "tag", "--threads", "1", "-q")
	cmd.Args[0] = "emospan" // by which the tests' executable knows what it is
	cmd.Env = append(os.Environ(), "GORACE="+raceOptions)
	texts, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	records := bufio.NewReader(pipe)
	for _, text := range []string{"The first text.\n", "The second text.\n"} {
		if _, err := io.WriteString(texts, text); err != nil {
			t.Fatal(err)
		}
		line, err := records.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		wantWhole(t, line, 1)
		if err := os.Truncate(path, 4096); !errors.Is(err, syscall.ETXTBSY) {
			t.Errorf("its file can be cut: %v", err)
		}
	}
	texts.Close()
	if code := exitCodeOf(t, cmd.Wait()); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// overwrite writes a file's content anew without cutting it short first.
func overwrite(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
