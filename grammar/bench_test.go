package grammar

import (
	"fmt"
	"strings"
	"testing"
)

const benchVocab = 128_256

// recordGrammar is a grammar for a record about a text of n words: right-linear rules that
// quote runs of its words in order, and a name from a list for each run.
func recordGrammar(n int) string {
	var b strings.Builder
	b.WriteString("root ::= \"[\" (\"]\" | s0)\n")
	word := func(i int) string { return fmt.Sprintf("word%c%c", 'a'+i%26, 'a'+i/26) }
	for i := range n {
		fmt.Fprintf(&b, "s%d ::= \"[\\\"\" emotion \"\\\",\\\"\" p%d\n", i, i)
		after, more, next := `"]"`, "", ""
		if i < n-1 {
			after = fmt.Sprintf(`("]" | "," s%d)`, i+1)
			more = fmt.Sprintf(` | " " t%d`, i+1)
			next = fmt.Sprintf(" | p%d", i+1)
		}
		fmt.Fprintf(&b, "p%d ::= t%d%s\n", i, i, next)
		fmt.Fprintf(&b, "t%d ::= %s (\"\\\",\" attrs \"]\" %s%s)\n", i, Literal(word(i)), after, more)
	}
	b.WriteString(`attrs ::= "\"" ("pos" | "neg" | "neu" | "mixed") "\",\"" ("low" | "med" | "high") "\""` + "\n")
	b.WriteString(`emotion ::= "admiration" | "amusement" | "anger" | "annoyance" | "approval" | "caring" | "confusion" | "curiosity"` + "\n")
	return b.String()
}

const schemaGrammar = `root ::= "[" item ("," item){0,63} "]"
item ::= "{\"label\":" string ",\"tokens\":[" string ("," string){0,63} "],\"start\":" number "}"
number ::= "0" | [1-9] [0-9]{0,4}` + jsonString

// manyRules is a grammar of n rules that call each other.
func manyRules(n int) string {
	var b strings.Builder
	b.WriteString("root ::= r0\n")
	for i := range n - 1 {
		fmt.Fprintf(&b, "r%d ::= \"key%d\" [a-z0-9_]+ (\":\" r%d | \",\" r%d)? | [^\"\\x00-\\x1F] r%d{0,7} | \"end\"\n", i, i, (i*7+1)%(n-1), (i*3+2)%(n-1), (i*5+3)%(n-1))
	}
	return b.String()
}

var benchGrammars = []struct{ name, src, before, text string }{
	{"record", recordGrammar(50), `[["anger","`, `[["anger","wordba wordca","neg","high"],["caring","wordya","pos","low"]]`},
	{"schema", schemaGrammar, `[{"label":"joyful`, `[{"label":"joyful \"one\"","tokens":["Stop","it"],"start":12},{"label":"x","tokens":["日本"],"start":0}]`},
}

func BenchmarkNewVocab(b *testing.B) {
	v := syntheticVocab(b, benchVocab)
	pieces := make([][]byte, v.Len())
	for id := range pieces {
		pieces[id] = v.piece(int32(id))
	}
	b.ReportMetric(float64(len(v.nodes)), "nodes")
	for b.Loop() {
		if _, err := NewVocab(pieces, VocabOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompileRules(b *testing.B) {
	src := manyRules(200)
	for b.Loop() {
		if _, err := Compile(src); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, g := range benchGrammars {
		b.Run(g.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compile(g.src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMaskNew makes a mask with a constraint that knows nothing yet.
func BenchmarkMaskNew(b *testing.B) {
	v := syntheticVocab(b, benchVocab)
	for _, test := range benchGrammars {
		b.Run(test.name, func(b *testing.B) {
			g, err := Compile(test.src)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				c, err := NewConstraint(g, v)
				if err != nil {
					b.Fatal(err)
				}
				m := c.NewMatcher()
				if err := m.AcceptBytes([]byte(test.before)); err != nil {
					b.Fatal(err)
				}
				mask, err := m.Mask()
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(mask.Count()), "tokens")
			}
		})
	}
}

// BenchmarkMaskWalk makes a mask with a constraint that knows all states but no masks.
func BenchmarkMaskWalk(b *testing.B) {
	v := syntheticVocab(b, benchVocab)
	for _, test := range benchGrammars {
		b.Run(test.name, func(b *testing.B) {
			m := mustConstraint(b, test.src, v).NewMatcher()
			if err := m.AcceptBytes([]byte(test.before)); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				m.state.mask.Store(nil)
				if _, err := m.Mask(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkMaskCached(b *testing.B) {
	v := syntheticVocab(b, benchVocab)
	m := mustConstraint(b, schemaGrammar, v).NewMatcher()
	for b.Loop() {
		if _, err := m.Mask(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAcceptToken accepts the bytes of a record one by one, as tokens.
func BenchmarkAcceptToken(b *testing.B) {
	v := syntheticVocab(b, benchVocab)
	for _, test := range benchGrammars {
		b.Run(test.name, func(b *testing.B) {
			m := mustConstraint(b, test.src, v).NewMatcher()
			i := 0
			for b.Loop() {
				if i == len(test.text) {
					m.Reset()
					i = 0
				}
				if err := m.AcceptToken(int32(test.text[i])); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
