package tagger

import (
	"strings"
	"testing"
)

func TestDocument(t *testing.T) {
	for _, tt := range []struct {
		name, text, want string // tokens, those at which a span may begin or end in brackets
	}{
		{"sentence", "Stop asking, please!", "[Stop] [asking] , [please] !"},
		{"punctuation alone", "?! ...", "[?!] [...]"},
		{"emoticon of marks", "fine :)", "[fine] :)"},
		{"emoticon with a letter", "fine :D", "[fine] [:D]"},
		{"emoji", "great 😂 ‼", "[great] [😂] ‼"},
		{"symbols are no punctuation", "a + b = $5", "[a] [+] [b] [=] [$5]"},
		{"quotes", `"no"`, `" [no] "`},
		{"zero-width space alone", "\u200b", "[\u200b]"},
		{"empty", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDocument(tt.text)
			var got []string
			for i, token := range d.tokens() {
				if d.boundary[i] {
					token = "[" + token + "]"
				}
				got = append(got, token)
			}
			if got := strings.Join(got, " "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestDocumentLastBoundary(t *testing.T) {
	for text, want := range map[string]int{"": -1, "?!": 0, "one two, three.": 3, "(a)": 1, "a ...": 0} {
		if got := newDocument(text).lastBoundary(); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestDocumentFind(t *testing.T) {
	const text = `no, "no  no" way: nowhere no`
	//            0  12   3 4  5  6   7    8
	d := newDocument(text)
	type place struct {
		start, end int
		ok         bool
	}
	none := place{}
	for _, tt := range []struct {
		quote string
		from  int
		want  place
	}{
		{"no", 0, place{0, 0, true}},
		{"no", 1, place{3, 3, true}},
		{"no", 4, place{4, 4, true}},
		{"no", 5, place{9, 9, true}},
		{"no", 10, none},
		{"no  no", 0, place{3, 4, true}},
		{"no  no", 4, none},
		{"no no", 0, none},                           // one space too few
		{`no, "no`, 0, place{0, 3, true}},            // marks inside
		{"no,", 0, none},                             // a mark at the end
		{`"no`, 0, none},                             // or at the beginning
		{"nowhere no", 0, place{8, 9, true}},         // to the last byte
		{"nowhere no!", 0, none},                     // beyond it
		{"now", 0, none},                             // half a word
		{"here", 0, none},                            // the other half
		{"way: nowhere", 0, place{6, 8, true}},       //
		{"way:", 0, none},                            //
		{"", 0, none},                                //
		{" ", 0, none},                               //
		{text, 0, place{0, 9, true}},                 //
		{text + text, 0, none},                       //
		{strings.ToUpper("way"), 0, none},            //
		{"way", 6, place{6, 6, true}},                //
		{"way", 7, none},                             //
		{"no\u00a0no", 0, none},                      // another white space
		{"no  no\" way", 3, place{3, 6, true}},       //
		{"no  no\" way:", 3, none},                   //
		{"no, \"no  no\"", 0, none},                  //
		{"no, \"no  no\" way", 0, place{0, 6, true}}, //
	} {
		start, end, ok := d.find(tt.quote, tt.from)
		if got := (place{start, end, ok}); got != tt.want {
			t.Errorf("find(%q, %d) = %v, want %v", tt.quote, tt.from, got, tt.want)
		}
		if ok && d.run(start, end) != tt.quote {
			t.Errorf("tokens %d to %d are %q, not %q", start, end, d.run(start, end), tt.quote)
		}
	}
}
