package grammar

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

func TestParseError(t *testing.T) {
	tests := []struct {
		src  string
		code ErrorCode
		line int
		col  int
		rule string
		text string
	}{
		{"", ErrMissingRoot, 1, 1, "", ""},
		{"# nothing\n", ErrMissingRoot, 1, 1, "", ""},
		{"rot ::= \"a\"", ErrMissingRoot, 1, 1, "", ""},
		{"root", ErrMissingDefine, 1, 5, "root", ""},
		{"root = \"a\"", ErrMissingDefine, 1, 6, "root", `= "a"`},
		{"root\n::= \"a\"", ErrMissingDefine, 1, 5, "root", "\n::= \"a\""},
		{"root ::= \"a\" )", ErrUnexpected, 1, 14, "root", ")"},
		{"root ::= \"a\" x_y\nx ::= \"b\"", ErrInvalidName, 1, 14, "root", "x_y"},
		{"root ::= x\nx_y ::= \"b\"", ErrInvalidName, 2, 1, "", "x_y"},
		{"root ::= x\nx.y::= \"b\"", ErrInvalidName, 2, 1, "", "x.y"},
		{"root ::= x\nx:y ::= \"b\"", ErrInvalidName, 2, 1, "", "x:y"},
		{"root ::= x:y", ErrInvalidName, 1, 10, "root", "x:y"},
		{"root: ::= \"a\"", ErrInvalidName, 1, 1, "", "root:"},
		{"root := \"a\"", ErrMissingDefine, 1, 6, "root", `:= "a"`},
		{"<root> ::= \"a\"", ErrInvalidName, 1, 1, "", "<root>"},
		{"root ::= ( \"a\" $x )", ErrInvalidName, 1, 16, "root", "$x"},
		{"root ::= größe", ErrInvalidName, 1, 10, "root", "größe"},
		{"größe ::= \"a\"", ErrInvalidName, 1, 1, "", "größe"},
		{"root ::= \"a\"\n | \"b\"", ErrUnexpected, 2, 2, "", `| "b"`},
		{"_root ::= \"a\"", ErrInvalidName, 1, 1, "", "_root"},
		{"\uFEFFroot ::= \"a\"", ErrUnexpected, 1, 1, "", "\uFEFFroot ::= \"a\""},
		{"root ::= \"a\"\x00", ErrUnexpected, 1, 13, "root", "\x00"},
		{"root ::= 'a'", ErrUnexpected, 1, 10, "root", "'a'"},
		{"root ::= \"é\xff\"", ErrInvalidUTF8, 1, 12, "", "\xff"},
		{"root ::= \"a\nb", ErrMissingQuote, 1, 10, "root", `"a`},
		{"root ::=\n  [a-", ErrMissingBracket, 2, 3, "root", "[a-"},
		{"root ::= [a", ErrMissingBracket, 1, 10, "root", "[a"},
		{"root ::= (\"a\" | (\"b\")", ErrMissingParen, 1, 10, "root", `("a" | ("b")`},
		{"root ::= (\"a\" ]", ErrMissingParen, 1, 15, "root", "]"},
		{"root ::= \"é\\q\"", ErrInvalidEscape, 1, 12, "root", `\q`},
		{"root ::= \"\\é\"", ErrInvalidEscape, 1, 11, "root", `\é`},
		{"root ::= \"\\", ErrInvalidEscape, 1, 11, "root", `\`},
		{"root ::= [\\^]", ErrInvalidEscape, 1, 11, "root", `\^`},
		{"root ::= \"\\x4\"", ErrInvalidEscape, 1, 11, "root", `\x4`},
		{"root ::= \"\\u12", ErrInvalidEscape, 1, 11, "root", `\u12`},
		{"root ::= \"\\U00110000\"", ErrInvalidEscape, 1, 11, "root", `\U00110000`},
		{"root ::= [\\UFFFFFFFF]", ErrInvalidEscape, 1, 11, "root", `\UFFFFFFFF`},
		{"root ::= \"a\\uD800\"", ErrInvalidEscape, 1, 12, "root", `\uD800`},
		{"root ::= [b-a]", ErrInvalidRange, 1, 11, "root", "b-a"},
		{"root ::= [\\uD800-\\uDFFF]", ErrEmptyClass, 1, 10, "root", `[\uD800-\uDFFF]`},
		{"root ::= [^\\x00-\\U0010FFFF]", ErrEmptyClass, 1, 10, "root", `[^\x00-\U0010FFFF]`},
		{"root ::= * \"a\"", ErrMissingItem, 1, 10, "root", `* "a"`},
		{"root ::= \"a\" | +", ErrMissingItem, 1, 16, "root", "+"},
		{"root ::= \"a\" \"\"?", ErrMissingItem, 1, 16, "root", "?"},
		{"root ::= \"a\"{0}*", ErrMissingItem, 1, 16, "root", "*"},
		{"root ::= \"a\"{,}", ErrInvalidRepeat, 1, 13, "root", "{,}"},
		{"root ::= \"a\"{,10}", ErrInvalidRepeat, 1, 13, "root", "{,10}"},
		{"root ::= \"a\"{1", ErrInvalidRepeat, 1, 13, "root", "{1"},
		{"root ::= \"a\"{1,2,3}", ErrInvalidRepeat, 1, 13, "root", "{1,2,3}"},
		{"root ::= \"a\"{3,2}", ErrInvalidRepeat, 1, 13, "root", "{3,2}"},
		{"root ::= \"a\"{5000000000}", ErrRepeatSize, 1, 13, "root", "{5000000000}"},
		{"root ::= \"a\"{5000000000,}", ErrRepeatSize, 1, 13, "root", "{5000000000,}"},
		{"root ::= \"a\"{0,99999999999999999999}", ErrRepeatSize, 1, 13, "root", "{0,99999999999999999999}"},
		{"root ::= <think", ErrInvalidToken, 1, 10, "root", "<think"},
		{"root ::= !\"a\"", ErrInvalidToken, 1, 10, "root", `!"a"`},
		{"root ::= <[x]>", ErrInvalidToken, 1, 10, "root", "<[x]>"},
		{"root ::= <[]>", ErrInvalidToken, 1, 10, "root", "<[]>"},
		{"root ::= <[1>", ErrInvalidToken, 1, 10, "root", "<[1>"},
		{"root ::= <[4294967296]>", ErrInvalidToken, 1, 10, "root", "<[4294967296]>"},
		{"root ::= \"a\"\n\nb ::= \"b\" missing", ErrUndefinedRule, 3, 11, "b", "missing"},
		{"root ::= x\nroot ::= \"b\"", ErrUndefinedRule, 1, 10, "root", "x"},
		{"root ::= \"b\" x{0}", ErrUndefinedRule, 1, 14, "root", "x"},
		{"root ::= root \"a\" | \"b\"", ErrLeftRecursion, 1, 10, "root", "root -> root"},
		{"root ::= \"a\"\nx ::= (x | \"b\")", ErrLeftRecursion, 2, 8, "x", "x -> x"},
		{"root ::= a\na ::= \"x\" | b \"b\"\nb ::= \"c\" | a \"d\"", ErrLeftRecursion, 3, 13, "b", "a -> b -> a"},
		{"root ::= a\na ::= e b\nb ::= \"c\" | e a\ne ::= f\nf ::= \"z\" | ", ErrLeftRecursion, 3, 15, "b", "a -> b -> a"},
		{"root ::= \"a\"* root", ErrLeftRecursion, 1, 15, "root", "root -> root"},
		{"root ::= (\"\" [a]{0,3} root)+", ErrLeftRecursion, 1, 23, "root", "root -> root"},
		{"root ::= (root \"a\")*", ErrLeftRecursion, 1, 11, "root", "root -> root"},
		{"root ::= " + strings.Repeat("(", 5000), ErrNesting, 1, 1010, "root", strings.Repeat("(", 40)},
		{"root ::= \"a\"" + strings.Repeat("*", 5000), ErrNesting, 1, 10, "root", `"a"` + strings.Repeat("*", 37)},
		{strings.Repeat(" ", 1<<20+1), ErrSourceSize, 1, 1, "", ""},
	}
	for _, test := range tests {
		_, err := Parse(test.src)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("Parse(%.80q): %v", test.src, err)
			continue
		}
		want := Error{Code: test.code, Line: test.line, Col: test.col, Rule: test.rule, Text: test.text}
		if *e != want {
			t.Errorf("Parse(%.80q)\n got %+v\nwant %+v", test.src, *e, want)
		}
	}
}

func TestErrorString(t *testing.T) {
	_, err := Parse("root ::= \"a\"\nb ::= \"b\" missing")
	if got, want := err.Error(), "grammar 2:11: rule b: undefined rule: `missing`"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestCompileTooLarge(t *testing.T) {
	for _, src := range []string{
		"root ::= " + strings.Repeat("[^é] ", 60_000),
		"root ::= x\nx ::= " + strings.Repeat("[ab]{8} ", 40_000),
	} {
		_, err := Compile(src)
		var e *Error
		if !errors.As(err, &e) || e.Code != ErrProgramSize || e.Rule == "" {
			t.Errorf("Compile(%.60q): %v", src, err)
		}
	}
}

// An expression that matches only the empty string takes no time however often it repeats.
func TestCompileEmptyRepeat(t *testing.T) {
	g, err := Compile("root ::= (|()|[])" + strings.Repeat("{2000}", 900))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.insts) > 10 {
		t.Errorf("%d instructions", len(g.insts))
	}
}

// A chain of rules is as long as the source allows, each nullable because of the next.
func TestLongRuleChain(t *testing.T) {
	var b strings.Builder
	b.WriteString("root ::= r0\n")
	const n = 30000
	for i := range n {
		b.WriteString("r" + strconv.Itoa(i) + " ::= r" + strconv.Itoa(i+1) + "\n")
	}
	b.WriteString("r" + strconv.Itoa(n) + " ::= \"a\"?\n")
	c := mustConstraint(t, b.String(), testVocab(t))
	m := c.NewMatcher()
	if !m.Done() || m.AcceptBytes([]byte("a")) != nil || !m.Done() {
		t.Error("a chain of rules does not match")
	}
}

func TestSyntaxString(t *testing.T) {
	tests := []struct{ src, want string }{
		{"root ::=", "root ::= ()\n"},
		{`root ::= "" []`, "root ::= ()\n"},
		{`root ::= "a\"\\\n\x01\x7f\u0085é"`, `root ::= "a\"\\\n\x01\x7F\x85é"` + "\n"},
		{`root ::= [c-ea-bb-dx^\-\]\["\\]`, `root ::= ["\-\[-\x5Ea-ex]` + "\n"},
		{`root ::= [^^]`, `root ::= [^\x5E]` + "\n"},
		{"root ::= ((\"a\")) | (\"b\" \"c\") (\"d\" | .)* # note", `root ::= "a" | ("b" "c") ("d" | .)*` + "\n"},
		{"root ::= (\"a\" (\"b\" \"c\")) | (\"d\" | x)\nx ::= \"x\"", "root ::= \"a\" (\"b\" \"c\") | (\"d\" | x)\nx ::= \"x\"\n"},
		{`root ::= "a"{0,} "b"{1,} "c"{0,1} "d"{2} "e"{2,} "f"{2,3} "g"{1} ()*?`, `root ::= "a"* "b"+ "c"? "d"{2} "e"{2,} "f"{2,3} "g"{1} ()*?` + "\n"},
		{`root ::= <think> !</think>* <[007]> !<[8]>`, `root ::= <think> !</think>* <[7]> !<[8]>` + "\n"},
		{"root ::= a\na ::= \"1\"\nroot ::= a a", "root ::= a a\na ::= \"1\"\n"},
	}
	for _, test := range tests {
		s, err := Parse(test.src)
		if err != nil {
			t.Errorf("Parse(%q): %v", test.src, err)
			continue
		}
		if got := s.String(); got != test.want {
			t.Errorf("Parse(%q)\n got %s\nwant %s", test.src, got, test.want)
		}
	}
}

func TestLiteral(t *testing.T) {
	v := testVocab(t)
	for _, s := range []string{"", "plain", `"quoted\"`, "line\r\n\tend\x00\x1f\x7f\u0085", "[a]-^", "naïve 日本 😀 \uFFFD\u2028\uFEFF"} {
		c := mustConstraint(t, "root ::= "+Literal(s), v)
		m := c.NewMatcher()
		if err := m.AcceptBytes([]byte(s)); err != nil || !m.Done() || len(m.Forced()) > 0 {
			t.Errorf("Literal(%q) = %s: %v", s, Literal(s), err)
		}
	}
	if _, err := Parse("root ::= " + Literal("a\xffb")); err == nil {
		t.Error("a literal with a lone byte parses")
	}
}

func TestProgramString(t *testing.T) {
	g, err := Compile("root ::= \"a\" x+ <[7]> | !<t>\nx ::= [^\\x00-\\x60\\U00001000-\\U0010FFFF] x | \"[\" root{0,1} \"é\"")
	if err != nil {
		t.Fatal(err)
	}
	const want = `0	return
root: start 6
1	token <[7]> -> 0
2	alt 3 1
3	call 16 -> 2
4	byte 61 -> 3
5	token !<t> -> 0
6	alt 4 5
x: start 16
7	jump 16
8	byte 80-BF -> 7
9	byte A0-BF -> 8
10	bytes 61-7F -> 7, C2-DF -> 8, E0 -> 9
11	byte A9 -> 0
12	byte C3 -> 11
13	call 6 -> 12
14	alt 13 12
15	byte 5B -> 14
16	alt 10 15
`
	if got := g.String(); got != want {
		t.Errorf("got\n%s", got)
	}
}

// FuzzParse checks that Parse ends, and that the canonical text parses to itself.
func FuzzParse(f *testing.F) {
	for _, test := range languageTests {
		f.Add(test.src)
	}
	f.Add("root ::= !<[12]> <a b>* .{2,3}{4}?+ ([^\\]\\x5e-] | \"\\\"\")")
	f.Fuzz(func(t *testing.T, src string) {
		s, err := Parse(src)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Line < 1 || e.Col < 1 || e.Error() == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		text := s.String()
		again, err := Parse(text)
		if err != nil {
			t.Fatalf("%q is printed as %q: %v", src, text, err)
		}
		if again.String() != text {
			t.Fatalf("%q is printed as %q, then as %q", src, text, again.String())
		}
	})
}
