package corpus

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

// build makes the records of a file.
func build(text string, tax *dataset.Taxonomy) ([]dataset.Record, error) {
	entries, err := Parse(strings.NewReader(text), "mine.txt")
	if err != nil {
		return nil, err
	}
	return Build(entries, tax)
}

func TestBuild(t *testing.T) {
	records, err := build("\ufeff#! register=chat\n"+`
# a comment
I left the party, art [scares](fear high negated future self "art" cause) me. He was [stunned](surprise mixed low hedged past other) [by it\[s\]](love med questioned none group), [scared](fear low hypothetical present unknown "you" target)
#hashtag, [NAME] opens at nine.`+"\r\n#! register=my_own-2\n  😂\t\n", dataset.Default())
	if err != nil {
		t.Fatal(err)
	}
	attrs := func(valence, intensity, certainty, temporality, source, group string, sentence, clause int, target, relation string) dataset.Attrs {
		return dataset.Attrs{
			Valence: valence, Intensity: intensity, Certainty: certainty, Temporality: temporality, Source: source, EmotionGroup: group,
			SentenceIndex: sentence, ClauseIndex: clause, Confidence: 1, TargetText: target, TargetRelation: relation,
		}
	}
	span := func(subtype string, start, end int, text string, a dataset.Attrs) dataset.Span {
		return dataset.Span{Type: "EMO", Subtype: subtype, Start: start, End: end, Text: text, Attrs: a}
	}
	record := func(id string, predictions, text, tokens, labels string, spans ...dataset.Span) dataset.Record {
		return dataset.Record{
			SrcID: id, Model: "corpus", Provider: "corpus", Prompt: "level_2", Level: "level2", Predictions: strings.Fields(predictions), Text: text,
			Data: dataset.Data{Tokens: strings.Fields(tokens), Labels: strings.Fields(labels), Spans: spans},
		}
	}
	want := []dataset.Record{
		record("corpus_chat_1", "fear surprise love", "I left the party, art scares me. He was stunned by it[s], scared",
			"I left the party , art scares me . He was stunned by it [ s ] , scared",
			"O O O O O O B-EMO O O O O B-EMO B-EMO I-EMO I-EMO I-EMO I-EMO O B-EMO",
			span("Fear", 6, 6, "scares", attrs("neg", "high", "negated", "future", "self", "negative_affect", 0, 0, "art", "cause")),
			span("Surprise", 11, 11, "stunned", attrs("mixed", "low", "hedged", "past", "other", "ambiguous_affect", 1, 0, "", "none")),
			span("Love", 12, 16, "by it[s]", attrs("pos", "med", "questioned", "none", "group", "positive_affect", 1, 0, "", "none")),
			span("Fear", 18, 18, "scared", attrs("neg", "low", "hypothetical", "present", "unknown", "negative_affect", 1, 0, "you", "target"))),
		record("corpus_chat_2", "neutral", "#hashtag, [NAME] opens at nine.", "#hashtag , [NAME] opens at nine .", "O O O O O O O"),
		record("corpus_my_own-2_1", "neutral", "😂", "😂", "O"),
	}
	if len(records) != len(want) {
		t.Fatalf("%d records, want %d", len(records), len(want))
	}
	for i := range want {
		if !reflect.DeepEqual(records[i], want[i]) {
			t.Errorf("record %d:\n%+v\nwant\n%+v", i, records[i], want[i])
		}
	}
}

const joy = "(joy med asserted present self)"

var wrongLines = []struct{ name, line, want string }{
	{"unknown emotion", "so [blue](bluee med asserted present self)", `"bluee" is no emotion of the taxonomy goemotions; emospan taxonomy lists them`},
	{"a synonym", "so [glad](happiness med asserted present self)", `"happiness" is no emotion of the taxonomy goemotions; write joy`},
	{"upper case", "so [glad](Joy med asserted present self)", "write joy"},
	{"neutral marked", "so [so](neutral med asserted present self)", "a span cannot be neutral; take the mark out"},
	{"unknown value", "so [glad](joy big asserted present self)", `"big" is no intensity; write one of low, med, high`},
	{"a value in another's place", "so [glad](joy med asserted self present)", `"self" is no temporality; write one of past, present, future, none`},
	{"missing attribute", "so [glad](joy med asserted present)", `joy has 3 values, "med asserted present"; write the values of intensity, certainty, temporality, source`},
	{"missing valence", "so [odd](surprise med asserted present self)", `surprise has 4 values, "med asserted present self"; write the values of valence, intensity`},
	{"a valence too many", "so [glad](joy pos med asserted present self)", "joy has 5 values"},
	{"unknown valence", "so [odd](surprise good med asserted present self)", `"good" is no valence; write one of pos, neg, neu, mixed`},
	{"no emotion", "so [glad]()", `the mark "()" names no emotion`},
	{"a target alone", `so [glad]("so" cause)`, "names no emotion"},
	{"no end of a mark", "so [glad](joy med asserted present self", `is not closed; add its )`},
	{"no end of a target", `so [glad](joy med asserted present self "so cause)`, "is not closed; add the target's second quotation mark"},
	{"a mark in a mark", "so [glad](joy med [so](joy", "a ( within the mark"},
	{"no end of a span", "so [glad(joy med asserted present self)", `the [ of "[glad(joy med asserted present self)" is not closed; add its ], or write \[ and \]`},
	{"an emoticon", "so glad :[", `write \[ and \] for brackets of the text`},
	{"no start of a span", "so glad](joy med asserted present self)", `a ] without its [ before "](joy med`},
	{"no brackets", "so glad(joy med asserted present self)", "looks like a mark whose span has no brackets"},
	{"a space before the mark", "so [glad] (joy med asserted present self)", "looks like a mark whose span has no brackets"},
	{"overlapping marks", "[so [glad" + "]" + joy + " today]" + joy, "marks do not nest"},
	{"empty span", "so []" + joy, "is empty; put the words"},
	{"empty text", "[ ]" + joy, "is empty; put the words"},
	{"a no-break space alone", "[\u00a0]" + joy, "is empty; put the words"},
	{"white space in a span", "so [glad ]" + joy + "today", `the span "glad " begins or ends with white space`},
	{"no target in the text", `so [glad](joy med asserted present self "the sun" cause)`, `the target "the sun" is no run of the text's words`},
	{"a target in other case", `The sun, so [glad](joy med asserted present self "the sun" cause)`, `the target "the sun" is no run`},
	{"a target within a word", `The party was [fun](joy med asserted past self "art" cause)`, `the target "art" is no run`},
	{"a target with half a word", `The party was [fun](joy med asserted past self "The part" cause)`, `the target "The part" is no run`},
	{"an addressee in other case", `[Stop](anger med asserted none self "You" target)`, `the target "You" is no run of the text's words as they are written; copy it from the text, or write "you"`},
	{"a target without relation", `the sun, so [glad](joy med asserted present self "the sun")`, "write both, or neither"},
	{"a target of white space", `the sun, so [glad](joy med asserted present self " " cause)`, "write both, or neither"},
	{"two targets", `the sun, so [glad](joy med asserted present self "the" cause "sun" cause)`, "write both, or neither"},
	{"unknown relation", `the sun, so [glad](joy med asserted present self "the sun" reason)`, `"reason" is no target_relation; write one of cause, target, experiencer`},
	{"a target without relation none", `the sun, so [glad](joy med asserted present self "the sun" none)`, "a target needs a relation"},
	{"a span that begins in a token", "un[happy]" + joy, `the span "happy" cuts the token "unhappy"; mark whole tokens`},
	{"a span that ends in a token", "[happi]" + joy + "er", `the span "happi" cuts the token "happier"`},
	{"a span in a token", "the un[happi]" + joy + "er man", `cuts the token "unhappier"`},
	{"half a contraction", "I [don]" + joy + "'t know", `the span "don" cuts the token "don't"`},
	{"half an emoji", "fine [👍]" + joy + "🏽", "cuts the token"},
	{"not UTF-8", "so gl\xe4d", "the line is not UTF-8; convert the file"},
	{"twice the same text", "It [rains](joy low asserted present self).\nother\n[It](joy med asserted present self) rains.", `mine.txt:4: the text "It rains." also stands at mine.txt:2; take one out`},
	{"unknown instruction", "#! registre=chat", `unknown instruction "#! registre=chat"; write #! register=NAME`},
	{"a register that is no name", "#! register=my chat\nfine", "unknown instruction"},
	{"a line that is too long", strings.Repeat("so ", maxLine), "the line has more than 65536 bytes"},
}

func TestWrongLines(t *testing.T) {
	for _, tt := range wrongLines {
		records, err := build("#! register=chat\n"+tt.line+"\n", dataset.Default())
		if records != nil || err == nil {
			t.Errorf("%s: %+v, %v", tt.name, records, err)
			continue
		}
		lines := strings.Split(err.Error(), "\n")
		place := "mine.txt:2: "
		if strings.HasPrefix(tt.want, "mine.txt") {
			place = ""
		}
		if len(lines) != 1 || !strings.HasPrefix(lines[0], place) || !strings.Contains(lines[0], tt.want) || len(lines[0]) > 400 {
			t.Errorf("%s: %q, want %q", tt.name, lines, place+tt.want)
		}
		var e *Error
		if !errors.As(err, &e) || e.File != "mine.txt" || e.Line == 0 {
			t.Errorf("%s: no place in %#v", tt.name, err)
		}
	}
}

func TestNoRegister(t *testing.T) {
	if _, err := build("first\nsecond\n", dataset.Default()); err == nil || err.Error() != "mine.txt:1: no register is set; begin the file with a line #! register=NAME" {
		t.Error(err)
	}
}

// TestFaults sees the lines without fault beside the errors, each line at fault named, and a limit to their number.
func TestFaults(t *testing.T) {
	text := "#! register=chat\nfine\n" + strings.Repeat("not [fine\n", maxFaults+3) + "also fine\n"
	entries, err := Parse(strings.NewReader(text), "mine.txt")
	if len(entries) != 2 || entries[1].Text != "also fine" || entries[1].Line != maxFaults+6 {
		t.Errorf("entries %+v", entries)
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != maxFaults+1 || !strings.HasPrefix(lines[1], "mine.txt:4: ") || lines[maxFaults] != "3 more lines are at fault; mend these first" {
		t.Errorf("%q", lines)
	}

	broken := errors.New("broken disk")
	if _, err := Parse(iotest.ErrReader(broken), "mine.txt"); !errors.Is(err, broken) || !strings.Contains(err.Error(), "mine.txt") {
		t.Error(err)
	}
}

// TestBuildUnread has entries that Parse has not made.
func TestBuildUnread(t *testing.T) {
	said := []string{"med", "asserted", "present", "self"}
	for name, e := range map[string]Entry{
		"no text":         {Register: "chat"},
		"not UTF-8":       {Register: "chat", Text: "a\xffb"},
		"outside":         {Register: "chat", Text: "glad", Marks: []Mark{{Start: 0, End: 5, Emotion: "joy", Values: said}}},
		"before":          {Register: "chat", Text: "glad", Marks: []Mark{{Start: -1, End: 4, Emotion: "joy", Values: said}}},
		"empty":           {Register: "chat", Text: "glad", Marks: []Mark{{Start: 2, End: 2, Emotion: "joy", Values: said}}},
		"white space":     {Register: "chat", Text: "so   glad", Marks: []Mark{{Start: 3, End: 4, Emotion: "joy", Values: said}}},
		"overlap":         {Register: "chat", Text: "so glad", Marks: []Mark{{Start: 0, End: 7, Emotion: "joy", Values: said}, {Start: 3, End: 7, Emotion: "joy", Values: said}}},
		"relation alone":  {Register: "chat", Text: "glad", Marks: []Mark{{Start: 0, End: 4, Emotion: "joy", Values: said, Relation: "cause"}}},
		"text not UTF-8":  {Register: "chat", Text: "glad \xff", Marks: []Mark{{Start: 0, End: 4, Emotion: "joy", Values: said}}},
		"no register set": {Register: "\xff", Text: "glad"},
	} {
		if records, err := Build([]Entry{e}, dataset.Default()); err == nil {
			t.Errorf("%s: %+v", name, records)
		}
	}
}

// TestOtherTaxonomy has attributes of a taxonomy's own, and a taxonomy without some of our emotions.
func TestOtherTaxonomy(t *testing.T) {
	parse := func(old, new string) *dataset.Taxonomy {
		t.Helper()
		text := string(dataset.TaxonomyJSON())
		if !strings.Contains(text, old) {
			t.Fatalf("no %s in the taxonomy", old)
		}
		tax, err := dataset.ParseTaxonomy([]byte(strings.Replace(text, old, new, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return tax
	}
	const attributes = `"attributes": [`
	tax := parse(attributes, attributes+`{"name": "speed", "default": "slow", "values": [{"name": "slow"}, {"name": "fast"}]},`)
	for line, want := range map[string]string{
		"so [glad](joy med asserted present self)":      "slow",
		"so [glad](joy med asserted present self fast)": "fast",
	} {
		records, err := build("#! register=chat\n"+line, tax)
		if err != nil || records[0].Data.Spans[0].Attrs.Further[0] != (dataset.Attr{Name: "speed", Value: want}) {
			t.Errorf("%s: %+v, %v", line, records, err)
		}
	}
	if _, err := build("#! register=chat\nso [glad](joy med asserted present self quick)", tax); err == nil || !strings.Contains(err.Error(), `"quick" is no speed; write one of slow, fast`) {
		t.Error(err)
	}
	if records, err := Records(tax); err != nil || len(records) != len(Entries()) {
		t.Errorf("%d records, %v", len(records), err)
	}

	tax = parse(attributes, attributes+`{"name": "speed", "values": [{"name": "slow"}, {"name": "fast"}]},`)
	if _, err := build("#! register=chat\nso [glad](joy med asserted present self)", tax); err == nil || !strings.Contains(err.Error(), "write the values of intensity, certainty, temporality, source, speed") {
		t.Error(err)
	}

	tax = parse(`"name": "pride"`, `"name": "vanity"`)
	_, err := Records(tax)
	if err == nil || !strings.Contains(err.Error(), `chat.txt:`) || !strings.Contains(err.Error(), `"pride" is no emotion of the taxonomy goemotions`) {
		t.Error(err)
	}
}

func FuzzBuild(f *testing.F) {
	for _, tt := range wrongLines {
		f.Add("#! register=chat\n" + tt.line)
	}
	for i, e := range Entries() {
		if i%300 == 0 && len(e.Marks) > 0 {
			m := e.Marks[0]
			f.Add("#! register=chat\n" + e.Text[:m.Start] + "[" + e.Text[m.Start:m.End] + "](" + m.Emotion + " " + strings.Join(m.Values, " ") + ")" + e.Text[m.End:])
		}
	}
	tax := dataset.Default()
	f.Fuzz(func(t *testing.T, text string) {
		entries, err := Parse(strings.NewReader(text), "fuzz.txt")
		if err != nil && strings.Count(err.Error(), "\n") > maxFaults {
			t.Errorf("%d lines of errors", strings.Count(err.Error(), "\n"))
		}
		records, err := Build(entries, tax)
		if err == nil && len(records) != len(entries) {
			t.Errorf("%d records of %d entries", len(records), len(entries))
		}
		for i := range records {
			if problems := validate.Record(&records[i], tax); len(problems) > 0 {
				t.Errorf("%q: %v", entries[i].Text, problems)
			}
			if len(records[i].Data.Spans) != len(entries[i].Marks) {
				t.Errorf("%q: %d spans of %d marks", entries[i].Text, len(records[i].Data.Spans), len(entries[i].Marks))
			}
		}
	})
}
