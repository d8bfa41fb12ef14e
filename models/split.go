package models

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// splitName is how llama.cpp calls the files of a split model.
var splitName = regexp.MustCompile(`^(.*)-([0-9]{5})-of-([0-9]{5})\.gguf$`)

// maxFiles is far above the number of files that any model is split into.
const maxFiles = 1024

// parts returns the number of files that the model is split into by this
// file's own word, 1 where it says nothing.
func (g *GGUF) parts() int {
	n, ok := g.Uint("split.count")
	if !ok || n == 0 {
		return 1
	}
	return int(min(n, 1<<16))
}

// splitFiles returns the paths of all files of the model whose first is at
// path, by their names. ok is false for a name that is none of a first file.
func splitFiles(path string) (paths []string, ok bool) {
	dir, file := filepath.Split(path)
	m := splitName.FindStringSubmatch(file)
	if m == nil || m[2] != "00001" {
		return nil, false
	}
	n, err := strconv.Atoi(m[3])
	if err != nil || n < 1 || n > maxFiles {
		return nil, false
	}
	for i := range n {
		paths = append(paths, dir+fmt.Sprintf("%s-%05d-of-%05d.gguf", m[1], i+1, n))
	}
	return paths, true
}

// splitPaths returns the files that the model at path consists of, mostly one.
func splitPaths(path string) ([]string, error) {
	paths, ok := splitFiles(path)
	if !ok || len(paths) == 1 {
		return []string{path}, nil
	}
	g, err := openFile(path)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	if g.parts() == 1 {
		return []string{path}, nil // called so, but whole
	}
	return paths, nil
}

// openRest opens and checks the files behind the first, as llama.cpp will.
func (g *GGUF) openRest(path string) error {
	n := g.parts()
	if n == 1 {
		return nil
	}
	if err := g.checkPart(0, n); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	paths, ok := splitFiles(path)
	if !ok || len(paths) != n {
		return fmt.Errorf("%s is the first of %d files of a split model but not called so: rename them NAME-00001-of-%05[2]d.gguf and so on", path, n)
	}
	return g.openParts(paths)
}

// openParts is openRest for files whose names are known, the first of them g's.
func (g *GGUF) openParts(paths []string) error {
	n := len(paths)
	if err := g.checkPart(0, n); err != nil {
		return fmt.Errorf("%s: %w", paths[0], err)
	}
	names := make(map[string]bool, len(g.tensors))
	for _, t := range g.tensors {
		names[t.Name] = true
	}
	for i, path := range paths[1:] {
		part, err := openFile(path)
		if err != nil {
			return fmt.Errorf("file %d of %d of a split model: %w", i+2, n, err)
		}
		g.rest = append(g.rest, part)
		if err := part.checkPart(i+1, n); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, t := range part.tensors {
			if names[t.Name] {
				return fmt.Errorf("%s: tensor %q is in an earlier file too", path, t.Name)
			}
			names[t.Name] = true
			t.File = i + 1
			g.tensors = append(g.tensors, t)
		}
		g.size += part.size
	}
	if want, ok := g.Uint("split.tensors.count"); !ok || want != uint64(len(g.tensors)) {
		return fmt.Errorf("%s: the %d files have %d tensors, expected %d", paths[0], n, len(g.tensors), want)
	}
	return nil
}

// checkPart checks what a file says of its place among n. llama.cpp ends the
// process where these are no 16-bit numbers.
func (g *GGUF) checkPart(i, n int) error {
	number, count := g.lookup("split.no"), g.lookup("split.count")
	switch {
	case n > maxFiles:
		return fmt.Errorf("a model split into %d files, at most %d are expected", n, maxFiles)
	case number == nil || count == nil || number.kind != kindUint16 || count.kind != kindUint16:
		return errors.New("keys split.no and split.count must be 16-bit numbers")
	case number.bits != uint64(i) && i == 0:
		return fmt.Errorf("this is file %d of the %d of a split model: name the first", number.bits+1, n)
	case number.bits != uint64(i) || count.bits != uint64(n):
		return fmt.Errorf("this is file %d of %d, expected %d of %d", number.bits+1, count.bits, i+1, n)
	}
	return nil
}

// content reads the file as it is or, of a split model, as one file with all
// of its tensors.
func (g *GGUF) content() (io.Reader, error) {
	if len(g.rest) == 0 {
		return io.NewSectionReader(g.file, 0, g.size), nil
	}
	h := &header{}
	for _, v := range g.keys {
		// Offsets are made anew, with the default alignment.
		if strings.HasPrefix(v.key, "split.") || v.key == "general.alignment" {
			continue
		}
		pair, err := g.read(v.start, v.end)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", v.key, err)
		}
		h.raw(pair)
	}
	var data []io.Reader
	for _, t := range g.tensors {
		shape := make([]int, len(t.Shape))
		for i, n := range t.Shape {
			shape[i] = int(n)
		}
		if len(shape) == 0 {
			shape = []int{1}
		}
		padding, err := h.tensor(t.Name, t.Type, shape...)
		if err != nil {
			return nil, err
		}
		data = append(data, io.NewSectionReader(g.data(t), t.Offset, t.Size), bytes.NewReader(make([]byte, padding)))
	}
	var b bytes.Buffer
	if _, err := h.WriteTo(&b); err != nil {
		return nil, err
	}
	return io.MultiReader(append([]io.Reader{&b}, data...)...), nil
}
