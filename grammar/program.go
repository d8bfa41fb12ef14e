package grammar

import (
	"fmt"
	"sort"
	"strings"
)

// Grammar is a compiled grammar: a program for an automaton over bytes whose rules call
// each other (a recursive transition network). It is immutable; goroutines may share it.
type Grammar struct {
	src       string
	insts     []inst
	edges     []edge  // of opBytes
	targets   []int32 // of opAlt
	loops     []loop  // of opLoop
	tokens    []tokenTerminal
	tokenUses []tokenUse     // the first use of each of tokens
	rules     []compiledRule // in order of their instructions
	start     int32          // entry of root

	// Of a frame: the names of its holes, and by instruction whether a hole can be reached
	// from its rule.
	holes []string
	open  []bool

	classes byteClasses

	whole map[int32]wholeChars // by instruction
}

// wholeChars says that an instruction takes the first byte of any character that begins
// with one of leads, and that all of them lead to next.
type wholeChars struct {
	leads charSet
	next  int32
}

// byteClasses puts bytes that no instruction tells apart into one class.
type byteClasses struct {
	of [256]uint8
	n  int
}

type opcode uint8

const (
	opReturn opcode = iota // return from the rule; with an empty stack, the text is complete
	opByte                 // consume a byte in lo-hi, go to out
	opBytes                // consume a byte along one of edges[arg:out]
	opAlt                  // go to each of targets[arg:out]
	opCall                 // call the rule at arg, then go to out
	opCover                // the same, but see Filling.Cover
	opJump                 // go to arg: the call of a rule with nothing left to do after it
	opLoop                 // call the body of loops[arg] as often as it says, then go to out
	opToken                // consume a token that tokens[arg] admits, go to out
	opHole                 // go to where a Filling says that hole arg starts
)

type inst struct {
	op       opcode
	lo, hi   byte
	arg, out int32
}

// edge consumes a byte in lo-hi. The edges of an instruction are sorted and disjoint.
type edge struct {
	byteRange
	to int32
}

// loop is a repetition whose rounds are counted: min to max of them, max may be Unbounded.
type loop struct {
	body     int32
	min, max int32
}

// tokenTerminal admits the token of that name or id, or any other if negate.
type tokenTerminal struct {
	name   string
	id     int32
	negate bool
}

// tokenUse is where the source names a token terminal.
type tokenUse struct {
	off  int
	rule string
}

type compiledRule struct {
	name  string
	start int32 // entry
	first int32 // its instructions are those from first to the next rule's first
}

// pcReturn is where every rule ends: instruction 0 is the only opReturn.
const pcReturn = 0

// program is a Grammar with what fills its holes, if it has any. The instructions of the
// filling follow those of the grammar, and so do its targets.
type program struct {
	*Grammar
	own        []inst
	ownTargets []int32
	starts     []int32 // of the holes
	classes    *byteClasses
}

func (p *program) at(pc int32) inst {
	if int(pc) < len(p.insts) {
		return p.insts[pc]
	}
	return p.own[int(pc)-len(p.insts)]
}

// alternatives returns where an opAlt goes.
func (p *program) alternatives(in inst) []int32 {
	if n := int32(len(p.targets)); in.arg >= n {
		return p.ownTargets[in.arg-n : in.out-n]
	}
	return p.targets[in.arg:in.out]
}

// depends reports whether what follows the instruction at pc, within its rule, depends on
// what fills the holes.
func (p *program) depends(pc int32) bool {
	return int(pc) >= len(p.insts) || p.open != nil && p.open[pc]
}

// ruleAt returns the name of the rule to which an instruction belongs, or of the hole.
func (p *program) ruleAt(pc int32) string {
	if int(pc) >= len(p.insts) {
		return strings.Join(p.holes, " or ")
	}
	i := sort.Search(len(p.rules), func(i int) bool { return p.rules[i].first > pc })
	if i == 0 {
		return rootRule
	}
	return p.rules[i-1].name
}

// next returns where the instruction at pc goes on byte b.
func (p *program) next(pc int32, b byte) (to int32, ok bool) {
	in := p.at(pc)
	switch in.op {
	case opByte:
		return in.out, in.lo <= b && b <= in.hi
	case opBytes:
		for _, e := range p.edges[in.arg:in.out] {
			if b <= e.hi {
				return e.to, e.lo <= b
			}
		}
	}
	return 0, false
}

// nextChar returns where the instruction at pc goes on the characters that begin with b. It
// is false where some of them lead nowhere or elsewhere, or b begins none.
func (p *program) nextChar(pc int32, b byte) (to int32, ok bool) {
	if b < 0x80 {
		return p.next(pc, b)
	}
	w, ok := p.whole[pc]
	return w.next, ok && w.leads.has(b)
}

// newByteClasses returns the classes for bytes that begin one where begins says so.
func newByteClasses(begins *[257]bool) byteClasses {
	var c byteClasses
	class := 0
	for b := range c.of {
		if b > 0 && begins[b] {
			class++
		}
		c.of[b] = uint8(class)
	}
	c.n = class + 1
	return c
}

// refine returns classes in which the used bytes stand alone too.
func (c *byteClasses) refine(used *[256]bool) *byteClasses {
	var begins [257]bool
	for b := range used {
		if b > 0 && c.of[b] != c.of[b-1] {
			begins[b] = true
		}
		if used[b] {
			begins[b], begins[b+1] = true, true
		}
	}
	refined := newByteClasses(&begins)
	return &refined
}

// String returns the program as text, one instruction a line.
func (g *Grammar) String() string {
	var b strings.Builder
	rules := g.rules
	for pc, in := range g.insts {
		for len(rules) > 0 && int(rules[0].first) == pc {
			fmt.Fprintf(&b, "%s: start %d\n", rules[0].name, rules[0].start)
			rules = rules[1:]
		}
		fmt.Fprintf(&b, "%d\t%s\n", pc, g.instString(in))
	}
	return b.String()
}

func (g *Grammar) instString(in inst) string {
	switch in.op {
	case opByte:
		return fmt.Sprintf("byte %s -> %d", byteRange{in.lo, in.hi}, in.out)
	case opBytes:
		var parts []string
		for _, e := range g.edges[in.arg:in.out] {
			parts = append(parts, fmt.Sprintf("%s -> %d", e.byteRange, e.to))
		}
		return "bytes " + strings.Join(parts, ", ")
	case opAlt:
		return "alt " + strings.Trim(fmt.Sprint(g.targets[in.arg:in.out]), "[]")
	case opCall:
		return fmt.Sprintf("call %d -> %d", in.arg, in.out)
	case opJump:
		return fmt.Sprintf("jump %d", in.arg)
	case opLoop:
		l := g.loops[in.arg]
		if l.max == Unbounded {
			return fmt.Sprintf("loop %d {%d,} -> %d", l.body, l.min, in.out)
		}
		return fmt.Sprintf("loop %d {%d,%d} -> %d", l.body, l.min, l.max, in.out)
	case opToken:
		t := g.tokens[in.arg]
		not := ""
		if t.negate {
			not = "!"
		}
		return fmt.Sprintf("token %s%s -> %d", not, tokenName(t.name, t.id), in.out)
	case opHole:
		return "hole " + g.holes[in.arg]
	}
	return "return"
}

func (r byteRange) String() string {
	if r.lo == r.hi {
		return fmt.Sprintf("%02X", r.lo)
	}
	return fmt.Sprintf("%02X-%02X", r.lo, r.hi)
}
