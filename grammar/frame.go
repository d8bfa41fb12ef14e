package grammar

import "fmt"

// A Frame is a grammar with holes: rules that its text names but does not define. It is
// compiled once; a Filling says what the holes match for one output. A Frame is immutable;
// goroutines may share it.
type Frame struct {
	grammar *Grammar
	syntax  *Syntax
	rules   map[string]int32 // entry of each that a Filling may call
	names   map[int32]string // the reverse
	holes   map[string]int
}

// CompileFrame parses and compiles a grammar in which the rules called holes are left
// open. All its rules are compiled, also those that only a Filling calls. A hole counts as
// something that may match the empty string. The error is an *Error.
func CompileFrame(src string, holes ...string) (*Frame, error) {
	s, err := parse(src, holes)
	if err != nil {
		return nil, err
	}
	g, err := compile(s, true)
	if err != nil {
		return nil, err
	}
	f := &Frame{grammar: g, syntax: s, rules: map[string]int32{}, names: map[int32]string{}, holes: map[string]int{}}
	for i, name := range g.holes {
		f.holes[name] = i
	}
	open := openRules(s)
	g.open = make([]bool, len(g.insts))
	for i, r := range g.rules {
		end := len(g.insts)
		if i+1 < len(g.rules) {
			end = int(g.rules[i+1].first)
		}
		if _, hole := f.holes[r.name]; !hole {
			f.rules[r.name], f.names[r.start] = r.start, r.name
		}
		if !open[s.byName[r.name]] {
			continue
		}
		for pc := int(r.first); pc < end; pc++ {
			g.open[pc] = true
		}
	}
	return f, nil
}

// openRules tells by rule whether a hole can be reached from it.
func openRules(s *Syntax) []bool {
	users := make([][]int, len(s.Rules)) // rules that refer to each
	var holding []int                    // rules with a hole of their own
	var visit func(e *Expr, rule int)
	visit = func(e *Expr, rule int) {
		switch e.Op {
		case OpRule:
			users[e.rule] = append(users[e.rule], rule)
		case OpHole:
			holding = append(holding, rule)
		}
		for _, sub := range e.Sub {
			visit(sub, rule)
		}
	}
	for i, r := range s.Rules {
		visit(r.Expr, i)
	}
	return leadingTo(holding, users)
}

// leadingTo reports of each node of a graph whether some path leads from it to one of to, whose elements it uses up. before has the
// nodes with an edge to each.
func leadingTo(to []int, before [][]int) []bool {
	leads := make([]bool, len(before))
	for _, i := range to {
		leads[i] = true
	}
	for len(to) > 0 {
		i := to[len(to)-1]
		to = to[:len(to)-1]
		for _, from := range before[i] {
			if !leads[from] {
				leads[from] = true
				to = append(to, from)
			}
		}
	}
	return leads
}

// Grammar returns the frame as a Grammar. Until a Filling is given to its Constraint, its
// holes match nothing.
func (f *Frame) Grammar() *Grammar { return f.grammar }

// NewFilling returns an empty Filling of f.
func (f *Frame) NewFilling() *Filling {
	return &Filling{
		frame:  f,
		base:   int32(len(f.grammar.insts)),
		insts:  make([]inst, 0, 1024), // a text of some thirty words takes as many
		starts: make([]int32, len(f.grammar.holes)),
		filled: make([]bool, len(f.grammar.holes)),
	}
}

func (f *Filling) fail(code ErrorCode, rule, text string) {
	if f.err == nil {
		f.err = &Error{Code: code, Rule: rule, Text: text}
	}
}

// Fill returns the Constraint of the frame of c with its holes filled. It shares what c
// has cached about the frame. f must not be changed afterwards. The error is an *Error of
// f, or a *MatchError if the start of the grammar exceeds a limit.
func (c *Constraint) Fill(f *Filling) (*Constraint, error) {
	if f.frame.grammar != c.grammar {
		return nil, fmt.Errorf("grammar: the filling is for another frame")
	}
	for name, i := range f.frame.holes {
		if !f.filled[i] {
			f.fail(ErrHoleEmpty, name, "")
		}
	}
	if f.err != nil {
		return nil, f.err
	}
	return newConstraint(program{
		Grammar:    c.grammar,
		own:        f.insts,
		ownTargets: f.targets,
		starts:     f.starts,
		classes:    c.grammar.classes.refine(&f.used),
	}, c)
}
