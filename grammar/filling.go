package grammar

import (
	"fmt"
	"strings"
)

// A Place is somewhere in a Filling: what is still to be matched from there on.
type Place int32

// End is the end of the hole.
const End Place = pcReturn

// A Filling says what the holes of a Frame match, as a graph that is built back to front:
// each part is made for the Place that follows it. Errors are kept until Fill. A Filling
// belongs to one goroutine.
//
//	f := frame.NewFilling()
//	f.Hole("answer", f.Any(
//		f.Literal("yes", grammar.End),
//		f.Literal("no, for ", f.Rule("reason", grammar.End)),
//	))
//	c, err := constraint.Fill(f)
type Filling struct {
	frame   *Frame
	base    int32 // place of insts[0]
	insts   []inst
	targets []int32
	starts  []int32 // of the holes
	filled  []bool
	used    [256]bool // bytes of literals
	err     error
}

// Literal matches the bytes of s, then what next matches.
func (f *Filling) Literal(s string, next Place) Place {
	if !f.grow(len(s)) {
		return next
	}
	for i := len(s) - 1; i >= 0; i-- {
		f.used[s[i]] = true
		next = f.emit(inst{op: opByte, lo: s[i], hi: s[i], out: int32(next)})
	}
	return next
}

// Any matches what any of places matches; at least one must be given.
func (f *Filling) Any(places ...Place) Place {
	if len(places) == 0 {
		f.fail(ErrHoleEmpty, strings.Join(f.frame.grammar.holes, " or "), "")
		return End
	}
	if len(places) == 1 || !f.grow(1+len(places)) {
		return places[0]
	}
	base := len(f.frame.grammar.targets)
	arg := int32(base + len(f.targets))
	for _, p := range places {
		f.targets = append(f.targets, int32(p))
	}
	return f.emit(inst{op: opAlt, arg: arg, out: int32(base + len(f.targets))})
}

// Rule matches what the frame's rule of that name matches, then what next matches. A rule
// that leads back to here before it has matched anything exceeds a limit of the Matcher.
func (f *Filling) Rule(name string, next Place) Place { return f.call(opCall, name, next) }

// Cover is Rule where several readings of the output meet: of the calls of the rule that
// Cover made and that are reached by the same bytes, only the one made last is followed.
// The caller sees to it that what follows it includes what follows those made before. So a
// quotation that stands in a text more than once need not be kept apart by place.
func (f *Filling) Cover(name string, next Place) Place { return f.call(opCover, name, next) }

func (f *Filling) call(op opcode, name string, next Place) Place {
	start, ok := f.frame.rules[name]
	if !ok {
		f.fail(ErrUndefinedRule, "", name)
	}
	if !ok || !f.grow(1) {
		return next
	}
	return f.emit(inst{op: op, arg: start, out: int32(next)})
}

// Hole fills the hole of that name.
func (f *Filling) Hole(name string, start Place) {
	i, ok := f.frame.holes[name]
	if !ok {
		f.fail(ErrUndefinedRule, "", name)
		return
	}
	f.starts[i], f.filled[i] = int32(start), true
}

// grow accounts for n more entries. After an error nothing more is made.
func (f *Filling) grow(n int) bool {
	if len(f.insts)+len(f.targets)+n > maxProgram {
		f.fail(ErrProgramSize, strings.Join(f.frame.grammar.holes, " or "), "")
	}
	return f.err == nil
}

func (f *Filling) emit(in inst) Place {
	f.insts = append(f.insts, in)
	return Place(f.base + int32(len(f.insts)-1))
}

// String returns the filled frame as GBNF: the frame's rules, those of each hole, and
// rules that begin with the hole's name for places that several others lead to.
func (f *Filling) String() string {
	var b strings.Builder
	b.WriteString(f.frame.syntax.String())
	w := fillingWriter{f: f, b: &b, uses: make([]int, len(f.insts)), names: map[Place]string{}}
	for _, in := range f.insts {
		w.use(in)
	}
	for i, name := range f.frame.grammar.holes {
		if f.filled[i] {
			w.hole(name, Place(f.starts[i]))
		}
	}
	return b.String()
}

// fillingWriter writes the places of a Filling as rules.
type fillingWriter struct {
	f     *Filling
	b     *strings.Builder
	uses  []int // places that lead to each
	names map[Place]string
	todo  []Place
}

func (w *fillingWriter) use(in inst) {
	count := func(pc int32) {
		if pc >= w.f.base {
			w.uses[pc-w.f.base]++
		}
	}
	if in.op != opAlt {
		count(in.out)
		return
	}
	for _, pc := range w.f.alternatives(in) {
		count(pc)
	}
}

func (f *Filling) alternatives(in inst) []int32 {
	n := int32(len(f.frame.grammar.targets))
	return f.targets[in.arg-n : in.out-n]
}

func (w *fillingWriter) hole(name string, start Place) {
	w.b.WriteString(name + " ::= ")
	w.sequence(name, start, true)
	w.b.WriteByte('\n')
	for len(w.todo) > 0 {
		p := w.todo[0]
		w.todo = w.todo[1:]
		w.b.WriteString(w.names[p] + " ::= ")
		w.sequence(name, p, true)
		w.b.WriteByte('\n')
	}
}

// sequence writes what is matched from p on. A place that is used more than once is a rule
// of its own, unless its rule is what is being written.
func (w *fillingWriter) sequence(hole string, p Place, own bool) {
	first := true
	separate := func() {
		if !first {
			w.b.WriteByte(' ')
		}
		first = false
	}
	var literal []byte
	flush := func() {
		if len(literal) > 0 {
			separate()
			w.b.WriteString(Literal(string(literal)))
			literal = literal[:0]
		}
	}
	for ; p != End; own = false {
		if !own && w.uses[int32(p)-w.f.base] > 1 {
			flush()
			separate()
			w.b.WriteString(w.name(hole, p))
			return
		}
		switch in := w.f.insts[int32(p)-w.f.base]; in.op {
		case opByte:
			literal = append(literal, in.lo)
			p = Place(in.out)
		case opAlt:
			flush()
			alone := first
			separate()
			if !alone {
				w.b.WriteByte('(')
			}
			for i, to := range w.f.alternatives(in) {
				if i > 0 {
					w.b.WriteString(" | ")
				}
				w.sequence(hole, Place(to), false)
			}
			if !alone {
				w.b.WriteByte(')')
			}
			return
		default:
			flush()
			separate()
			w.b.WriteString(w.f.frame.names[in.arg])
			p = Place(in.out)
		}
	}
	flush()
	if first {
		w.b.WriteString(`""`)
	}
}

func (w *fillingWriter) name(hole string, p Place) string {
	name, ok := w.names[p]
	if !ok {
		name = fmt.Sprintf("%s-%d", hole, len(w.names))
		for w.f.frame.syntax.defines(name) {
			name += "-"
		}
		w.names[p] = name
		w.todo = append(w.todo, p)
	}
	return name
}

func (s *Syntax) defines(name string) bool {
	_, ok := s.byName[name]
	return ok
}
