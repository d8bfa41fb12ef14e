package models

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

var (
	// ErrNotFound is wrapped by errors about a name that the store lacks.
	ErrNotFound = errors.New("not in the store")
	// ErrExists is wrapped by Add's error for a name that is taken.
	ErrExists = errors.New("already in the store")
)

// Store is a folder of models. For each there are two files, named after it: a
// GGUF file and a JSON file that describes it, written last, so that a model
// whose addition was cut short is not taken for a whole one. A third may be
// there, the model's calibration (see CalibrationPath).
//
// A Store may be shared by goroutines, and a folder by processes: writers take
// a lock on the folder and wait for each other.
type Store struct {
	dir   string
	known []pinned
	// homeless says why there is no folder, where there is none.
	homeless error
	// ollama are the folders of Ollama's stores.
	ollama []string
	free   func(dir string) (int64, error) // bytes left on the disk, nil: freeBytes
}

// Entry describes a model in the store.
type Entry struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // of the GGUF file, hexadecimal, when it was added
	Size   int64  `json:"size"`   // of the GGUF file, bytes
	Meta
	Path string `json:"-"` // of the GGUF file
}

// Meta is what is known of a model beyond its file.
type Meta struct {
	Source       string `json:"source"`        // package and version, or file name, that it came from
	License      string `json:"license"`       // mostly an SPDX identifier
	ChatTemplate string `json:"chat_template"` // name of the template to use in place of the file's own; mostly ""
	// PartsSHA256 are the hashes of the files that a split model was joined from, with commas between.
	PartsSHA256 string `json:"parts_sha256,omitempty"`
	// Converted tells what a conversion was made from, nil for other models.
	Converted *Conversion `json:"converted,omitempty"`
}

// DefaultDir returns the folder of the user's store: $EMOSPAN_MODELS, else
// $XDG_DATA_HOME/emospan/models, else ~/.local/share/emospan/models.
func DefaultDir() (string, error) {
	if dir := os.Getenv("EMOSPAN_MODELS"); dir != "" {
		return dir, nil
	}
	// The XDG specification has relative paths ignored.
	if dir := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "emospan", "models"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no folder for models: %w: set EMOSPAN_MODELS to one", err)
	}
	return filepath.Join(home, ".local", "share", "emospan", "models"), nil
}

// Open returns the store in dir, which is made when the first model is added.
func Open(dir string) *Store { return &Store{dir: dir, known: known, ollama: ollamaDirs()} }

// OpenDefault returns the store in [DefaultDir]. A user for whom there is no
// such folder has a store that holds nothing and can take nothing, which its
// errors say; files and Ollama's models are found all the same.
func OpenDefault() *Store {
	dir, err := DefaultDir()
	s := Open(dir)
	s.homeless = err
	return s
}

// Dir returns the store's folder, "" where there is none.
func (s *Store) Dir() string { return s.dir }

// Folders returns every folder in which a model is looked for by name: the
// store's and Ollama's, whether they are there or not.
func (s *Store) Folders() []string {
	if s.homeless != nil {
		return s.ollama
	}
	return append([]string{s.dir}, s.ollama...)
}

// List returns the models that can be used, ordered by name. Entries that
// cannot, such as half-written ones, are reported in damaged, each with what
// to do about it. A folder that does not exist holds no models.
func (s *Store) List() (entries []Entry, damaged []error, err error) {
	if s.homeless != nil {
		return nil, nil, s.homeless
	}
	files, err := os.ReadDir(s.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var names []string
	for _, f := range files {
		if strings.HasPrefix(f.Name(), partPrefix) {
			damaged = append(damaged, fmt.Errorf("%s is what a download has brought so far; pull its URL again to go on with it, or remove it",
				filepath.Join(s.dir, f.Name())))
		}
		ext := filepath.Ext(f.Name())
		if strings.HasPrefix(f.Name(), ".") || ext != ".gguf" && ext != ".json" || strings.HasSuffix(f.Name(), CalibrationSuffix) {
			continue
		}
		name, err := decodeName(strings.TrimSuffix(f.Name(), ext))
		if err != nil {
			damaged = append(damaged, fmt.Errorf("%s is not a file of the store; remove it, or add it with emospan models import",
				filepath.Join(s.dir, f.Name())))
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if e, err := s.Get(name); err != nil {
			damaged = append(damaged, err)
		} else {
			entries = append(entries, e)
		}
	}
	return entries, damaged, nil
}

// Get returns the model called name after checking that its file is there with
// the right size. See Verify for its content.
func (s *Store) Get(name string) (Entry, error) {
	if err := checkName(name); err != nil {
		return Entry{}, err
	}
	if s.homeless != nil {
		return Entry{}, s.notFound(name)
	}
	info, statErr := os.Stat(s.path(name, ".gguf"))
	if statErr != nil && !errors.Is(statErr, os.ErrNotExist) {
		return Entry{}, statErr
	}
	e, err := s.readEntry(name)
	switch {
	case errors.Is(err, os.ErrNotExist) && statErr != nil:
		return Entry{}, s.notFound(name)
	case errors.Is(err, os.ErrNotExist):
		return Entry{}, s.damaged(name, "its description is missing, the addition was cut short")
	case err != nil:
		return Entry{}, s.damaged(name, err.Error())
	case statErr != nil:
		return Entry{}, s.damaged(name, "its GGUF file is missing")
	case !info.Mode().IsRegular():
		return Entry{}, s.damaged(name, "its GGUF file is not a regular file")
	case info.Size() != e.Size:
		return Entry{}, s.damaged(name, fmt.Sprintf("its GGUF file has %d bytes, expected %d", info.Size(), e.Size))
	}
	return e, nil
}

func (s *Store) readEntry(name string) (Entry, error) {
	f, err := os.Open(s.path(name, ".json"))
	if err != nil {
		return Entry{}, err
	}
	defer f.Close()
	const limit = 1 << 20
	text, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return Entry{}, err
	}
	var e Entry
	if err := json.Unmarshal(text, &e); err != nil {
		return Entry{}, fmt.Errorf("its description is not valid JSON (%v)", err)
	}
	sum, err := hex.DecodeString(e.SHA256)
	if err != nil || len(sum) != sha256.Size || e.Name != name || e.Size <= 0 {
		return Entry{}, errors.New("its description lacks the name, size or sha256, or has wrong ones")
	}
	e.SHA256 = hex.EncodeToString(sum) // in lower case, whoever wrote it
	e.Path = s.path(name, ".gguf")
	return e, nil
}

// Verify reads the whole file of the model called name and compares its hash
// with the one noted when it was added.
func (s *Store) Verify(ctx context.Context, name string) error {
	e, err := s.Get(name)
	if err != nil {
		return err
	}
	sum, err := HashFile(ctx, e.Path)
	if err != nil {
		return err
	}
	if sum != e.SHA256 {
		return s.damaged(name, fmt.Sprintf("its GGUF file has sha256 %s, expected %s", sum, e.SHA256))
	}
	return nil
}

// Add copies the GGUF file at path into the store as name, once it has been
// found usable; the files of a split model are joined into one. An empty Source or License in meta is taken from the file. The
// name of a pinned model is open only to that model's own file. Nothing is
// left behind if Add fails or ctx is cancelled.
func (s *Store) Add(ctx context.Context, name, path string, meta Meta) (Entry, error) {
	return s.add(ctx, name, path, meta, "")
}

// add is Add for a file that must have the digest, unless that is "".
func (s *Store) add(ctx context.Context, name, path string, meta Meta, digest string) (Entry, error) {
	if err := checkName(name); err != nil {
		return Entry{}, err
	}
	g, err := OpenGGUF(path)
	if err != nil {
		return Entry{}, err
	}
	defer g.Close()
	content, err := g.content()
	if err != nil {
		return Entry{}, err
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return Entry{}, err
	}
	defer unlock()
	if _, err := s.Get(name); err == nil {
		return Entry{}, fmt.Errorf("model %q is %w; remove it first with emospan models rm %s", name, ErrExists, name)
	}
	meta.Source = cmp.Or(meta.Source, filepath.Base(path))
	return s.put(ctx, name, content, meta, digest)
}

// put writes what src holds as the model called name, if it has the digest or
// that is "". It replaces what is there. The caller holds the lock.
func (s *Store) put(ctx context.Context, name string, src io.Reader, meta Meta, digest string) (e Entry, err error) {
	tmp, err := os.CreateTemp(s.dir, tempPrefix+"*.gguf")
	if err != nil {
		return Entry{}, err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	hash := sha256.New()
	e = Entry{Name: name, Path: s.path(name, ".gguf"), Meta: meta}
	if e.Size, err = io.Copy(io.MultiWriter(tmp, hash), contextReader{ctx, src}); err != nil {
		return Entry{}, err
	}
	e.SHA256 = hex.EncodeToString(hash.Sum(nil))
	if digest != "" && e.SHA256 != digest {
		return Entry{}, fmt.Errorf("%s is damaged: it has sha256 %s, expected %s; fetch it again", e.Source, e.SHA256, digest)
	}
	return s.finish(tmp, e)
}

// finish publishes the file as e once it has been found to be what e's name
// asks for, and usable. The caller holds the lock.
func (s *Store) finish(tmp *os.File, e Entry) (Entry, error) {
	if k, ok := lookupKnown(s.known, e.Name); ok {
		if e.SHA256 != k.sha256 {
			return Entry{}, fmt.Errorf("model %q is pinned: the file has %d bytes and sha256 %s, expected %d bytes and %s: choose another name for another model",
				e.Name, e.Size, e.SHA256, k.size, k.sha256)
		}
		e.License = cmp.Or(e.License, k.license)
		e.ChatTemplate = cmp.Or(e.ChatTemplate, k.chatTemplate)
	}
	g, err := ReadGGUF(tmp, e.Size)
	if err != nil {
		return Entry{}, fmt.Errorf("%s: %w", e.Source, err)
	}
	if err := g.Usable(); err != nil {
		return Entry{}, fmt.Errorf("%s: %w", e.Source, err)
	}
	e.License = cmp.Or(e.License, g.License())
	if err := s.publish(tmp, e); err != nil {
		return Entry{}, err
	}
	return e, nil
}

// publish moves the finished file to its place and describes it. The old
// description goes first, so that at no time one stands beside another's file.
func (s *Store) publish(tmp *os.File, e Entry) error {
	text, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return err
	}
	if err := os.Remove(s.path(e.Name, ".json")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := replace(tmp, e.Path); err != nil {
		return err
	}
	note, err := os.CreateTemp(s.dir, tempPrefix+"*.json")
	if err != nil {
		return err
	}
	defer note.Close()
	if _, err := note.Write(append(text, '\n')); err != nil {
		os.Remove(note.Name())
		return err
	}
	if err := replace(note, s.path(e.Name, ".json")); err != nil {
		os.Remove(note.Name())
		return err
	}
	dir, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

func replace(tmp *os.File, path string) error {
	if err := tmp.Chmod(0o644); err != nil {
		return err
	}
	if err := tmp.Sync(); err != nil {
		return err
	}
	if err := tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// Remove deletes the model called name, whole or damaged, and its calibration.
// Of a model that is Ollama's the store has only a calibration.
func (s *Store) Remove(ctx context.Context, name string) error {
	theirs, ok := parseOllamaName(name)
	if err := checkName(name); err != nil && !ok {
		return err
	}
	if _, err := os.Stat(s.dir); s.homeless != nil || errors.Is(err, os.ErrNotExist) {
		return s.notFound(name)
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	found := false
	for _, ext := range []string{".json", ".gguf", CalibrationSuffix} {
		switch err := os.Remove(s.path(name, ext)); {
		case err == nil:
			found = true
		case !errors.Is(err, os.ErrNotExist):
			return err
		}
	}
	if found {
		return nil
	}
	if ok {
		if err := os.Remove(s.path(theirs.String(), CalibrationSuffix)); !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return s.notFound(name)
}

func (s *Store) path(name, ext string) string {
	return filepath.Join(s.dir, encodeName(name)+ext)
}

func (s *Store) notFound(name string) error {
	if s.homeless != nil {
		return fmt.Errorf("model %q is %w: %w", name, ErrNotFound, s.homeless)
	}
	hint := "emospan models list shows what is"
	if _, ok := lookupKnown(s.known, name); ok {
		hint = "fetch it with emospan models pull " + name
	}
	return fmt.Errorf("model %q is %w (%s); %s", name, ErrNotFound, s.dir, hint)
}

func (s *Store) damaged(name, what string) error {
	remedy := fmt.Sprintf("remove it with emospan models rm %s and import it again", name)
	if _, ok := lookupKnown(s.known, name); ok {
		remedy = "fetch it again with emospan models pull " + name
	}
	return fmt.Errorf("model %q is damaged: %s; %s", name, what, remedy)
}

// HashFile returns the SHA-256 of the file at path in hexadecimal.
func HashFile(ctx context.Context, path string) (string, error) {
	return hashFiles(ctx, []string{path})
}

func hashFiles(ctx context.Context, paths []string) (string, error) {
	hash := sha256.New()
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		_, err = io.Copy(hash, contextReader{ctx, f})
		if err = errors.Join(err, f.Close()); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// contextReader ends a copy of many gigabytes when ctx is cancelled.
type contextReader struct {
	ctx context.Context
	io.Reader
}

func (r contextReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}
