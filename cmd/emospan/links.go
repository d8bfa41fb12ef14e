package main

// Outputs whose names are symbolic links. A link is followed before anything is written, so that files beside an output lie beside the file
// that it leads to, and what replaces an output replaces that file and not the link.

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// mostLinks is how many links the system follows from a name.
const mostLinks = 40

// followLinks puts where the outputs' links lead in the place of their names. A link to nothing leads to the file that is to be made there; one
// to a device or a pipe is kept, as that is opened under any name.
func followLinks(outputs ...*string) error {
	for _, path := range outputs {
		if *path == "" || *path == "-" {
			continue
		}
		target, err := followLink(*path)
		if err != nil {
			return err
		}
		if target != *path && packing(target) != packing(*path) {
			return usageError("%s leads to %s, and the two names do not agree on whether the file is compressed; name the file itself, or give the link the same ending", *path, target)
		}
		*path = target
	}
	return nil
}

// followLink is where a name leads that is a link.
func followLink(path string) (string, error) {
	if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return path, nil
	}
	there, err := os.Stat(path)
	if err == nil && !there.Mode().IsRegular() && !there.IsDir() {
		return path, nil
	}
	target := path
	for range mostLinks {
		to, err := os.Readlink(target)
		if err != nil { // not a link, or nothing yet
			if now, err := os.Stat(target); there != nil && (err != nil || !os.SameFile(there, now)) {
				return "", fmt.Errorf("%s is a link to a file that has lost its name; name another file", path)
			}
			return target, nil
		}
		if !filepath.IsAbs(to) {
			dir, err := filepath.EvalSymlinks(filepath.Dir(target))
			if err != nil {
				return "", fmt.Errorf("%s is a link that cannot be followed: %w; name another file", path, err)
			}
			if to = dir + string(filepath.Separator) + to; !strings.Contains(to, "..") {
				to = filepath.Clean(to)
			}
		}
		target = to
	}
	return "", fmt.Errorf("%s is a link that leads back to itself; name another file, or mend the link", path)
}

// packing is the ending of a name that has the file compressed, "" where none does.
func packing(path string) string {
	switch ext := filepath.Ext(path); ext {
	case ".gz", ".zst":
		return ext
	}
	return ""
}

// beside is the file that belongs to an output: beside its name as given, or where that is a link and nothing lies there, beside the file that it
// leads to.
func beside(path, suffix string) string {
	if _, err := os.Lstat(path + suffix); err == nil {
		return path + suffix
	}
	if target, err := followLink(path); err == nil {
		if _, err := os.Lstat(target + suffix); err == nil {
			return target + suffix
		}
	}
	return path + suffix
}
