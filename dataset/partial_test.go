package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// keepAll keeps the records of an output that are those of a run, in order, and returns how many there are.
func keepAll(t testing.TB, p *Partial) (n int) {
	t.Helper()
	for {
		line, err := p.Peek()
		if err != nil {
			t.Fatal(err)
		}
		var r Record
		if line == nil || json.Unmarshal(line, &r) != nil || r.SrcID != DefaultID(n) {
			return n
		}
		p.Keep()
		n++
	}
}

// goOn resumes an output and writes the records that it lacks, up to n.
func goOn(t testing.TB, path string, n int) (kept int) {
	t.Helper()
	p, err := Reopen(path)
	if err != nil {
		t.Fatal(err)
	}
	kept = keepAll(t, p)
	w, err := p.Writer()
	if err != nil {
		t.Fatal(err)
	}
	if w.Records() != kept {
		t.Fatalf("%d records, %d kept", w.Records(), kept)
	}
	for i := kept; i < n; i++ {
		if err := w.Write(numbered(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), p.Close()); err != nil {
		t.Fatal(err)
	}
	return kept
}

func wantNumbered(t testing.TB, path string, n int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := ids(t, data, path)
	if len(got) != n {
		t.Fatalf("%s: %d records of %d", path, len(got), n)
	}
	for i, id := range got {
		if id != DefaultID(i) {
			t.Fatalf("%s: record %d is %s", path, i, id)
		}
	}
}

// TestPartial cuts an output anywhere, and puts behind the cut what a power cut may leave there: nothing, zeros, or a block
// of something else. All whole records before are found, and the output is whole in the end.
func TestPartial(t *testing.T) {
	const n = 24
	rng := rand.New(rand.NewPCG(7, 7))
	for _, name := range []string{"out.jsonl", "out.jsonl.gz", "out.jsonl.zst"} {
		path := filepath.Join(t.TempDir(), name)
		w, err := Create(path, false)
		if err != nil {
			t.Fatal(err)
		}
		var flushed []int // bytes after each flush of six records
		for i := range n {
			if err := w.Write(numbered(i)); err != nil {
				t.Fatal(err)
			}
			if i%6 == 5 {
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
				flushed = append(flushed, int(w.size))
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if kept := goOn(t, path, n); kept != n {
			t.Errorf("%s: %d records of a whole output", name, kept)
		}
		wantNumbered(t, path, n)
		cuts := []int{0, 1, 2, 3, 5, 9, 10, 11, len(whole) - 1, len(whole)}
		for range 60 {
			cuts = append(cuts, rng.IntN(len(whole)))
		}
		for _, cut := range append(cuts, flushed...) {
			for _, tail := range [][]byte{nil, make([]byte, 700), []byte("{\"src_id\":\"l2_99\"}\n\x1f\x8b\x08 and so on\n")} {
				if err := os.WriteFile(path, append(bytes.Clone(whole[:cut]), tail...), 0o666); err != nil {
					t.Fatal(err)
				}
				least := 0
				for i, size := range flushed {
					if cut >= size {
						least = 6 * (i + 1)
					}
				}
				if kept := goOn(t, path, n); kept < least {
					t.Errorf("%s cut at %d of %d: %d records found, %d were whole", name, cut, len(whole), kept, least)
				}
				wantNumbered(t, path, n)
			}
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
			t.Errorf("%q are left", left)
		}
	}
}

func TestPartialKeepsNothingUnasked(t *testing.T) {
	for _, name := range []string{"out.jsonl", "out.jsonl.gz", "out.jsonl.zst"} {
		path := filepath.Join(t.TempDir(), name)
		goOn(t, path, 10)
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		p, err := Reopen(path)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			if _, err := p.Peek(); err != nil {
				t.Fatal(err)
			}
			p.Keep()
		}
		if _, err := Reopen(path); !errors.Is(err, ErrLocked) {
			t.Errorf("opened twice: %v", err)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if now, _ := os.ReadFile(path); !bytes.Equal(now, before) {
			t.Errorf("%s is another though nothing was asked of it", name)
		}
		if p, err = Reopen(path); err != nil {
			t.Fatal(err)
		}
		for range 4 {
			p.Peek()
			p.Keep()
		}
		w, err := p.Writer()
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		wantNumbered(t, path, 4)
	}
	missing := filepath.Join(t.TempDir(), "new.jsonl")
	p, err := Reopen(missing)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := p.Peek(); line != nil || err != nil || p.Torn() {
		t.Errorf("a new file has %q, %v", line, err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(missing); !errors.Is(err, os.ErrNotExist) {
		t.Error("a file is left though nothing was asked of it")
	}
}

func TestTorn(t *testing.T) {
	for content, want := range map[string]bool{"": false, "{}\n": false, "{}": true, "{}\n{": true, "{}\n\x00\x00": true} {
		path := filepath.Join(t.TempDir(), "out.jsonl")
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		p, err := Reopen(path)
		if err != nil {
			t.Fatal(err)
		}
		for {
			line, err := p.Peek()
			if err != nil {
				t.Fatal(err)
			}
			if line == nil {
				break
			}
			p.Keep()
		}
		if p.Torn() != want {
			t.Errorf("%q: torn is %v", content, p.Torn())
		}
		p.Close()
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "out.jsonl"), filepath.Join(dir, "another name")
	w, err := Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, link} {
		if _, err := Create(name, true); !errors.Is(err, ErrLocked) {
			t.Errorf("created twice: %v", err)
		}
		if _, err := Reopen(name); !errors.Is(err, ErrLocked) {
			t.Errorf("reopened: %v", err)
		}
		if _, err := Lock(name); !errors.Is(err, ErrLocked) {
			t.Errorf("locked: %v", err)
		}
	}
	if err := errors.Join(w.Write(numbered(0)), w.Close()); err != nil {
		t.Fatal(err)
	}
	release, err := Lock(link)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Reopen(path); !errors.Is(err, ErrLocked) {
		t.Errorf("reopened under Lock: %v", err)
	}
	if err := release(); err != nil {
		t.Fatal(err)
	}
	if kept := goOn(t, link, 2); kept != 1 {
		t.Errorf("%d records", kept)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().IsRegular() {
		t.Error("the link has become a file")
	}
}

// TestFollow has a file look, whenever it is written to, whether the file that it follows has its lines.
func TestFollow(t *testing.T) {
	var first memFile
	first.limit = 1 << 30
	before, err := NewWriter(&first, "first.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	second := &watchingFile{memFile: memFile{limit: 1 << 30}, check: func(lines int) {
		if have := bytes.Count(first.data, []byte("\n")); have < lines {
			t.Errorf("%d lines are written where the other file has %d", lines, have)
		}
	}}
	behind, err := NewWriter(second, "second.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	behind.Follow(before)
	for i := range 1000 {
		if err := errors.Join(before.Write(numbered(i)), behind.Write(numbered(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := behind.Close(); err != nil {
		t.Fatal(err)
	}
	if len(second.data) < 2*flushSize {
		t.Fatalf("%d bytes are too few to be written more than once", len(second.data))
	}
}

type watchingFile struct {
	memFile
	check func(lines int)
}

func (f *watchingFile) Write(p []byte) (int, error) {
	f.check(bytes.Count(f.data, []byte("\n")) + bytes.Count(p, []byte("\n")))
	return f.memFile.Write(p)
}

// TestFaults writes to a disk that fails at random, and goes on after each failure, until all is written.
func TestFaults(t *testing.T) {
	const n = 60
	faults := map[string]int{}
	for seed := range uint64(12) {
		for _, name := range []string{"out.jsonl", "out.jsonl.gz", "out.jsonl.zst"} {
			rng := rand.New(rand.NewPCG(seed, 1))
			path := filepath.Join(t.TempDir(), name)
			starts := 0
			for done := false; !done; starts++ {
				if starts > 1000 {
					t.Fatalf("seed %d: nothing comes to an end", seed)
				}
				done = attempt(t, path, n, rng, faults)
			}
			wantNumbered(t, path, n)
		}
	}
	t.Logf("faults %v", faults)
	for _, kind := range []string{"short write", "EINTR", "EIO", "ENOSPC", "failed sync", "failed cut"} {
		if faults[kind] == 0 {
			t.Errorf("no %s among %v", kind, faults)
		}
	}
}

// attempt goes on with an output until it is done or the disk fails. What was synced stays.
func attempt(t *testing.T, path string, n int, rng *rand.Rand, faults map[string]int) (done bool) {
	p, err := Reopen(path)
	if err != nil {
		t.Fatal(err)
	}
	kept := keepAll(t, p)
	w, err := p.Writer()
	if err != nil {
		t.Fatal(err)
	}
	disk := &faultFile{File: w.file.(*os.File), path: path, rng: rng, rate: 0.05, synced: w.size, faults: faults}
	w.file = disk
	for i := kept; i < n && err == nil; i++ {
		if err = w.Write(numbered(i)); err == nil {
			switch rng.IntN(8) {
			case 0:
				err = w.Flush()
			case 1:
				err = w.Sync()
			}
		}
	}
	var failed *WriteError
	switch closed := w.Close(); {
	case err == nil && closed == nil:
		return true
	case err == nil:
		err = closed
	}
	if !errors.As(err, &failed) || failed.Records != w.Records() {
		t.Fatalf("%T %v, %d records", err, err, w.Records())
	}
	if p, err = Reopen(path); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if now := keepAll(t, p); now < kept || now < w.synced.records {
		t.Fatalf("%d records are left of %d, %d of them synced (%v)", now, kept, w.synced.records, failed)
	}
	return false
}

// TestFailedSync cuts off what a failed sync may have lost.
func TestFailedSync(t *testing.T) {
	f := &memFile{limit: 1 << 20}
	w, err := NewWriter(f, "out.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(numbered(0)), w.Sync(), w.Write(numbered(1)), w.Flush()); err != nil {
		t.Fatal(err)
	}
	f.failSync = fmt.Errorf("no more")
	var failed *WriteError
	if err := w.Sync(); !errors.As(err, &failed) || failed.Records != 1 {
		t.Errorf("%v", err)
	}
	if got := ids(t, f.data, "out.jsonl"); !slices.Equal(got, []string{"l2_0"}) {
		t.Errorf("%q are left", got)
	}
}
