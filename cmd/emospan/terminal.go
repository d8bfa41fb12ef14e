package main

import (
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// terminal is standard output where that is a terminal. Data passes through it: records, prompts and tables may hold any text,
// and none of it is to steer the terminal. In a file or a pipe the same data is left as it is.
type terminal struct {
	*os.File
	rest []byte // the beginning of a character
}

func (t *terminal) Write(b []byte) (int, error) {
	text := append(t.rest, b...)
	end := len(text)
	for i := 1; i <= min(utf8.UTFMax, len(text)); i++ {
		if start := len(text) - i; utf8.RuneStart(text[start]) {
			if !utf8.FullRune(text[start:]) {
				end = start
			}
			break
		}
	}
	if _, err := io.WriteString(t.File, shownText(string(text[:end]))); err != nil {
		return 0, err
	}
	t.rest = append(t.rest[:0], text[end:]...)
	return len(b), nil
}

// Truncate, Sync and Close have no use here, and standard output stays open for others.
func (*terminal) Truncate(int64) error { return nil }
func (*terminal) Sync() error          { return nil }
func (*terminal) Close() error         { return nil }

// shownText is printable for text of several lines and columns.
func shownText(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r == '\u200d' || unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
