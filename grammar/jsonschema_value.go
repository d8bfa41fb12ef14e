package grammar

import (
	"fmt"
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

// intersection returns an expression for the values that satisfy c, which stands at v.
func (b *schemaBuilder) intersection(c conjunction, hint string, v *jsonValue) (*Expr, error) {
	if len(c.schemas) == 0 {
		return nil, v.errorf("it allows any value, objects with any names too, which a grammar cannot keep distinct: give it a type")
	}
	if e, err := b.simple(c); e != nil || err != nil {
		return e, err
	}
	return b.rule(c.key(), hint, c.at(), func(name string) (*Expr, error) {
		if values, listed := c.values(); listed {
			return b.listed(c, values)
		}
		types, err := c.implied()
		if err != nil {
			return nil, err
		}
		return b.typed(c, types, name)
	})
}

// simple returns an expression for c that needs no rule of its own, nil if there is none.
func (b *schemaBuilder) simple(c conjunction) (*Expr, error) {
	if values, listed := c.values(); listed {
		if len(values) == 1 {
			return b.listed(c, values)
		}
		return nil, nil
	}
	types, err := c.implied()
	if err != nil {
		return nil, err
	}
	for _, s := range c.schemas {
		if s.speaks&types != 0 {
			return nil, nil
		}
	}
	switch types {
	case typeString, typeInteger, typeNumber, typeBoolean, typeNull:
		return b.typed(c, types, "")
	}
	return nil, nil
}

// implied returns the types that values of c are to have: those that it names, or else
// those of which its keywords speak.
func (c conjunction) implied() (typeSet, error) {
	var spoken typeSet
	typed := false
	for _, s := range c.schemas {
		typed = typed || s.typed
		spoken |= s.speaks
	}
	types := c.types()
	if !typed {
		types = spoken
	}
	if types == 0 {
		last := c.schemas[len(c.schemas)-1]
		return 0, last.at.errorf("no type is left: it and #%s exclude each other", c.at().pointer())
	}
	return types, nil
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
		{typeBoolean, func() (*Expr, error) { return b.shared(booleanRule), nil }},
		{typeNull, func() (*Expr, error) { return literal("null"), nil }},
	} {
		if types&make.types == 0 {
			continue
		}
		if err := add(make.expr()); err != nil {
			return nil, err
		}
	}
	return alternate(items...), nil
}

// listed returns an expression for values, to which enum and const confine c.
func (b *schemaBuilder) listed(c conjunction, values []*jsonValue) (*Expr, error) {
	var items []*Expr
	for _, v := range values {
		var text strings.Builder
		v.write(&text)
		items = append(items, literal(text.String()))
	}
	types := typesOf(values)
	for _, s := range c.schemas {
		if len(items) == 0 && s.values != nil {
			return nil, s.at.errorf("no value of its enum or const is left by the conditions beside it")
		}
		if s.speaks&types != 0 {
			for _, name := range s.at.names {
				if keywords[name].speaks&types != 0 {
					return nil, s.at.member(name).errorf("beside enum or const it is not supported: leave out the values that it excludes, and the keyword")
				}
			}
		}
	}
	return alternate(items...), nil
}

// numeric returns an expression for the numbers that satisfy c, integers only if types
// says so.
func (b *schemaBuilder) numeric(c conjunction, types typeSet) (*Expr, error) {
	var bounds []bound
	for _, s := range c.schemas {
		bounds = append(bounds, s.bounds...)
	}
	switch {
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
		return nil, bounds[len(bounds)-1].at.errorf("no number is within the bounds")
	}
	return e, nil
}
