//go:build cgo && threadprobe

package llama

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/emospan/emospan/sandbox"
)

// TestThreadProbe has ggml's own threads try what the sandbox refuses, in a program that is in it and in one that is not.
func TestThreadProbe(t *testing.T) {
	const env = "EMOSPAN_THREADPROBE"
	if dir := os.Getenv(env); dir != "" {
		probeChild(t, dir)
		return
	}
	can := sandbox.Supported()
	if can.Landlock == 0 || !can.Seccomp {
		t.Fatalf("this kernel cannot: %s", can)
	}
	for _, inside := range []string{"inside", "outside"} {
		dir := filepath.Join(t.TempDir(), inside)
		if err := os.MkdirAll(filepath.Join(dir, "out"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(os.Args[0], "-test.run=^TestThreadProbe$")
		cmd.Env = append(os.Environ(), env+"="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		data, err := os.ReadFile(filepath.Join(dir, "out", "attempts"))
		if err != nil {
			t.Fatal(err)
		}
		var got []ThreadAttempt
		if err := json.Unmarshal(data, &got); err != nil || len(got) != 4 {
			t.Fatalf("%v: %s", err, data)
		}
		threads := map[int]bool{}
		for _, a := range got {
			threads[a.Thread] = true
			want := ThreadAttempt{Thread: a.Thread, Open: syscall.EACCES, Create: syscall.EACCES, Connect: syscall.EPERM}
			if inside == "outside" {
				want = ThreadAttempt{Thread: a.Thread}
			}
			if a != want {
				t.Errorf("%s: %+v, want %+v", inside, a, want)
			}
		}
		if len(threads) != 4 {
			t.Errorf("%s: %d threads tried", inside, len(threads))
		}
		t.Logf("%s: %s", inside, data)
	}
}

func probeChild(t *testing.T, dir string) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Base(dir) == "inside" {
		p := sandbox.Policy{Read: []string{"/proc", "/sys"}, Write: []string{filepath.Join(dir, "out")}}
		if _, err := sandbox.Restrict(p, exe, os.Args); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ProbeThreads(4, filepath.Join(dir, "secret"), filepath.Join(dir, "new"))
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "out", "attempts"), data, 0o666); err != nil {
		t.Fatal(err)
	}
}
