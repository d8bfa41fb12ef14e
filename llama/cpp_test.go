//go:build cgo

package llama

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A cppToken is a lexical token of C++: what stands in a string literal, or the token itself.
type cppToken struct {
	text   string
	str    bool
	offset int // in the file
}

// cppTokens scans as much of C++ as llama.cpp's tests of grammars are written in.
func cppTokens(t testing.TB, src string) []cppToken {
	t.Helper()
	var tokens []cppToken
	at := 0
	fail := func(what string) {
		t.Helper()
		t.Fatalf("line %d: %s", 1+strings.Count(src[:at], "\n"), what)
	}
	until := func(from int, end string) int { // the offset after end
		i := strings.Index(src[from:], end)
		if i < 0 {
			fail("no " + end)
		}
		return from + i + len(end)
	}
	isWord := func(c byte) bool {
		return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	for at < len(src) {
		start, rest := at, src[at:]
		switch c := rest[0]; {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			at++
		case strings.HasPrefix(rest, "//"), c == '#':
			at = until(at, "\n")
		case strings.HasPrefix(rest, "/*"):
			at = until(at+2, "*/")
		case strings.HasPrefix(rest, `R"`):
			open := until(at, "(")
			delimiter := src[at+2 : open-1]
			at = until(open, ")"+delimiter+`"`)
			tokens = append(tokens, cppToken{src[open : at-len(delimiter)-2], true, start})
		case c == '"', c == '\'':
			for at++; at < len(src) && src[at] != c; at++ {
				if src[at] == '\\' {
					at++
				}
			}
			if at >= len(src) {
				fail("a literal does not end")
			}
			at++
			if c == '\'' {
				tokens = append(tokens, cppToken{src[start:at], false, start})
				break
			}
			text, err := strconv.Unquote(src[start:at]) // the escapes in use are those of Go
			if err != nil {
				fail("string literal " + src[start:at])
			}
			tokens = append(tokens, cppToken{text, true, start})
		case isWord(c):
			for at < len(src) && isWord(src[at]) {
				at++
			}
			tokens = append(tokens, cppToken{src[start:at], false, start})
		default:
			at++
			tokens = append(tokens, cppToken{src[start:at], false, start})
		}
	}
	return tokens
}

// A cppReader reads expressions from C++ tokens.
type cppReader struct {
	t      testing.TB
	src    string
	tokens []cppToken
	vars   map[string]string // strings by their name
}

// is reports whether the tokens go on with these, none of which is in a string literal.
func (r *cppReader) is(want ...string) bool {
	return len(r.tokens) >= len(want) && slices.EqualFunc(r.tokens[:len(want)], want, func(have cppToken, want string) bool {
		return !have.str && have.text == want
	})
}

func (r *cppReader) skip(want ...string) bool {
	ok := r.is(want...)
	if ok {
		r.tokens = r.tokens[len(want):]
	}
	return ok
}

func (r *cppReader) expect(want ...string) {
	r.t.Helper()
	if !r.skip(want...) {
		r.fail("want " + strings.Join(want, " "))
	}
}

func (r *cppReader) fail(what string) {
	r.t.Helper()
	line, have := "the end", ""
	if len(r.tokens) > 0 {
		line = fmt.Sprint("line ", 1+strings.Count(r.src[:r.tokens[0].offset], "\n"))
		have = r.tokens[0].text
	}
	r.t.Fatalf("%s: at %q: %s; the file is not written as it was", line, have, what)
}

// word reads a name or a number.
func (r *cppReader) word() string {
	r.t.Helper()
	if len(r.tokens) == 0 || r.tokens[0].str {
		r.fail("want a word")
	}
	text := r.tokens[0].text
	r.tokens = r.tokens[1:]
	return text
}

// string reads string literals, variables and calls of token(), joined by +.
func (r *cppReader) string() string {
	r.t.Helper()
	var b strings.Builder
	for {
		switch {
		case len(r.tokens) > 0 && r.tokens[0].str:
			for len(r.tokens) > 0 && r.tokens[0].str {
				b.WriteString(r.tokens[0].text)
				r.tokens = r.tokens[1:]
			}
		case r.skip("token", "("):
			id, err := strconv.ParseUint(r.word(), 10, 32)
			if err != nil {
				r.fail(err.Error())
			}
			b.WriteString(string([]byte{0xFF, byte(id >> 24), byte(id >> 16), byte(id >> 8), byte(id)}))
			r.expect(")")
		default:
			name := r.word()
			text, ok := r.vars[name]
			if !ok {
				r.fail("no string " + name)
			}
			b.WriteString(text)
		}
		if !r.skip("+") {
			return b.String()
		}
	}
}

// list reads { string, … }.
func (r *cppReader) list() []string {
	r.t.Helper()
	var all []string
	r.expect("{")
	for !r.skip("}") {
		all = append(all, r.string())
		if !r.skip(",") && !r.is("}") {
			r.fail("want , or }")
		}
	}
	return all
}

// braces reads { … } and returns a reader of what stands within.
func (r *cppReader) braces() *cppReader {
	r.t.Helper()
	if !r.is("{") {
		r.fail("want {")
	}
	depth := 0
	for i, token := range r.tokens {
		switch {
		case token.str:
		case token.text == "{":
			depth++
		case token.text == "}":
			depth--
		}
		if depth == 0 {
			body := &cppReader{r.t, r.src, r.tokens[1:i], map[string]string{}}
			r.tokens = r.tokens[i+1:]
			return body
		}
	}
	r.fail("{ without }")
	return nil
}
