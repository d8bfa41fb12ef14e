package models

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Model is a GGUF file to run, from the store or not.
type Model struct {
	Name     string // name in the store or Ollama's, else the file's base name: never a path
	Path     string
	SHA256   string // as noted in the store, "" for other files: see Hash
	Digest   string // SHA-256 that Ollama's store asks for, "" for other files
	Template string // text in which to look for a chat template if the file has none, as Ollama keeps beside it
	Entry    *Entry // nil for a file outside the store
	Part     *Part  // where in the file it lies, nil where it is the whole file
}

// Files returns the files that the model lies in: one, or the parts of a split
// model in their order.
func (m Model) Files() ([]string, error) {
	if m.Part != nil {
		return []string{m.Path}, nil
	}
	return splitPaths(m.Path)
}

// Hash returns the SHA-256 of the model's file: the noted one, else that of
// the file, which is read for it and must be Digest where there is one. For a
// split model it is that of the files one after the other.
func (m Model) Hash(ctx context.Context) (string, error) {
	if m.SHA256 != "" {
		return m.SHA256, nil
	}
	paths, err := m.Files()
	if err != nil {
		return "", err
	}
	sum, err := hashFiles(ctx, paths)
	if err == nil && m.Digest != "" && sum != m.Digest {
		return "", fmt.Errorf("model %s of Ollama is damaged: its file %s has sha256 %s, expected %s; fetch it again with ollama pull %[1]s",
			m.Name, m.Path, sum, m.Digest)
	}
	return sum, err
}

// Resolve finds the model that the user means: the default one for "", the
// file for what looks like a path (it holds a slash or ends in .gguf), else
// the model of that name in the store, else the file of that name, else the
// model that Ollama keeps on this machine by that name, which may hold slashes
// too.
func (s *Store) Resolve(nameOrPath string) (Model, error) {
	if strings.ContainsRune(nameOrPath, filepath.Separator) || strings.HasSuffix(strings.ToLower(nameOrPath), ".gguf") {
		info, err := os.Stat(nameOrPath)
		if errors.Is(err, os.ErrNotExist) {
			if m, err := s.Ollama(nameOrPath); !errors.Is(err, ErrNotFound) {
				return m, err
			}
			return Model{}, fmt.Errorf("no model file %s; emospan models list shows the models that can be used by name", nameOrPath)
		}
		if err != nil {
			return Model{}, err
		}
		if err := regular(nameOrPath, info); err != nil {
			return Model{}, err
		}
		return file(nameOrPath), nil
	}
	name := nameOrPath
	if name == "" {
		name = DefaultModel
	}
	e, err := s.Get(name)
	if err == nil {
		return Model{Name: e.Name, Path: e.Path, SHA256: e.SHA256, Entry: &e}, nil
	}
	if nameOrPath == "" || !errors.Is(err, ErrNotFound) && !errors.Is(err, errName) {
		return Model{}, err
	}
	if info, err := os.Stat(nameOrPath); err == nil && info.Mode().IsRegular() {
		return file(nameOrPath), nil
	}
	if m, err := s.Ollama(nameOrPath); !errors.Is(err, ErrNotFound) {
		return m, err
	}
	if _, ok := lookupKnown(s.known, name); ok {
		return Model{}, err
	}
	return Model{}, fmt.Errorf("no model %q: it is neither in the store (%s) nor a file nor one of Ollama's; emospan models list shows the names, emospan models pull fetches %s",
		nameOrPath, cmp.Or(s.dir, "there is none"), DefaultModel)
}

func file(path string) Model { return Model{Name: filepath.Base(path), Path: path} }
