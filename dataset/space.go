package dataset

import (
	"bytes"
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

// IsBlank reports whether there is nothing but white space in a string.
func IsBlank(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !IsSpace(r) }) < 0
}

// isBlankLine is [IsBlank] for bytes.
func isBlankLine(line []byte) bool {
	return bytes.IndexFunc(line, func(r rune) bool { return !IsSpace(r) }) < 0
}
