package models

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// partPrefix marks files in the store that hold what a download has brought so
// far; the SHA-256 that the whole must have follows. They outlive a download
// that was cut, and the next one goes on with them.
const partPrefix = ".part-"

// A Download is a GGUF file, or the files of a split model, somewhere else.
type Download struct {
	URL string // https:// or file://; of a split model its first file's
	// SHA256 is what each file must have, in order, hexadecimal.
	SHA256 []string
	Name   string // in the store; "": the URL's last part
	client *http.Client
	wait   time.Duration // before the first repetition, 0: a second
}

// PullURL fetches a model from a URL into the store. What has the wrong hash is
// not kept. A download that is cut, by the network or by the user, is gone on
// with by the next PullURL of the same hash; a split model is joined into one
// file. If the store has the model already and it is whole, fetched is false
// and nothing is done.
//
// progress is as for Pull. A second PullURL into the same folder waits for the
// first.
func PullURL(ctx context.Context, s *Store, d Download, progress func(done, total int64)) (e Entry, fetched bool, err error) {
	files, err := d.files()
	if err != nil {
		return Entry{}, false, err
	}
	if d.client == nil {
		d.client = newClient()
	}
	if _, ok := lookupKnown(s.known, d.Name); ok {
		return Entry{}, false, fmt.Errorf("model %q is pinned: fetch it with emospan models pull %[1]s, or choose another name", d.Name)
	}
	present := func() (bool, error) {
		e, err = s.Get(d.Name)
		switch {
		case err != nil:
			return false, nil // not there, or damaged: it is replaced
		case e.SHA256 != d.SHA256[0] && e.PartsSHA256 != strings.Join(d.SHA256, ","):
			return false, fmt.Errorf("another model %q is %w; choose another name, or remove it first with emospan models rm %[1]s", d.Name, ErrExists)
		}
		return s.Verify(ctx, d.Name) == nil, nil
	}
	if ok, err := present(); ok || err != nil {
		return e, false, err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return Entry{}, false, err
	}
	defer unlock()
	if ok, err := present(); ok || err != nil {
		return e, false, err
	}
	e, err = s.download(ctx, d, files, progress)
	switch {
	case err == nil:
		return e, true, nil
	case ctx.Err() != nil:
		return Entry{}, false, fmt.Errorf("pull of %s was interrupted; the same command goes on where it was: %w", d.Name, ctx.Err())
	case errors.Is(err, syscall.ENOSPC):
		return Entry{}, false, fmt.Errorf("cannot pull %s, the disk of %s is full; make room, or set EMOSPAN_MODELS to another folder: %w", d.Name, s.dir, err)
	}
	return Entry{}, false, fmt.Errorf("cannot pull %s: %w", d.Name, err)
}

// files checks the download, completes it, and returns the URL of each file.
func (d *Download) files() ([]*url.URL, error) {
	first, err := url.Parse(d.URL)
	if err != nil {
		return nil, errors.New("what is given is not a URL")
	}
	switch {
	case first.Scheme == "https" && first.Host != "":
	case first.Scheme == "file" && (first.Host == "" || first.Host == "localhost") && filepath.IsAbs(first.Path):
	case first.Scheme == "file":
		return nil, fmt.Errorf("%s: a file:// URL has a whole path: file:///folder/model.gguf", shown(first))
	default:
		return nil, fmt.Errorf("%s: a model is fetched from an https:// or file:// URL", shown(first))
	}
	d.SHA256 = slices.Clone(d.SHA256)
	for i, sum := range d.SHA256 {
		sum = strings.ToLower(strings.TrimSpace(sum))
		if b, err := hex.DecodeString(sum); err != nil || len(b) != sha256.Size {
			return nil, fmt.Errorf("%q is no SHA-256, which has 64 hexadecimal digits", sum)
		}
		d.SHA256[i] = sum
	}
	names, split := splitFiles(first.Path)
	if !split {
		names = []string{first.Path}
	}
	if len(d.SHA256) != len(names) {
		return nil, fmt.Errorf("%s consists of %d files by its name: give the SHA-256 of each, in order, not %d", shown(first), len(names), len(d.SHA256))
	}
	d.Name = cmp.Or(d.Name, FileName(first.Path))
	if err := checkName(d.Name); err != nil {
		return nil, fmt.Errorf("%w; choose one for the model", err)
	}
	var list []*url.URL
	for _, name := range names {
		u := *first
		u.Path, u.RawPath = name, ""
		list = append(list, &u)
	}
	return list, nil
}

func (s *Store) download(ctx context.Context, d Download, files []*url.URL, progress func(done, total int64)) (Entry, error) {
	meta := Meta{Source: shown(files[0])}
	var parts []string
	for i, from := range files {
		part := filepath.Join(s.dir, partPrefix+d.SHA256[i])
		if from.Scheme == "file" {
			part = from.Path
			if sum, err := HashFile(ctx, part); err != nil {
				return Entry{}, err
			} else if sum != d.SHA256[i] {
				return Entry{}, fmt.Errorf("%s has sha256 %s, expected %s", part, sum, d.SHA256[i])
			}
		} else if err := d.fetch(ctx, s, from, d.SHA256[i], part, progress); err != nil {
			return Entry{}, err
		}
		parts = append(parts, part)
	}
	e, err := s.takeParts(ctx, d, parts, files[0].Scheme != "file", meta)
	if err != nil && ctx.Err() != nil {
		return Entry{}, err
	}
	for i, part := range parts {
		if files[i].Scheme == "file" {
			continue
		}
		if rerr := os.Remove(part); rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}
	return e, err
}

// takeParts adds the model whose files lie, whole and verified, at paths. One
// that is the store's own already is moved to its place.
func (s *Store) takeParts(ctx context.Context, d Download, paths []string, own bool, meta Meta) (Entry, error) {
	g, err := openFile(paths[0])
	if err != nil {
		return Entry{}, fmt.Errorf("what %s brought is no model: %w", meta.Source, err)
	}
	defer g.Close()
	if n := g.parts(); n != len(paths) {
		return Entry{}, fmt.Errorf("what %s brought is one of %d files of a model, and %d were asked for", meta.Source, n, len(paths))
	}
	digest := d.SHA256[0]
	if len(paths) > 1 {
		digest, meta.PartsSHA256 = "", strings.Join(d.SHA256, ",")
		if err := g.openParts(paths); err != nil {
			return Entry{}, err
		}
	} else if own {
		f, err := os.OpenFile(paths[0], os.O_RDWR, 0)
		if err != nil {
			return Entry{}, err
		}
		defer f.Close()
		return s.finish(f, Entry{Name: d.Name, Path: s.path(d.Name, ".gguf"), SHA256: digest, Size: g.size, Meta: meta})
	}
	content, err := g.content()
	if err != nil {
		return Entry{}, err
	}
	return s.put(ctx, d.Name, content, meta, digest)
}

// shown is a URL as messages and descriptions have it: neither a password nor
// a signed URL's key belongs there.
func shown(u *url.URL) string {
	c := *u
	c.User, c.RawQuery, c.Fragment = nil, "", ""
	return c.String()
}

// Repetitions of a download that was cut.
const (
	mostCuts = 5                // without a byte more in between
	stall    = 60 * time.Second // without a byte
)

// fetch downloads a file to path, from where an earlier download ended, and
// checks its hash. A server that does not answer is asked again some times.
func (d *Download) fetch(ctx context.Context, s *Store, from *url.URL, sum, path string, progress func(done, total int64)) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	have, err := io.Copy(hash, contextReader{ctx, f})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && have == 0 {
			os.Remove(path)
		}
	}()
	began := have
	get := func() error {
		if have > 0 && hex.EncodeToString(hash.Sum(nil)) == sum {
			return nil // all of it was there
		}
		body, total, at, err := d.get(ctx, from, have)
		if err != nil {
			return err
		}
		defer body.Close()
		if at != have { // the server sends the whole
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				return err
			}
			if err := f.Truncate(0); err != nil {
				return err
			}
			hash.Reset()
			have, began = 0, 0
		}
		if total > 0 {
			free := s.free
			if free == nil {
				free = freeBytes
			}
			if err := checkRoom(free, s.dir, total-have, "make room, or set EMOSPAN_MODELS to another folder"); err != nil {
				return fatal{err}
			}
		}
		out := io.MultiWriter(f, hash, counter(func(n int) {
			have += int64(n)
			if progress != nil && total > 0 {
				progress(min(have, total), total)
			}
		}))
		if _, err := io.Copy(out, body); err != nil {
			if errors.Is(err, syscall.ENOSPC) {
				return fatal{err}
			}
			return err
		}
		if total > 0 && have < total {
			return io.ErrUnexpectedEOF
		}
		return nil
	}
	wait := cmp.Or(d.wait, time.Second)
	for cuts, before := 0, have; ; before = have {
		err := get()
		if err == nil {
			break
		}
		var last fatal
		if errors.As(err, &last) || ctx.Err() != nil {
			return err
		}
		if have > before {
			cuts = 0
		}
		if cuts++; cuts == mostCuts {
			return fmt.Errorf("%w; %d bytes of it are kept: the same command goes on", err, have)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait << (cuts - 1)):
		}
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != sum {
		err := fmt.Errorf("what %s sent has sha256 %s, expected %s: it is damaged or not the same file, nothing of it was kept", shown(from), got, sum)
		if began > 0 {
			err = fmt.Errorf("%w; it was joined to an earlier download: try again", err)
		}
		return errors.Join(err, os.Remove(path))
	}
	return f.Sync()
}

// fatal is an error after which asking again is of no use.
type fatal struct{ error }

func (f fatal) Unwrap() error { return f.error }

type counter func(n int)

func (c counter) Write(b []byte) (int, error) { c(len(b)); return len(b), nil }

// get asks for the file from byte have on. It returns what is sent, the size
// of the whole, 0 where the server does not say, and where it begins.
func (d *Download) get(parent context.Context, from *url.URL, have int64) (body io.ReadCloser, total, at int64, err error) {
	ctx, cancel := context.WithCancelCause(parent)
	defer func() {
		if err != nil {
			cancel(nil)
		}
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from.String(), nil)
	if err != nil {
		return nil, 0, 0, fatal{err}
	}
	request.Header.Set("User-Agent", "emospan")
	request.Header.Set("Accept-Encoding", "identity") // ranges are of the file itself
	if have > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	response, err := d.client.Do(request)
	if err != nil {
		var certificate *tls.CertificateVerificationError
		if errors.As(err, &certificate) || errors.Is(err, errRedirect) {
			err = fatal{err}
		}
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			wrapped.URL = shown(from)
		}
		return nil, 0, 0, err
	}
	body = &stalling{ReadCloser: response.Body, cancel: cancel, timer: time.AfterFunc(stall, func() { cancel(errStall) }), ctx: ctx}
	switch response.StatusCode {
	case http.StatusOK:
		return body, max(response.ContentLength, 0), 0, nil
	case http.StatusPartialContent:
		var last int64
		text := response.Header.Get("Content-Range")
		if n, _ := fmt.Sscanf(text, "bytes %d-%d/%d", &at, &last, &total); n == 3 && at == have {
			return body, total, at, nil
		}
		err = fatal{fmt.Errorf("%s answers a request for bytes %d- with %q", shown(from), have, text)}
	case http.StatusRequestedRangeNotSatisfiable:
		// What is there is longer than the file: another one, or damaged.
		if have > 0 {
			body.Close()
			return d.get(parent, from, 0)
		}
		fallthrough
	default:
		err = fmt.Errorf("%s answers %s", shown(from), response.Status)
		if code := response.StatusCode; code < 500 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests {
			err = fatal{err}
		}
	}
	body.Close()
	return nil, 0, 0, err
}

var (
	errStall    = errors.New("nothing came for " + strconv.Itoa(int(stall.Seconds())) + " seconds")
	errRedirect = errors.New("not followed")
)

// stalling ends a body of which nothing more comes.
type stalling struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
	timer  *time.Timer
	ctx    context.Context
}

func (s *stalling) Read(b []byte) (int, error) {
	n, err := s.ReadCloser.Read(b)
	s.timer.Reset(stall)
	if err != nil && err != io.EOF && context.Cause(s.ctx) == errStall {
		err = errStall
	}
	return n, err
}

func (s *stalling) Close() error {
	s.timer.Stop()
	s.cancel(nil)
	return s.ReadCloser.Close()
}

// newClient follows the machine's settings for proxies and certificates.
func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   30 * time.Second,
			ResponseHeaderTimeout: stall,
			ForceAttemptHTTP2:     true,
		},
		CheckRedirect: checkRedirect,
	}
}

func checkRedirect(next *http.Request, via []*http.Request) error {
	switch {
	case len(via) >= 10:
		return fmt.Errorf("%w: more than ten redirections", errRedirect)
	case next.URL.Scheme != "https":
		return fmt.Errorf("%w: a redirection to %s, which is not https", errRedirect, shown(next.URL))
	}
	return nil
}
