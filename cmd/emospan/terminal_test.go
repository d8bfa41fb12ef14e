package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestTerminal: what is plain data in a pipe is not passed on to a terminal.
func TestTerminal(t *testing.T) {
	const steering = "\u009b\u202e"
	path := filepath.Join(t.TempDir(), "in.jsonl")
	if err := os.WriteFile(path, []byte(`{"src_id":"`+steering+`x","z`+steering+`":1}`+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	validate := func(out *os.File) {
		cmd := exec.Command("emospan", "validate", "--json", path)
		cmd.Stdout = out
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != 1 {
			t.Error(err)
		}
		out.Close()
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go validate(write)
	piped, err := io.ReadAll(read)
	if err != nil || !strings.Contains(string(piped), "\u009b") {
		t.Fatalf("in a pipe the data is another: %q, %v", piped, err)
	}
	master, slave := openTerminal(t)
	go validate(slave)
	shown, _ := io.ReadAll(master) // ends with an error when the other side is closed
	if strings.ContainsAny(string(shown), steering+"\x1b") || !strings.Contains(string(shown), "\ufffd") || !strings.Contains(string(shown), "schema.missing_key") {
		t.Errorf("the terminal got %q", shown)
	}
}

// A character in two pieces is one, half a character at the end is nothing.
func TestTerminalPieces(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out := &terminal{File: write}
	const text = "naïve\t日本\u009b2J\x1b[31m 👩‍👧\x7f\xff.\n"
	for i := range len(text) {
		if n, err := out.Write([]byte(text[i : i+1])); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	}
	if _, err := out.Write([]byte("日")[:2]); err != nil {
		t.Fatal(err)
	}
	write.Close()
	got, err := io.ReadAll(read)
	if want := "naïve\t日本\ufffd2J\ufffd[31m 👩‍👧\ufffd\ufffd.\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0); err != nil {
		t.Fatal(err)
	}
	return master, slave
}
