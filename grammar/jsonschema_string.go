package grammar

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"
)

// sharedGrammar has the rules that a schema's grammar takes in where it needs them. A date
// is RFC 3339's full-date, with the right number of days in each month.
const sharedGrammar = `
string ::= "\"" char* "\""
char ::= [^"\\\x00-\x1F] | "\\" ["\\bfnrt] | "\\u00" ("0" [0-7bef] | "1" [0-9a-f])
boolean ::= "true" | "false"
date ::= year "-" month-day | leap-year "-02-29"
year ::= [0-9]{4}
leap-year ::= [0-9]{2} ("0" [48] | [2468] [048] | [13579] [26]) | ("0" [048] | [2468] [048] | [13579] [26]) "00"
month-day ::= ("0" [13578] | "1" [02]) "-" (day-28 | "29" | "3" [01]) | ("0" [469] | "11") "-" (day-28 | "29" | "30") | "02-" day-28
day-28 ::= "0" [1-9] | "1" [0-9] | "2" [0-8]
time ::= clock ":" [0-5] [0-9] ("." [0-9]{1,9})? ("Z" | [+\-] clock)
clock ::= ([01] [0-9] | "2" [0-3]) ":" [0-5] [0-9]
date-time ::= date "T" time
uuid ::= hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12}
hex ::= [0-9a-fA-F]
`

const (
	stringRule  = "string"
	charRule    = "char"
	booleanRule = "boolean"
	integerRule = "integer"
	numberRule  = "number"
)

// sharedRules returns the rules that grammars share, by name.
var sharedRules = sync.OnceValue(func() map[string]*Rule {
	s, err := Parse(sharedGrammar + "root ::= string boolean date-time uuid")
	if err != nil {
		panic(err)
	}
	rules := map[string]*Rule{
		integerRule: {Name: integerRule, Expr: integer(nil)},
		numberRule:  {Name: numberRule, Expr: number(nil)},
	}
	for _, r := range s.Rules {
		rules[r.Name] = r
	}
	delete(rules, rootRule)
	return rules
})

// shared returns a reference to a shared rule. It adds the rule and those that it needs.
func (b *schemaBuilder) shared(name string) *Expr {
	if b.known[name] == nil {
		r := sharedRules()[name]
		b.known[name] = r
		b.library = append(b.library, r)
		b.addShared(r.Expr)
	}
	return call(name)
}

// addShared adds the shared rules to which e refers.
func (b *schemaBuilder) addShared(e *Expr) {
	if e.Op == OpRule {
		b.shared(e.Text)
	}
	for _, sub := range e.Sub {
		b.addShared(sub)
	}
}

// quoted returns an expression for a string with the contents e.
func quoted(e *Expr) *Expr { return concat(literal(`"`), e, literal(`"`)) }

// str returns an expression for the strings that satisfy all of c.
func (b *schemaBuilder) str(c conjunction) (*Expr, error) {
	lo, hi := 0, Unbounded
	var pattern, format *jsonValue
	bounded := c.at() // the last keyword that bounds the length
	for _, s := range c.schemas {
		if s.minLength > lo {
			lo, bounded = s.minLength, s.at.member("minLength")
		}
		if s.maxLength != Unbounded && (hi == Unbounded || s.maxLength < hi) {
			hi, bounded = s.maxLength, s.at.member("maxLength")
		}
		for _, same := range []struct{ have, more **jsonValue }{{&pattern, &s.pattern}, {&format, &s.format}} {
			switch have, more := *same.have, *same.more; {
			case have == nil:
				*same.have = more
			case more != nil && have.text != more.text:
				return nil, more.errorf("there is %s at #%s too; keep one", quoteSnippet(have.text), have.pointer())
			}
		}
	}
	switch {
	case hi != Unbounded && hi < lo:
		return nil, bounded.errorf("no string has at least %d and at most %d characters", lo, hi)
	case format != nil && (pattern != nil || lo > 0 || hi != Unbounded):
		return nil, format.errorf("format stands alone: leave out pattern, minLength and maxLength")
	case format != nil:
		if !formats[format.text] {
			return nil, format.errorf("unknown format %s: want date, time, date-time or uuid; write others as pattern", quoteSnippet(format.text))
		}
		return quoted(b.shared(format.text)), nil
	case pattern != nil:
		return b.pattern(pattern, lo, hi)
	case lo == 0 && hi == Unbounded:
		return b.shared(stringRule), nil
	}
	return quoted(repeat(b.shared(charRule), lo, hi)), nil
}

var formats = map[string]bool{"date": true, "time": true, "date-time": true, "uuid": true}

// allRunes are all code points. The surrogates among them are matched by no class.
var allRunes = []Range{{0, utf8.MaxRune}}

// complement returns the code points that are not in ranges.
func complement(ranges []Range) []Range {
	return (&Expr{Op: OpClass, Ranges: ranges, Negate: true}).codePoints()
}

// runes returns an expression for one code point of ranges, as JSON spells it in a string.
// ranges are merged and not empty.
func (b *schemaBuilder) runes(ranges []Range) *Expr {
	if r := ranges[0]; len(ranges) == 1 && r.Lo == r.Hi {
		return literal(spell(r.Lo))
	}
	outside := complement(ranges)
	if len(outside) == 0 {
		return b.shared(charRule)
	}
	// What must be escaped, and what is not in ranges, cannot stand for itself.
	var items []*Expr
	bare := mergeRanges(append([]Range{{0, 0x1F}, {'"', '"'}, {'\\', '\\'}}, outside...))
	if plain := complement(bare); len(plain) > len(bare) {
		items = append(items, &Expr{Op: OpClass, Ranges: bare, Negate: true})
	} else if len(plain) > 0 {
		items = append(items, oneRune(plain))
	}
	var short []Range
	var long [2][]Range // after \u000 and \u001
	for _, rng := range ranges {
		for r := rng.Lo; r <= min(rng.Hi, '\\'); r++ {
			if spelled := spell(r); len(spelled) == len(`\n`) {
				last := rune(spelled[1])
				short = append(short, Range{last, last})
			} else if len(spelled) == len(`\u0000`) {
				last := rune(spelled[5])
				long[r>>4] = append(long[r>>4], Range{last, last})
			}
		}
	}
	if short != nil {
		items = append(items, concat(literal(`\`), oneRune(short)))
	}
	for i, digits := range long {
		if digits != nil {
			items = append(items, concat(literal(fmt.Sprintf(`\u00%d`, i)), oneRune(digits)))
		}
	}
	return alternate(items...)
}

// oneRune is one code point of ranges.
func oneRune(ranges []Range) *Expr {
	if len(ranges) == 1 && ranges[0].Lo == ranges[0].Hi {
		return literal(string(ranges[0].Lo))
	}
	return class(ranges...)
}

// escapes are the spellings in a string of the ASCII characters that do not stand for
// themselves.
var escapes = sync.OnceValue(func() map[rune]string {
	m := map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	for r := range rune(0x20) {
		if m[r] == "" {
			m[r] = fmt.Sprintf(`\u%04x`, r)
		}
	}
	return m
})

// spell returns how a string spells r.
func spell(r rune) string {
	if escape, ok := escapes()[r]; ok {
		return escape
	}
	return string(r)
}

// writeJSONString appends s as a JSON string, spelled as in RFC 8785.
func writeJSONString(b *strings.Builder, s string) {
	b.WriteByte('"')
	for _, r := range s {
		b.WriteString(spell(r))
	}
	b.WriteByte('"')
}

func quoteJSON(s string) string {
	var b strings.Builder
	writeJSONString(&b, s)
	return b.String()
}
