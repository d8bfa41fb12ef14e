package dataset

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// ShownName is a file's name as text: bytes that are not UTF-8, which JSON cannot
// hold, are written as \xff.
func ShownName(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, n := utf8.DecodeRuneInString(name[i:])
		if r == utf8.RuneError && n <= 1 {
			fmt.Fprintf(&b, `\x%02x`, name[i])
		} else {
			b.WriteString(name[i : i+n])
		}
		i += n
	}
	return b.String()
}
