package validate

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
)

// decodeCases edit the card's example, a line that decodes.
var decodeCases = []struct {
	name     string
	old, new string // the first old becomes new; an empty old makes new the whole line
	want     []string
	json     bool // a record comes back
}{
	{"unchanged", "x", "x", nil, true},
	{"white space around", `{"src_id"`, " \t{ \"src_id\"", nil, true},
	{"escapes", `"Stop asking me the same question."`, `"\u0053top asking me the same question."`, nil, true},
	{"surrogate pair", `"annoyance"`, `"\ud83d\ude00"`, nil, true},
	{"whole confidence", `0.91`, `1`, nil, true},
	{"exponent", `0.91`, `9.1e-1`, nil, true},
	{"negative index", `"start":0`, `"start":-3`, nil, true},

	{"empty line", "", "", []string{"schema.syntax "}, false},
	{"blank line", "", "  ", []string{"schema.syntax "}, false},
	{"cut", "", cardExample[:300], []string{"schema.syntax /data/labels/5"}, false},
	{"two values", `]}}`, `]}} {}`, []string{"schema.syntax "}, false},
	{"trailing comma", `]}}`, `]},}`, []string{"schema.syntax "}, false},
	{"comment", `{"src_id"`, `/**/{"src_id"`, []string{"schema.syntax "}, false},
	{"byte order mark", `{"src_id"`, "\ufeff" + `{"src_id"`, []string{"schema.syntax "}, false},
	{"NaN", `0.91`, `NaN`, []string{"schema.syntax /data/spans/0/attrs/confidence"}, false},
	{"infinity", `0.91`, `-Infinity`, []string{"schema.syntax /data/spans/0/attrs/confidence"}, false},
	{"leading zero", `"end":5`, `"end":05`, []string{"schema.syntax /data/spans/0"}, false},
	{"raw control character", `level2`, "level\x012", []string{"schema.syntax /level"}, false},
	{"lone surrogate", `level2`, `\ud800`, []string{"schema.syntax /level"}, false},
	{"invalid UTF-8", `level2`, "level\xff2", []string{"schema.invalid_utf8 "}, false},
	{"array", "", `[]`, []string{"schema.type "}, true},
	{"null", "", `null`, []string{"schema.type "}, true},
	{"deep", `"level"`, `"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `,"level"`, []string{"schema.unknown_key /x", "schema.too_deep "}, false},
	{"very deep", "", strings.Repeat("[", 1<<20), []string{"schema.too_deep "}, false},

	{"unknown key", `"level"`, `"lang":{"a":[1,null]},"level"`, []string{"schema.unknown_key /lang"}, true},
	{"unknown attribute", `"valence"`, `"mood":1,"valence"`, []string{"schema.unknown_key /data/spans/0/attrs/mood"}, true},
	{"key in another case", `"level"`, `"Level"`, []string{"schema.unknown_key /Level", "schema.missing_key /level"}, true},
	{"key with an escape", `"level"`, `"le\u0076el"`, nil, true},
	{"pointer characters in a key", `"level"`, `"a/b~":0,"level"`, []string{"schema.unknown_key /a~1b~0"}, true},
	{"missing at the top", `"model":"llama3:instruct",`, ``, []string{"schema.missing_key /model"}, true},
	{"missing attribute", `"source":"self",`, ``, []string{"schema.missing_key /data/spans/0/attrs/source"}, true},
	{"empty span", `"spans":[`, `"spans":[{},`, []string{
		"schema.missing_key /data/spans/0/type", "schema.missing_key /data/spans/0/subtype", "schema.missing_key /data/spans/0/start",
		"schema.missing_key /data/spans/0/end", "schema.missing_key /data/spans/0/text", "schema.missing_key /data/spans/0/attrs"}, true},
	{"duplicate key", `"level"`, `"level":"level2","level"`, []string{"schema.duplicate_key /level"}, true},
	{"duplicate in another's place", `"provider":"ollama-local"`, `"model":"x"`, []string{"schema.duplicate_key /model", "schema.missing_key /provider"}, true},
	{"duplicate attribute", `"target_text"`, `"confidence":7,"target_text"`, []string{"schema.duplicate_key /data/spans/0/attrs/confidence"}, true},

	{"number for a string", `"level_2"`, `2`, []string{"schema.type /prompt"}, true},
	{"null for a string", `"llama3:instruct"`, `null`, []string{"schema.type /model"}, true},
	{"string for a list", `["annoyance"]`, `"annoyance"`, []string{"schema.type /predictions"}, true},
	{"number in a list", `"annoyance"`, `"annoyance",3,"joy",{}`, []string{"schema.type /predictions/1", "schema.type /predictions/3"}, true},
	{"list for an object", `"attrs":{`, `"attrs":[],"x":{`, []string{"schema.type /data/spans/0/attrs", "schema.unknown_key /data/spans/0/x"}, true},
	{"float for an integer", `"end":5`, `"end":5.0`, []string{"schema.type /data/spans/0/end"}, true},
	{"exponent for an integer", `"end":5`, `"end":5e0`, []string{"schema.type /data/spans/0/end"}, true},
	{"string for an integer", `"end":5`, `"end":"5"`, []string{"schema.type /data/spans/0/end"}, true},
	{"string for a number", `0.91`, `"0.91"`, []string{"schema.type /data/spans/0/attrs/confidence"}, true},
	{"percent", `0.91`, `"91 %"`, []string{"schema.type /data/spans/0/attrs/confidence", "confidence.percent /data/spans/0/attrs/confidence"}, true},
	{"boolean for an integer", `"clause_index":0`, `"clause_index":false`, []string{"schema.type /data/spans/0/attrs/clause_index"}, true},
	{"integer of 33 bits", `"end":5`, `"end":2147483648`, []string{"schema.number_range /data/spans/0/end"}, true},
	{"number too large", `0.91`, `1e999`, []string{"schema.number_range /data/spans/0/attrs/confidence"}, true},
	{"several", `"level2","predictions":["annoyance"]`, `2,"Predictions":[]`, []string{
		"schema.type /level", "schema.unknown_key /Predictions", "schema.missing_key /predictions"}, true},
}

func TestDecode(t *testing.T) {
	for _, tt := range decodeCases {
		t.Run(tt.name, func(t *testing.T) {
			line := tt.new
			if tt.old != "" {
				line = strings.Replace(cardExample, tt.old, tt.new, 1)
			}
			r, problems := Decode([]byte(line), dataset.Default())
			if got := codesAndPaths(problems); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", problems, tt.want)
			}
			if (r != nil) != tt.json {
				t.Errorf("record %v", r)
			}
		})
	}
}

// strictly decodes a line without the scanner.
func strictly(line []byte) (*dataset.Record, []Problem) {
	r, d := new(dataset.Record), &decoder{tax: dataset.Default()}
	reuse(r)
	if d.decode(string(line), line, r) {
		return r, d.list
	}
	return nil, d.list
}

// agreeScanner holds what the scanner takes to what the decoder makes of it.
func agreeScanner(t *testing.T, line []byte) (taken bool) {
	t.Helper()
	r := new(dataset.Record)
	reuse(r)
	if !utf8.Valid(line) || !scan(string(line), r, dataset.Default()) {
		return false
	}
	if want, problems := strictly(line); len(problems) > 0 || !reflect.DeepEqual(r, want) {
		t.Errorf("the scanner takes %s\nas   %+v\nwant %+v, %q", line, r, want, problems)
	}
	return true
}

func TestScanner(t *testing.T) {
	for _, tt := range decodeCases {
		line := tt.new
		if tt.old != "" {
			line = strings.Replace(cardExample, tt.old, tt.new, 1)
		}
		taken := agreeScanner(t, []byte(line))
		if rare := tt.name == "exponent" || tt.name == "key with an escape"; taken != (tt.want == nil) && !rare {
			t.Errorf("%s: taken %v", tt.name, taken)
		}
	}
	rng := rand.New(rand.NewPCG(9, 10))
	for range 3000 {
		line, err := randomRecord(rng, dataset.Default()).AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		if !agreeScanner(t, line) {
			t.Fatalf("not taken: %s", line)
		}
		// One byte changed: most often it is no JSON any more, or no record.
		line[rng.IntN(len(line))] = "\"\\{}[]:,.0-e \t\n\x01a"[rng.IntN(17)]
		agreeScanner(t, line)
	}
	for cut := range len(cardExample) {
		if agreeScanner(t, []byte(cardExample[:cut])) {
			t.Errorf("%s is taken", cardExample[:cut])
		}
	}
}

func TestDecodeManyProblems(t *testing.T) {
	for _, part := range []string{`{},`, `0,`} {
		line := strings.Replace(cardExample, `"spans":[`, `"spans":[`+strings.Repeat(part, 100_000), 1)
		_, problems := Decode([]byte(line), dataset.Default())
		if len(problems) != MaxProblems+1 || problems[MaxProblems].Code != CodeLimitProblems {
			t.Errorf("%d problems", len(problems))
		}
	}
}

func TestDecodeOwnsItsStrings(t *testing.T) {
	line := []byte(cardExample)
	r, _ := Decode(line, dataset.Default())
	clear(line)
	if r.SrcID != "l2_11023" || r.Data.Tokens[1] != "asking" {
		t.Errorf("the record changed with the line: %q", r.SrcID)
	}
}

// TestEveryCode has each listed code produced by some case, and each produced
// code listed.
func TestEveryCode(t *testing.T) {
	produced := map[string]bool{}
	note := func(list []Problem) {
		for _, p := range list {
			produced[p.Code] = true
		}
	}
	for _, tt := range mutations {
		r := validRecord()
		tt.edit(r)
		note(Record(r, dataset.Default()))
	}
	note(Record(wideRecord(), dataset.Default()))
	tax, line := furtherWeather(t)
	note(validated(strings.Replace(line, `"very high"`, `"deep"`, 1), tax, false).Problems)
	for _, tt := range decodeCases {
		line := tt.new
		if tt.old != "" {
			line = strings.Replace(cardExample, tt.old, tt.new, 1)
		}
		_, problems := Decode([]byte(line), dataset.Default())
		note(problems)
	}
	stream := cardExample + "\n" + cardExample + "\n" + strings.Repeat(" ", len(cardExample)+1) + "\n"
	_, err := Stream(strings.NewReader(stream), dataset.Default(), StreamOptions{
		MaxLine: len(cardExample),
		Each:    func(res Result) error { note(res.Problems); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, c := range Codes() {
		if listed[c.Code] {
			t.Errorf("%s is listed twice", c.Code)
		}
		listed[c.Code] = true
		if !produced[c.Code] {
			t.Errorf("%s is listed but no case produces it", c.Code)
		}
		if c.Step == "" || c.Meaning == "" {
			t.Errorf("%s has no step or meaning", c.Code)
		}
	}
	for code := range produced {
		if !listed[code] {
			t.Errorf("%s is produced but not listed", code)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(cardExample))
	for _, tt := range decodeCases {
		if len(tt.new) < 1000 && tt.old != "" {
			f.Add([]byte(strings.Replace(cardExample, tt.old, tt.new, 1)))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		agreeScanner(t, line)
		before := bytes.Clone(line)
		r, problems := Decode(line, dataset.Default())
		if !bytes.Equal(line, before) {
			t.Fatal("the line was changed")
		}
		if r == nil && len(problems) == 0 {
			t.Fatal("neither a record nor a problem")
		}
		if r == nil {
			return
		}
		first := Record(r, dataset.Default())
		if !reflect.DeepEqual(first, Record(r, dataset.Default())) {
			t.Fatal("two checks of one record differ")
		}
		if len(problems) > 0 {
			return
		}
		again, err := r.AppendJSON(nil)
		if err != nil {
			t.Fatal(err)
		}
		r2, problems := Decode(again, dataset.Default())
		if len(problems) > 0 || !reflect.DeepEqual(r, r2) {
			t.Fatalf("decoded again: %v\n%+v\n%+v", problems, r, r2)
		}
	})
}
