package grammar

import (
	"fmt"
	"slices"
	"strconv"
)

// array returns an expression for the arrays that satisfy c.
func (b *schemaBuilder) array(c conjunction, name string) (*Expr, error) {
	lo, hi := 0, Unbounded
	if err := c.noneExcluded(typeArray); err != nil {
		return nil, err
	}
	listed := 0
	bounded := c.at()
	for _, s := range c.schemas {
		if s.minItems > lo {
			lo, bounded = s.minItems, s.at.member("minItems")
		}
		if s.maxItems != Unbounded && (hi == Unbounded || s.maxItems < hi) {
			hi, bounded = s.maxItems, s.at.member("maxItems")
		}
		listed = max(listed, len(s.prefixItems))
	}
	if listed > maxPrefixItems {
		return nil, c.at().errorf("prefixItems has more than %d items", maxPrefixItems)
	}
	var items []*Expr
	for i := 0; i < listed && i != hi; i++ {
		e, err := b.item(c, i, fmt.Sprintf("%s-%d", name, i+1))
		if err != nil {
			return nil, err
		}
		if e == nil {
			hi = i
			break
		}
		items = append(items, e)
	}
	var rest *Expr
	if hi == Unbounded || hi > listed {
		var err error
		if rest, err = b.item(c, listed, name+"-item"); err != nil {
			return nil, err
		}
		if rest == nil {
			hi = listed
		}
	}
	if hi != Unbounded && hi < lo {
		return b.nothing(bounded.errorf("no array has at least %d and at most %d items", lo, hi)), nil
	}
	for _, s := range c.schemas {
		if s.unique == nil || hi != Unbounded && hi <= 1 {
			continue
		}
		var choices []*property
		if listed == 0 {
			choices = b.choices(rest)
		}
		if choices == nil {
			return nil, s.unique.errorf("a grammar cannot compare items: give them an enum, or say maxItems 1, or leave it out and check them afterwards")
		}
		members := b.optionalMembers(choices, nil, name)
		if lo > 0 || hi != Unbounded && hi < len(choices) {
			var err error
			if members, err = b.countedMembers(c, choices, nil, lo, hi, name); err != nil {
				return nil, err
			}
		}
		return concat(literal("["), members, literal("]")), nil
	}
	return concat(literal("["), elements(items, rest, lo, hi), literal("]")), nil
}

// item returns an expression for the item at index i of an array that satisfies c, nil if
// there can be none.
func (b *schemaBuilder) item(c conjunction, i int, hint string) (*Expr, error) {
	var vs []*jsonValue
	listed := false
	for _, s := range c.schemas {
		switch {
		case i < len(s.prefixItems):
			vs = append(vs, s.prefixItems[i])
		case s.items != nil:
			vs = append(vs, s.items)
		}
		listed = listed || s.prefixItems != nil
	}
	switch {
	case vs != nil:
		return b.value(vs, hint)
	case listed:
		return nil, nil
	}
	return b.shared(anyRule), nil
}

// elements returns an expression for lo to hi elements: those of items, then any number of
// rest, which is not nil if there may be more.
func elements(items []*Expr, rest *Expr, lo, hi int) *Expr {
	comma := literal(",")
	e := literal("")
	if rest != nil {
		n := len(items)
		first := max(n, 1)
		if hi != Unbounded {
			hi -= first
		}
		e = repeat(concat(comma, rest), max(lo-first, 0), hi)
		if n == 0 {
			if e = concat(rest, e); lo == 0 {
				e = optional(e)
			}
		}
	}
	for i, item := range slices.Backward(items) {
		if e = concat(item, e); i > 0 {
			e = concat(comma, e)
		}
		if i >= lo {
			e = optional(e)
		}
	}
	return e
}

// choices returns the values that an expression is a choice of, each once, as members that
// may be there or not; nil if it is none, or one that is not known yet.
func (b *schemaBuilder) choices(e *Expr) []*property {
	var all []*property
	seen := map[string]bool{}
	var find func(e *Expr) bool
	find = func(e *Expr) bool {
		switch e.Op {
		case OpRule:
			if e.Text == booleanRule {
				return find(sharedRules()[booleanRule].Expr)
			}
			i := slices.IndexFunc(b.rules, func(r *Rule) bool { return r.Name == e.Text })
			return i >= 0 && b.rules[i].Expr != nil && b.rules[i].Expr.Op != OpRule && find(b.rules[i].Expr)
		case OpAlternate:
			return !slices.ContainsFunc(e.Sub, func(sub *Expr) bool { return !find(sub) })
		case OpLiteral:
			v, err := readJSON([]byte(e.Text))
			if err == nil && !seen[v.key()] {
				seen[v.key()] = true
				all = append(all, &property{name: strconv.Itoa(len(all) + 1), expr: e})
			}
			return err == nil
		}
		return false
	}
	if !find(e) {
		return nil
	}
	return all
}
