package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// memFile is a File that fails once it holds limit bytes, as a full disk does.
type memFile struct {
	data     []byte
	limit    int
	failSync error
	failCut  error
	closed   int
}

func (f *memFile) Write(p []byte) (int, error) {
	n := min(len(p), f.limit-len(f.data))
	f.data = append(f.data, p[:n]...)
	if n < len(p) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

func (f *memFile) Truncate(size int64) error {
	if f.failCut != nil {
		return f.failCut
	}
	f.data = f.data[:size]
	return nil
}

func (f *memFile) Sync() error  { return f.failSync }
func (f *memFile) Close() error { f.closed++; return nil }

// numbered is a record with an id and some text that does not compress to
// nothing.
func numbered(i int) *Record {
	r := sampleRecord()
	r.SrcID = fmt.Sprintf("l2_%d", i)
	rng := rand.New(rand.NewPCG(uint64(i), 0))
	for range 40 {
		r.Text += fmt.Sprintf(" %x", rng.Uint32())
	}
	return r
}

// ids reads an output back, through decompression, to its end.
func ids(t testing.TB, data []byte, name string) []string {
	t.Helper()
	r, err := NewReader(bytes.NewReader(data), name, ReaderOptions{Format: FormatJSONL})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []string
	for {
		in, err := r.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatalf("after %d records: %v", len(out), err)
		}
		out = append(out, in.ID)
	}
}

func TestWriter(t *testing.T) {
	for _, name := range []string{"out.jsonl", "out.jsonl.gz", "out.jsonl.zst"} {
		for _, n := range []int{0, 1, 3000} {
			f := &memFile{limit: 1 << 30}
			w, err := NewWriter(f, name)
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				if err := w.Write(numbered(i)); err != nil {
					t.Fatal(err)
				}
				if i == n/2 {
					if err := w.Sync(); err != nil || w.Records() != i+1 {
						t.Fatalf("%d records after a sync, %v", w.Records(), err)
					}
				}
			}
			if err := errors.Join(w.Close(), w.Close()); err != nil {
				t.Fatal(err)
			}
			if f.closed != 1 {
				t.Errorf("%s: closed %d times", name, f.closed)
			}
			if n == 0 && name == "out.jsonl" {
				if len(f.data) > 0 {
					t.Errorf("%d bytes for no records", len(f.data))
				}
				continue
			}
			got := ids(t, f.data, name)
			if len(got) != n || n > 0 && got[n-1] != fmt.Sprintf("l2_%d", n-1) {
				t.Errorf("%s: %d records of %d", name, len(got), n)
			}
			if err := w.Write(numbered(0)); err == nil {
				t.Error("written to after Close")
			}
		}
	}
}

// TestWriterFullDisk fills the disk at many sizes: what is in the file is whole
// records, as many as the error says, and a complete compressed stream.
func TestWriterFullDisk(t *testing.T) {
	for _, name := range []string{"out.jsonl", "out.jsonl.gz", "out.jsonl.zst"} {
		for limit := 0; limit < 60_000; limit += 2999 {
			f := &memFile{limit: limit}
			w, err := NewWriter(f, name)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; err == nil && i < 1000; i++ {
				if err = w.Write(numbered(i)); err == nil && i%10 == 9 {
					err = w.Flush()
				}
			}
			var failed *WriteError
			if !errors.As(err, &failed) || !errors.Is(err, syscall.ENOSPC) {
				t.Fatalf("%s, %d bytes: %v", name, limit, err)
			}
			if again := w.Flush(); again != err {
				t.Errorf("a second call: %v", again)
			}
			if err := w.Close(); !errors.Is(err, syscall.ENOSPC) || f.closed != 1 {
				t.Errorf("close: %v, %d times", err, f.closed)
			}
			got := 0
			if len(f.data) > 0 {
				got = len(ids(t, f.data, name))
			}
			if got != failed.Records || got != w.Records() {
				t.Errorf("%s, %d bytes: %d records, the error says %d: %v", name, limit, got, failed.Records, err)
			}
		}
	}
}

func TestWriterErrorText(t *testing.T) {
	f := &memFile{limit: 2000}
	w, _ := NewWriter(f, "out.jsonl")
	for i := range 5 {
		w.Write(numbered(i))
	}
	if err := w.Flush(); err == nil || err.Error() != "write out.jsonl: no space left on device; its first 2 records are safe" {
		t.Errorf("%v", err)
	}
	f = &memFile{limit: 2000, failCut: errors.New("read only")}
	w, _ = NewWriter(f, "out.jsonl")
	for i := range 5 {
		w.Write(numbered(i))
	}
	if err := w.Flush(); err == nil || !strings.Contains(err.Error(), "cannot be cut off: read only") {
		t.Errorf("%v", err)
	}
	f = &memFile{limit: 1 << 20, failSync: syscall.EIO}
	w, _ = NewWriter(f, "out.jsonl")
	w.Write(numbered(0))
	if err := w.Sync(); !errors.Is(err, syscall.EIO) {
		t.Errorf("sync: %v", err)
	}
	if err := w.Write(numbered(1)); !errors.Is(err, syscall.EIO) {
		t.Errorf("written to after a failed sync: %v", err)
	}
}

func TestWriterBadRecord(t *testing.T) {
	f := &memFile{limit: 1 << 20}
	w, _ := NewWriter(f, "out.jsonl")
	bad := numbered(1)
	bad.Text = "\xff"
	if err := errors.Join(w.Write(numbered(0)), w.Write(numbered(2))); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(bad); err == nil || !strings.Contains(err.Error(), "l2_1") {
		t.Errorf("%v", err)
	}
	if err := errors.Join(w.Write(numbered(3)), w.Close()); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, f.data, "out.jsonl"); len(got) != 3 || got[2] != "l2_3" {
		t.Errorf("%q", got)
	}
}

func TestCreate(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.jsonl")
	content := func() string {
		b, err := os.ReadFile(path)
		if err != nil {
			return err.Error()
		}
		return string(b)
	}
	create := func(force bool) *Writer {
		t.Helper()
		w, err := Create(path, force)
		if err != nil {
			t.Fatal(err)
		}
		return w
	}

	w := create(false)
	if err := w.Abort(); err != nil || !strings.Contains(content(), "no such file") {
		t.Errorf("aborted without records: %q, %v", content(), err)
	}
	w = create(true)
	if err := errors.Join(w.Write(sampleRecord()), w.Abort(), w.Close()); err != nil || content() != sampleLine+"\n" {
		t.Errorf("aborted with a record: %q, %v", content(), err)
	}
	if _, err := Create(path, false); !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), path) {
		t.Errorf("existing: %v", err)
	}

	w = create(true)
	if content() != sampleLine+"\n" {
		t.Error("the old file was emptied before there was a record")
	}
	if err := w.Abort(); err != nil || content() != sampleLine+"\n" {
		t.Errorf("aborted: %q, %v", content(), err)
	}
	w = create(true)
	if err := errors.Join(w.Write(numbered(1)), w.Flush(), w.Write(numbered(2)), w.Close()); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, []byte(content()), path); len(got) != 2 || got[0] != "l2_1" {
		t.Errorf("replaced: %q", got)
	}
	if err := create(true).Close(); err != nil || content() != "" {
		t.Errorf("closed without records: %q, %v", content(), err)
	}

	if _, err := Create(dir, true); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("directory: %v", err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("elsewhere", link); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(link, true); err == nil || !strings.Contains(err.Error(), "link is a link to elsewhere, which is not there") {
		t.Errorf("link to nothing: %v", err)
	}
	if _, err := Create(filepath.Join(dir, "no", "out"), false); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
	w, err := Create(os.DevNull, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(sampleRecord()), w.Sync(), w.Close()); err != nil {
		t.Errorf("device: %v", err)
	}
}
