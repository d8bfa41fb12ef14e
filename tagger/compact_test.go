package tagger

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
	"github.com/emospan/emospan/validate"
)

// fakeWords are what random texts are made of, some of them awkward on purpose.
var fakeWords = []string{
	"I", "love", "this", "so", "much", "it", "was", "awful", "the", "dog", "ran", "don't", "you", "no", "no", "a", "and", "then",
	"!", ",", "...", "?!", "\"", "(", ")", "\\", "'", "{", "😂", "👩‍👩‍👧", "🇫🇷", ":)", "<3", "日本", "#tag", "naïve", "[NAME]", "ok.But",
	"back\\slash", "qu\"ote", "\u200b", "nul\x00", "\x7f", "e\u0301", "\ufeff", "10:30",
}

func randomText(rng *rand.Rand, words int) string {
	gaps := []string{" ", " ", " ", " ", "  ", "\t", "\n", "", "\u2028", "\u00a0 "}
	var b strings.Builder
	for i := range words {
		if i > 0 || rng.IntN(10) == 0 {
			b.WriteString(gaps[rng.IntN(len(gaps))])
		}
		b.WriteString(fakeWords[rng.IntN(len(fakeWords))])
	}
	return b.String()
}

// randomRecord makes a valid record that holds no more than the compact form says: of several places for a quote the
// first, a confidence in percent, valence and emotion group as the taxonomy has them.
func randomRecord(t *testing.T, rng *rand.Rand, text string, tax *dataset.Taxonomy) *dataset.Record {
	d := newDocument(text)
	r := &dataset.Record{SrcID: "r", Model: "m", Provider: dataset.Provider, Prompt: "p", Level: dataset.Level, Text: text}
	one := func(values []string) string { return values[rng.IntN(len(values))] }
	run := func(from int) (start, end int, ok bool) {
		start = from + rng.IntN(max(1, (len(d.words)-from)/2))
		end = start + rng.IntN(4)
		if end >= len(d.words) || !d.boundary[start] || !d.boundary[end] {
			return 0, 0, false
		}
		return start, end, true
	}
	var spans []dataset.Span
	var predictions []string
	after := 0 // the span before
	for from := 0; from < len(d.words) && len(spans) < maxSpans; {
		start, end, ok := run(from)
		if !ok {
			from++
			continue
		}
		start, end, ok = d.find(d.run(start, end), after)
		if !ok {
			t.Fatalf("a run of %q is not found", text)
		}
		e := tax.Emotions()[rng.IntN(len(tax.Emotions())-1)]
		a := dataset.Attrs{
			Valence: e.Valence, EmotionGroup: e.Group, Intensity: one(tax.Attr(dataset.AttrIntensity).Values),
			Certainty: one(tax.Attr(dataset.AttrCertainty).Values), Temporality: one(tax.Attr(dataset.AttrTemporality).Values),
			Source: one(tax.Attr(dataset.AttrSource).Values), Confidence: float64(rng.IntN(101)) / 100,
			SentenceIndex: d.positions[start].Sentence, ClauseIndex: d.positions[start].Clause, TargetRelation: dataset.RelationNone,
		}
		for _, v := range tax.Further() {
			a.Further = append(a.Further, dataset.Attr{Name: v.Name, Value: one(v.Values)})
		}
		switch s, e, ok := run(0); {
		case ok:
			a.TargetText = d.run(s, e)
		case rng.IntN(2) == 0:
			a.TargetText = one(tax.Pronouns())
		}
		if a.TargetText != "" {
			a.TargetRelation = one([]string{"cause", "target", "experiencer"})
		}
		spans = append(spans, dataset.Span{Type: one(tax.SpanTypes()), Subtype: e.Subtype, Start: start, End: end, Text: d.run(start, end), Attrs: a})
		predictions = appendNew(predictions, e.Name)
		after = end + 1
		from = after + rng.IntN(4)
	}
	if len(spans) == 0 {
		predictions = []string{tax.Neutral()}
	}
	setSpans(r, d, predictions, spans)
	return r
}

// envelope is a record with all that an answer does not say.
func envelope(of *dataset.Record) *dataset.Record {
	r := *of
	r.Predictions, r.Data = nil, dataset.Data{}
	return &r
}

func TestCompactRoundTrip(t *testing.T) {
	tax := dataset.Default()
	f := formOf(t, Compact)
	rng := rand.New(rand.NewPCG(5, 6))
	spans, targets := 0, 0
	for range 400 {
		text := randomText(rng, 1+rng.IntN(14))
		if len(Words(text)) == 0 {
			continue
		}
		want := randomRecord(t, rng, text, tax)
		if problems := validate.Record(want, tax); len(problems) > 0 {
			t.Fatalf("%q: %v", text, problems)
		}
		answer, err := f.encode(want)
		if err != nil {
			t.Fatal(err)
		}
		d := newDocument(text)
		if ok, at := newReader(t, f, text).takes(string(answer)); !ok {
			t.Fatalf("the grammar of %q does not take %s at byte %d", text, answer, at)
		}
		got := envelope(want)
		if err := f.decode(answer, d, got); err != nil {
			t.Fatalf("%q, %s: %v", text, answer, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q, %s\n got %+v\nwant %+v", text, answer, got.Data, want.Data)
		}
		spans += len(want.Data.Spans)
		if len(want.Data.Spans) > 0 && want.Data.Spans[0].Attrs.TargetText != "" {
			targets++
		}
	}
	if spans < 400 || targets < 100 {
		t.Errorf("only %d spans and %d targets were tried", spans, targets)
	}
}

// TestCompactDecode spells out one record in full.
func TestCompactDecode(t *testing.T) {
	const text = `He said "hm".  Well, I love  it! And I love it: so?`
	r := &dataset.Record{Text: text}
	answer := `["hm"," annoyance low hedged none unknown 0","love  it"," love high asserted past group 100 cause hm\".  Well","I love it: so"," joy med questioned future other 57 experiencer themself"]`
	f := formOf(t, Compact)
	if err := f.decode([]byte(answer), newDocument(text), r); err != nil {
		t.Fatal(err)
	}
	line, err := r.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, got, _ := strings.Cut(string(line), `"data":`)
	want := `{"tokens":["He","said","\"","hm","\"",".","Well",",","I","love","it","!","And","I","love","it",":","so","?"],` +
		`"labels":["O","O","O","B-EMO","O","O","O","O","O","B-EMO","I-EMO","O","O","B-EMO","I-EMO","I-EMO","I-EMO","I-EMO","O"],"spans":[` +
		`{"type":"EMO","subtype":"Annoyance","start":3,"end":3,"text":"hm","attrs":{"valence":"neg","intensity":"low","certainty":"hedged","temporality":"none","source":"unknown","emotion_group":"negative_affect","sentence_index":0,"clause_index":0,"confidence":0.0,"target_text":"","target_relation":"none"}},` +
		`{"type":"EMO","subtype":"Love","start":9,"end":10,"text":"love  it","attrs":{"valence":"pos","intensity":"high","certainty":"asserted","temporality":"past","source":"group","emotion_group":"positive_affect","sentence_index":1,"clause_index":0,"confidence":1.0,"target_text":"hm\".  Well","target_relation":"cause"}},` +
		`{"type":"EMO","subtype":"Joy","start":13,"end":17,"text":"I love it: so","attrs":{"valence":"pos","intensity":"med","certainty":"questioned","temporality":"future","source":"other","emotion_group":"positive_affect","sentence_index":2,"clause_index":0,"confidence":0.57,"target_text":"themself","target_relation":"experiencer"}}]}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if fmt.Sprint(r.Predictions) != "[annoyance love joy]" {
		t.Errorf("predictions %v", r.Predictions)
	}
}

func TestCompactDecodeErrors(t *testing.T) {
	f := formOf(t, Compact)
	for answer, want := range map[string]string{
		``:              "not an array of strings",
		`{"a":1}`:       "not an array of strings",
		`["neutral"`:    "not an array of strings",
		`["neutral"] 1`: "not an array of strings",
		`[["neutral"]]`: "not an array of strings",
		`["one"," joy med asserted present self 1",2]`: "not an array of strings",
		`[null]`:       "number 0 is null",
		`["one",null]`: "number 1 is null",
		`[]`:           "0 strings",
		`["fine"]`:     "1 strings",
		`["one"," joy med asserted present self 1",""]`: "3 strings",
		`["neutral"," 1"]`:  "span 0: \" 1\" names no emotion",
		`["one"," rage 1"]`: "span 0: \" rage 1\" names no emotion",
		`["one"," Joy 1"]`:  "names no emotion",
		`["one"," neutral med asserted present self 1"]`: "names no emotion",
		`["one","joy 1"]`:                                                                     "does not begin with a space",
		`["one"," joy"]`:                                                                      `"" is no intensity`,
		`["one"," joy low past 1"]`:                                                           `"past" is no certainty`,
		`["one"," joy low asserted 1"]`:                                                       `"1" is no temporality`,
		`["one"," joy med asserted present self 101"]`:                                        `"101" is no confidence`,
		`["one"," joy med asserted present self -1"]`:                                         `"-1" is no confidence`,
		`["one"," joy med asserted present self 01"]`:                                         `"01" is no confidence`,
		`["one"," joy med asserted present self 1 "]`:                                         "ends in no relation and target",
		`["one"," joy med asserted present self 1 cause"]`:                                    "ends in no relation and target",
		`["one"," joy med asserted present self 1 none two"]`:                                 "ends in no relation and target",
		`["on"," joy med asserted present self 1"]`:                                           `"on" is no run`,
		`[""," joy med asserted present self 1"]`:                                             `"" is no run`,
		`["two"," joy med asserted present self 1","one"," joy med asserted present self 1"]`: "span 1",
		`["one two"," joy med asserted present self 1","two three"," joy med asserted present self 11"]`: "span 1",
	} {
		err := f.decode([]byte(answer), newDocument("one two, three"), &dataset.Record{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", answer, err, want)
		}
	}
}

func TestCompactGrammar(t *testing.T) {
	const text = `I love it, I hate it. So "lovely"`
	//            0 1    2 3 4 5    6 7 8  9 ...
	r := newReader(t, formOf(t, Compact), text)
	span := func(quote string) string { return `"` + quote + `"," joy med asserted present self 50"` }
	with := func(decisions string) string { return `["love"," ` + decisions + `"]` }
	for _, tt := range []struct {
		name, answer string
		want         bool
	}{
		{"neutral", `["neutral"]`, true},
		{"one span", "[" + span("love") + "]", true},
		{"all of it", "[" + span(`I love it, I hate it. So \"lovely`) + "]", true},
		{"first and last token", "[" + span("I") + "," + span("lovely") + "]", true},
		{"three spans", "[" + span("I") + "," + span("love") + "," + span("it") + "]", true},
		{"the same quote twice", "[" + span("it") + "," + span("it") + "]", true},
		{"side by side", "[" + span("I love") + "," + span("it, I") + "," + span("hate") + "]", true},
		{"an attribute", with(`joy med asserted past self 50`), true},
		{"all attributes", with(`joy low hedged past other 50`), true},
		{"confidence 0", with(`joy med asserted present self 0`), true},
		{"confidence 100", with(`joy med asserted present self 100`), true},
		{"target", with(`joy med asserted present self 9 cause it, I hate`), true},
		{"target that is the quote", with(`joy med asserted present self 9 target love`), true},
		{"target that is a pronoun", with(`joy med asserted present self 9 experiencer they`), true},

		{"nothing", "", false},
		{"no span", `[]`, false},
		{"neutral twice", `["neutral","neutral"]`, false},
		{"neutral beside a span", `["neutral",` + span("love") + `]`, false},
		{"unfinished", "[" + span("love"), false},
		{"no run", "[" + span("I it") + "]", false},
		{"another order", "[" + span("love I") + "]", false},
		{"half a word", "[" + span("lov") + "]", false},
		{"the other half", "[" + span("ove") + "]", false},
		{"another case", "[" + span("Love") + "]", false},
		{"mark at the end", "[" + span("it,") + "]", false},
		{"mark at the beginning", "[" + span(`\"lovely`) + "]", false},
		{"mark alone", "[" + span(",") + "]", false},
		{"empty quote", "[" + span("") + "]", false},
		{"space after the quote", "[" + span("love ") + "]", false},
		{"two spaces", "[" + span("I  love") + "]", false},
		{"another escape", "[" + span(`\u0049`) + "]", false},
		{"overlap", "[" + span("I love it") + "," + span("it, I") + "]", false},
		{"backwards", "[" + span("hate") + "," + span("love") + "]", false},
		{"the same quote once too often", "[" + span("it") + "," + span("it") + "," + span("it") + "]", false},
		{"four spans", "[" + span("I") + "," + span("love") + "," + span("it") + "," + span("I") + "]", false},
		{"span after the last token", "[" + span("lovely") + "," + span("lovely") + "]", false},
		{"unknown emotion", with(`rage med asserted present self 50`), false},
		{"half an emotion", with(`jo med asserted present self 50`), false},
		{"neutral in a span", with(`neutral med asserted present self 50`), false},
		{"capitals", with(`Joy med asserted present self 50`), false},
		{"unknown intensity", with(`joy medium asserted present self 50`), false},
		{"order of attributes", with(`joy hedged low present self 50`), false},
		{"default left out", with(`joy high asserted self 50`), false},
		{"all attributes left out", with(`joy 50`), false},
		{"two spaces before a word", with(`joy  med asserted present self 50`), false},
		{"confidence 101", with(`joy med asserted present self 101`), false},
		{"confidence 05", with(`joy med asserted present self 05`), false},
		{"confidence 0.5", with(`joy med asserted present self 0.5`), false},
		{"confidence -1", with(`joy med asserted present self -1`), false},
		{"confidence left out", with(`joy low asserted present self`), false},
		{"target without relation", with(`joy med asserted present self 50 it`), false},
		{"relation none", with(`joy med asserted present self 50 none it`), false},
		{"target elsewhere", with(`joy med asserted present self 50 cause the cat`), false},
		{"half a target", with(`joy med asserted present self 50 cause hat`), false},
		{"target with a mark", with(`joy med asserted present self 50 cause it,`), false},
		{"target that begins with a mark", with(`joy med asserted present self 50 cause , I`), false},
		{"empty target", with(`joy med asserted present self 50 cause `), false},
		{"text after the answer", `["neutral"] `, false},
		{"text before it", ` ["neutral"]`, false},
		{"space inside", `["love", " joy med asserted present self 50"]`, false},
		{"line end", `["neutral",` + "\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, at := r.takes(tt.answer); got != tt.want {
				t.Errorf("%s: %v at byte %d, want %v", tt.answer, got, at, tt.want)
			}
		})
	}
}

func TestCompactGrammarOfTexts(t *testing.T) {
	f := formOf(t, Compact)
	rng := rand.New(rand.NewPCG(7, 8))
	for _, tt := range []struct {
		name, text string
		quotes     []string // as they stand in the answer
		not        []string
	}{
		{"marks alone", "?! ...", []string{"?!", "...", "?! ..."}, []string{"?", "?!..."}},
		{"one word", "ugh", []string{"ugh"}, []string{"ug", "ugh ", "neutral"}},
		{"the word neutral", "neutral", []string{"neutral"}, nil},
		{"quotation mark", `a"b "c"`, []string{`a\"b`, `a\"b \"c`}, []string{`a"b`}},
		{"backslash", `a \b c`, []string{`a \\b c`}, []string{`a \b c`}},
		{"line end", "a\nb\r\nc", []string{`a\nb`, `b\r\nc`}, []string{"a\nb", "a b"}},
		{"tab", "a\tb", []string{`a\tb`}, []string{"a\tb", `a\u0009b`}},
		{"NUL", "a \x00b", []string{`\u0000b`}, []string{"\x00b"}},
		{"U+2028", "a\u2028b", []string{"a\u2028b"}, []string{`a\u2028b`}},
		{"joined emoji", "so 👩‍👩‍👧 ok", []string{"👩‍👩‍👧", "so 👩‍👩‍👧"}, []string{"👩", "👩‍👩"}},
		{"half a character", "é", []string{"é"}, []string{"\xc3"}},
		{"grammar in the text", `root ::= "x" | [a-z]* # no`, []string{`root ::= \"x\" | [a-z]* # no`}, []string{`root ::= \"z`}},
		{"JSON in the text", `["neutral"]`, []string{"neutral"}, []string{`[\"neutral`}},
		{"outer space", "  a \n", []string{"a"}, []string{" a", "a "}},
		{"long", strings.Repeat("so long ", 70), []string{"so long so", strings.TrimSpace(strings.Repeat("so long ", 70))}, []string{"so so"}},
		{"long and mixed", "begin " + randomText(rng, 300) + " end", []string{"begin", "end"}, []string{"begin end"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newReader(t, f, tt.text)
			for _, q := range tt.quotes {
				answer := `["` + q + `"," grief med negated none other 7 cause ` + q + `"]`
				if ok, at := r.takes(answer); !ok {
					t.Errorf("does not take %s at byte %d", answer, at)
				}
			}
			for _, q := range tt.not {
				if ok, _ := r.takes(`["` + q + `"," grief med negated none other 7"]`); ok {
					t.Errorf("takes %s", q)
				}
			}
			if len(r.stages) != 1 {
				t.Error("the grammar is not the same each time")
			}
		})
	}
}

// TestCompactGrammarIsLinear: twice the text is no more than about twice the grammar, and compiles.
func TestCompactGrammarIsLinear(t *testing.T) {
	f := formOf(t, Compact)
	size := func(words int) int {
		first, err := f.stages(newDocument(strings.Repeat("word ", words)))(nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := first.fill(); err != nil {
			t.Fatalf("%d words: %v", words, err)
		}
		src := first.gbnf()
		if _, err := grammar.Compile(src); err != nil {
			t.Fatalf("%d words: %v", words, err)
		}
		return len(src)
	}
	if one, two := size(400), size(800); two > 9*one/4 {
		t.Errorf("400 words take %d bytes, 800 take %d", one, two)
	}
}
