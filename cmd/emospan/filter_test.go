package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFilterAtOnce: while the input is silent but open, the record of what came is out: to standard output, to a pipe with a name, and
// with --flush to a file. A line that is no text is rejected meanwhile, and what follows it is tagged.
func TestFilterAtOnce(t *testing.T) {
	for name, args := range map[string][]string{
		"standard output": {"-"},
		"named pipe":      {"-", "-o", "out"},
		"file":            {"-", "-o", "out", "--flush"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := tagCommand(t.TempDir(), append(args, "-q", "--input", "jsonl")...)
			out := filepath.Join(cmd.Dir, "out")
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			var records io.Reader
			switch name {
			case "standard output":
				if records, err = cmd.StdoutPipe(); err != nil {
					t.Fatal(err)
				}
			case "named pipe":
				if err := syscall.Mkfifo(out, 0o600); err != nil {
					t.Fatal(err)
				}
				f, err := os.OpenFile(out, os.O_RDWR, 0) // for writing too, so that opening does not wait for the other side
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				records = f
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if name == "file" {
				records = growing{out, new(int64)}
			}
			lines := bufio.NewReader(records)
			for _, text := range []string{`{"id":"x","text":"Such a fine morning."}`, `{"id":"bad"}` + "\n" + `{"id":"y","text":"And now the rain."}`} {
				if _, err := io.WriteString(stdin, text+"\n"); err != nil {
					t.Fatal(err)
				}
				line, err := lines.ReadBytes('\n')
				if err != nil {
					t.Fatalf("no record for %s: %v; %s", text, err, &stderr)
				}
				wantWhole(t, line, 1)
				if id := text[strings.LastIndex(text, `{"id":`)+6:][:3]; !bytes.HasPrefix(line, []byte(`{"src_id":`+id+`,`)) {
					t.Errorf("the record for %s is %s", text, line)
				}
			}
			stdin.Close()
			if code := exitCodeOf(t, cmd.Wait()); code != 0 {
				t.Errorf("exit code %d, %s", code, &stderr)
			}
			if rejected := strings.Count(stderr.String(), "emospan: rejected: "); name != "file" && rejected != 1 {
				t.Errorf("%d rejects on standard error: %s", rejected, &stderr)
			}
		})
	}
}

// growing reads a file that is being written, and waits for more at its end.
type growing struct {
	path string
	at   *int64
}

func (g growing) Read(b []byte) (int, error) {
	for {
		if f, err := os.Open(g.path); err == nil {
			n, _ := f.ReadAt(b, *g.at)
			f.Close()
			if *g.at += int64(n); n > 0 {
				return n, nil
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestClosedPipe: a pipe with a name whose reader goes away ends the run with one line and exit code 3.
func TestClosedPipe(t *testing.T) {
	cmd := tagCommand(manyTexts(t), "-q", "in.txt", "-o", "fifo")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	fifo := filepath.Join(cmd.Dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	records, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(records).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	wantWhole(t, line, 1)
	records.Close()
	if code := exitCodeOf(t, cmd.Wait()); code != 3 {
		t.Errorf("exit code %d, want 3", code)
	}
	if got := stderr.String(); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "emospan: cannot write fifo: its reader is gone; it was given ") {
		t.Errorf("standard error %q", got)
	}
}
