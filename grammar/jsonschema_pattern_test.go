package grammar

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// TestPattern compares grammars of patterns with package regexp, whose dialect differs in
// places: there goPattern is what it writes for the same.
func TestPattern(t *testing.T) {
	tests := []struct{ pattern, goPattern string }{
		{"", ""}, {"^$", ""}, {"^", ""}, {"$", ""}, {"ab", ""}, {"^ab", ""}, {"ab$", ""}, {"^ab$", ""}, {"^a|b$", ""}, {"^(a|b)$", ""},
		{"(^a$|^b$)", ""}, {"^(?:a|b)c?$", ""}, {"^(?<name_1>a+)b*$", "^(a+)b*$"}, {"^(a*)*b$", ""}, {"^a{2}$", ""}, {"^a{1,}b{0,2}$", ""},
		{"^(ab){1,2}?a??$", ""}, {"^[ab]+$", ""}, {"^[^ab]+$", ""}, {"^[a-]$", ""}, {"^[-a]$", ""}, {`^[a\-b]+$`, ""}, {`^[\]\\]+$`, ""}, {"^[[a]$", `^[\[a]$`},
		{`^[^]$`, `^(?s:.)$`}, {`^["\\]+$`, ""}, {`^[^"\\]+$`, ""}, {`^"\\$`, ""}, {`^\d\D$`, ""}, {`^\w\W$`, ""}, {`^[\w"]+$`, ""}, {`^[^\d]$`, ""},
		{`^\s$`, `^[\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}]$`},
		{`^\S+$`, `^[^\t-\r \x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}]+$`},
		{"^.$", `^[^\n\r\x{2028}\x{2029}]$`}, {"a.b", `a[^\n\r\x{2028}\x{2029}]b`},
		{`^[\x00-\x1f]$`, ""}, {`^[\x00-\x22]+$`, ""}, {`^[^\x00-\x22]$`, ""}, {`^\t\n\v\f\r\0$`, `^\t\n\v\f\r\x00$`}, {`^\cJ$`, `^\n$`}, {`^[\b]$`, `^\x08$`},
		{`^\x41\u00e9\u{1F600}\ud83d\ude00$`, `^A\x{e9}\x{1F600}\x{1F600}$`}, {`^[\u{1F600}-\u{1F602}]$`, `^[\x{1F600}-\x{1F602}]$`}, {"^[é😀]+$", ""},
		{`^\^\$\\\.\*\+\?\(\)\[\]\{\}\|\/\-\"$`, ""}, {`^(?:a|)b$`, ""}, {"a|", ""}, {"^(a|b|)(c|)$", ""},
		{"(^a|b)c", ""}, {"b(a$)", ""}, {"(^a)+", ""}, {"(^|b)a", ""}, {"a($|b)", ""}, {"(^a|b$|^$)", ""},
	}
	alphabet := []rune("aabbbcAz09_- \"\"\\\\[]{}()^$.*+?|/\t\n\v\f\r\b\x00\x1f\x7fé\u00a0\u2028\ufeff😀😁")
	rng := rand.New(rand.NewPCG(5, 6))
	for _, test := range tests {
		quotedPattern, _ := json.Marshal(test.pattern)
		gbnf := mustSchema(t, `{"type":"string","pattern":`+string(quotedPattern)+`}`)
		accepts := accepter(t, gbnf)
		if test.goPattern == "" {
			test.goPattern = test.pattern
		}
		re := regexp.MustCompile(test.goPattern)
		syntax, err := Parse(gbnf)
		if err != nil {
			t.Fatal(err)
		}
		matched := 0
		check := func(s string) {
			t.Helper()
			want := re.MatchString(s)
			if want {
				matched++
			}
			if got := accepts(quoteJSON(s)); got != want {
				t.Fatalf("%s accepts %q: %v, want %v\n%s", test.pattern, s, got, want, gbnf)
			}
		}
		for _, r := range alphabet {
			check(string(r))
		}
		for range 300 {
			var s strings.Builder
			for range rng.IntN(7) {
				s.WriteRune(alphabet[rng.IntN(len(alphabet))])
			}
			check(s.String())
		}
		sampler := newSampler(syntax, rng)
		for range 30 {
			text, _ := sampler.text()
			var s string
			if err := json.Unmarshal([]byte(text), &s); err != nil {
				t.Fatalf("%s: %s: %v", test.pattern, text, err)
			}
			check(s)
		}
		if matched < 20 {
			t.Errorf("%s matched only %d times", test.pattern, matched)
		}
	}
}

func TestPatternWithLength(t *testing.T) {
	tests := []struct {
		schema         string
		accept, reject []string
	}{
		{`{"pattern":"^[a-z]+$","maxLength":3}`, []string{"a", "abc"}, []string{"", "abcd"}},
		{`{"pattern":"^[a-z]*$","minLength":2,"maxLength":3}`, []string{"ab", "abc"}, []string{"", "a", "abcd"}},
		{`{"pattern":"^[A-Z][a-z]*x$","minLength":4,"maxLength":5}`, []string{"Abcx", "Abcdx"}, []string{"Ax", "Abx", "Abcdex"}},
		{`{"pattern":"^([A-Z]a{2,9})$","maxLength":4}`, []string{"Aaa", "Aaaa"}, []string{"Aaaaa"}},
		{`{"pattern":"^(?:ab){2}$","minLength":4,"maxLength":4}`, []string{"abab"}, []string{"ab"}},
		{`{"pattern":"^a$|^b{3,}$","minLength":3,"maxLength":4}`, []string{"bbb", "bbbb"}, []string{"a", "bbbbb"}},
		{`{"pattern":"^(ab|c)+$","minLength":1}`, []string{"c", "abc"}, []string{""}},
		{`{"pattern":"a","minLength":1}`, []string{"a", "bab"}, []string{"", "b"}},
		{`{"pattern":"^a","minLength":3,"maxLength":4}`, []string{"abc", "abcd"}, []string{"a", "ab", "abcde", "bcd"}},
		{`{"pattern":"^a{2,1000000000}$","maxLength":3}`, []string{"aa", "aaa"}, []string{"a", "aaaa"}},
		{`{"pattern":"^(ab|c)+$","maxLength":3}`, []string{"c", "ab", "abc", "cab", "ccc"}, []string{"", "a", "abab", "cccc"}},
		{`{"pattern":"a","maxLength":3}`, []string{"a", "bab", "éa"}, []string{"", "b", "abcd"}},
		{`{"pattern":"^a*b*$","minLength":3}`, []string{"aab", "bbb", "aaaabb"}, []string{"ab", "bba", "abc"}},
		{`{"pattern":"^(?!ab$|.*c)[a-c]+"}`, []string{"a", "aba", "bb"}, []string{"", "ab", "ac", "bca"}},
		{`{"pattern":"^(?=.*[0-9])(?=.*[a-z])(?!1).{2,3}$"}`, []string{"a1", "2b", "a12"}, []string{"1a", "ab", "22", "ab12"}},
		{`{"allOf":[{"pattern":"a"},{"pattern":"^[ab]{2}"},{"pattern":"c$"}]}`, []string{"abc", "bac", "bbac"}, []string{"bbc", "ab", "cac"}},
		{`{"pattern":"^[0-9.]+$","format":"ipv4"}`, []string{"127.0.0.1"}, []string{"1.1.1", "256.1.1.1"}},
		{`{"pattern":"^1","format":"ipv4","maxLength":9}`, []string{"127.0.0.1", "1.1.1.1"}, []string{"27.0.0.1", "127.0.0.10"}},
		{`{"pattern":"^\\n+$","maxLength":2}`, []string{"\n", "\n\n"}, []string{"\n\n\n"}},
	}
	for _, test := range tests {
		gbnf := mustSchema(t, test.schema)
		accepts := accepter(t, gbnf)
		for _, s := range test.accept {
			if !accepts(quoteJSON(s)) {
				t.Errorf("%s rejects %q\n%s", test.schema, s, gbnf)
			}
		}
		for _, s := range test.reject {
			if accepts(quoteJSON(s)) {
				t.Errorf("%s accepts %q\n%s", test.schema, s, gbnf)
			}
		}
	}
}

func TestPatternError(t *testing.T) {
	tests := []struct{ pattern, reason string }{
		{"(a", "missing )"}, {"a)", "unbalanced )"}, {"[a", "missing ]"}, {"[a-", "missing ]"}, {`[\`, `\ at the end`}, {`a\`, `\ at the end`},
		{"*a", "nothing to repeat"}, {"a|+", "nothing to repeat"}, {"^*", "nothing to repeat"}, {"a**", "repeated twice"}, {"a{2}{3}", "repeated twice"},
		{"a{", "want {m}"}, {"a{,3}", "want {m}"}, {"a{3,2}", "want {m}"}, {"a{1000000001}", "want {m}"}, {"a{99999999999999999999}", "want {m}"},
		{"a]", `write \]`}, {"a}", `write \}`}, {"[b-a]", "want a range"}, {`[\d-z]`, "want a range"}, {`[a-\w]`, "want a range"}, {"[]", "matches nothing"}, {`[^\s\S]`, "matches nothing"},
		{"(?=a)a", "look-around"}, {"(?!a)", "look-around"}, {"^a(?!b)", "look-around"}, {"^(?!a|(?=b)c)", "look-around"}, {"^(?!a)b|c", "look-around"}, {"(?<=a)", "look-around"}, {"(?<!a)", "look-around"}, {"(?i)a", "this kind of group"}, {"(?<é>a)", "group's name"},
		{`(a)\1`, "references"}, {`(?<x>a)\k<x>`, "references"}, {`\bfoo`, "word boundaries"}, {`\Bfoo`, "unknown escape"}, {`\p{L}`, "properties of characters"},
		{`\a`, "unknown escape"}, {`\_`, "unknown escape"}, {`\x4`, "unknown escape"}, {`\u12`, "unknown escape"}, {`\u{110000}`, "unknown escape"}, {`\u{}`, "unknown escape"},
		{`\ud800`, "unknown escape"}, {`\ud83d\u0041`, "unknown escape"}, {`\01`, "unknown escape"}, {`\c1`, "unknown escape"}, {`\é`, "unknown escape"},
		{"a^b", "no string satisfies it"}, {"a$b", "no string satisfies it"},
		{strings.Repeat("(", 101) + strings.Repeat(")", 101), "nest too deeply"},
	}
	for _, test := range tests {
		quotedPattern, _ := json.Marshal(test.pattern)
		_, err := FromJSONSchema([]byte(`{"type":"string","pattern":` + string(quotedPattern) + `}`))
		if schema, ok := err.(*SchemaError); !ok || schema.Path != "/pattern" || !strings.Contains(schema.Reason, test.reason) {
			t.Errorf("%q: got error %v, want one that says %q", test.pattern, err, test.reason)
		}
	}
	if _, err := FromJSONSchema([]byte(`{"pattern":"^abc$","maxLength":2}`)); err == nil || !strings.Contains(err.Error(), "no string that it matches") {
		t.Errorf("got error %v", err)
	}
}
