package grammar

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrorCode describes a failure to parse, compile or bind a grammar.
type ErrorCode string

const (
	ErrInvalidUTF8     ErrorCode = "invalid UTF-8"
	ErrUnexpected      ErrorCode = "unexpected text"
	ErrInvalidName     ErrorCode = "names have only ASCII letters, digits and -"
	ErrMissingDefine   ErrorCode = "missing ::="
	ErrMissingParen    ErrorCode = "missing closing )"
	ErrMissingQuote    ErrorCode = "missing closing quote"
	ErrMissingBracket  ErrorCode = "missing closing ]"
	ErrMissingItem     ErrorCode = "missing item before repetition operator"
	ErrInvalidEscape   ErrorCode = "invalid escape"
	ErrInvalidRange    ErrorCode = "invalid character class range"
	ErrEmptyClass      ErrorCode = "character class matches nothing"
	ErrInvalidRepeat   ErrorCode = "invalid repetition"
	ErrRepeatSize      ErrorCode = "repetition count too large"
	ErrInvalidToken    ErrorCode = "invalid token"
	ErrUndefinedRule   ErrorCode = "undefined rule"
	ErrMissingRoot     ErrorCode = "missing rule root"
	ErrHoleDefined     ErrorCode = "hole has a definition"
	ErrHoleEmpty       ErrorCode = "hole is not filled"
	ErrLeftRecursion   ErrorCode = "left recursion"
	ErrNesting         ErrorCode = "expression nests too deeply"
	ErrSourceSize      ErrorCode = "grammar text too large"
	ErrProgramSize     ErrorCode = "grammar too large"
	ErrUnknownToken    ErrorCode = "token not in the vocabulary"
	ErrEndOfGeneration ErrorCode = "token ends the generation and can match nothing"
)

// Error is what Parse, Compile and NewConstraint return for a grammar they do not take.
type Error struct {
	Code ErrorCode
	Line int    // from 1
	Col  int    // in code points, from 1
	Rule string // rule being defined, if any
	Text string // offending text
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("grammar")
	if e.Line > 0 {
		fmt.Fprintf(&b, " %d:%d", e.Line, e.Col)
	}
	b.WriteString(": ")
	if e.Rule != "" {
		fmt.Fprintf(&b, "rule %s: ", e.Rule)
	}
	b.WriteString(string(e.Code))
	if e.Text != "" {
		b.WriteString(": ")
		b.WriteString(quote(e.Text))
	}
	return b.String()
}

// quote quotes with backquotes where it can, as GBNF is full of double quotes.
func quote(s string) string {
	if strconv.CanBackquote(s) {
		return "`" + s + "`"
	}
	return strconv.Quote(s)
}

// maxSnippet is how many bytes of the source an error quotes at most.
const maxSnippet = 40

func newError(code ErrorCode, src string, off int, rule, text string) *Error {
	off = min(off, len(src))
	before := src[:off]
	start := strings.LastIndexByte(before, '\n') + 1
	return &Error{
		Code: code,
		Line: 1 + strings.Count(before, "\n"),
		Col:  1 + utf8.RuneCountInString(before[start:]),
		Rule: rule,
		Text: text,
	}
}

// snippet returns the start of src's line at off, cut between code points.
func snippet(src string, off int) string {
	s := src[min(off, len(src)):]
	if i := strings.IndexAny(s, "\r\n"); i > 0 {
		s = s[:i]
	}
	if len(s) <= maxSnippet {
		return s
	}
	n := maxSnippet
	for n > maxSnippet-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// MatchErrorCode describes why a Matcher cannot go on.
type MatchErrorCode string

const (
	ErrTokenNotAllowed MatchErrorCode = "token not allowed"
	ErrByteNotAllowed  MatchErrorCode = "byte not allowed"
	ErrNoToken         MatchErrorCode = "no token of the vocabulary is allowed"
	ErrInvalidID       MatchErrorCode = "token id outside the vocabulary"
	ErrEnded           MatchErrorCode = "generation has ended"
	ErrStackDepth      MatchErrorCode = "rules call each other too deeply"
	ErrConfigurations  MatchErrorCode = "grammar too ambiguous: too many configurations"
	ErrMaskWork        MatchErrorCode = "grammar too ambiguous: mask takes too long"
)

// MatchError is what a Matcher returns when it cannot go on. It names the position in the
// output and in the grammar.
type MatchError struct {
	Code   MatchErrorCode
	Text   string   // offending token or byte; for a limit, the rule that reached it
	Offset int      // bytes accepted so far, those of token terminals included
	Tail   string   // the last of them, at most 40
	Rules  []string // rules open at that point, a few paths from outermost to innermost
}

func (e *MatchError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "grammar: %s", e.Code)
	if e.Text != "" {
		fmt.Fprintf(&b, ": %s", e.Text)
	}
	fmt.Fprintf(&b, " at byte %d", e.Offset)
	if e.Tail != "" {
		fmt.Fprintf(&b, ", after %q", e.Tail)
	}
	if len(e.Rules) > 0 {
		fmt.Fprintf(&b, ", in %s", strings.Join(e.Rules, " or "))
	}
	return b.String()
}
