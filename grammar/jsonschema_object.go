package grammar

import (
	"slices"
	"strconv"
)

// property is what the schemas of an object say about one property.
type property struct {
	name     string
	required *jsonValue // where it is called so
	expr     *Expr      // "name":value
}

// object returns an expression for the objects that satisfy c.
func (b *schemaBuilder) object(c conjunction, name string) (*Expr, error) {
	if err := c.noneExcluded(typeObject); err != nil {
		return nil, err
	}
	all := b.properties(c)
	var present []*property
	for _, p := range all {
		m, err := b.member(c, p.name)
		if err != nil {
			return nil, err
		}
		var value *Expr
		if !m.forbidden {
			if len(m.schemas) == 0 {
				value = b.shared(anyRule)
			} else if value, err = b.value(m.schemas, p.name); err != nil {
				return nil, err
			}
		}
		if value == nil {
			if p.required != nil {
				return b.nothing(p.required.errorf("no value of the property is allowed")), nil
			}
			continue
		}
		p.expr = concat(literal(quoteJSON(p.name)+":"), value)
		present = append(present, p)
	}
	others, err := b.others(c, all, name)
	if err != nil {
		return nil, err
	}
	lo, hi := 0, Unbounded
	for _, s := range c.schemas {
		lo = max(lo, s.minProperties)
		if s.maxProperties != Unbounded && (hi == Unbounded || s.maxProperties < hi) {
			hi = s.maxProperties
		}
	}
	required := 0
	for _, p := range present {
		if p.required != nil {
			required++
		}
	}
	members := b.members(present, others, name)
	if lo > required || hi != Unbounded && (others != nil || hi < len(present)) {
		if members, err = b.countedMembers(c, present, others, lo, hi, name); err != nil {
			return nil, err
		}
	}
	return concat(literal("{"), members, literal("}")), nil
}

// properties returns the properties that c names, in order, those that are only required
// last.
func (b *schemaBuilder) properties(c conjunction) []*property {
	var all []*property
	byName := map[string]*property{}
	find := func(name string) *property {
		p, ok := byName[name]
		if !ok {
			p = &property{name: name}
			byName[name] = p
			all = append(all, p)
		}
		return p
	}
	for _, s := range c.schemas {
		if s.properties != nil {
			for _, name := range s.properties.names {
				find(name)
			}
		}
	}
	for _, s := range c.schemas {
		for _, name := range s.required {
			find(name.text).required = name
		}
	}
	return all
}

// membership is what the schemas of an object say about the members of a name, or of the
// names that the same patterns match.
type membership struct {
	schemas   []*jsonValue // that their values satisfy
	forbidden bool
	spoken    bool // a schema speaks of them
}

// member returns what c says about the property of that name.
func (b *schemaBuilder) member(c conjunction, name string) (membership, error) {
	matched := map[string]bool{}
	for _, s := range c.schemas {
		if s.propertyNames != nil {
			ok, err := b.allowsName(s.propertyNames, name)
			if err != nil || !ok {
				return membership{forbidden: true}, err
			}
		}
		for _, p := range s.patterns {
			m, err := b.machine(p.pattern)
			if err != nil {
				return membership{}, err
			}
			matched[p.pattern.text] = m.matches(name)
		}
	}
	return c.membership(name, func(pattern string) bool { return matched[pattern] }), nil
}

// noName is not the name of a property that a schema lists.
const noName = "\xff"

// membership returns what c says about members of a name that certain patterns match.
func (c conjunction) membership(name string, matches func(pattern string) bool) membership {
	var m membership
	for _, s := range c.schemas {
		if name != noName && slices.Contains(s.absent, name) {
			return membership{forbidden: true}
		}
		if s.scope != nil && !slices.ContainsFunc(s.scope, func(t *schema) bool { return t.additional != nil || t.speaksOf(name, matches) }) {
			return membership{forbidden: true}
		}
		if s.properties != nil {
			if v := s.properties.member(name); v != nil {
				m.schemas = append(m.schemas, v)
			}
		}
		for _, p := range s.patterns {
			if matches(p.pattern.text) {
				m.schemas = append(m.schemas, p.schema)
			}
		}
		switch {
		case s.speaksOf(name, matches):
			m.spoken = true
		case s.additional == nil:
		case s.additional.kind == 'f':
			return membership{forbidden: true}
		default:
			m.spoken = true
			if s.additional.kind != 't' {
				m.schemas = append(m.schemas, s.additional)
			}
		}
	}
	return m
}

// speaksOf reports whether s lists the name of a member, or has a pattern that matches it.
func (s *schema) speaksOf(name string, matches func(pattern string) bool) bool {
	return s.properties != nil && s.properties.member(name) != nil ||
		slices.ContainsFunc(s.patterns, func(p patternProperty) bool { return matches(p.pattern.text) })
}

// closed reports whether objects of c have no members but those of which c speaks: so it is
// where a schema lists some, and none says what others are.
func (c conjunction) closed() bool {
	return slices.ContainsFunc(c.schemas, func(s *schema) bool {
		return s.properties != nil || s.patterns != nil || s.scope != nil
	})
}

// members returns an expression for properties, others after them, and the commas between
// them. Those before the first that is required bring the comma after them, the rest the
// one before. others may be nil.
func (b *schemaBuilder) members(properties []*property, others *Expr, name string) *Expr {
	first := slices.IndexFunc(properties, func(p *property) bool { return p.required != nil })
	if first < 0 {
		return b.optionalMembers(properties, others, name)
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
	return concat(append(items, moreMembers(others))...)
}

// moreMembers returns an expression for any number of members after others.
func moreMembers(e *Expr) *Expr {
	if e == nil {
		return literal("")
	}
	return repeat(concat(literal(","), e), 0, Unbounded)
}

// optionalMembers returns an expression for properties of which none is required: nothing,
// or one of them and what may come after it, for which there is a rule.
func (b *schemaBuilder) optionalMembers(properties []*property, others *Expr, name string) *Expr {
	after := make([]*Rule, len(properties))
	for i, p := range properties {
		if i < len(properties)-1 || others != nil {
			after[i] = b.newRule(name+"-after-"+p.name, nil)
		}
	}
	items := make([]*Expr, len(properties), len(properties)+1)
	rest := moreMembers(others)
	if others != nil && len(properties) > 0 {
		after[len(properties)-1].Expr = rest
		rest = call(after[len(properties)-1].Name)
	}
	for i, p := range slices.Backward(properties) {
		items[i] = concat(p.expr, rest)
		if i > 0 {
			after[i-1].Expr = concat(optional(concat(literal(","), p.expr)), rest)
			rest = call(after[i-1].Name)
		}
	}
	if others != nil {
		items = append(items, concat(others, moreMembers(others)))
	}
	if len(items) == 0 {
		return literal("")
	}
	return optional(alternate(items...))
}

// maxCountedMembers bounds the rules for objects whose members are counted.
const maxCountedMembers = 1 << 12

// countedMembers returns what members does for lo to hi members. Of others only the first
// counts towards lo, as two may have one name.
func (b *schemaBuilder) countedMembers(c conjunction, properties []*property, others *Expr, lo, hi int, name string) (*Expr, error) {
	most := max(lo, hi, 1)
	if most > maxCountedMembers || (len(properties)+1)*(most+1) > maxCountedMembers {
		return nil, c.at().errorf("minProperties or maxProperties is too large to count up to: make properties required instead")
	}
	if others == nil && lo > len(properties) || others != nil && lo > len(properties)+1 || hi != Unbounded && lo > hi {
		return b.nothing(c.at().errorf("no object has so many properties that are told apart: list them in properties")), nil
	}
	known := make([][]*Expr, len(properties)+1)
	for i := range known {
		known[i] = make([]*Expr, most+1)
	}
	separator := func(n int) *Expr {
		if n == 0 {
			return literal("")
		}
		return literal(",")
	}
	var from func(i, n int) *Expr // from property i on, after n members, most standing for more
	from = func(i, n int) *Expr {
		if known[i][n] != nil {
			return known[i][n]
		}
		full := hi != Unbounded && n == hi
		if i == len(properties) {
			e := literal("")
			switch missing := lo - n; {
			case missing > 1 || missing == 1 && (others == nil || full):
				e = b.nothing(nil)
			case others == nil || full:
			default:
				left := Unbounded
				if hi != Unbounded {
					left = hi - n
				}
				e = concat(separator(n), elements([]*Expr{others}, others, max(missing, 0), left))
				if missing <= 0 && n > 0 {
					e = repeat(concat(literal(","), others), 0, left)
				}
			}
			known[i][n] = e
			return e
		}
		p := properties[i]
		r := b.newRule(name+"-"+strconv.Itoa(n)+"-before-"+p.name, nil)
		known[i][n] = call(r.Name)
		var items []*Expr
		if !full {
			items = append(items, concat(separator(n), p.expr, from(i+1, min(n+1, most))))
		}
		if p.required == nil {
			items = append(items, from(i+1, n))
		}
		r.Expr = alternate(append(items, b.nothing(nil))...)
		return known[i][n]
	}
	return from(0, 0), nil
}

// others returns an expression for one member of a name that properties does not have, nil
// if there is none.
func (b *schemaBuilder) others(c conjunction, properties []*property, hint string) (*Expr, error) {
	closed := c.closed()
	var patterns []string
	var machines []*runeMachine
	required := uint64(0) // the machines that must accept a name,
	refused := uint64(0)  // and those that must not
	add := func(m *runeMachine) uint64 {
		machines = append(machines, m)
		return 1 << (len(machines) - 1)
	}
	speaks := !closed
	for _, s := range c.schemas {
		speaks = speaks || s.additional != nil && s.additional.kind != 'f'
		for _, p := range s.patterns {
			m, err := b.machine(p.pattern)
			if err != nil {
				return nil, err
			}
			speaks = true
			if !slices.Contains(patterns, p.pattern.text) {
				patterns = append(patterns, p.pattern.text)
				add(m)
			}
		}
	}
	if plain := c.membership(noName, func(string) bool { return false }); !speaks || len(patterns) == 0 && (plain.forbidden || closed && !plain.spoken) {
		return nil, nil
	}
	for _, s := range c.schemas {
		if s.propertyNames == nil {
			continue
		}
		conditions, err := b.nameConditions(s.propertyNames)
		if err != nil {
			return nil, err
		}
		for _, condition := range conditions {
			if bit := add(condition.machine); condition.not {
				refused |= bit
			} else {
				required |= bit
			}
		}
	}
	var names []string
	for _, p := range properties {
		names = append(names, p.name)
	}
	for _, s := range c.schemas {
		names = append(names, s.absent...)
	}
	if names != nil {
		refused |= add(machineOfStrings(names))
	}
	if len(machines) > 64 {
		return nil, c.at().errorf("more than 64 patterns of properties")
	}
	said := func(accepts uint64) (membership, bool) {
		if accepts&required != required || accepts&refused != 0 {
			return membership{}, false
		}
		m := c.membership(noName, func(pattern string) bool {
			return accepts>>slices.Index(patterns, pattern)&1 != 0
		})
		return m, !m.forbidden && (m.spoken || !closed)
	}
	if len(machines) == 0 {
		m, _ := said(0)
		return b.otherMember(b.shared(stringRule), m, hint)
	}
	a, err := b.determine(c.at(), machines)
	if err != nil {
		return nil, err
	}
	// Names of which the same is said are written together.
	key := map[uint64]string{}
	var kinds []membership
	var order []string
	for _, s := range a.states {
		if _, ok := key[s.accepts]; ok {
			continue
		}
		m, ok := said(s.accepts)
		if !ok {
			key[s.accepts] = ""
			continue
		}
		k := b.setKey(m.schemas)
		key[s.accepts] = k
		if !slices.Contains(order, k) {
			order = append(order, k)
			kinds = append(kinds, m)
		}
	}
	var items []*Expr
	for i, k := range order {
		e := b.automatonExpr(a, func(accepts uint64) bool { return key[accepts] == k }, hint+"-name")
		if e == nil {
			continue
		}
		member, err := b.otherMember(quoted(e), kinds[i], hint)
		if err != nil {
			return nil, err
		}
		if member != nil {
			items = append(items, member)
		}
	}
	if len(items) == 0 {
		return nil, nil
	}
	r := b.newRule(hint+"-other", nil)
	r.Expr = alternate(items...)
	return call(r.Name), nil
}

// setKey returns a text that equal lists of schemas have in common.
func (b *schemaBuilder) setKey(vs []*jsonValue) string {
	key := "schemas"
	for _, v := range vs {
		if b.denied[v] == 0 {
			b.denied[v] = len(b.denied) + 1
		}
		key += " " + strconv.Itoa(b.denied[v])
	}
	return key
}

// otherMember returns an expression for a member with such a name, nil if it has no value.
func (b *schemaBuilder) otherMember(name *Expr, m membership, hint string) (*Expr, error) {
	if len(m.schemas) == 0 {
		return concat(name, literal(":"), b.shared(anyRule)), nil
	}
	value, err := b.value(m.schemas, hint+"-value")
	if value == nil || err != nil {
		return nil, err
	}
	return concat(name, literal(":"), value), nil
}
