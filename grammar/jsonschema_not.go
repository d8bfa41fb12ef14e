package grammar

import (
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// negation says that a value does not satisfy a schema.
type negation struct {
	of     *jsonValue
	id     int        // of that schema, for keys
	branch *jsonValue // the branch of a oneOf that excludes it, nil for not and if
}

// maxNegations is in how many cases one schema may fail to hold.
const maxNegations = 32

// except returns the values that satisfy d and none of the schemas of nots.
func (b *schemaBuilder) except(d disjunction, nots ...negation) disjunction {
	for i, n := range nots {
		if b.denied[n.of] == 0 {
			b.denied[n.of] = len(b.denied) + 1
		}
		nots[i].id = b.denied[n.of]
	}
	list := make([]conjunction, len(d.alternatives))
	for i, c := range d.alternatives {
		list[i] = c
		list[i].nots = slices.Concat(c.nots, nots)
	}
	d.alternatives = list
	return d
}

// unsupported returns the error for a negation that cannot be settled.
func (n negation) unsupported() error {
	if n.branch != nil {
		return n.branch.errorf("a value of it may satisfy #%s too: tell them apart by type, or by a required property with const, or write anyOf", n.of.pointer())
	}
	return n.of.errorf("what is left without it cannot be told: list what is allowed with enum, type, pattern or anyOf")
}

// settle returns values that satisfy c, as conditions that hold alone. What the grammar
// writes for c need not satisfy a schema that c excludes, as often it has no properties but
// those listed; if it may, the cases are taken in which it does not. A case may have the
// grammar write more, so that what c excludes besides is looked at again.
func (b *schemaBuilder) settle(v *jsonValue, c conjunction) (disjunction, error) {
	for i, n := range c.nots {
		if err := b.spend(v, 1+len(c.schemas)); err != nil {
			return disjunction{}, err
		}
		excluded, err := b.expandWithin(n.of, expansion{open: map[*schema]bool{}, compare: true})
		if err != nil {
			return disjunction{}, err
		}
		apart, err := b.apart(v, disjunction{alternatives: []conjunction{c}}, excluded, true, maxExclusiveDepth)
		if err != nil {
			return disjunction{}, err
		}
		if !apart {
			rest := c
			rest.nots = slices.Concat(c.nots[:i], c.nots[i+1:])
			return b.settleCases(v, b.pin(rest), n)
		}
	}
	c.nots = nil
	return disjunction{alternatives: []conjunction{c}}, nil
}

// settleCases settles c in the cases in which the schema of n does not hold.
func (b *schemaBuilder) settleCases(v *jsonValue, c conjunction, n negation) (disjunction, error) {
	cases, complete, err := b.negate(n.of)
	if err != nil {
		return disjunction{}, err
	}
	if len(cases) > maxNegations {
		return disjunction{}, n.unsupported()
	}
	var all disjunction
	for _, other := range cases {
		d, err := b.expand(other)
		if err != nil {
			return d, err
		}
		if d, err = b.and(v, disjunction{alternatives: []conjunction{c}}, d); err != nil {
			return d, err
		}
		for _, alternative := range d.alternatives {
			if !alternative.possible() {
				continue
			}
			alternative.name = c.name
			settled, err := b.settle(v, alternative)
			if err != nil {
				return settled, err
			}
			all.alternatives = append(all.alternatives, settled.alternatives...)
		}
	}
	if len(all.alternatives) == 0 && !complete || len(all.alternatives) > maxNegations {
		return all, n.unsupported()
	}
	return all, nil
}

// pin returns c with the types that the grammar writes for it, so that a type among what it
// excludes does not add others.
func (b *schemaBuilder) pin(c conjunction) conjunction {
	types := c.written()
	if _, listed := c.values(); listed || types == c.types() {
		return c
	}
	s := b.pins[types]
	if s == nil {
		s = b.newSchema(b.document)
		s.typed, s.types, s.asserts = true, types, true
		b.pins[types] = s
	}
	c.schemas = append(slices.Clone(c.schemas), s)
	return c
}

// possible reports whether types and lists leave c a value.
func (c conjunction) possible() bool {
	values, listed := c.values()
	if listed {
		return len(values) > 0
	}
	return c.types() != 0
}

// negate returns schemas of which each value of theirs fails the one at v, and whether they
// have all that do.
func (b *schemaBuilder) negate(v *jsonValue) (cases []*jsonValue, complete bool, err error) {
	s, err := b.read(v)
	if err != nil {
		return nil, false, err
	}
	if known, ok := b.negated[v]; ok {
		return known.cases, known.complete, nil
	}
	if err := b.spend(v, 1); err != nil {
		return nil, false, err
	}
	w := negationWriter{b: b, s: s, complete: true}
	if err := w.write(); err != nil {
		return nil, false, err
	}
	b.negated[v] = negationCases{w.cases, w.complete}
	return w.cases, w.complete, nil
}

type negationCases struct {
	cases    []*jsonValue
	complete bool
}

// negationWriter collects the cases in which a schema does not hold: for each keyword,
// those in which it does not.
type negationWriter struct {
	b        *schemaBuilder
	s        *schema
	cases    []*jsonValue
	complete bool
}

func (w *negationWriter) add(members ...any) {
	w.cases = append(w.cases, w.s.at.made(members...))
}

func (w *negationWriter) write() error {
	s, b := w.s, w.b
	if s.never {
		w.cases = append(w.cases, s.at.madeBool(true))
		return nil
	}
	if s.ref != nil {
		to, err := b.resolve(s.ref)
		if err != nil {
			return err
		}
		w.add("not", to)
		if b.draft > 0 && b.draft < 2019 {
			return nil
		}
	}
	for _, elem := range s.allOf {
		w.add("not", elem)
	}
	for _, list := range [][]*jsonValue{s.anyOf, s.oneOf} {
		var none []*jsonValue
		for _, elem := range list {
			none = append(none, elem.made("not", elem))
		}
		if none != nil {
			w.add("allOf", s.at.madeList(none))
		}
	}
	if s.not != nil {
		w.cases = append(w.cases, s.not)
	}
	if s.oneOf != nil || s.cond != nil || s.dependencies != nil {
		w.complete = false
	}
	if s.typed {
		w.others()
	}
	for _, list := range s.values {
		at := s.at.made()
		b.exclusions[at] = list
		w.cases = append(w.cases, at)
	}
	w.parts()
	w.counts()
	return nil
}

// others adds the types that the schema does not have.
func (w *negationWriter) others() {
	types := typeAny &^ w.s.types
	if types&typeNumber == typeFraction {
		types &^= typeFraction
		w.complete = false
	}
	var names []*jsonValue
	for _, name := range []string{"object", "array", "string", "number", "boolean", "null"} {
		if types&typeNames[name] == typeNames[name] {
			names = append(names, w.s.at.madeString(name))
		}
	}
	if names != nil {
		w.add("type", w.s.at.madeList(names))
	}
}

// parts adds objects and arrays a part of which fails, and strings that a pattern does not
// match.
func (w *negationWriter) parts() {
	s, object := w.s, w.s.at.madeString("object")
	if s.properties != nil {
		for i, name := range s.properties.names {
			elem := s.properties.elems[i]
			if elem.kind == 't' || elem.kind == '{' && len(elem.elems) == 0 {
				continue
			}
			fails := elem.made("not", elem)
			w.add("type", object, "required", s.at.madeList([]*jsonValue{s.at.madeString(name)}), "properties", s.at.made(name, fails))
		}
	}
	for _, name := range s.required {
		at := s.at.made()
		w.b.absences[at] = name.text
		w.cases = append(w.cases, at)
	}
	if s.items != nil && s.prefixItems == nil {
		fails := s.items.made("not", s.items)
		w.add("type", s.at.madeString("array"), "minItems", s.at.madeNumber(1), "prefixItems", s.at.madeList([]*jsonValue{fails}))
	}
	if s.pattern != nil {
		at := s.at.made()
		w.b.unlike[at] = s.pattern
		w.cases = append(w.cases, at)
	}
	if s.patterns != nil || s.additional != nil && s.additional.kind != 't' || s.propertyNames != nil || s.sealed || s.items != nil || s.prefixItems != nil ||
		s.unique != nil || s.format != nil || s.multiple != nil || s.excluded != nil || s.unlike != nil {
		w.complete = false
	}
}

// counts adds what is beyond the bounds.
func (w *negationWriter) counts() {
	s := w.s
	add := func(kind, least, most string, lo, hi int) {
		if lo > 0 {
			w.add("type", s.at.madeString(kind), most, s.at.madeNumber(lo-1))
		}
		if hi != Unbounded {
			w.add("type", s.at.madeString(kind), least, s.at.madeNumber(hi+1))
		}
	}
	add("string", "minLength", "maxLength", s.minLength, s.maxLength)
	add("array", "minItems", "maxItems", s.minItems, s.maxItems)
	if s.minProperties > 0 || s.maxProperties != Unbounded {
		w.complete = false
	}
	for _, bound := range s.bounds {
		beyond := map[[2]bool]string{
			{false, false}: "exclusiveMaximum", {false, true}: "maximum",
			{true, false}: "exclusiveMinimum", {true, true}: "minimum",
		}[[2]bool{bound.upper, bound.exclusive}]
		w.add("type", s.at.madeString("number"), beyond, bound.at)
	}
}

// made returns an object with names and values by turns that is reported to stand where v
// does.
func (v *jsonValue) made(members ...any) *jsonValue {
	o := &jsonValue{kind: '{', parent: v.parent, token: v.token}
	for i := 0; i < len(members); i += 2 {
		o.names = append(o.names, members[i].(string))
		o.elems = append(o.elems, members[i+1].(*jsonValue))
	}
	return o
}

func (v *jsonValue) madeList(elems []*jsonValue) *jsonValue {
	return &jsonValue{kind: '[', elems: elems, parent: v.parent, token: v.token}
}

func (v *jsonValue) madeString(s string) *jsonValue {
	return &jsonValue{kind: '"', text: s, parent: v.parent, token: v.token}
}

func (v *jsonValue) madeNumber(n int) *jsonValue {
	return &jsonValue{kind: '0', text: strconv.Itoa(n), parent: v.parent, token: v.token}
}

func (v *jsonValue) madeBool(b bool) *jsonValue {
	kind := byte('f')
	if b {
		kind = 't'
	}
	return &jsonValue{kind: jsontext.Kind(kind), parent: v.parent, token: v.token}
}
