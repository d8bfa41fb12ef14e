package models

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A host serves files over HTTPS from this machine and notes the ranges that
// it is asked for. answer, unless nil, may take a request over.
type host struct {
	*httptest.Server
	files  map[string][]byte
	answer func(n int, w http.ResponseWriter, r *http.Request) (done bool)
	mu     sync.Mutex
	asked  []string // Range headers, "" without one
}

func newHost(t *testing.T, files map[string][]byte) *host {
	t.Helper()
	h := &host{files: files}
	h.Server = httptest.NewUnstartedServer(h)
	h.Config.ErrorLog = log.New(io.Discard, "", 0) // the client that does not trust it
	h.StartTLS()
	t.Cleanup(h.Close)
	return h
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.asked = append(h.asked, r.Header.Get("Range"))
	n := len(h.asked)
	h.mu.Unlock()
	if h.answer != nil && h.answer(n, w, r) {
		return
	}
	file, ok := h.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file))
}

// pull fetches /model.gguf, or what d says, into the store.
func (h *host) pull(t *testing.T, s *Store, d Download) (Entry, bool, error) {
	t.Helper()
	if d.URL == "" {
		d.URL = h.URL + "/model.gguf"
	}
	client := newClient()
	client.Transport.(*http.Transport).TLSClientConfig = h.Client().Transport.(*http.Transport).TLSClientConfig
	d.client, d.wait = client, time.Microsecond
	return PullURL(t.Context(), s, d, nil)
}

// cutter lets so many bytes of an answer through and then cuts the connection.
type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(b []byte) (int, error) {
	n, _ := c.ResponseWriter.Write(b[:min(c.left, len(b))])
	if c.left -= n; c.left <= 0 {
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

func (h *host) cut(w http.ResponseWriter, r *http.Request, after int) {
	http.ServeContent(&cutter{w, after}, r, "", time.Time{}, bytes.NewReader(h.files[r.URL.Path]))
}

func TestPullURL(t *testing.T) {
	file := synthetic(t, smallShape, 1)
	h := newHost(t, map[string][]byte{"/model.gguf": file})
	s := &Store{dir: t.TempDir()}
	d := Download{URL: strings.Replace(h.URL, "https://", "https://user:secret@", 1) + "/model.gguf?key=secret", SHA256: []string{strings.ToUpper(hexSum(file))}}
	e, fetched, err := h.pull(t, s, d)
	want := Entry{Name: "model", SHA256: hexSum(file), Size: int64(len(file)), Path: s.path("model", ".gguf"), Meta: Meta{Source: h.URL + "/model.gguf"}}
	if err != nil || !fetched || e != want {
		t.Fatalf("%+v, %v, %v, want %+v", e, fetched, err, want)
	}
	if got, err := os.ReadFile(e.Path); err != nil || !bytes.Equal(got, file) {
		t.Errorf("another file, %v", err)
	}
	if e, fetched, err := h.pull(t, s, d); err != nil || fetched || e != want || len(h.asked) != 1 {
		t.Errorf("a second time: %+v, %v, %v, %q", e, fetched, err, h.asked)
	}
	// A damaged one is fetched again, another one's name is not taken.
	cut(t, e.Path, 1000)
	if _, fetched, err := h.pull(t, s, d); err != nil || !fetched {
		t.Errorf("damaged: %v, %v", fetched, err)
	}
	other := hexSum([]byte("another"))
	if _, _, err := h.pull(t, s, Download{SHA256: []string{other}}); !errors.Is(err, ErrExists) || len(h.asked) != 2 {
		t.Errorf("another model of the name: %v, %q", err, h.asked)
	}
	if want := []string{"model.gguf", "model.json"}; !slices.Equal(files(t, s), want) {
		t.Errorf("files %q, want %q", files(t, s), want)
	}
}

func TestPullURLGoesOn(t *testing.T) {
	file := synthetic(t, smallShape, 1)
	sums := []string{hexSum(file)}
	h := newHost(t, map[string][]byte{"/model.gguf": file})
	part := func(s *Store) string { return filepath.Join(s.dir, partPrefix+sums[0]) }

	// Cut twice, and once not served.
	h.answer = func(n int, w http.ResponseWriter, r *http.Request) bool {
		switch n {
		case 1:
			h.cut(w, r, 1000)
		case 2:
			http.Error(w, "later", http.StatusServiceUnavailable)
		case 3:
			h.cut(w, r, 2000)
		default:
			return false
		}
		return true
	}
	s := &Store{dir: t.TempDir()}
	if _, _, err := h.pull(t, s, Download{SHA256: sums}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"", "bytes=1000-", "bytes=1000-", "bytes=3000-"}; !slices.Equal(h.asked, want) {
		t.Errorf("asked for %q, want %q", h.asked, want)
	}

	// Given up on, and gone on with by another command.
	h.asked = nil
	h.answer = func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n == 1 {
			h.cut(w, r, 5000)
		}
		panic(http.ErrAbortHandler)
	}
	s = &Store{dir: t.TempDir()}
	if _, _, err := h.pull(t, s, Download{SHA256: sums}); err == nil || !strings.Contains(err.Error(), "5000 bytes of it are kept: the same command goes on") || len(h.asked) != 1+mostCuts-1 {
		t.Errorf("given up: %v, %q", err, h.asked)
	}
	if _, damaged, _ := s.List(); len(damaged) != 1 || !strings.Contains(damaged[0].Error(), "what a download has brought so far") {
		t.Errorf("listed: %v", damaged)
	}
	h.asked, h.answer = nil, nil
	if _, fetched, err := h.pull(t, s, Download{SHA256: sums}); err != nil || !fetched || !slices.Equal(h.asked, []string{"bytes=5000-"}) {
		t.Errorf("gone on: %v, %v, %q", fetched, err, h.asked)
	}

	for _, test := range []struct {
		name   string
		before []byte // what an earlier download left
		answer func(n int, w http.ResponseWriter, r *http.Request) bool
		want   string // error of the first pull, "" none
		asked  []string
	}{
		{"whole already", file, nil, "", nil},
		{"the server knows no ranges", file[:500], func(_ int, w http.ResponseWriter, r *http.Request) bool { w.Write(file); return true }, "", []string{"bytes=500-"}},
		{"longer than the file", append(slices.Clone(file), 1, 2, 3), nil, "", []string{fmt.Sprintf("bytes=%d-", len(file)+3), ""}},
		{"of another file", make([]byte, 500), nil, "joined to an earlier download: try again", []string{"bytes=500-"}},
		{"another range", file[:500], func(_ int, w http.ResponseWriter, r *http.Request) bool {
			w.Header().Set("Content-Range", "bytes 400-999/1000")
			w.WriteHeader(http.StatusPartialContent)
			return true
		}, "answers a request for bytes 500-", []string{"bytes=500-"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h.asked, h.answer = nil, test.answer
			s := &Store{dir: t.TempDir()}
			writeAt(t, part(s), test.before)
			_, _, err := h.pull(t, s, Download{SHA256: sums})
			if err == nil != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v, want %q", err, test.want)
			}
			if !slices.Equal(h.asked, test.asked) {
				t.Errorf("asked for %q, want %q", h.asked, test.asked)
			}
			h.answer = nil
			if e, _, err := h.pull(t, s, Download{SHA256: sums}); err != nil || e.SHA256 != sums[0] {
				t.Errorf("in the end: %+v, %v", e, err)
			}
			if want := []string{"model.gguf", "model.json"}; !slices.Equal(files(t, s), want) {
				t.Errorf("files %q, want %q", files(t, s), want)
			}
		})
	}
}

func TestPullURLRefuses(t *testing.T) {
	file := synthetic(t, smallShape, 1)
	text := []byte("no model at all")
	h := newHost(t, map[string][]byte{"/model.gguf": file, "/text.gguf": text, "/part-00001-of-00002.gguf": file, "/part-00002-of-00002.gguf": file})
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	sum := hexSum(file)
	for _, test := range []struct {
		name   string
		d      Download
		answer func(n int, w http.ResponseWriter, r *http.Request) bool
		want   string
		asked  int
	}{
		{"http", Download{URL: "http://127.0.0.1/model.gguf", SHA256: []string{sum}}, nil, "https:// or file:// URL", 0},
		{"no host", Download{URL: "https:///model.gguf", SHA256: []string{sum}}, nil, "https:// or file:// URL", 0},
		{"not a URL", Download{URL: "https://%zz/", SHA256: []string{sum}}, nil, "not a URL", 0},
		{"no hash", Download{}, nil, "give the SHA-256 of each", 0},
		{"short hash", Download{SHA256: []string{sum[1:]}}, nil, "is no SHA-256", 0},
		{"two hashes", Download{SHA256: []string{sum, sum}}, nil, "consists of 1 files by its name", 0},
		{"one hash for two files", Download{URL: h.URL + "/part-00001-of-00002.gguf", SHA256: []string{sum}}, nil, "consists of 2 files", 0},
		{"name", Download{Name: "a/b", SHA256: []string{sum}}, nil, "not a model name", 0},
		{"pinned name", Download{Name: DefaultModel, SHA256: []string{sum}}, nil, "is pinned", 0},
		{"wrong hash", Download{SHA256: []string{hexSum(text)}}, nil, "has sha256 " + sum + ", expected " + hexSum(text), 1},
		{"absent", Download{URL: h.URL + "/absent.gguf", SHA256: []string{sum}}, nil, "answers 404 Not Found", 1},
		{"no model", Download{URL: h.URL + "/text.gguf", SHA256: []string{hexSum(text)}}, nil, "is no model: ", 1},
		{"no parts", Download{URL: h.URL + "/part-00001-of-00002.gguf", SHA256: []string{sum, sum}}, nil, "is one of 1 files of a model, and 2 were asked for", 1},
		{"redirected to http", Download{SHA256: []string{sum}}, func(_ int, w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, plain.URL, http.StatusFound)
			return true
		}, "which is not https", 1},
		{"redirected in circles", Download{SHA256: []string{sum}}, func(_ int, w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, h.URL+"/again", http.StatusFound)
			return true
		}, "more than ten redirections", 10},
		{"relative file", Download{URL: "file://model.gguf", SHA256: []string{sum}}, nil, "a whole path", 0},
		{"absent file", Download{URL: "file:///absent/model.gguf", SHA256: []string{sum}}, nil, "no such file", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			h.asked, h.answer = nil, test.answer
			s := &Store{dir: t.TempDir(), known: known}
			e, _, err := h.pull(t, s, test.d)
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%+v, %v, want %q", e, err, test.want)
			}
			if len(h.asked) != test.asked {
				t.Errorf("asked %d times, want %d", len(h.asked), test.asked)
			}
			if left := files(t, s); len(left) != 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}

	h.asked, h.answer = nil, nil
	s := &Store{dir: t.TempDir(), free: func(string) (int64, error) { return 10, nil }}
	if _, _, err := h.pull(t, s, Download{SHA256: []string{sum}}); err == nil || !strings.Contains(err.Error(), "is full; make room") || len(h.asked) != 1 {
		t.Errorf("no room: %v, %q", err, h.asked)
	}
	// A certificate that this machine does not know: no second try.
	h.asked = nil
	if _, _, err := PullURL(t.Context(), s, Download{URL: h.URL + "/model.gguf", SHA256: []string{sum}}, nil); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("certificate: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := PullURL(ctx, &Store{dir: t.TempDir()}, Download{URL: h.URL + "/model.gguf", SHA256: []string{sum}}, nil); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "goes on where it was") {
		t.Errorf("interrupted: %v", err)
	}
}

func TestPullURLSplit(t *testing.T) {
	whole := synthetic(t, smallShape, 1)
	first := splitModel(t, whole, 3)
	h := newHost(t, map[string][]byte{})
	var sums []string
	for i := range 3 {
		part, err := os.ReadFile(splitPath(filepath.Dir(first), i, 3))
		if err != nil {
			t.Fatal(err)
		}
		h.files["/folder/"+filepath.Base(splitPath("", i, 3))] = part
		sums = append(sums, hexSum(part))
	}
	for _, from := range []string{h.URL + "/folder/" + filepath.Base(first), "file://" + first} {
		s := &Store{dir: t.TempDir()}
		d := Download{URL: from, SHA256: sums}
		e, fetched, err := h.pull(t, s, d)
		if err != nil || !fetched || e.Name != "small" || e.SHA256 != hexSum(whole) || e.PartsSHA256 != strings.Join(sums, ",") {
			t.Errorf("%s: %+v, %v, %v", from, e, fetched, err)
		}
		if e, fetched, err := h.pull(t, s, d); err != nil || fetched || e.Name != "small" {
			t.Errorf("%s, a second time: %+v, %v, %v", from, e, fetched, err)
		}
		if want := []string{"small.gguf", "small.json"}; !slices.Equal(files(t, s), want) {
			t.Errorf("%s: files %q, want %q", from, files(t, s), want)
		}
		// The right files in another order.
		if _, _, err := h.pull(t, &Store{dir: t.TempDir()}, Download{URL: from, SHA256: []string{sums[0], sums[2], sums[1]}}); err == nil || !strings.Contains(err.Error(), "expected") {
			t.Errorf("%s, hashes exchanged: %v", from, err)
		}
	}
	if _, err := os.Stat(first); err != nil {
		t.Errorf("the user's own file is gone: %v", err)
	}
}
