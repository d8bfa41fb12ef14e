package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The folders and media types of an Ollama store, as Ollama 0.17 writes them.
const (
	ollamaHost      = "registry.ollama.ai"
	ollamaNamespace = "library"
	ollamaTag       = "latest"
	ollamaMedia     = "application/vnd.ollama.image."
)

// ollamaDirs returns the folders in which Ollama keeps models: $OLLAMA_MODELS,
// else the user's and the system service's.
func ollamaDirs() []string {
	if dir := os.Getenv("OLLAMA_MODELS"); dir != "" {
		return []string{dir}
	}
	dirs := []string{"/usr/share/ollama/.ollama/models"}
	if home, err := os.UserHomeDir(); err == nil {
		dirs = slices.Insert(dirs, 0, filepath.Join(home, ".ollama", "models"))
	}
	return dirs
}

// ollamaName is a model's name in Ollama, each part a folder of the store.
type ollamaName struct{ host, namespace, model, tag string }

var (
	ollamaPart     = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$`)
	ollamaHostPart = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,349}(:[0-9]{1,5})?$`)
	ollamaDigest   = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

// parseOllamaName reads [[HOST/]NAMESPACE/]MODEL[:TAG] as Ollama does; ok is
// false for what can be no name there.
func parseOllamaName(s string) (n ollamaName, ok bool) {
	n = ollamaName{ollamaHost, ollamaNamespace, "", ollamaTag}
	parts := strings.Split(s, "/")
	last := parts[len(parts)-1]
	if model, tag, found := strings.Cut(last, ":"); found {
		last, n.tag = model, tag
	}
	n.model = last
	switch len(parts) {
	case 1:
	case 2:
		n.namespace = parts[0]
	case 3:
		n.host, n.namespace = parts[0], parts[1]
	default:
		return n, false
	}
	ok = ollamaHostPart.MatchString(n.host)
	for _, part := range []string{n.namespace, n.model, n.tag} {
		ok = ok && ollamaPart.MatchString(part)
	}
	return n, ok
}

// String leaves out what Ollama takes for granted, but not the tag, so that two
// models are never called the same.
func (n ollamaName) String() string {
	s := n.model + ":" + n.tag
	if n.namespace != ollamaNamespace || n.host != ollamaHost {
		s = n.namespace + "/" + s
	}
	if n.host != ollamaHost {
		s = n.host + "/" + s
	}
	return s
}

// ollamaManifest is what is read of a manifest.
type ollamaManifest struct {
	SchemaVersion int `json:"schemaVersion"`
	Layers        []struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      int64  `json:"size"`
	} `json:"layers"`
}

// Ollama finds the model that Ollama calls by that name in the stores that it
// keeps on this machine, to be used where it lies. The error wraps ErrNotFound
// where none of them has it; a store that cannot be read, or is damaged, is
// another error. The file's content is compared with its digest by Model.Hash.
func (s *Store) Ollama(name string) (Model, error) {
	n, ok := parseOllamaName(name)
	if !ok {
		return Model{}, fmt.Errorf("%q is no name of an Ollama model: %w", name, ErrNotFound)
	}
	var unreadable error // not before the others have been tried
	for _, dir := range s.ollama {
		m, err := ollamaModel(dir, n)
		switch {
		case errors.Is(err, errUnreadable):
			unreadable = err
		case !errors.Is(err, fs.ErrNotExist):
			return m, err
		}
	}
	if unreadable != nil {
		return Model{}, unreadable
	}
	return Model{}, fmt.Errorf("model %s is %w of Ollama (%s)", n, ErrNotFound, strings.Join(s.ollama, ", "))
}

// ollamaModel's error wraps fs.ErrNotExist if the store has no such manifest,
// and only then.
func ollamaModel(dir string, n ollamaName) (Model, error) {
	path := filepath.Join(dir, "manifests", n.host, n.namespace, n.model, n.tag)
	text, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Model{}, err
	}
	if err != nil {
		return Model{}, ollamaUnreadable(err)
	}
	damaged := func(format string, args ...any) (Model, error) {
		return Model{}, fmt.Errorf("model %s of Ollama is damaged: %s; fetch it again with ollama pull %[1]s", n, fmt.Sprintf(format, args...))
	}
	var manifest ollamaManifest
	if err := json.Unmarshal(text, &manifest); err != nil {
		return damaged("its manifest %s is not valid JSON (%v)", path, err)
	}
	if manifest.SchemaVersion != 2 {
		return damaged("its manifest %s has schema version %d, expected 2", path, manifest.SchemaVersion)
	}
	m := Model{Name: n.String()}
	var size int64
	for _, layer := range manifest.Layers {
		kind, ok := strings.CutPrefix(layer.MediaType, ollamaMedia)
		if !ok || kind != "model" && kind != "template" && kind != "adapter" {
			continue
		}
		if !ollamaDigest.MatchString(layer.Digest) {
			return damaged("its manifest %s gives a %s the digest %.80q, expected sha256: and 64 digits", path, kind, layer.Digest)
		}
		blob := filepath.Join(dir, "blobs", strings.Replace(layer.Digest, ":", "-", 1))
		switch {
		case kind == "adapter":
			return Model{}, fmt.Errorf("model %s of Ollama is a model and an adapter (LoRA), which is not supported: merge them, or use another model", n)
		case kind == "template":
			text, err := readSmall(blob)
			if errors.Is(err, fs.ErrNotExist) {
				return damaged("its template %s is missing", blob)
			}
			if err != nil {
				return Model{}, ollamaUnreadable(err)
			}
			m.Template = string(text)
		case m.Path != "":
			return Model{}, fmt.Errorf("model %s of Ollama consists of several files, which is not supported: use another model", n)
		default:
			m.Path, m.Digest, size = blob, strings.TrimPrefix(layer.Digest, "sha256:"), layer.Size
		}
	}
	if m.Path == "" {
		return Model{}, fmt.Errorf("model %s of Ollama is not on this machine or not a GGUF file; fetch another one with ollama pull", n)
	}
	info, err := os.Stat(m.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return damaged("its file %s is missing", m.Path)
	case err != nil:
		return Model{}, ollamaUnreadable(err)
	case !info.Mode().IsRegular():
		return damaged("%s is not a regular file", m.Path)
	case info.Size() != size:
		return damaged("its file %s has %d bytes, expected %d", m.Path, info.Size(), size)
	}
	f, err := os.Open(m.Path)
	if err != nil {
		return Model{}, ollamaUnreadable(err)
	}
	return m, f.Close()
}

// ollamaUnreadable says what to do about a store that is there and closed. It
// does not wrap the cause: nothing that a damaged store holds is to be taken
// for a file that does not exist.
func ollamaUnreadable(err error) error {
	return fmt.Errorf("%w: %v; let this user read it, or set OLLAMA_MODELS to a copy", errUnreadable, err)
}

var errUnreadable = errors.New("the store of Ollama cannot be read")

// OllamaModels lists the models that Ollama keeps on this machine, as List
// does those of the store. A folder that does not exist holds none.
func (s *Store) OllamaModels() (list []Entry, damaged []error) {
	for _, dir := range s.ollama {
		root := filepath.Join(dir, "manifests")
		if _, err := os.Stat(root); errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			damaged = append(damaged, ollamaUnreadable(err))
			continue
		}
		filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				damaged = append(damaged, ollamaUnreadable(err))
				return nil
			}
			parts := strings.Split(strings.TrimPrefix(path, root+string(filepath.Separator)), string(filepath.Separator))
			if d.IsDir() || len(parts) != 4 {
				return nil
			}
			n, ok := parseOllamaName(strings.Join(parts[:3], "/") + ":" + parts[3])
			if !ok || slices.ContainsFunc(list, func(e Entry) bool { return e.Name == n.String() }) {
				return nil
			}
			m, err := ollamaModel(dir, n)
			if err != nil {
				damaged = append(damaged, err)
				return nil
			}
			size := int64(0)
			if info, err := os.Stat(m.Path); err == nil {
				size = info.Size()
			}
			list = append(list, Entry{Name: m.Name, SHA256: m.Digest, Size: size, Path: m.Path, Meta: Meta{Source: "ollama"}})
			return nil
		})
	}
	return list, damaged
}

// AddModel copies a model that Resolve or Ollama found into the store as name,
// as Add does, once its content has been found to be what its digest says.
func (s *Store) AddModel(ctx context.Context, name string, m Model, meta Meta) (Entry, error) {
	return s.add(ctx, name, m.Path, meta, m.Digest)
}

// readSmall reads a file that is far smaller than a mebibyte.
func readSmall(path string) ([]byte, error) {
	const most = 1 << 20
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := regular(path, info); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(text) > most {
		err = fmt.Errorf("%s is larger than %d bytes", path, most)
	}
	return text, err
}
