package grammar

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// conjunction is a set of schemas that hold together. Without any, all values satisfy it.
type conjunction struct {
	schemas []*schema
	nots    []negation // what does not hold; to be settled when a value is written
	name    string     // of the definition it comes from, if any
}

// disjunction is a choice of conjunctions. Without any, no value satisfies it.
type disjunction struct {
	alternatives []conjunction
	name         string
}

// truth is satisfied by all values.
func truth() disjunction { return disjunction{alternatives: []conjunction{{}}} }

func (d disjunction) isTruth() bool {
	return len(d.alternatives) == 1 && d.alternatives[0].isTruth()
}

func (c conjunction) isTruth() bool { return len(c.schemas) == 0 && len(c.nots) == 0 }

// title returns the name of the definition that d is, if it is one.
func (d disjunction) title() string {
	if d.name == "" && len(d.alternatives) == 1 {
		return d.alternatives[0].name
	}
	return d.name
}

// rename gives d, the schema at v, the name that it is referred to by.
func (d *disjunction) rename(v *jsonValue) {
	switch {
	case v.parent == nil:
		d.name = rootRule
	case v.parent.kind == '{':
		d.name = v.token
	default:
		return // an index says nothing
	}
	if len(d.alternatives) == 1 {
		d.alternatives[0].name = d.name
	}
}

// key returns a text that equal sets of schemas have in common.
func (c conjunction) key() string {
	ids := make([]int, len(c.schemas))
	for i, s := range c.schemas {
		ids[i] = s.id
	}
	slices.Sort(ids)
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(strconv.Itoa(id))
		b.WriteByte('.')
	}
	if len(c.nots) > 0 {
		ids = ids[:0]
		for _, n := range c.nots {
			ids = append(ids, n.id)
		}
		slices.Sort(ids)
		fmt.Fprint(&b, slices.Compact(ids))
	}
	return b.String()
}

// at returns where an error of c is reported that is not one keyword's; it has schemas.
func (c conjunction) at() *jsonValue { return c.schemas[0].at }

// and returns the values that satisfy x and y.
func (b *schemaBuilder) and(v *jsonValue, x, y disjunction) (disjunction, error) {
	switch {
	case x.isTruth():
		return y, nil
	case y.isTruth():
		return x, nil
	}
	var both disjunction
	for _, c := range x.alternatives {
		for _, d := range y.alternatives {
			if err := b.spend(v, (1+len(c.schemas)+len(c.nots))*(1+len(d.schemas)+len(d.nots))); err != nil {
				return both, err
			}
			joined := conjunction{schemas: slices.Clone(c.schemas), nots: slices.Concat(c.nots, d.nots)}
			for _, s := range d.schemas {
				if !slices.Contains(c.schemas, s) {
					joined.schemas = append(joined.schemas, s)
				}
			}
			both.alternatives = append(both.alternatives, joined)
		}
	}
	return both, nil
}

// expansion is how far expand has come.
type expansion struct {
	open    map[*schema]bool // the schemas being expanded
	compare bool             // for a comparison: more may hold, so that oneOf counts as anyOf, and not and if are left out
	partial *bool            // set if something is left out, if not nil
}

// expand follows the references and combinations of the schema at v up to conditions on the
// value itself.
func (b *schemaBuilder) expand(v *jsonValue) (disjunction, error) {
	return b.expandWithin(v, expansion{open: map[*schema]bool{}})
}

func (b *schemaBuilder) expandWithin(v *jsonValue, within expansion) (disjunction, error) {
	s, err := b.read(v)
	if err != nil {
		return disjunction{}, err
	}
	if err := b.spend(v, 1); err != nil {
		return disjunction{}, err
	}
	if within.open[s] {
		return disjunction{}, v.errorf("it refers to itself before any value begins")
	}
	compare := within.compare
	within.open[s] = true
	defer delete(within.open, s)

	d := truth()
	switch {
	case s.never:
		return disjunction{}, nil
	case s.asserts:
		d.alternatives[0].schemas = []*schema{s}
	}
	// What stands beside $ref counts from 2019 on, and here before that too, unless more may hold.
	if within.partial != nil && (s.oneOf != nil || s.not != nil || s.cond != nil || s.dependencies != nil || s.sealed) {
		*within.partial = true
	}
	alone := s.ref != nil && within.compare && b.draft > 0 && b.draft < 2019
	if alone {
		d = truth()
	}
	if s.ref != nil {
		to, err := b.resolve(s.ref)
		if err != nil {
			return d, err
		}
		target, err := b.expandWithin(to, within)
		if err != nil {
			return d, err
		}
		target.rename(to)
		if d, err = b.and(v, d, target); err != nil {
			return d, err
		}
	}
	if alone {
		return d, nil
	}
	all := s.allOf
	if !within.compare {
		all = slices.Concat(all, s.dependencies)
	}
	for _, elem := range all {
		condition, err := b.expandWithin(elem, within)
		if err != nil {
			return d, err
		}
		if d, err = b.and(v, d, condition); err != nil {
			return d, err
		}
	}
	if s.anyOf != nil {
		branches, err := b.expandAll(s.anyOf, within)
		if err != nil {
			return d, err
		}
		if d, err = b.and(v, d, choice(branches)); err != nil {
			return d, err
		}
	}
	if s.oneOf != nil {
		branches, err := b.expandAll(s.oneOf, within)
		if err != nil {
			return d, err
		}
		if !within.compare {
			if err := b.makeExclusive(s.oneOf, d, branches); err != nil {
				return d, err
			}
		}
		if d, err = b.and(v, d, choice(branches)); err != nil {
			return d, err
		}
	}
	if s.cond != nil && (s.then != nil || s.orElse != nil) && !within.compare {
		branches, err := b.conditional(s, within)
		if err != nil {
			return d, err
		}
		if d, err = b.and(v, d, branches); err != nil {
			return d, err
		}
	}
	// Of what is left out of a comparison, and of what is not to hold, only the references count
	// here: they must not lead back.
	within.compare = true
	for _, v := range []*jsonValue{s.not, s.cond, s.then, s.orElse} {
		if v == nil {
			continue
		}
		if _, err := b.expandWithin(v, within); err != nil {
			return d, err
		}
	}
	if s.not != nil && !compare {
		d = b.except(d, negation{of: s.not})
	}
	if s.sealed && !compare {
		for i, c := range d.alternatives {
			d.alternatives[i].schemas = append(slices.Clone(c.schemas), b.seal(s, c))
		}
	}
	return d, nil
}

// conditional returns the values that satisfy if and then of s, or else only.
func (b *schemaBuilder) conditional(s *schema, within expansion) (disjunction, error) {
	sides := []disjunction{truth(), truth()}
	for i, list := range [][]*jsonValue{{s.cond, s.then}, {s.orElse}} {
		for _, v := range list {
			if v == nil {
				continue
			}
			side, err := b.expandWithin(v, within)
			if err != nil {
				return side, err
			}
			if sides[i], err = b.and(v, sides[i], side); err != nil {
				return side, err
			}
		}
	}
	sides[1] = b.except(sides[1], negation{of: s.cond})
	return choice(sides), nil
}

// seal returns a schema that leaves c no properties but those of which it speaks, as s says
// by unevaluatedProperties.
func (b *schemaBuilder) seal(s *schema, c conjunction) *schema {
	key := strconv.Itoa(s.id) + "/" + c.key()
	sealed := b.seals[key]
	if sealed == nil {
		sealed = b.newSchema(s.at)
		sealed.speaks, sealed.asserts, sealed.scope = typeObject, true, c.schemas
		b.seals[key] = sealed
	}
	return sealed
}

func (b *schemaBuilder) expandAll(list []*jsonValue, within expansion) ([]disjunction, error) {
	all := make([]disjunction, len(list))
	for i, v := range list {
		var err error
		if all[i], err = b.expandWithin(v, within); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// choice returns the values that satisfy one of branches.
func choice(branches []disjunction) disjunction {
	var d disjunction
	for _, branch := range branches {
		d.alternatives = append(d.alternatives, branch.alternatives...)
	}
	return d
}

// types returns the types that a value of c may have.
func (c conjunction) types() typeSet {
	types := typeSet(typeAny)
	for _, s := range c.schemas {
		types &= s.types
	}
	return types
}

// values returns the values to which enum and const confine c, in order and each once, and
// whether there are such keywords.
func (c conjunction) values() (values []*jsonValue, listed bool) {
	types := c.types()
	var left map[string]bool
	for _, s := range c.schemas {
		for _, list := range s.values {
			first := !listed
			listed = true
			next := make(map[string]bool, len(list))
			for _, v := range list {
				key := v.key()
				if next[key] || !first && !left[key] || typeOf(v)&types == 0 {
					continue
				}
				next[key] = true
				if first {
					values = append(values, v)
				}
			}
			left = next
		}
	}
	for _, s := range c.schemas {
		for _, v := range s.excluded {
			delete(left, v.key())
		}
	}
	return slices.DeleteFunc(values, func(v *jsonValue) bool { return !left[v.key()] }), listed
}
