package grammar

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// quoted returns an expression for a string with the contents e.
func quoted(e *Expr) *Expr { return concat(literal(`"`), e, literal(`"`)) }

// str returns an expression for the strings that satisfy all of c.
func (b *schemaBuilder) str(c conjunction) (*Expr, error) {
	lo, hi, bounded := c.lengths()
	if hi != Unbounded && hi < lo {
		return b.nothing(bounded.errorf("no string has at least %d and at most %d characters", lo, hi)), nil
	}
	var patterns, formats []*jsonValue
	distinct := func(list *[]*jsonValue, v *jsonValue) {
		if v != nil && !slices.ContainsFunc(*list, func(have *jsonValue) bool { return have.text == v.text }) {
			*list = append(*list, v)
		}
	}
	excluded := false
	for _, s := range c.schemas {
		distinct(&patterns, s.pattern)
		known, err := b.format(s)
		if err != nil {
			return nil, err
		}
		if known != "" {
			distinct(&formats, s.format)
		}
		excluded = excluded || s.unlike != nil || typesOf(s.excluded)&typeString != 0
	}
	switch {
	case excluded || len(patterns)+len(formats) > 1:
		return b.intersectStrings(c)
	case len(formats) == 1:
		rule, _ := b.format(&schema{format: formats[0]})
		e := b.shared(rule)
		if least, most := b.exprLength(e); lo > least || hi != Unbounded && hi < most {
			return b.intersectStrings(c)
		}
		return quoted(e), nil
	case len(patterns) == 1:
		if e, ok, err := b.pattern(patterns[0], lo, hi); ok || err != nil {
			return e, err
		}
		return b.intersectStrings(c)
	case lo == 0 && hi == Unbounded:
		return b.shared(stringRule), nil
	}
	return quoted(repeat(b.shared(charRule), lo, hi)), nil
}

// lengths returns how many code points strings of c have, and the last keyword that says so.
func (c conjunction) lengths() (lo, hi int, bounded *jsonValue) {
	hi = Unbounded
	for _, s := range c.schemas {
		if s.minLength > lo {
			lo, bounded = s.minLength, s.at.member("minLength")
		}
		if s.maxLength != Unbounded && (hi == Unbounded || s.maxLength < hi) {
			hi, bounded = s.maxLength, s.at.member("maxLength")
		}
	}
	return lo, hi, bounded
}

// format returns the rule for the format of s, empty if it says nothing about strings.
func (b *schemaBuilder) format(s *schema) (string, error) {
	switch rule, ok := formats[s.formatName()]; {
	case s.format == nil || ok:
		return rule, nil
	case refusedFormats[s.format.text] || b.options.Strict && numberFormats[s.format.text] == nil:
		return "", s.format.errorf("the format %s is not supported: write it as pattern", quoteSnippet(s.format.text))
	}
	return "", nil
}

// stringCondition is a machine that accepts a string, or must not.
type stringCondition struct {
	at      *jsonValue
	machine *runeMachine
	not     bool
}

// stringConditions returns what c says about strings, enum and const aside.
func (b *schemaBuilder) stringConditions(c conjunction) ([]stringCondition, error) {
	var all []stringCondition
	for _, s := range c.schemas {
		if s.pattern != nil {
			m, err := b.machine(s.pattern)
			if err != nil {
				return nil, err
			}
			all = append(all, stringCondition{s.pattern, m, false})
		}
		if s.unlike != nil {
			m, err := b.machine(s.unlike)
			if err != nil {
				return nil, err
			}
			all = append(all, stringCondition{s.unlike, m, true})
		}
		rule, err := b.format(s)
		if err != nil {
			return nil, err
		}
		if rule != "" {
			m := b.machines["format "+rule]
			if m == nil {
				if m = machineOf(exprPattern(sharedRules()[rule].Expr), false); m == nil {
					return nil, s.format.errorf("too large to combine with what stands beside it")
				}
				b.machines["format "+rule] = m
			}
			all = append(all, stringCondition{s.format, m, false})
		}
		if s.excluded != nil {
			var texts []string
			for _, v := range s.excluded {
				if v.kind == '"' {
					texts = append(texts, v.text)
				}
			}
			all = append(all, stringCondition{s.at, machineOfStrings(texts), true})
		}
	}
	if lo, hi, bounded := c.lengths(); bounded != nil {
		m := machineOf(&patternNode{op: patternRepeat, lo: lo, hi: hi, sub: []*patternNode{{runes: allRunes}}}, false)
		if m == nil {
			return nil, bounded.errorf("minLength and maxLength beside it cannot be kept exactly: say them in the pattern, as in ^[a-z]{2,8}$")
		}
		all = append(all, stringCondition{bounded, m, false})
	}
	return all, nil
}

// intersectStrings returns an expression for the strings that satisfy all that c says.
func (b *schemaBuilder) intersectStrings(c conjunction) (*Expr, error) {
	conditions, err := b.stringConditions(c)
	if err != nil {
		return nil, err
	}
	var machines []*runeMachine
	want := uint64(0)
	for i, condition := range conditions {
		machines = append(machines, condition.machine)
		if !condition.not {
			want |= 1 << i
		}
	}
	at := conditions[len(conditions)-1].at
	if len(machines) > 64 {
		return nil, at.errorf("more than 64 conditions on a string")
	}
	a, err := b.determine(at, machines)
	if err != nil {
		return nil, err
	}
	e := b.automatonExpr(a, func(accepts uint64) bool { return accepts == want }, "text")
	if e == nil {
		return b.nothing(at.errorf("no string satisfies it and what stands beside it")), nil
	}
	return quoted(e), nil
}

// machine returns the machine of the pattern at v, which matches anywhere in a string.
func (b *schemaBuilder) machine(v *jsonValue) (*runeMachine, error) {
	if m := b.machines["pattern "+v.text]; m != nil {
		return m, nil
	}
	n, err := parsePattern(v)
	if err != nil {
		return nil, err
	}
	m := machineOf(n, true)
	if m != nil && n.ahead != nil {
		if m, err = b.lookAhead(v, n, m); err != nil {
			return nil, err
		}
	}
	if m == nil {
		return nil, v.errorf("the pattern is too large: its counts add up to more than %d", maxMachine)
	}
	b.machines["pattern "+v.text] = m
	return m, nil
}

// lookAhead returns the machine for a pattern that m stands for but for what is to come, or
// is not to come, after its ^. It is nil if it would be too large.
func (b *schemaBuilder) lookAhead(v *jsonValue, n *patternNode, m *runeMachine) (*runeMachine, error) {
	machines, want := []*runeMachine{m}, uint64(1)
	for i, ahead := range n.ahead {
		start := &patternNode{op: patternStart}
		m := machineOf(&patternNode{op: patternConcat, sub: []*patternNode{start, ahead.sub[0]}}, true)
		if m == nil || len(machines) == 64 {
			return nil, nil
		}
		machines = append(machines, m)
		if ahead.lo == 1 {
			want |= 2 << i
		}
	}
	a, err := b.determine(v, machines)
	if err != nil {
		return nil, err
	}
	return a.machine(func(accepts uint64) bool { return accepts == want }), nil
}

// nameConditions returns what the propertyNames at v says about a name.
func (b *schemaBuilder) nameConditions(v *jsonValue) ([]stringCondition, error) {
	d, err := b.expand(v)
	if err != nil {
		return nil, err
	}
	if d.isTruth() {
		return nil, nil
	}
	if d, err = b.settleAll(v, d); err != nil {
		return nil, err
	}
	if len(d.alternatives) != 1 {
		return nil, v.errorf("a choice is not supported here: write one pattern or enum")
	}
	c := d.alternatives[0]
	if c.types()&typeString == 0 {
		return []stringCondition{{v, machineOfStrings(nil), false}}, nil
	}
	conditions, err := b.stringConditions(c)
	if err != nil {
		return nil, err
	}
	if values, listed := c.values(); listed {
		var texts []string
		for _, v := range values {
			if v.kind == '"' {
				texts = append(texts, v.text)
			}
		}
		conditions = append(conditions, stringCondition{v, machineOfStrings(texts), false})
	}
	return conditions, nil
}

// allowsName reports whether the propertyNames at v allows a name.
func (b *schemaBuilder) allowsName(v *jsonValue, name string) (bool, error) {
	conditions, err := b.nameConditions(v)
	if err != nil {
		return false, err
	}
	for _, condition := range conditions {
		if condition.machine.matches(name) == condition.not {
			return false, nil
		}
	}
	return true, nil
}

// exprPattern returns an expression as a pattern. It has shared rules, no recursion, and no
// character that a string escapes.
func exprPattern(e *Expr) *patternNode {
	n := &patternNode{op: patternConcat, lo: e.Min, hi: e.Max}
	switch e.Op {
	case OpRule:
		return exprPattern(sharedRules()[e.Text].Expr)
	case OpClass:
		return &patternNode{runes: e.codePoints()}
	case OpLiteral:
		for _, r := range e.Text {
			n.sub = append(n.sub, &patternNode{runes: []Range{{r, r}}})
		}
	case OpAlternate:
		n.op = patternAlternate
	case OpRepeat:
		n.op = patternRepeat
	}
	for _, sub := range e.Sub {
		n.sub = append(n.sub, exprPattern(sub))
	}
	return n
}

// exprLength returns how many code points a text of e has, up to limitless.
func (b *schemaBuilder) exprLength(e *Expr) (lo, hi int) { return exprPattern(e).length() }

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
	if !slices.ContainsFunc(outside, func(r Range) bool {
		return r.Lo <= 0x1F || r.Lo <= '"' && '"' <= r.Hi || r.Lo <= '\\' && '\\' <= r.Hi
	}) {
		return alternate(append(items, b.shared(escapeRule))...)
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
