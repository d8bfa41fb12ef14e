package validate

import (
	"strconv"
	"unicode/utf8"
)

// maxShown is how much of a value a problem shows, in bytes.
const maxShown = 200

// clip shortens a long value, saying how long it was.
func clip(s string) string {
	if len(s) <= maxShown {
		return s
	}
	end := maxShown
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "… (" + strconv.Itoa(len(s)) + " bytes)"
}

// quote is for values that come from the record.
func quote(s string) string {
	if len(s) > maxShown {
		return clip(s)
	}
	return strconv.Quote(s)
}

// at builds a JSON Pointer from plain keys and indices.
func at(prefix string, index int, key string) string {
	b := strconv.AppendInt(append(append(make([]byte, 0, 48), prefix...), '/'), int64(index), 10)
	return string(append(b, key...))
}

func invalidByte(b []byte) int {
	for i := 0; ; {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n <= 1 {
			return i
		}
		i += n
	}
}
