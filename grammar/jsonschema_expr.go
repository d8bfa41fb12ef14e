package grammar

// Constructors of expressions. They simplify what they can, so that the grammar of a schema
// reads well.

func literal(s string) *Expr {
	if s == "" {
		return &Expr{Op: OpEmpty}
	}
	return &Expr{Op: OpLiteral, Text: s}
}

func call(rule string) *Expr { return &Expr{Op: OpRule, Text: rule} }

func class(ranges ...Range) *Expr { return &Expr{Op: OpClass, Ranges: mergeRanges(ranges)} }

// concat joins items, neighbouring literals to one.
func concat(items ...*Expr) *Expr {
	var subs []*Expr
	var add func(e *Expr)
	add = func(e *Expr) {
		switch e.Op {
		case OpEmpty:
			return
		case OpConcat:
			for _, sub := range e.Sub {
				add(sub)
			}
			return
		case OpLiteral:
			if n := len(subs); n > 0 && subs[n-1].Op == OpLiteral {
				subs[n-1] = literal(subs[n-1].Text + e.Text)
				return
			}
		}
		subs = append(subs, e)
	}
	for _, item := range items {
		add(item)
	}
	switch len(subs) {
	case 0:
		return literal("")
	case 1:
		return subs[0]
	}
	return &Expr{Op: OpConcat, Sub: subs}
}

// alternate is one of items, of which there is one at least.
func alternate(items ...*Expr) *Expr {
	var subs []*Expr
	for _, item := range items {
		if item.Op == OpAlternate {
			subs = append(subs, item.Sub...)
		} else {
			subs = append(subs, item)
		}
	}
	if len(subs) == 1 {
		return subs[0]
	}
	return &Expr{Op: OpAlternate, Sub: subs}
}

func repeat(e *Expr, lo, hi int) *Expr {
	switch {
	case hi == 0 || e.Op == OpEmpty:
		return literal("")
	case lo == 1 && hi == 1:
		return e
	}
	return &Expr{Op: OpRepeat, Min: lo, Max: hi, Sub: []*Expr{e}}
}

func optional(e *Expr) *Expr {
	if e.Op == OpRepeat && e.Min <= 1 {
		return repeat(e.Sub[0], 0, e.Max)
	}
	return repeat(e, 0, 1)
}
