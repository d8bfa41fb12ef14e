package grammar

import "slices"

// maxExclusiveDepth is how many properties deep two schemas are compared.
const maxExclusiveDepth = 4

// makeExclusive has each branch of a oneOf, which is at the values list, exclude the others
// that its values may satisfy too, given what else holds.
func (b *schemaBuilder) makeExclusive(list []*jsonValue, given disjunction, branches []disjunction) error {
	narrowed := make([]disjunction, len(branches))
	without := make([][]negation, len(branches))
	for i, branch := range branches {
		var err error
		if narrowed[i], err = b.and(list[i], given, branch); err != nil {
			return err
		}
		for j := range i {
			exclusive, err := b.apart(list[i], narrowed[i], narrowed[j], false, maxExclusiveDepth)
			if err != nil {
				return err
			}
			if !exclusive {
				without[i] = append(without[i], negation{of: list[j], branch: list[i]})
				without[j] = append(without[j], negation{of: list[i], branch: list[j]})
			}
		}
	}
	for i, nots := range without {
		branches[i] = b.except(branches[i], nots...)
	}
	return nil
}

// apart reports whether it is sure that no value satisfies both x and y; if written, that
// none does that the grammar writes for x.
func (b *schemaBuilder) apart(v *jsonValue, x, y disjunction, written bool, depth int) (bool, error) {
	for _, c := range x.alternatives {
		for _, d := range y.alternatives {
			if err := b.spend(v, 1+len(c.schemas)+len(d.schemas)); err != nil {
				return false, err
			}
			if ok, err := b.disjoint(v, c, d, written, depth); !ok || err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

func (b *schemaBuilder) disjoint(v *jsonValue, c, d conjunction, written bool, depth int) (bool, error) {
	cValues, cListed := c.values()
	dValues, dListed := d.values()
	if err := b.spend(v, len(cValues)+len(dValues)); err != nil {
		return false, err
	}
	common := d.types()
	if written && !cListed {
		common &= c.written()
	} else {
		common &= c.types()
	}
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
	if common&typeNumber != 0 && emptyInterval(append(c.bounds(), d.bounds()...), common&typeNumber == typeInteger) {
		common &^= typeNumber
	}
	if common != typeObject || cListed || dListed || depth == 0 {
		return common == 0, nil
	}
	for i, s := range slices.Concat(c.schemas, d.schemas) {
		for _, name := range s.required {
			x, written, err := b.property(v, c, name.text, written)
			if err != nil {
				return false, err
			}
			y, _, err := b.property(v, d, name.text, false)
			if err != nil {
				return false, err
			}
			if i < len(c.schemas) && len(x.alternatives) == 0 {
				return true, nil // c has no object
			}
			if ok, err := b.apart(v, x, y, written, depth-1); ok || err != nil {
				return ok, err
			}
		}
	}
	return false, nil
}

// property returns what an object that satisfies c has as the property of that name, if it
// has one; if written, one that the grammar writes. It is still written if nothing was left
// out of it, which could add to what the grammar writes.
func (b *schemaBuilder) property(v *jsonValue, c conjunction, name string, written bool) (d disjunction, stillWritten bool, err error) {
	m, err := b.member(c, name)
	if err != nil || m.forbidden || written && !m.spoken && c.closed() && !c.requires(name) {
		return disjunction{}, written, err
	}
	partial := false
	within := expansion{open: map[*schema]bool{}, compare: true, partial: &partial}
	all := truth()
	for _, s := range m.schemas {
		d, err := b.expandWithin(s, within)
		if err != nil {
			return all, false, err
		}
		if all, err = b.and(v, all, d); err != nil {
			return all, false, err
		}
	}
	return all, written && !partial, nil
}

// requires reports whether objects of c have a property of that name.
func (c conjunction) requires(name string) bool {
	return slices.ContainsFunc(c.schemas, func(s *schema) bool {
		return slices.ContainsFunc(s.required, func(v *jsonValue) bool { return v.text == name })
	})
}
