package grammar

import "slices"

// maxExclusiveDepth is how many properties deep two schemas are compared.
const maxExclusiveDepth = 4

// checkExclusive reports branches of a oneOf, which is at the values list, that a value may
// satisfy together, given what else holds.
func (b *schemaBuilder) checkExclusive(list []*jsonValue, given disjunction, branches []disjunction) error {
	narrowed := make([]disjunction, len(branches))
	for i, branch := range branches {
		var err error
		if narrowed[i], err = b.and(list[i], given, branch); err != nil {
			return err
		}
		for j := range i {
			exclusive, err := b.exclusive(list[i], narrowed[i], narrowed[j], maxExclusiveDepth)
			if err != nil {
				return err
			}
			if !exclusive {
				return list[i].errorf("a value of it may satisfy #%s too: tell them apart by type, or by a required property with const, or write anyOf", list[j].pointer())
			}
		}
	}
	return nil
}

// exclusive reports whether it is sure that no value satisfies both x and y.
func (b *schemaBuilder) exclusive(v *jsonValue, x, y disjunction, depth int) (bool, error) {
	for _, c := range x.alternatives {
		for _, d := range y.alternatives {
			if err := b.spend(v, 1+len(c.schemas)+len(d.schemas)); err != nil {
				return false, err
			}
			if ok, err := b.disjoint(v, c, d, depth); !ok || err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

func (b *schemaBuilder) disjoint(v *jsonValue, c, d conjunction, depth int) (bool, error) {
	cValues, cListed := c.values()
	dValues, dListed := d.values()
	if err := b.spend(v, len(cValues)+len(dValues)); err != nil {
		return false, err
	}
	common := c.types() & d.types()
	if cListed {
		common &= typesOf(cValues)
	}
	if dListed {
		common &= typesOf(dValues)
	}
	if common == 0 {
		return true, nil
	}
	if cListed && dListed {
		known := map[string]bool{}
		for _, value := range cValues {
			known[value.key()] = true
		}
		return !slices.ContainsFunc(dValues, func(value *jsonValue) bool { return known[value.key()] }), nil
	}
	if common != typeObject || cListed || dListed || depth == 0 {
		return false, nil
	}
	for _, s := range slices.Concat(c.schemas, d.schemas) {
		for _, name := range s.required {
			x, err := b.property(v, c, name.text)
			if err != nil {
				return false, err
			}
			y, err := b.property(v, d, name.text)
			if err != nil {
				return false, err
			}
			if ok, err := b.exclusive(v, x, y, depth-1); ok || err != nil {
				return ok, err
			}
		}
	}
	return false, nil
}

// property returns what an object that satisfies c has as the property of that name, if it
// has one.
func (b *schemaBuilder) property(v *jsonValue, c conjunction, name string) (disjunction, error) {
	all := truth()
	within := expansion{open: map[*schema]bool{}, compare: true}
	for _, s := range c.schemas {
		if s.forbids(name) {
			return disjunction{}, nil
		}
		if s.properties == nil || s.properties.member(name) == nil {
			continue
		}
		d, err := b.expandWithin(s.properties.member(name), within)
		if err != nil {
			return all, err
		}
		if all, err = b.and(v, all, d); err != nil {
			return all, err
		}
	}
	return all, nil
}
