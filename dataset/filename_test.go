package dataset

import (
	"testing"
	"unicode/utf8"
)

func TestShownName(t *testing.T) {
	for name, want := range map[string]string{"a/ü.txt": "a/ü.txt", "in\xff.txt": `in\xff.txt`, "\xe2\x80": `\xe2\x80`, "\ufffd": "\ufffd", "": ""} {
		if got := ShownName(name); got != want || !utf8.ValidString(got) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
