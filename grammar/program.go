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
	tokens    []tokenTerminal
	tokenUses []tokenUse     // the first use of each of tokens
	rules     []compiledRule // in order of their instructions; the first is root

	// Bytes that no instruction tells apart are of one class.
	classes    [256]uint8
	numClasses int
}

type opcode uint8

const (
	opReturn opcode = iota // return from the rule; with an empty stack, the text is complete
	opByte                 // consume a byte in lo-hi, go to out
	opBytes                // consume a byte along one of edges[arg:out]
	opAlt                  // go to each of targets[arg:out]
	opCall                 // call the rule at arg, then go to out
	opJump                 // go to arg: the call of a rule with nothing left to do after it
	opToken                // consume a token that tokens[arg] admits, go to out
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

// ruleAt returns the name of the rule to which an instruction belongs.
func (g *Grammar) ruleAt(pc int32) string {
	i := sort.Search(len(g.rules), func(i int) bool { return g.rules[i].first > pc })
	if i == 0 {
		return rootRule
	}
	return g.rules[i-1].name
}

// next returns where the instruction at pc goes on byte b.
func (g *Grammar) next(pc int32, b byte) (to int32, ok bool) {
	in := g.insts[pc]
	switch in.op {
	case opByte:
		return in.out, in.lo <= b && b <= in.hi
	case opBytes:
		for _, e := range g.edges[in.arg:in.out] {
			if b <= e.hi {
				return e.to, e.lo <= b
			}
		}
	}
	return 0, false
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
	case opToken:
		t := g.tokens[in.arg]
		not := ""
		if t.negate {
			not = "!"
		}
		return fmt.Sprintf("token %s%s -> %d", not, tokenName(t.name, t.id), in.out)
	}
	return "return"
}

func (r byteRange) String() string {
	if r.lo == r.hi {
		return fmt.Sprintf("%02X", r.lo)
	}
	return fmt.Sprintf("%02X-%02X", r.lo, r.hi)
}
