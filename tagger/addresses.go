package tagger

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
)

// address scans a web address, an e-mail address, or a r/sub or u/user.
func (s *wordScanner) address(i int) int {
	for _, scheme := range [...]string{"http://", "https://", "ftp://", "www."} {
		if hasPrefixFold(s.text[i:], scheme) {
			if end := addressEnd(s.text, i+len(scheme)); end > i+len(scheme) {
				return end
			}
		}
	}
	if end := s.redditName(i); end > i {
		return end
	}
	local := skipASCII(s.text, i, min(len(s.text), i+64), "._%+-")
	if local == i || !strings.HasPrefix(s.text[local:], "@") {
		return i
	}
	domain := skipASCII(s.text, local+1, min(len(s.text), local+1+253), ".-")
	host := strings.TrimRight(s.text[local+1:domain], ".-")
	if dot := strings.LastIndexByte(host, '.'); dot < 1 || dot+2 >= len(host) {
		return i
	}
	return local + 1 + len(host)
}

// addressEnd returns the end of the web address whose host or path begins at
// i. A bracket opened before i closes it, and marks that end a sentence or an
// emphasis are not taken for its end.
func addressEnd(text string, i int) int {
	end, open := len(text), 0
scan:
	for k, r := range text[i:] {
		switch {
		case r == '(' || r == '[':
			open++
		case (r == ')' || r == ']') && open > 0:
			open--
		case dataset.IsSpace(r) || strings.ContainsRune(`)]<>"“”«»|{}^`+"`", r):
			end = i + k
			break scan
		}
	}
	return i + len(strings.TrimRight(text[i:end], ".,;:!?'’*_~…(["))
}

// redditName scans r/sub, /r/sub, u/user or /u/user.
func (s *wordScanner) redditName(i int) int {
	rest := strings.TrimPrefix(s.text[i:], "/")
	if !hasPrefixFold(rest, "r/") && !hasPrefixFold(rest, "u/") {
		return i
	}
	name := len(s.text) - len(rest) + 2
	if end := skipASCII(s.text, name, len(s.text), "_-"); end >= name+2 {
		return end
	}
	return i
}

// toneTag scans a slash and one letter that stand alone, as in /s for sarcasm.
func (s *wordScanner) toneTag(i int) int {
	after, size := utf8.DecodeRuneInString(s.text[min(i+1, len(s.text)):])
	beyond, _ := utf8.DecodeRuneInString(s.text[i+1+size:])
	if spaceBefore(s.text, i) && unicode.IsLetter(after) && !isWordRune(beyond) && !strings.ContainsRune("/'’", beyond) {
		return i + 1 + size
	}
	return i
}

// dottedNames are the last parts of domain and file names that are written in
// running text; the rest (to, me, so) are words after a forgotten space.
var dottedNames = map[string]bool{
	"com": true, "org": true, "net": true, "edu": true, "gov": true, "io": true, "uk": true, "tv": true, "co": true,
	"jpg": true, "jpeg": true, "png": true, "gif": true, "pdf": true, "mp3": true, "mp4": true, "txt": true,
	"html": true, "exe": true, "js": true, "py": true,
}

// isDottedName reports whether segment is a domain or file name of at most 253
// bytes, the length of the longest domain name.
func isDottedName(segment string) bool {
	dot := strings.LastIndexByte(segment[:min(len(segment), 253)], '.')
	return len(segment) <= 253 && dot > 0 && dottedNames[strings.ToLower(segment[dot+1:])]
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// skipASCII returns the end of the run of ASCII letters, digits and bytes of
// others in text[i:limit].
func skipASCII(text string, i, limit int, others string) int {
	for i < limit && (isASCIILetter(text[i]) || isASCIIDigit(text[i]) || strings.IndexByte(others, text[i]) >= 0) {
		i++
	}
	return i
}
