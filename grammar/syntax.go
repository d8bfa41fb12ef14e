package grammar

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Syntax is a parsed grammar: its rules in the order in which their names were first
// defined. Every reference names a rule, root is among the rules and none of them is
// left-recursive. Read-only.
type Syntax struct {
	Rules []*Rule

	src    string
	byName map[string]int
}

// Rule is one definition, name ::= expression.
type Rule struct {
	Name string
	Expr *Expr

	off int
}

// Op says what an Expr is.
type Op uint8

const (
	OpEmpty     Op = iota // matches the empty string
	OpLiteral             // matches Text
	OpClass               // matches one code point in Ranges, or outside them if Negate
	OpAny                 // matches any one code point
	OpRule                // matches the rule named Text
	OpToken               // matches the token Text or ID, or any other one if Negate
	OpConcat              // matches Sub, one after the other
	OpAlternate           // matches one of Sub
	OpRepeat              // matches Sub[0] at least Min times, at most Max times
	OpHole                // matches what fills the hole Text
)

// Unbounded is the Max of a repetition without an upper bound.
const Unbounded = -1

// Range is an inclusive range of code points.
type Range struct{ Lo, Hi rune }

// Expr is a node of the syntax tree; which fields count depends on Op.
type Expr struct {
	Op       Op
	Text     string  // literal, rule name, or token name with its angle brackets
	ID       int32   // token id, where Text is empty
	Ranges   []Range // sorted, not overlapping, not adjacent
	Negate   bool
	Min, Max int
	Sub      []*Expr

	off      int // offset in the source
	height   int
	rule     int // index of the rule that an OpRule names
	nullable bool
}

// String returns the grammar as canonical GBNF, one rule a line. Parsing it again gives
// the same tree.
func (s *Syntax) String() string {
	var b strings.Builder
	for _, r := range s.Rules {
		if r.Expr.Op == OpHole {
			continue
		}
		b.WriteString(r.Name)
		b.WriteString(" ::= ")
		r.Expr.write(&b)
		b.WriteByte('\n')
	}
	return b.String()
}

// write appends the expression as canonical GBNF.
func (e *Expr) write(b *strings.Builder) {
	switch e.Op {
	case OpEmpty:
		b.WriteString("()")
	case OpLiteral:
		b.WriteString(Literal(e.Text))
	case OpClass:
		writeClass(b, e)
	case OpAny:
		b.WriteByte('.')
	case OpRule:
		b.WriteString(e.Text)
	case OpToken:
		if e.Negate {
			b.WriteByte('!')
		}
		b.WriteString(tokenName(e.Text, e.ID))
	case OpConcat:
		for i, sub := range e.Sub {
			if i > 0 {
				b.WriteByte(' ')
			}
			sub.writeGrouped(b)
		}
	case OpAlternate:
		for i, sub := range e.Sub {
			if i > 0 {
				b.WriteString(" | ")
			}
			if sub.Op == OpAlternate {
				sub.writeGrouped(b)
			} else {
				sub.write(b)
			}
		}
	case OpRepeat:
		e.Sub[0].writeGrouped(b)
		switch {
		case e.Min == 0 && e.Max == Unbounded:
			b.WriteByte('*')
		case e.Min == 1 && e.Max == Unbounded:
			b.WriteByte('+')
		case e.Min == 0 && e.Max == 1:
			b.WriteByte('?')
		case e.Min == e.Max:
			fmt.Fprintf(b, "{%d}", e.Min)
		case e.Max == Unbounded:
			fmt.Fprintf(b, "{%d,}", e.Min)
		default:
			fmt.Fprintf(b, "{%d,%d}", e.Min, e.Max)
		}
	}
}

func (e *Expr) writeGrouped(b *strings.Builder) {
	if e.Op == OpConcat || e.Op == OpAlternate {
		b.WriteByte('(')
		e.write(b)
		b.WriteByte(')')
		return
	}
	e.write(b)
}

func writeClass(b *strings.Builder, e *Expr) {
	b.WriteByte('[')
	if e.Negate {
		b.WriteByte('^')
	}
	for _, r := range e.Ranges {
		writeRune(b, r.Lo, `[]\-^`)
		if r.Hi > r.Lo {
			b.WriteByte('-')
			writeRune(b, r.Hi, `[]\-^`)
		}
	}
	b.WriteByte(']')
}

// Literal quotes s as a GBNF literal that matches exactly s. GBNF speaks of code points:
// a byte of s that is not part of well-formed UTF-8 is copied as it is, and Parse then
// reports it.
func Literal(s string) string {
	var b strings.Builder
	b.Grow(len(s) + 2)
	b.WriteByte('"')
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			b.WriteByte(s[i])
			continue
		}
		writeRune(&b, r, `"\`)
	}
	b.WriteByte('"')
	return b.String()
}

// writeRune writes r, escaped if it is a control character, a surrogate, or in special.
func writeRune(b *strings.Builder, r rune, special string) {
	switch {
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case r < 0x20, 0x7F <= r && r <= 0x9F:
		fmt.Fprintf(b, `\x%02X`, r)
	case r == '^' && strings.ContainsRune(special, r):
		b.WriteString(`\x5E`) // GBNF has no \^
	case strings.ContainsRune(special, r):
		b.WriteByte('\\')
		b.WriteRune(r)
	case 0xD800 <= r && r <= 0xDFFF:
		fmt.Fprintf(b, `\u%04X`, r)
	default:
		b.WriteRune(r)
	}
}

// tokenName returns how GBNF writes the token with that name or, if it has none, that id.
func tokenName(name string, id int32) string {
	if name != "" {
		return name
	}
	return "<[" + strconv.Itoa(int(id)) + "]>"
}
