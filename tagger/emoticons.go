package tagger

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
)

// emoticonEnd returns the end of the emoticon that begins at text[i], or i if
// there is none. What stands beside it decides: a mouth that is a letter or
// opens a bracket has no word after it (:Done, :(a), and only the commonest
// mouths follow a word without a space.
func emoticonEnd(text string, i int) int {
	if isASCIILetter(text[i]) && strings.IndexByte("xXDoOuUTtQq", text[i]) < 0 {
		return i
	}
	for _, match := range [...]func(string, int) int{heartOrLaugh, reversedFace, sidewaysFace, uprightFace, shortcode} {
		if end := match(text, i); end > i {
			return end
		}
	}
	return i
}

// heartOrLaugh scans <3 </3 xD XDDD.
func heartOrLaugh(text string, i int) int {
	shape, tail := text[i+1:], ""
	switch text[i] {
	case '<':
		shape = strings.TrimPrefix(shape, "/")
		tail = strings.TrimLeft(shape, "3")
	case 'x', 'X':
		tail = strings.TrimLeft(shape, "dD")
	default:
		return i
	}
	if len(tail) == len(shape) || startsWord(tail) {
		return i
	}
	return len(text) - len(tail)
}

// reversedFace scans (: (-; ): D: standing alone.
func reversedFace(text string, i int) int {
	if strings.IndexByte("()D", text[i]) < 0 || !spaceBefore(text, i) {
		return i
	}
	k := i + 1
	if k < len(text) && (text[k] == '-' || text[k] == '\'') {
		k++
	}
	if k == len(text) || strings.IndexByte(":;=", text[k]) < 0 {
		return i
	}
	k++
	if after, size := utf8.DecodeRuneInString(text[k:]); size > 0 && !dataset.IsSpace(after) && !strings.ContainsRune(".,!?", after) {
		return i
	}
	return k
}

// sidewaysFace scans :) >:-( ;P =D 8-) :DDD :'( and their like.
func sidewaysFace(text string, i int) int {
	before, _ := utf8.DecodeLastRuneInString(text[:i])
	glued := isWordRune(before)
	rest := text[i:]
	if !glued {
		rest = strings.TrimPrefix(rest, ">")
	}
	if rest == "" || strings.IndexByte(":;=8", rest[0]) < 0 {
		return i
	}
	eyes, face := rest[0], rest[1:]
	rest = face
	for _, nose := range [...]string{"'", "’", "-", "^", "~"} {
		rest = strings.TrimPrefix(rest, nose)
	}
	if rest == "" || strings.IndexByte(")(][}{|DPpOo3/\\<>*sSxXcC", rest[0]) < 0 {
		return i
	}
	mouth := rest[0]
	switch {
	case eyes == '8' && len(rest) == len(face): // 8) is a list's number
		return i
	case before == '|' && mouth == '|': // |:-| is a table's rule
		return i
	case glued && (eyes == '=' || eyes == '8' || strings.IndexByte(")(]/|DPp", mouth) < 0):
		return i
	}
	rest = rest[1:]
	if strings.IndexByte(")(][}{|DPpOo", mouth) >= 0 {
		rest = strings.TrimLeft(rest, string(mouth))
	}
	switch {
	case strings.IndexByte(")]}|", mouth) >= 0:
	case startsWord(rest):
		return i
	case strings.IndexByte("/\\<>*", mouth) >= 0 && rest != "" && (rest[0] == mouth || rest[0] == '='):
		return i
	}
	return len(text) - len(rest)
}

// uprightFace scans two like eyes with a mouth between, as in ^_^ o.O >_<, and
// ^^ \o/ ¯\_(ツ)_/¯.
func uprightFace(text string, i int) int {
	left, size := utf8.DecodeRuneInString(text[i:])
	k := i + size
	rest := text[k:]
	switch {
	case left == '\\' && strings.HasPrefix(rest, "o/") && !startsWord(rest[2:]):
		return k + len("o/")
	case left == '^' && strings.HasPrefix(rest, "^") && !strings.HasPrefix(rest[1:], "^") && !startsWord(rest[1:]):
		return k + len("^")
	case left == '¯':
		// Backslashes come and go as Markdown is escaped.
		if arm, ok := strings.CutPrefix(strings.TrimLeft(rest, `\_`), "(ツ)"); ok {
			if rest, ok = strings.CutPrefix(strings.TrimLeft(arm, `\_/`), "¯"); ok {
				return len(text) - len(rest)
			}
		}
		return i
	case !strings.ContainsRune("^-><=@*;.0xXoOuUTtQqಠ¬•♥", left):
		return i
	}
	for k < len(text) && text[k] == '_' && k < i+size+5 {
		k++
	}
	if k == i+size && left != '.' && left != '0' && strings.HasPrefix(rest, ".") {
		k++
	}
	if k == i+size {
		return i
	}
	right, size := utf8.DecodeRuneInString(text[k:])
	if left == '>' && right == '<' || unicode.ToLower(left) == unicode.ToLower(right) {
		if k += size; !isWordRune(right) || !startsWord(text[k:]) {
			return k
		}
	}
	return i
}

// shortcode scans the name of an emoji between colons, of 2 to 32 bytes.
func shortcode(text string, i int) int {
	before, _ := utf8.DecodeLastRuneInString(text[:i])
	if text[i] != ':' || isWordRune(before) {
		return i
	}
	end := i + 1
	for end < len(text) && end-i <= 32 && ('a' <= text[end] && text[end] <= 'z' ||
		end > i+1 && (isASCIIDigit(text[end]) || text[end] == '_' || text[end] == '-')) {
		end++
	}
	if end < i+3 || !strings.HasPrefix(text[end:], ":") || startsWord(text[end+1:]) {
		return i
	}
	return end + 1
}

// startsWord reports whether text begins with a letter or digit.
func startsWord(text string) bool {
	r, _ := utf8.DecodeRuneInString(text)
	return isWordRune(r)
}
