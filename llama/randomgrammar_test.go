//go:build cgo

package llama

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// loopsPerRule is the most unbounded repetitions that one match of a rule goes through. llama.cpp follows each way to match a
// token separately: over a token of a hundred blanks, two nested loops have it run for ever. So nothing that is repeated holds a
// loop, or a class with the characters that such tokens consist of.
const loopsPerRule = 3

// A randomGrammar writes a grammar: some rules of nested alternatives, which refer to those after them and, some, to themselves.
type randomGrammar struct {
	*rand.Rand
	vocab     *vocabulary
	terminals bool // with token terminals
	repeated  bool // something that may be empty has been repeated

	rules   []ruleFacts
	rule    int // being written; those with higher numbers have been
	symbols int // rules that llama.cpp makes of groups and repetitions
}

type ruleFacts struct {
	nullable  bool
	wide      bool // has classes of many characters
	recursive bool // refers to itself
	called    bool // has done so
	loops     int
}

// place is where in a rule an item stands.
type place struct {
	depth    int  // of groups that it may have
	after    bool // a character comes before in any case
	repeated bool // in something that is repeated, or that itself holds the rule again
}

func (g *randomGrammar) pick(from ...string) string { return from[g.IntN(len(from))] }

func (g *randomGrammar) String() string {
	g.rules = make([]ruleFacts, 1+g.IntN(4))
	g.terminals = g.IntN(5) == 0
	defs := make([]string, len(g.rules))
	for g.rule = len(g.rules) - 1; g.rule >= 0; g.rule-- {
		recursive := g.IntN(3) == 0
		g.rules[g.rule].recursive = recursive
		expr, nullable := g.alternatives(place{depth: 2, repeated: recursive})
		defs[g.rule] = ruleName(g.rule) + " ::= " + expr
		g.rules[g.rule].nullable = nullable
	}
	return strings.Join(defs, "\n")
}

func ruleName(rule int) string {
	if rule == 0 {
		return "root"
	}
	return fmt.Sprintf("rule-%d", rule)
}

// alternatives writes some sequences of items.
func (g *randomGrammar) alternatives(p place) (expr string, nullable bool) {
	var all []string
	for range 1 + g.IntN(4)/2 {
		seq, empty := g.sequence(p)
		all = append(all, seq)
		nullable = nullable || empty
	}
	if g.IntN(12) == 0 {
		all = slices.Insert(all, g.IntN(len(all)), "")
		nullable = true
	}
	return strings.Join(all, " | "), nullable
}

func (g *randomGrammar) sequence(p place) (expr string, nullable bool) {
	var items []string
	nullable = true
	for range 1 + g.IntN(6)/2 {
		item, empty := g.item(p)
		items = append(items, item)
		nullable = nullable && empty
		p.after = p.after || !empty
	}
	return strings.Join(items, " "), nullable
}

func (g *randomGrammar) item(p place) (expr string, nullable bool) {
	if g.IntN(3) > 0 {
		return g.single(p)
	}
	few := []string{"?", "?", "{2}", "{0,2}", "{1,3}", "{3,5}", "{4}"}
	many := []string{"*", "*", "+", "{2,}", "{0,20}", "{7,12}", "{30}"}
	repeat := g.pick(few...)
	if g.loop(1, p) {
		repeat = g.pick(many...)
	}
	before := g.symbols
	if g.IntN(3) == 0 {
		expr = g.class(p)
	} else {
		expr, nullable = g.single(place{depth: p.depth, repeated: true})
	}
	// llama.cpp limits the product of the rules that it makes of an item with the number of its repetitions.
	// And of what may be empty, some of many repetitions can be in very many ways.
	if inner := g.symbols - before + len(g.rules); inner*30 > 2000 || nullable {
		repeat = g.pick("?", "*", "{0,2}")
	}
	g.symbols += 20
	g.repeated = g.repeated || nullable
	return expr + repeat, nullable || strings.HasPrefix(repeat, "*") || strings.HasPrefix(repeat, "?") || strings.HasPrefix(repeat, "{0")
}

// single writes an item that is not repeated.
func (g *randomGrammar) single(p place) (expr string, nullable bool) {
	r := &g.rules[g.rule]
	switch n := g.IntN(10); {
	case n < 4 && p.depth > 0:
		g.symbols++
		p.depth--
		expr, nullable = g.alternatives(p)
		return "(" + expr + ")", nullable
	case n < 6 && p.after && r.recursive && !r.called:
		r.called = true
		return ruleName(g.rule), false
	case n < 6 && g.rule+1 < len(g.rules):
		to := g.rule + 1 + g.IntN(len(g.rules)-g.rule-1)
		if of := g.rules[to]; p.repeated && (of.wide || of.recursive) || !g.loop(of.loops, p) {
			return g.literal(), false
		}
		r.wide = r.wide || g.rules[to].wide
		return ruleName(to), g.rules[to].nullable
	case g.terminals && g.IntN(2) == 0:
		return g.terminal(), false
	case n < 8:
		return g.literal(), false
	}
	return g.class(p), false
}

// loop takes n loops from what the rule may have, if it has them.
func (g *randomGrammar) loop(n int, p place) bool {
	r := &g.rules[g.rule]
	if n > 0 && (p.repeated || r.loops+n > loopsPerRule) {
		return false
	}
	r.loops += n
	return true
}

func (g *randomGrammar) literal() string {
	return g.pick(`"a"`, `"b"`, `"ab"`, `"the "`, `" and"`, `"\""`, `"\n"`, `"12"`, `"{\"text\": \""`, `"é"`, `"naïve"`, `"日"`, `"日本語"`,
		`"Привет"`, `"😀"`, `"👍🏽"`, `"\u00e9t\u00e9"`, `"\U0001F600!"`, `"\x41"`, `"\\"`, `", "`, `"]"`, `"ﬁ"`)
}

func (g *randomGrammar) class(p place) string {
	if p.repeated {
		return g.pick(`[0-9]`, `[à-ÿ]`, `[éè]`, `[ぁ-ゟ]`, `[一-鿿]`, `[😀-🙏]`, `[а-яё]`, `[xyz]`, `[^\x00-\x7Fé]`)
	}
	g.rules[g.rule].wide = true
	return g.pick(`[a-z]`, `[a-zA-Z]`, `[ \t\n]`, `[ -~]`, `[-a]`, `[\x00-\x7F]`, `[^"\\]`, `[^a-z]`, `[^\n]`, `[^é]`, `[^一-龥]`, `[^😀]`,
		`[^\x00-\x1F"]`, `[^ -~]`, `[^a-zA-Z0-9 ]`, `.`)
}

// terminal writes one of a few tokens, so that they come up in several places, or all others.
func (g *randomGrammar) terminal() string {
	pieces := []string{"a", " and", "the", "日", " ", "\n", "</", "1"}
	id, ok := g.vocab.ids[pieces[g.IntN(len(pieces))]]
	if !ok {
		id = int32(g.IntN(g.vocab.Len()))
		for g.vocab.model.IsEOG(id) {
			id = int32(g.IntN(g.vocab.Len()))
		}
	}
	return g.pick("", "!") + fmt.Sprintf("<[%d]>", id)
}
