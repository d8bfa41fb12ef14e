package models

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

var errName = errors.New("not a model name")

// checkName accepts what a model in the store may be called: letters, digits
// and . _ - : + after a letter or digit, as in "llama3:instruct". A name can be
// neither a path nor end in .gguf, so that the two are never confused, nor in
// .calibration, so that no description has the name of another's calibration.
func checkName(name string) error {
	const maxLength = 100
	lower := strings.ToLower(name)
	ok := name != "" && len(name) <= maxLength && alphanumeric(name[0]) && !strings.HasSuffix(lower, ".gguf") && !strings.HasSuffix(lower, ".calibration")
	for i := range len(name) {
		ok = ok && (alphanumeric(name[i]) || strings.IndexByte("._-:+", name[i]) >= 0)
	}
	if !ok {
		return fmt.Errorf("%q is %w: use letters, digits and . _ - : +, beginning with a letter or digit, at most %d, not ending in .gguf or .calibration",
			name, errName, maxLength)
	}
	return nil
}

// FileName returns the name that a model from a file gets unless the user
// chooses one: the file's, without .gguf and the number of a split file.
func FileName(path string) string {
	file := filepath.Base(path)
	if m := splitName.FindStringSubmatch(file); m != nil {
		return m[1]
	}
	return strings.TrimSuffix(file, ".gguf")
}

func alphanumeric(c byte) bool { return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' }

// encodeName turns a checked name into a file name. Capitals and the marks that
// some file systems refuse are written %XX, so that distinct names stay
// distinct where file names ignore case.
func encodeName(name string) string {
	var b strings.Builder
	for i := range len(name) {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '.', c == '_', c == '-':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// decodeName undoes encodeName and refuses whatever it does not write.
func decodeName(file string) (string, error) {
	name, err := url.PathUnescape(file)
	if err != nil {
		return "", err
	}
	if err := checkName(name); err != nil {
		return "", err
	}
	if encodeName(name) != file {
		return "", fmt.Errorf("%q is %w", file, errName)
	}
	return name, nil
}
