//go:build cgo

package llama

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/emospan/emospan/grammar"
)

// A verdictCase is a call of test_grammar or test_schema.
type verdictCase struct {
	name, src      string // src is GBNF or a JSON Schema
	accept, reject []string
}

// A buildCase is a grammar that can be built with that root or not.
type buildCase struct {
	src, root string
	ok        bool
}

// verdicts is what tests/test-grammar-integration.cpp asserts.
type verdicts struct {
	grammars, schemas []verdictCase
	builds            []buildCase
}

// readVerdicts reads the test functions of the file, and fails where one says something that it does not understand.
func readVerdicts(t testing.TB) verdicts {
	t.Helper()
	path := tree(t, "tests", "test-grammar-integration.cpp")
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := &cppReader{t: t, src: string(src), tokens: cppTokens(t, string(src))}
	var v verdicts
	read := map[string]bool{}
	for len(r.tokens) > 0 {
		if r.skip("static", "void") {
			name := r.word()
			if r.skip("(", ")") { // one without parameters is a test
				v.read(r.braces())
				read[name] = true
			}
			continue
		}
		if !r.skip("int", "main", "(", ")") {
			r.tokens = r.tokens[1:]
			continue
		}
		for main := r.braces(); len(main.tokens) > 0; {
			name := main.word()
			if strings.HasPrefix(name, "test_") {
				if !read[name] {
					t.Errorf("%s calls %s, which was not read", path, name)
				}
				delete(read, name)
			}
			for !main.skip(";") {
				main.tokens = main.tokens[1:]
			}
		}
		if len(read) > 0 {
			t.Errorf("%s calls none of %v", path, slices.Collect(maps.Keys(read)))
		}
	}
	return v
}

// read reads the statements of a test function.
func (v *verdicts) read(r *cppReader) {
	r.t.Helper()
	built := map[string]buildCase{}
	for len(r.tokens) > 0 {
		schema := r.is("test_schema")
		switch {
		case schema, r.is("test_grammar"):
			r.word()
			var c verdictCase
			r.expect("(")
			c.name = r.string()
			r.expect(",")
			c.src = r.string()
			r.expect(",")
			c.accept = r.list()
			r.expect(",")
			c.reject = r.list()
			r.expect(")")
			if schema {
				v.schemas = append(v.schemas, c)
			} else {
				v.grammars = append(v.grammars, c)
			}
		case r.skip("const", "std", ":", ":", "string"):
			name := r.word()
			r.expect("=")
			r.vars[name] = r.string()
		case r.skip("assert", "(", "test_build_grammar_fails", "("):
			v.builds = append(v.builds, buildCase{src: r.string(), root: "root"})
			r.expect(")", ")")
		case r.skip("llama_grammar", "*"):
			var c buildCase
			name := r.word()
			r.expect("=", "build_grammar_with_root", "(")
			c.src = r.string()
			r.expect(",")
			c.root = r.string()
			r.expect(")")
			built[name] = c
		case r.skip("llama_grammar_parser", "parsed_grammar"):
		case r.skip("parsed_grammar", ".", "parse", "("):
			// Without the rule root, or with a rule that is not defined: the asserts after it say which.
			v.builds = append(v.builds, buildCase{src: r.vars[r.word()], root: "root"})
			r.expect(".", "c_str", "(", ")", ")")
		case r.skip("assert", "(", "parsed_grammar", ".", "rules", ".", "empty", "(", ")", ")"),
			r.skip("assert", "(", "!", "parsed_grammar", ".", "rules", ".", "empty", "(", ")", ")"):
		case r.skip("assert", "(", "parsed_grammar", ".", "symbol_ids", ".", "find", "("):
			if r.string() != "root" {
				r.fail(`want "root"`)
			}
			r.expect(")", "=", "=", "parsed_grammar", ".", "symbol_ids", ".", "end", "(", ")", ")")
		case r.skip("assert", "("):
			c, ok := built[r.word()]
			c.ok = r.skip("!", "=")
			if !ok || !c.ok && !r.skip("=", "=") {
				r.fail("want a grammar that was built, and == or !=")
			}
			r.expect("nullptr", ")")
			v.builds = append(v.builds, c)
		case r.is("fprintf"), r.is("llama_grammar_free_impl"):
			for len(r.tokens) > 0 && !r.is(";") {
				r.tokens = r.tokens[1:]
			}
		default:
			r.fail("a statement of a new kind")
		}
		r.expect(";")
	}
}

// splitVerdict splits a string of the tests into tokens as they do: token(n), written as 0xFF and n in four bytes, and otherwise a
// token for each code point.
func splitVerdict(t testing.TB, s string) (tokens []string) {
	t.Helper()
	for len(s) > 0 {
		if s[0] == 0xFF {
			tokens = append(tokens, fmt.Sprintf("<[%d]>", uint32(s[1])<<24|uint32(s[2])<<16|uint32(s[3])<<8|uint32(s[4])))
			s = s[5:]
			continue
		}
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError {
			t.Fatalf("%q is not UTF-8", s)
		}
		tokens = append(tokens, s[:n])
		s = s[n:]
	}
	return tokens
}

// testVerdicts replays a case token by token.
func testVerdicts(t *testing.T, c verdictCase, g *grammar.Grammar) {
	t.Helper()
	const numbered = 1000 // tokens that a grammar may name, <[n]> with text <[n]>
	var pieces [][]byte
	for id := range numbered {
		pieces = append(pieces, fmt.Appendf(nil, "<[%d]>", id))
	}
	ids := map[string]int32{}
	for _, s := range slices.Concat(c.accept, c.reject) {
		for _, token := range splitVerdict(t, s) {
			if _, ok := ids[token]; ok {
				continue
			}
			if number, ok := strings.CutPrefix(token, "<["); ok {
				id, err := strconv.Atoi(strings.TrimSuffix(number, "]>"))
				if err != nil || id >= numbered {
					t.Fatalf("token %s", token)
				}
				ids[token] = int32(id)
				continue
			}
			ids[token] = int32(len(pieces))
			pieces = append(pieces, []byte(token))
		}
	}
	end := int32(len(pieces))
	vocab, err := grammar.NewVocab(append(pieces, nil), grammar.VocabOptions{EOG: []int32{end}})
	if err != nil {
		t.Fatal(err)
	}
	constraint, err := grammar.NewConstraint(g, vocab)
	if err != nil {
		t.Fatalf("%s: %v", c.name, err)
	}
	m := constraint.NewMatcher()
	accepts := func(s string) bool {
		m.Reset()
		for _, token := range append(splitVerdict(t, s), "") {
			id, ok := ids[token]
			if !ok {
				id = end
			}
			mask, _ := m.Mask() // fails where nothing is allowed, and is empty then
			err := m.AcceptToken(id)
			if mask.Has(id) != (err == nil) {
				t.Errorf("%s: %q: token %q is in the mask: %v; accepted: %v", c.name, s, token, mask.Has(id), err)
			}
			if err != nil {
				return false
			}
		}
		return true
	}
	for _, s := range c.accept {
		if !accepts(s) {
			t.Errorf("%s: %q is not accepted by\n%s", c.name, s, c.src)
		}
	}
	for _, s := range c.reject {
		if accepts(s) {
			t.Errorf("%s: %q is accepted by\n%s", c.name, s, c.src)
		}
	}
}

// TestGrammarVerdicts replays what llama.cpp's own test of its grammars asserts.
func TestGrammarVerdicts(t *testing.T) {
	v := readVerdicts(t)
	count := func(cases []verdictCase) (strings int) {
		for _, c := range cases {
			strings += len(c.accept) + len(c.reject)
		}
		return strings
	}
	if len(v.grammars) < 14 || count(v.grammars) < 139 || len(v.schemas) < 33 || count(v.schemas) < 248 || len(v.builds) < 9 {
		t.Error("there were more before: 14 grammars with 139 strings, 33 schemas with 248 strings, 9 grammars to build")
	}
	t.Logf("%d grammars with %d strings, %d schemas with %d strings, %d grammars to build", len(v.grammars), count(v.grammars), len(v.schemas), count(v.schemas), len(v.builds))
	for _, c := range v.grammars {
		g, err := grammar.Compile(c.src)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		testVerdicts(t, c, g)
	}
	for _, c := range v.builds {
		src := c.src
		if c.root != "root" { // ours has that name: the last definition counts
			src += "\nroot ::= " + c.root
		}
		if _, err := grammar.Compile(src); (err == nil) != c.ok {
			t.Errorf("%s\nwith root %s: %v, want it built: %v", c.src, c.root, err, c.ok)
		}
	}
}

// TestParserVerdicts compiles each grammar of llama.cpp's test of its parser, which parses or fails as is said there, save where
// it fails only for having a repetition be a rule for each time.
func TestParserVerdicts(t *testing.T) {
	unlimited := []string{
		`root ::= (((((([^x]*){0,99}){0,99}){0,99}){0,99}){0,99}){0,99}`,
		`root ::= "a"{5000}`,
		`root ::= "a"{5000,}`,
		`root ::= "a"{5000,6000}`,
	}
	src, err := os.ReadFile(tree(t, "tests", "test-grammar-parser.cpp"))
	if err != nil {
		t.Fatal(err)
	}
	r := &cppReader{t: t, src: string(src), tokens: cppTokens(t, string(src))}
	parse, fail := 0, 0
	for ; len(r.tokens) > 0; r.tokens = r.tokens[1:] {
		ok := r.is("verify_parsing", "(")
		if !ok && !r.is("verify_failure", "(") || !r.tokens[2].str {
			continue
		}
		r.tokens = r.tokens[2:]
		text := r.string()
		if ok {
			parse++
		} else {
			fail++
		}
		if i := slices.Index(unlimited, strings.TrimSpace(text)); i >= 0 && !ok {
			unlimited = slices.Delete(unlimited, i, i+1)
			ok = true
		}
		if _, err := grammar.Compile(text); (err == nil) != ok {
			t.Errorf("%s\n%v, want it parsed: %v", text, err, ok)
		}
	}
	if len(unlimited) > 0 {
		t.Errorf("not among the grammars that fail: %q", unlimited)
	}
	if parse < 16 || fail < 6 {
		t.Errorf("%d grammars that parse and %d that do not; there were 16 and 6", parse, fail)
	}
}
