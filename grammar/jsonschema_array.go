package grammar

import (
	"fmt"
	"slices"
)

// array returns an expression for the arrays that satisfy c.
func (b *schemaBuilder) array(c conjunction, name string) (*Expr, error) {
	lo, hi := 0, Unbounded
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
		return nil, bounded.errorf("no array has at least %d and at most %d items", lo, hi)
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
	return nil, c.at().errorf("an array of any items is not supported: give it items or prefixItems")
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
