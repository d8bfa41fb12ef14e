package grammar

import "slices"

// property is what the schemas of an object say about one property.
type property struct {
	name     string
	schemas  []*jsonValue
	required *jsonValue // where it is called so
	expr     *Expr      // "name":value
}

// object returns an expression for the objects that satisfy c.
func (b *schemaBuilder) object(c conjunction, name string) (*Expr, error) {
	all, err := b.properties(c)
	if err != nil {
		return nil, err
	}
	var present []*property
	for _, p := range all {
		value, err := b.value(p.schemas, p.name)
		if err != nil {
			return nil, err
		}
		if value == nil || slices.ContainsFunc(c.schemas, func(s *schema) bool { return s.forbids(p.name) }) {
			if p.required != nil {
				return nil, p.required.errorf("no value of the property is allowed")
			}
			continue
		}
		p.expr = concat(literal(quoteJSON(p.name)+":"), value)
		present = append(present, p)
	}
	return concat(literal("{"), b.members(present, name), literal("}")), nil
}

// forbids reports whether s allows no property of that name.
func (s *schema) forbids(name string) bool {
	return s.closed && (s.properties == nil || s.properties.member(name) == nil)
}

// properties returns the properties of which c speaks, in order.
func (b *schemaBuilder) properties(c conjunction) ([]*property, error) {
	var all []*property
	byName := map[string]*property{}
	known := false
	for _, s := range c.schemas {
		known = known || s.closed || s.properties != nil
		if s.properties == nil {
			continue
		}
		for i, name := range s.properties.names {
			p, ok := byName[name]
			if !ok {
				p = &property{name: name}
				byName[name] = p
				all = append(all, p)
			}
			p.schemas = append(p.schemas, s.properties.elems[i])
		}
	}
	if !known {
		return nil, c.at().errorf("an object of any properties is not supported: list them in properties, or say additionalProperties false")
	}
	for _, s := range c.schemas {
		for _, required := range s.required {
			p, ok := byName[required.text]
			if !ok {
				return nil, required.errorf("properties has no schema for %s", quoteSnippet(required.text))
			}
			p.required = required
		}
	}
	return all, nil
}

// members returns an expression for properties and the commas between them. Those before
// the first that is required bring the comma after them, the others the one before.
func (b *schemaBuilder) members(properties []*property, name string) *Expr {
	first := slices.IndexFunc(properties, func(p *property) bool { return p.required != nil })
	if first < 0 {
		return b.optionalMembers(properties, name)
	}
	var items []*Expr
	for i, p := range properties {
		e := p.expr
		if i < first {
			e = concat(e, literal(","))
		} else if i > first {
			e = concat(literal(","), e)
		}
		if p.required == nil {
			e = optional(e)
		}
		items = append(items, e)
	}
	return concat(items...)
}

// optionalMembers returns an expression for properties of which none is required: nothing,
// or one of them and what may come after it, for which there is a rule.
func (b *schemaBuilder) optionalMembers(properties []*property, name string) *Expr {
	if len(properties) == 0 {
		return literal("")
	}
	after := make([]*Rule, len(properties))
	for i, p := range properties[:len(properties)-1] {
		after[i] = b.newRule(name+"-after-"+p.name, nil)
	}
	items := make([]*Expr, len(properties))
	rest := literal("")
	for i, p := range slices.Backward(properties) {
		items[i] = concat(p.expr, rest)
		if i > 0 {
			after[i-1].Expr = concat(optional(concat(literal(","), p.expr)), rest)
			rest = call(after[i-1].Name)
		}
	}
	return optional(alternate(items...))
}
