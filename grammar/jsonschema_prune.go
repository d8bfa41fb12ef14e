package grammar

import "slices"

// prune leaves out what no finite text satisfies: alternatives, what may be missing, rules.
// It is an error if nothing is left.
func (b *schemaBuilder) prune() error {
	finite := map[string]bool{}
	var ends func(e *Expr) bool
	ends = func(e *Expr) bool {
		b.work++
		switch e.Op {
		case OpRule:
			return finite[e.Text]
		case OpAlternate:
			for _, sub := range e.Sub {
				if ends(sub) {
					return true
				}
			}
			return false
		case OpRepeat:
			return e.Min == 0 || ends(e.Sub[0])
		}
		for _, sub := range e.Sub {
			if !ends(sub) {
				return false
			}
		}
		return true
	}
	// Rules mostly refer to later ones: from the last to the first, few passes are needed.
	for more := true; more; {
		more = false
		for i := len(b.rules) - 1; i >= 0; i-- {
			if r := b.rules[i]; !finite[r.Name] && ends(r.Expr) {
				finite[r.Name] = true
				more = true
			}
		}
		if err := b.spend(b.document, 0); err != nil {
			return err
		}
	}
	if !finite[rootRule] {
		if b.empty != nil {
			return b.empty
		}
		for _, r := range b.rules {
			if at := b.origin[r]; !finite[r.Name] && at != nil {
				return at.errorf("a value of it has no end, as each holds another")
			}
		}
		return b.document.errorf("no value satisfies it")
	}
	if !b.partial && len(finite) == len(b.rules) {
		return nil
	}
	var left func(e *Expr) *Expr
	left = func(e *Expr) *Expr {
		if len(e.Sub) == 0 {
			return e
		}
		if e.Op == OpRepeat {
			if !ends(e.Sub[0]) {
				return literal("")
			}
			return repeat(left(e.Sub[0]), e.Min, e.Max)
		}
		var items []*Expr
		for _, sub := range e.Sub {
			if ends(sub) {
				items = append(items, left(sub))
			}
		}
		if e.Op == OpAlternate {
			return alternate(items...)
		}
		return concat(items...)
	}
	byName := map[string]*Rule{}
	for _, r := range b.rules {
		byName[r.Name] = r
	}
	used := map[string]bool{rootRule: true}
	var use func(e *Expr)
	use = func(e *Expr) {
		if e.Op == OpRule && !used[e.Text] && byName[e.Text] != nil {
			used[e.Text] = true
			use(byName[e.Text].Expr)
		}
		for _, sub := range e.Sub {
			use(sub)
		}
	}
	for _, r := range b.rules {
		if finite[r.Name] && !slices.Contains(b.library, r) {
			r.Expr = left(r.Expr)
		}
	}
	use(byName[rootRule].Expr)
	kept := b.rules[:0]
	for _, r := range b.rules {
		if used[r.Name] {
			kept = append(kept, r)
		}
	}
	b.rules = kept
	return nil
}
