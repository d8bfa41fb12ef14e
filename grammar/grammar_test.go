package grammar

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// languageTest is a grammar with texts that it accepts, texts that it allows only as the
// beginning of others, and texts that it rejects.
type languageTest struct {
	name       string
	src        string
	accept     []string
	unfinished []string
	reject     []string
}

const jsonString = `
string ::= "\"" ([^"\\\x00-\x1F] | "\\" (["\\bfnrt/] | "u" [0-9a-fA-F]{4})){1,24} "\""
`

var languageTests = []languageTest{
	{"literal", `root ::= "abc"`, []string{"abc"}, []string{"", "a", "ab"}, []string{"b", "abcd", "aB"}},
	{"empty rule", "root ::=", []string{""}, nil, []string{"a"}},
	{"empty literal", `root ::= "" "a" ""`, []string{"a"}, []string{""}, []string{"b"}},
	{"empty class", `root ::= [] "a" [^]`, []string{"a"}, []string{""}, []string{"b"}},
	{"empty alternative", `root ::= "a" | | "b"`, []string{"", "a", "b"}, nil, []string{"ab"}},
	{"empty group", `root ::= ()* "a" () ("" | "b")+`, []string{"a", "ab", "abb"}, []string{""}, []string{"b"}},
	{"escapes", `root ::= "\x41\u00e9\U0001F600\n\r\t\\\"\[\]\-"`,
		[]string{"Aé😀\n\r\t\\\"[]-"}, []string{"A", "Aé", "A\xc3"}, []string{"\xc3", "A\xe9"}},
	{"high escape is a code point", `root ::= "\xe9"`, []string{"é"}, []string{"\xc3"}, []string{"\xe9"}},
	{"class", `root ::= [a-cx\-]`, []string{"a", "b", "c", "x", "-"}, []string{""}, []string{"d", "w", "aa"}},
	{"class with dash last", `root ::= [a-]`, []string{"a", "-"}, []string{""}, []string{"b"}},
	{"class with dash first", `root ::= [-a]`, []string{"a", "-"}, []string{""}, []string{"b"}},
	{"class from dash", `root ::= [+--]`, []string{"+", ",", "-"}, []string{""}, []string{"*", "."}},
	{"class with brackets and caret", `root ::= [\[\]a^]`, []string{"[", "]", "a", "^"}, nil, []string{`\`, "b"}},
	{"class with line end", "root ::= [a\n]", []string{"a", "\n"}, nil, []string{"b"}},
	{"wide class", `root ::= [à-ü€😀-😂]`, []string{"à", "é", "ü", "€", "😁"}, []string{"\xc3", "\xe2\x82", "\xf0\x9f"},
		[]string{"a", "ý", "😃", "\xc3\xbd", "\xe2\x83", "\xc2", "\xc0"}},
	{"negated class", `root ::= [^aé]`, []string{"b", "è", "€", "😀", "\n", "\x00", "\uFFFD"}, []string{"", "\xc3", "\xed", "\xf4\x8f"},
		[]string{"a", "é", "\x80", "\xff", "\xc0", "\xc1", "\xf5", "\xe0\x80", "\xed\xa0", "\xf4\x90", "\xf0\x8f"}},
	{"dot", `root ::= .`, []string{"a", "\n", "é", "\u07FF", "\u0800", "\uD7FF", "\uE000", "\U0010FFFF"}, []string{"", "\xf0\x90\x80"},
		[]string{"\x80", "ab", "\xc3a", "\xed\xa0\x80", "\xf4\x90\x80\x80"}},
	{"surrogates in a range", `root ::= [\uD000-\uE001]`, []string{"\uD000", "\uD7FF", "\uE000", "\uE001"}, []string{"\xed"},
		[]string{"\uE002", "\xed\xa0"}},
	{"rules", "root ::= a \"-\" b-1\na ::= \"x\" | 9\nb-1 ::= [y]\n9 ::= \"z\"", []string{"x-y", "z-y"}, []string{"x", "z-"}, []string{"y", "x-x"}},
	{"last definition counts", "a ::= \"1\"\nroot ::= a\na ::= \"2\"", []string{"2"}, []string{""}, []string{"1"}},
	{"alternatives", `root ::= "a" | "ab" | "abc" "d"`, []string{"a", "ab", "abcd"}, []string{"", "abc"}, []string{"b", "ac", "abd"}},
	{"line ends", "# head\n\nroot ::=\n  \"a\" | # first\n\n  \"b\" (\n\"c\" # in a group\n|\r\n\"d\")\r\n# tail", []string{"a", "bc", "bd"}, []string{"b"}, []string{"c", "ac"}},
	{"carriage returns", "root ::= a\ra ::= \"a\"", []string{"a"}, nil, []string{"b"}},
	{"star", `root ::= "ab"*`, []string{"", "ab", "abab"}, []string{"a", "aba"}, []string{"b", "aa"}},
	{"plus", `root ::= [ab]+`, []string{"a", "ab", "bbb"}, []string{""}, []string{"c", "ac"}},
	{"question", `root ::= "a"? "b"`, []string{"b", "ab"}, []string{"", "a"}, []string{"aa"}},
	{"exactly", `root ::= "a"{3}`, []string{"aaa"}, []string{"", "aa"}, []string{"aaaa"}},
	{"at least", `root ::= "a"{2,}`, []string{"aa", "aaaaa"}, []string{"", "a"}, []string{"b", "aab"}},
	{"between", `root ::= "a"{ 2 , 4 } "b"`, []string{"aab", "aaaab"}, []string{"aaaa", "a"}, []string{"ab", "aaaaa"}},
	{"at most", `root ::= ("a" | "bc"){0,2}`, []string{"", "a", "abc", "bcbc"}, []string{"b"}, []string{"aaa"}},
	{"never", `root ::= "a"{0} "b" c{0,0}` + "\nc ::= \"c\"", []string{"b"}, []string{""}, []string{"a", "bc"}},
	{"counted", `root ::= ("ab" | "a"){100,200} "."`, []string{strings.Repeat("ab", 150) + ".", strings.Repeat("a", 200) + "."},
		[]string{strings.Repeat("aab", 100), "ab"}, []string{strings.Repeat("a", 99) + ".", strings.Repeat("ab", 201)}},
	{"counted without end", `root ::= "ab"{1000,}`, []string{strings.Repeat("ab", 1000), strings.Repeat("ab", 3000)},
		[]string{strings.Repeat("ab", 999), strings.Repeat("ab", 2000) + "a"}, []string{strings.Repeat("ab", 999) + "b"}},
	{"counted within counted", `root ::= (x{70,80} "-"){90}` + "\nx ::= [0-9é]", []string{strings.Repeat(strings.Repeat("é1", 36)+"-", 90)},
		[]string{strings.Repeat("1", 75), strings.Repeat(strings.Repeat("1", 80)+"-", 89)}, []string{strings.Repeat("1", 81), strings.Repeat("1", 69) + "-"}},
	{"counted, perhaps nothing", `root ::= ("ab"? "c"?){200,300}`, []string{"", "ab", "cab", strings.Repeat("c", 300), strings.Repeat("abc", 300)},
		[]string{"a"}, []string{strings.Repeat("c", 301), "aa"}},
	{"counted far", `root ::= "x"{0,100000} [a-z]{1,1000000000}`, []string{strings.Repeat("x", 900), "a"}, []string{""}, []string{"X"}},
	{"repeated repetition", `root ::= "a"{2}{3}`, []string{"aaaaaa"}, []string{"aaaaa"}, []string{"aaaaaaa"}},
	{"nullable loops", `root ::= (("a"*)* | "b"?)+ (x y)*` + "\nx ::= y{0,3}\ny ::= (\"c\" | )*", []string{"", "a", "b", "aab", "cc", "bcc"}, nil, []string{"ca", "d"}},
	{"recursion", `root ::= "(" root ")" | "x"`, []string{"x", "(x)", "(((x)))"}, []string{"", "((", "((x"}, []string{")", "(x))", "()"}},
	{"right recursion", "root ::= \"a\" root | \"b\" tail?\ntail ::= (\"c\" | \"d\" tail)", []string{"b", "aab", "bc", "abddc"}, []string{"", "aa", "abd"}, []string{"c", "abcc"}},
	{"ambiguity", `root ::= (a | b | a b)+` + "\na ::= \"x\"\nb ::= \"x\"", []string{"x", "xxxxxxx"}, []string{""}, []string{"y"}},
	{"expression", `
		root ::= term ([-+] term)*
		term ::= [0-9]+ | "(" root ")"`, []string{"1", "1+2", "(1+(23-4))-5"}, []string{"1+", "((2)"}, []string{"+", "1++", "(1))"}},
	{"string", "root ::= string" + jsonString, []string{`"a"`, `"é😀"`, `"\u00e9\n"`, `"123456789012345678901234"`},
		[]string{`"`, `"a`, `"\`, `"\u00`, `"123456789012345678901234`}, []string{`""`, "\"\n", `"\x`, `"1234567890123456789012345`}},
	{"record", `
		root ::= "[" ("]" | s0)
		s0 ::= "[\"" emotion "\",\"" p0
		p0 ::= t0 | p1
		p1 ::= t1 | "Now" "\"]]"
		t0 ::= "Stop" ("\"]" ("]" | "," s1) | " " t1)
		t1 ::= "it" ("\"]" ("]" | "," s1))
		s1 ::= "[\"" emotion "\",\"" "Now\"]]"
		emotion ::= "anger" | "annoyance" | "joy"`,
		[]string{"[]", `[["anger","Stop it"]]`, `[["joy","it"],["anger","Now"]]`},
		[]string{"[", `[["an`, `[["joy","Stop`, `[["joy","Stop it"],`}, []string{"]", `[["fear`, `[["joy","Stop Now`}},
}

// testVocab has every byte, pieces of several characters, halves of characters, several
// tokens with the same bytes, tokens without text, and two ends of generation.
func testVocab(t testing.TB) *Vocab {
	t.Helper()
	pieces := [][]byte{nil, []byte("</s>"), []byte("<|eot|>"), []byte("<think>"), nil, {}}
	for b := range 256 {
		pieces = append(pieces, []byte{byte(b)})
	}
	for _, s := range []string{
		"a", "a", "aa", "aaa", "ab", "abc", "ba", "bb", "bc", "cc", "xx", "x-y", "(x", "((", "))", "((((", "1+", "12", "Stop", "Stop it", " it",
		"anger", "an", "joy", "\",\"", "\"],[", "[[\"", "]]", "\"]", "é", "😀", "\xc3", "\xa9\xc3", "\xa9a", "\xf0\x9f", "\x98\x80", "\xf0\x9f\x98",
		"\xe2\x82", "\xac", "\xed\xa0", "\xc0\x80", "\n", "\\u00", "\\n", "\"a", "a\"", "<[10]>", "日本", "\xe6\x97", "\xa5\xe6", "bcbc", "-y", "z-",
	} {
		pieces = append(pieces, []byte(s))
	}
	ids := map[string]int32{"<think>": 3, "</think>": 4, "</s>": 1}
	v, err := NewVocab(pieces, VocabOptions{
		EOG:    []int32{2, 1, 2},
		Lookup: func(name string) (int32, bool) { id, ok := ids[name]; return id, ok },
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mustConstraint(t testing.TB, src string, v *Vocab) *Constraint {
	t.Helper()
	g, err := Compile(src)
	if err != nil {
		t.Fatalf("Compile(%q): %v", src, err)
	}
	c, err := NewConstraint(g, v)
	if err != nil {
		t.Fatalf("NewConstraint(%q): %v", src, err)
	}
	return c
}

type verdict string

const (
	accepted   verdict = "accept"
	unfinished verdict = "unfinished"
	rejected   verdict = "reject"
)

func verdictOf(m *Matcher, err error) verdict {
	switch {
	case err != nil:
		return rejected
	case m.Done():
		return accepted
	}
	return unfinished
}

// engines are ways to match a text. They must agree.
var engines = []struct {
	name  string
	match func(m *Matcher, text string) error
}{
	{"bytes", func(m *Matcher, text string) error { return m.AcceptBytes([]byte(text)) }},
	{"byte by byte", func(m *Matcher, text string) error {
		for i := range len(text) {
			if err := m.AcceptBytes([]byte(text[i : i+1])); err != nil {
				return err
			}
		}
		return nil
	}},
	{"longest tokens", func(m *Matcher, text string) error {
		return acceptTokens(m, text, func(a, b int) bool { return a > b })
	}},
	{"shortest tokens", func(m *Matcher, text string) error {
		return acceptTokens(m, text, func(a, b int) bool { return a < b })
	}},
}

// acceptTokens cuts text into tokens, taking at each place the one with the best length,
// and checks each against the mask.
func acceptTokens(m *Matcher, text string, better func(a, b int) bool) error {
	v := m.constraint.vocab
	for text != "" {
		best := int32(-1)
		for _, id := range v.order {
			if strings.HasPrefix(text, string(v.piece(id))) && (best < 0 || better(len(v.piece(id)), len(v.piece(best)))) {
				best = id
			}
		}
		mask, maskErr := m.Mask()
		err := m.AcceptToken(best)
		if allowed := maskErr == nil && mask.Has(best); allowed != (err == nil) {
			panic("mask and AcceptToken disagree on " + text)
		}
		if err != nil {
			return err
		}
		text = text[len(v.piece(best)):]
	}
	return nil
}

func TestLanguage(t *testing.T) {
	v := testVocab(t)
	for _, test := range languageTests {
		t.Run(test.name, func(t *testing.T) {
			s, err := Parse(test.src)
			if err != nil {
				t.Fatal(err)
			}
			for _, src := range []string{test.src, s.String()} {
				c := mustConstraint(t, src, v)
				for want, texts := range map[verdict][]string{
					accepted: test.accept, unfinished: test.unfinished, rejected: test.reject,
				} {
					for _, text := range texts {
						for _, engine := range engines {
							m := c.NewMatcher()
							if got := verdictOf(m, engine.match(m, text)); got != want {
								t.Errorf("%s %q: %s, want %s", engine.name, text, got, want)
							}
						}
						if utf8.ValidString(text) {
							if got := oracleAccepts(s, text); got != (want == accepted) {
								t.Errorf("oracle %q: accepts %v, want %s", text, got, want)
							}
						}
					}
				}
			}
		})
	}
}
