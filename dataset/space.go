package dataset

import (
	"strings"
	"unicode"
)

// IsSpace reports whether a character is white space: by Unicode's property
// White_Space, or by Python's str.isspace, which has U+001C to U+001F besides. So
// what is a token here is one to Python's libraries.
func IsSpace(r rune) bool {
	return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f
}

// TrimSpace takes white space, as [IsSpace] has it, off both ends.
func TrimSpace(s string) string { return strings.TrimFunc(s, IsSpace) }

// isBlank reports whether there is nothing but white space.
func isBlank[T string | []byte](s T) bool {
	for _, r := range string(s) {
		if !IsSpace(r) {
			return false
		}
	}
	return true
}
