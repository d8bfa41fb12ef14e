package grammar

import (
	"fmt"
	"slices"
	"strings"
)

// value returns an expression for the values that satisfy all schemas at vs, nil if there
// are none. hint is a name for its rule.
func (b *schemaBuilder) value(vs []*jsonValue, hint string) (*Expr, error) {
	all := truth()
	for _, v := range vs {
		d, err := b.expand(v)
		if err != nil {
			return nil, err
		}
		if all, err = b.and(v, all, d); err != nil {
			return nil, err
		}
	}
	return b.union(all, hint, vs[0])
}

// union returns an expression for the values that satisfy d, which stands at v, nil if
// there are none.
func (b *schemaBuilder) union(d disjunction, hint string, v *jsonValue) (*Expr, error) {
	if title := d.title(); title != "" {
		hint = title
	}
	d, err := b.settleAll(v, d)
	if err != nil {
		return nil, err
	}
	switch len(d.alternatives) {
	case 0:
		return nil, nil
	case 1:
		return b.intersection(d.alternatives[0], hint, v)
	}
	var key strings.Builder
	for _, c := range d.alternatives {
		key.WriteString(c.key())
		key.WriteByte('|')
	}
	return b.rule(key.String(), hint, v, func(name string) (*Expr, error) {
		var items []*Expr
		seen := map[string]bool{}
		for i, c := range d.alternatives {
			if seen[c.key()] {
				continue
			}
			seen[c.key()] = true
			hint := c.name
			if hint == "" {
				hint = fmt.Sprintf("%s-%d", name, i+1)
			}
			e, err := b.intersection(c, hint, v)
			if err != nil {
				return nil, err
			}
			items = append(items, e)
		}
		return alternate(items...), nil
	})
}

// settleAll settles what the alternatives of d exclude. If one has all values, it stands for
// all of them.
func (b *schemaBuilder) settleAll(v *jsonValue, d disjunction) (disjunction, error) {
	for _, c := range d.alternatives {
		if c.isTruth() {
			return truth(), nil
		}
	}
	if !slices.ContainsFunc(d.alternatives, func(c conjunction) bool { return len(c.nots) > 0 }) {
		return d, nil
	}
	all := disjunction{name: d.name}
	for _, c := range d.alternatives {
		settled, err := b.settle(v, c)
		if err != nil {
			return all, err
		}
		all.alternatives = append(all.alternatives, settled.alternatives...)
	}
	return all, nil
}

// intersection returns an expression for the values that satisfy c, which stands at v.
func (b *schemaBuilder) intersection(c conjunction, hint string, v *jsonValue) (*Expr, error) {
	if len(c.schemas) == 0 {
		return b.shared(anyRule), nil
	}
	if e, err := b.simple(c); e != nil || err != nil {
		return e, err
	}
	return b.rule(c.key(), hint, c.at(), func(name string) (*Expr, error) {
		if values, listed := c.values(); listed {
			return b.listed(c, values)
		}
		types := c.written()
		if types == 0 {
			return b.noType(c), nil
		}
		return b.typed(c, types, name)
	})
}

// nothing returns an expression that no text matches. What holds it is left out in the end;
// why is reported if nothing is left of the whole schema.
func (b *schemaBuilder) nothing(why error) *Expr {
	b.partial = true
	if b.empty == nil {
		b.empty = why
	}
	return &Expr{Op: OpAlternate}
}

func (b *schemaBuilder) noType(c conjunction) *Expr {
	last := c.schemas[len(c.schemas)-1]
	return b.nothing(last.at.errorf("no type is left: it and #%s exclude each other", c.at().pointer()))
}

// simple returns an expression for c that needs no rule of its own, nil if there is none.
func (b *schemaBuilder) simple(c conjunction) (*Expr, error) {
	if values, listed := c.values(); listed {
		if len(values) == 1 {
			return b.listed(c, values)
		}
		return nil, nil
	}
	types := c.written()
	for _, s := range c.schemas {
		if s.speaks&types != 0 {
			return nil, nil
		}
	}
	switch types {
	case 0:
		return b.noType(c), nil
	case typeString, typeInteger, typeNumber, typeBoolean, typeNull:
		return b.typed(c, types, "")
	}
	return nil, nil
}

// written returns the types that the grammar writes for c: those that it names, or else
// those of which its keywords speak, or else all.
func (c conjunction) written() typeSet {
	var spoken typeSet
	typed := false
	for _, s := range c.schemas {
		typed = typed || s.typed
		spoken |= s.speaks
	}
	if !typed && spoken != 0 {
		return c.types() & spoken
	}
	return c.types()
}

// typed returns an expression for the values of types that satisfy c.
func (b *schemaBuilder) typed(c conjunction, types typeSet, name string) (*Expr, error) {
	var items []*Expr
	add := func(e *Expr, err error) error {
		items = append(items, e)
		return err
	}
	for _, make := range []struct {
		types typeSet
		expr  func() (*Expr, error)
	}{
		{typeObject, func() (*Expr, error) { return b.object(c, name) }},
		{typeArray, func() (*Expr, error) { return b.array(c, name) }},
		{typeString, func() (*Expr, error) { return b.str(c) }},
		{typeNumber, func() (*Expr, error) { return b.numeric(c, types&typeNumber) }},
		{typeBoolean, func() (*Expr, error) { return b.boolean(c), nil }},
		{typeNull, func() (*Expr, error) { return literal("null"), nil }},
	} {
		if types&make.types == 0 || make.types == typeNull && c.excludes("null") {
			continue
		}
		if err := add(make.expr()); err != nil {
			return nil, err
		}
	}
	return alternate(items...), nil
}

// excludes reports whether c excludes the value with that key.
func (c conjunction) excludes(key string) bool {
	return slices.ContainsFunc(c.schemas, func(s *schema) bool {
		return slices.ContainsFunc(s.excluded, func(v *jsonValue) bool { return v.key() == key })
	})
}

// noneExcluded returns an error where c excludes a value of types.
func (c conjunction) noneExcluded(types typeSet) error {
	for _, s := range c.schemas {
		for _, v := range s.excluded {
			if typeOf(v)&types != 0 {
				return v.errorf("a grammar cannot leave out single values of this type: list what is allowed")
			}
		}
	}
	return nil
}

func (b *schemaBuilder) boolean(c conjunction) *Expr {
	var items []*Expr
	for _, text := range []string{"true", "false"} {
		if !c.excludes(text) {
			items = append(items, literal(text))
		}
	}
	if len(items) == 2 {
		return b.shared(booleanRule)
	}
	return alternate(items...)
}

// listed returns an expression for values, to which enum and const confine c.
func (b *schemaBuilder) listed(c conjunction, values []*jsonValue) (*Expr, error) {
	var items []*Expr
	var lists *schema
	for _, s := range c.schemas {
		if s.values != nil {
			lists = s
		}
	}
	for _, v := range values {
		ok, err := b.satisfies(c, v)
		if err != nil {
			return nil, err
		}
		if ok {
			var text strings.Builder
			v.write(&text)
			items = append(items, literal(text.String()))
		}
	}
	if len(items) == 0 {
		return b.nothing(lists.at.errorf("no value of its enum or const is left by the conditions beside it")), nil
	}
	return alternate(items...), nil
}

// satisfies reports whether a value that c lists satisfies its other conditions.
func (b *schemaBuilder) satisfies(c conjunction, v *jsonValue) (bool, error) {
	for _, s := range c.schemas {
		if s.speaks&typeOf(v) == 0 || s.excluded != nil {
			continue
		}
		switch v.kind {
		case '0':
			if s.multiple != nil && !multiplesOf(s.factor()).matches(v.text) {
				return false, nil
			}
			for _, bound := range s.bounds {
				if !bound.allows(parseDecimal(v.text)) {
					return false, nil
				}
			}
		case '"':
			conditions, err := b.stringConditions(c)
			if err != nil {
				return false, err
			}
			for _, condition := range conditions {
				if condition.machine.matches(v.text) == condition.not {
					return false, nil
				}
			}
		default:
			for _, name := range s.at.names {
				if keywords[name].speaks&typeOf(v) != 0 {
					return false, s.at.member(name).errorf("beside enum or const it is not supported: leave out the values that it excludes, and the keyword")
				}
			}
			return false, s.at.errorf("beside enum or const it is not supported: leave out the values that it excludes")
		}
	}
	return true, nil
}

// bounds returns the bounds of numbers of c.
func (c conjunction) bounds() []bound {
	var bounds []bound
	for _, s := range c.schemas {
		bounds = append(bounds, s.bounds...)
	}
	return bounds
}

// numeric returns an expression for the numbers that satisfy c, integers only if types
// says so.
func (b *schemaBuilder) numeric(c conjunction, types typeSet) (*Expr, error) {
	bounds := c.bounds()
	for _, s := range c.schemas {
		if s.multiple != nil || types == typeInteger && typesOf(s.excluded)&typeNumber != 0 {
			return b.integers(c, bounds, types)
		}
	}
	if err := c.noneExcluded(types); err != nil {
		return nil, err
	}
	switch {
	case types == typeFraction:
		return nil, c.at().errorf("numbers that are no integers are not supported")
	case len(bounds) == 0 && types == typeInteger:
		return b.shared(integerRule), nil
	case len(bounds) == 0:
		return b.shared(numberRule), nil
	}
	e := integer(bounds)
	if types != typeInteger {
		e = number(bounds)
	}
	if e == nil {
		return b.nothing(bounds[len(bounds)-1].at.errorf("no number is within the bounds")), nil
	}
	return e, nil
}

// factor returns multipleOf.
func (s *schema) factor() int {
	n := 0
	if err := s.multiple.count(&n); err != nil {
		panic(err) // it was read before
	}
	return n
}

// integers returns an expression for the integers that satisfy c, which says multipleOf or
// excludes some: the texts that automata over digits accept.
func (b *schemaBuilder) integers(c conjunction, bounds []bound, types typeSet) (*Expr, error) {
	e := integer(bounds)
	if e == nil || types&typeInteger == 0 {
		return b.nothing(c.at().errorf("no number is within the bounds")), nil
	}
	machines, want := []*runeMachine{machineOf(exprPattern(e), false)}, uint64(1)
	at := c.at()
	for _, s := range c.schemas {
		if s.multiple != nil {
			at = s.multiple
			want |= 1 << len(machines)
			machines = append(machines, multiplesOf(s.factor()))
		}
		var texts []string
		for _, v := range s.excluded {
			// What has more digits than a bound may have is not written.
			if d := parseDecimal(v.text); typeOf(v) == typeInteger && len(d.digits)+d.exp <= maxBoundDigits {
				n, _ := d.scaled(0)
				texts = append(texts, n.String())
			}
		}
		if texts != nil {
			at = s.at
			machines = append(machines, machineOfStrings(texts))
		}
	}
	if machines[0] == nil || len(machines) > 64 {
		return nil, at.errorf("too much to tell apart")
	}
	a, err := b.determine(at, machines)
	if err != nil {
		return nil, err
	}
	if e = b.automatonExpr(a, func(accepts uint64) bool { return accepts == want }, "integer"); e == nil {
		return b.nothing(at.errorf("no integer is within the bounds and satisfies it")), nil
	}
	return e, nil
}
