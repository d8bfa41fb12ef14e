//go:build cgo

package llama

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/emospan/emospan/grammar"
)

// grammarTexts are texts for each grammar under llama.cpp's grammars/, by the file's name.
var grammarTexts = map[string]struct{ accept, reject []string }{
	"arithmetic.gbnf": {
		accept: []string{"1=2\n", "a+b_1 *3 =  9\n", "(x -1)=y\n7=7\n", "(1)  = (2\n)\n"},
		reject: []string{"", "1=2", "=1\n", "1+=2\n", "A=1\n", "(1=2\n", "1=2+3\n", "+1=2\n", "_a=1\n"},
	},
	"c.gbnf": {
		accept: []string{"", "int f(){}", "int f(char c){return 1;}", "float g(){x =\t1+2*y;}int h(){/*é*/}", "int f(){while(a<b){p ();}}",
			"int f(){if(x==1){}else{return -y;}}", "int f(){for(i = 1; i<3; i = i+1){}}", "int f(){//note\n}"},
		reject: []string{"int f()", "int f(){return 1}", "void f(){}", "int f(){/**/*/}", "intf(){}", "int f(){if(x){}}", "int f(){x=1;}", "int f(){//x}"},
	},
	"chess.gbnf": {
		accept: []string{"1. e4 e5\n2. Nf3 Nc6\n", "1. d4 d5\n2. O-O O-O-O+\n10. exd8=Q# Rhxa1\n"},
		reject: []string{"", "1. e4 e5\n", "1. e4 e5\n2. Nf3\n", "1. e9 e5\n2. e4 e5\n", "1. e4 e5\n02. a3 a6\n", "1. e4 e5\n2. O-O-O-O a6\n", "1. e4 e5\n2. Ke2 a6"},
	},
	"english.gbnf": {
		accept: []string{"a", "Well, that's \"it\"\\: [50%]!", "one\ttwo\nthree"},
		reject: []string{"", " a", "a ", "a  b", "naïve", "a\r\nb"},
	},
	"japanese.gbnf": {
		accept: []string{"ねこ", "東京タワー、きれい。", "すもも も\nもも"},
		reject: []string{"", " ねこ", "ねこ ", "neko", "ねこ!", "ねこ　いぬ"}, // the last with U+3000, an ideographic space
	},
	"json.gbnf": {
		accept: []string{"{}", "{} ", `{"a":[1,2.5e+9,-0,null],"b":{"c":"\"\u00e9\n é 😀"}}`, "{\n  \"k\": true}", `{"x":1e5}`},
		reject: []string{"", "[]", "{a:1}", `{"a":}`, `{"a":01}`, `{"a":1,}`, `{"a":"` + "\n" + `"}`, `{"a":"\x41"}`, `{"a":1}}`, "{}  ", "{\n" + "                     " + "}", `{"a":1.}`},
	},
	"json_arr.gbnf": {
		accept: []string{"[\n]", "[\n1,\n\"two\",\n{\"three\":[3]}]", "[\n \"x\" ]", "[\ntrue,\n[null,false] ]"},
		reject: []string{"", "[]", "[\n] ", "[\n1,2]", "[\n1,\n]", "{}", "[\n1"},
	},
	"list.gbnf": {
		accept: []string{"- a\n", "- one\n- deux é\n- 三 😀\n", "- - \n"},
		reject: []string{"", "- \n", "-a\n", "- a", "- a\r\n", "- a\u2028\n", "- a\u0085\n", "* a\n"},
	},
}

// TestGrammarFiles compiles each grammar under llama.cpp's grammars/ and matches texts.
func TestGrammarFiles(t *testing.T) {
	entries, err := os.ReadDir(tree(t, "grammars"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, entry := range entries {
		name := entry.Name()
		if filepath.Ext(name) != ".gbnf" {
			continue
		}
		found++
		texts, ok := grammarTexts[name]
		if !ok {
			t.Errorf("%s is new: it needs texts", name)
		}
		g, err := grammar.Compile(grammarFile(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		testVerdicts(t, verdictCase{name, name, texts.accept, texts.reject}, g)
	}
	if found < len(grammarTexts) {
		t.Errorf("%d grammars of %d are left", found, len(grammarTexts))
	}
}
