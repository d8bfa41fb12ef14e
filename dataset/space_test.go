package dataset

import (
	"slices"
	"testing"
	"unicode"
)

// TestIsSpace: white space is Unicode's White_Space and what Python's str.isspace has besides, and nothing else.
func TestIsSpace(t *testing.T) {
	var further []rune
	for r := rune(0); r <= unicode.MaxRune; r++ {
		switch is := IsSpace(r); {
		case unicode.Is(unicode.White_Space, r) && !is:
			t.Errorf("%U is none", r)
		case is && !unicode.Is(unicode.White_Space, r):
			further = append(further, r)
		}
	}
	if want := []rune{0x1c, 0x1d, 0x1e, 0x1f}; !slices.Equal(further, want) {
		t.Errorf("%U besides White_Space", further)
	}
	if got := TrimSpace("\x1c\u2003a b\x1f\n"); got != "a b" || !IsBlank("\x1e \u3000") || IsBlank("\u200b") || !IsBlank("") {
		t.Errorf("%q", got)
	}
}
