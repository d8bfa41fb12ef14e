//go:build cgo

package llama

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/emospan/emospan/grammar"
)

// refusedSchemas are schemas of llama.cpp's tests that FromJSONSchema does not take, and why.
var refusedSchemas = map[string]string{
	"unknown type":                           "no such type; llama.cpp refuses it too",
	"invalid type":                           "a type is a name; llama.cpp refuses it too",
	"regexp with unbalanced parentheses":     "no regular expression; llama.cpp refuses it too",
	"array with empty items and prefixItems": "prefixItems is no list",
	"string array":                           "prefixItems is no list",
	"nullable string array":                  "prefixItems is no list",
}

// widerSchemas are schemas for which our grammar has texts that llama.cpp's lacks, and why.
var widerSchemas = map[string]string{
	"regexp with top-level alternation":      "llama.cpp anchors all alternatives, where ^ is part of the first and $ of the last",
	"exotic formats":                         "an array may be shorter than prefixItems; fractions of a second may have other than 3 digits",
	"number":                                 longNumbers,
	"min + maxItems":                         longNumbers,
	"anyOf":                                  longNumbers,
	"anyOf $ref":                             longNumbers,
	"conflicting names":                      longNumbers,
	"empty schema (any value)":               longNumbers,
	"array with empty items":                 longNumbers,
	"additional props":                       longNumbers,
	"additional props (true)":                longNumbers,
	"additional props (implicit)":            longNumbers,
	"required + additional props":            longNumbers,
	"optional + additional props":            longNumbers,
	"required + optional + additional props": longNumbers,
	"description only (no type) treated as unconstrained": longNumbers,
	"optional props with empty name":                      anyNames,
	"optional props with nested names":                    anyNames,
	"optional props with common prefix":                   anyNames,
	"tuple1":                                              "an array may be shorter than prefixItems",
	"tuple2":                                              "an array may be shorter than prefixItems",
	"regexp quote":                                        "llama.cpp does not escape the quote, so that its texts are no JSON",
	"regexp":                                              "llama.cpp's . is one character unescaped, so that its texts may be no JSON",
	"mix of allOf, anyOf and $ref (similar to https://json.schemastore.org/tsconfig.json)": "llama.cpp takes the properties in allOf as required",
}

const (
	longNumbers = "an exponent may begin with 0, and a fraction has 17 digits"
	anyNames    = "a name that is not listed may be empty, or begin a listed one"
)

// schemaCase is a case of llama.cpp's tests: a schema and its grammar there, if it has one.
type schemaCase struct {
	name, schema, grammar string
	fails                 bool
}

// TestJSONSchema holds FromJSONSchema against the tests of llama.cpp's converter: what our
// grammar generates, theirs accepts.
func TestJSONSchema(t *testing.T) {
	source, err := os.ReadFile(tree(t, "tests", "test-json-schema-to-grammar.cpp"))
	if err != nil {
		t.Fatal(err)
	}
	cases := schemaCases(t, string(source))
	const known = 83
	if len(cases) < known {
		t.Errorf("found %d schemas, want at least %d", len(cases), known)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	seen := map[string]bool{}
	compared := 0
	for _, c := range cases {
		if seen[c.name] {
			t.Errorf("two schemas are called %s", c.name)
		}
		seen[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			gbnf, err := grammar.FromJSONSchema([]byte(c.schema))
			if err != nil {
				var schema *grammar.SchemaError
				if refusedSchemas[c.name] == "" || !errors.As(err, &schema) {
					t.Errorf("%v\n%s", err, c.schema)
				}
				return
			}
			if refusedSchemas[c.name] != "" || c.fails {
				t.Fatalf("%s became\n%s", c.schema, gbnf)
			}
			ours, theirs := schemaGrammar(t, gbnf), schemaGrammar(t, c.grammar)
			if c.grammar == "" {
				return
			}
			syntax, err := grammar.Parse(gbnf)
			if err != nil {
				t.Fatal(err)
			}
			beyond := ""
			for range 200 {
				text := schemaText(rng, syntax)
				if !schemaAccepts(ours, text) {
					t.Fatalf("our own grammar does not accept %s\n%s", text, gbnf)
				}
				if !schemaAccepts(theirs, text) {
					beyond = text
				}
			}
			if wider := widerSchemas[c.name]; wider == "" && beyond != "" {
				t.Errorf("llama.cpp's grammar does not accept %s\n%s\n%s", beyond, gbnf, c.grammar)
			} else if wider != "" && beyond == "" {
				t.Errorf("llama.cpp's grammar accepts all, so this is no exception: %s", wider)
			}
			compared++
		})
	}
	for _, exceptions := range []map[string]string{refusedSchemas, widerSchemas} {
		for name := range exceptions {
			if !seen[name] {
				t.Errorf("llama.cpp has no schema %q", name)
			}
		}
	}
	if compared < 73 {
		t.Errorf("compared %d grammars", compared)
	}
}

// schemaCases finds the schemas in the C++ source of llama.cpp's tests. Those that it
// parses outside its table are called document 1 and so on.
func schemaCases(t testing.TB, source string) []schemaCase {
	t.Helper()
	tokens := schemaTokens(t, source)
	var cases []schemaCase
	documents := 0
	for i := range tokens {
		if schemaMatch(tokens[i:], "test", "(", "{") {
			if !schemaMatch(tokens[i+3:], "STATUS", ",", `"`, ",", `"`, ",", `"`, "}", ")", ";") {
				t.Fatalf("test %d is not of the form that is known: %q", len(cases)+1, tokens[i:min(i+12, len(tokens))])
			}
			cases = append(cases, schemaCase{
				fails: tokens[i+3] == "FAILURE", name: tokens[i+5][1:], schema: tokens[i+7][1:], grammar: tokens[i+9][1:],
			})
		}
		if schemaMatch(tokens[i:], "common_json", ":", ":", "parse", "(", `"`, ")") {
			documents++
			cases = append(cases, schemaCase{name: "document " + strconv.Itoa(documents), schema: tokens[i+5][1:]})
		}
	}
	return cases
}

// schemaMatch reports whether tokens begin with pattern, in which " stands for any string
// and STATUS for the status of a test.
func schemaMatch(tokens []string, pattern ...string) bool {
	if len(tokens) < len(pattern) {
		return false
	}
	for i, want := range pattern {
		switch token := tokens[i]; want {
		case `"`:
			if token[0] != '"' {
				return false
			}
		case "STATUS":
			if token != "SUCCESS" && token != "FAILURE" {
				return false
			}
		default:
			if token != want {
				return false
			}
		}
	}
	return true
}

// schemaTokens cuts C++ source into names, single characters of punctuation, and strings:
// a " and what the literals that follow each other spell.
func schemaTokens(t testing.TB, source string) []string {
	t.Helper()
	var tokens []string
	for _, token := range cppTokens(t, source) {
		switch n := len(tokens); {
		case !token.str:
			tokens = append(tokens, token.text)
		case n > 0 && tokens[n-1][0] == '"':
			tokens[n-1] += token.text
		default:
			tokens = append(tokens, `"`+token.text)
		}
	}
	return tokens
}

// schemaGrammar compiles a grammar for texts of bytes.
func schemaGrammar(t *testing.T, gbnf string) *grammar.Constraint {
	t.Helper()
	if gbnf == "" {
		return nil
	}
	g, err := grammar.Compile(gbnf)
	if err != nil {
		t.Fatalf("%v\n%s", err, gbnf)
	}
	c, err := grammar.NewConstraint(g, grammar.NewByteVocab())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func schemaAccepts(c *grammar.Constraint, text string) bool {
	m := c.NewMatcher()
	return m.AcceptBytes([]byte(text)) == nil && m.Done()
}

// schemaText walks a grammar at random and returns the text. A long one ends: the last
// alternative of any value is no recursion.
func schemaText(rng *rand.Rand, s *grammar.Syntax) string {
	var text strings.Builder
	var walk func(e *grammar.Expr)
	walk = func(e *grammar.Expr) {
		switch e.Op {
		case grammar.OpLiteral:
			text.WriteString(e.Text)
		case grammar.OpClass:
			text.WriteRune(schemaRune(rng, e))
		case grammar.OpRule:
			i := slices.IndexFunc(s.Rules, func(r *grammar.Rule) bool { return r.Name == e.Text })
			walk(s.Rules[i].Expr)
		case grammar.OpConcat:
			for _, sub := range e.Sub {
				walk(sub)
			}
		case grammar.OpAlternate:
			i := rng.IntN(len(e.Sub))
			if text.Len() > 1000 {
				i = len(e.Sub) - 1
			}
			walk(e.Sub[i])
		case grammar.OpRepeat:
			n := e.Min
			for (e.Max == grammar.Unbounded || n < e.Max) && rng.IntN(4) > 0 && text.Len() < 1000 {
				n++
			}
			for range n {
				walk(e.Sub[0])
			}
		}
	}
	root := slices.IndexFunc(s.Rules, func(r *grammar.Rule) bool { return r.Name == "root" })
	walk(s.Rules[root].Expr)
	return text.String()
}

// schemaRune returns a code point of the class e, but not U+007F, which llama.cpp does not
// generate in strings.
func schemaRune(rng *rand.Rand, e *grammar.Expr) rune {
	for {
		r := rng.Int32N(0x7F)
		if rng.IntN(8) == 0 {
			r = []rune("é€\u2028😀")[rng.IntN(4)]
		}
		in := slices.ContainsFunc(e.Ranges, func(rng grammar.Range) bool { return rng.Lo <= r && r <= rng.Hi })
		if in != e.Negate {
			return r
		}
	}
}
