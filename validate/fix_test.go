package validate

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// cardLabels and cardAttrs are parts of the card's example, which fixCases replace.
const (
	cardLabels = `["B-EMO","I-EMO","I-EMO","I-EMO","I-EMO","I-EMO","O"]`
	cardAttrs  = `{"valence":"neg","intensity":"med","certainty":"asserted","temporality":"present","source":"self","emotion_group":"negative_affect","sentence_index":0,"clause_index":0,"confidence":0.91,"target_text":"you","target_relation":"cause"}`
	cardSpan   = `{"type":"EMO","subtype":"Annoyance","start":0,"end":5,"text":"Stop asking me the same question","attrs":` + cardAttrs + `}`
)

// fixCases edit the card's example. want are the codes and paths of the changes that make it valid again or, where nothing
// does, of the problems that stay; then faulty is true.
var fixCases = []struct {
	name   string
	edits  []string // pairs of old and new
	want   []string
	faulty bool
}{
	{"unchanged", nil, nil, false},
	{"another order of keys, and white space", []string{`"model":"llama3:instruct","provider":"ollama-local"`, ` "provider" : "ollama-local", "model":"llama3:instruct" `}, nil, false},

	// Values.
	{"case", []string{`["annoyance"]`, `["Annoyance "]`, `"Annoyance"`, `"annoyance"`, `"neg"`, `"NEG"`, `"EMO","sub`, `"Emo","sub`}, []string{
		"fix.case /predictions/0", "fix.case /data/spans/0/type", "fix.case /data/spans/0/subtype", "fix.case /data/spans/0/attrs/valence"}, false},
	{"words joined otherwise", []string{`"negative_affect"`, `"negative affect"`}, []string{"fix.case /data/spans/0/attrs/emotion_group"}, false},
	{"synonyms", []string{`["annoyance"]`, `["frustrated"]`, `"Annoyance"`, `"Irritation"`, `"cause"`, `"trigger"`}, []string{
		"fix.synonym /predictions/0", "fix.synonym /data/spans/0/subtype", "fix.synonym /data/spans/0/attrs/target_relation"}, false},
	{"no word of the taxonomy", []string{`"neg"`, `"purple"`}, []string{"vocab.valence /data/spans/0/attrs/valence"}, true},
	{"level in another case", []string{`"level2"`, `"Level2"`}, []string{"fix.level /level"}, false},
	{"another level", []string{`"level2"`, `"level1"`}, []string{"schema.level /level"}, true},
	{"prediction twice", []string{`["annoyance"]`, `["annoyance","irritated","joy"]`}, []string{"fix.synonym /predictions/1", "fix.duplicate /predictions/1"}, false},
	{"neutral beside another", []string{`["annoyance"]`, `["annoyance","None"]`}, []string{"emotion.neutral_alone /predictions/1"}, true},

	// Numbers.
	{"numbers as strings", []string{`0.91`, `" 0.91 "`, `"start":0`, `"start":"0"`, `"end":5`, `"end":5.0`, `"clause_index":0`, `"clause_index":"0.0"`}, []string{
		"fix.number /data/spans/0/start", "fix.number /data/spans/0/end", "fix.number /data/spans/0/attrs/clause_index", "fix.number /data/spans/0/attrs/confidence"}, false},
	{"a whole confidence", []string{`0.91`, `1`}, nil, false},
	{"percent", []string{`0.91`, `91`}, []string{"confidence.percent /data/spans/0/attrs/confidence"}, true},
	{"percent in a string", []string{`0.91`, `"91"`}, []string{"confidence.percent /data/spans/0/attrs/confidence"}, true},
	{"percent sign", []string{`0.91`, `"91%"`}, []string{"schema.type /data/spans/0/attrs/confidence", "confidence.percent /data/spans/0/attrs/confidence"}, true},
	{"a number in words", []string{`0.91`, `"high"`}, []string{"schema.type /data/spans/0/attrs/confidence"}, true},
	{"half an index", []string{`"end":5`, `"end":5.5`}, []string{"schema.type /data/spans/0/end"}, true},
	{"an index beyond 32 bits", []string{`"end":5`, `"end":5e20`}, []string{"schema.type /data/spans/0/end"}, true},

	// What follows from the rest.
	{"labels", []string{cardLabels, `["O","O","O","B-EMO","I-EMO","I-EMO","O"]`}, []string{"fix.labels /data/labels"}, false},
	{"labels of no BIO", []string{cardLabels, `["emo","I-EMO","b","",  "O","O","X"]`}, []string{"fix.labels /data/labels"}, false},
	{"too few labels", []string{cardLabels, `["B-EMO"]`}, []string{"fix.labels /data/labels"}, false},
	{"no labels", []string{cardLabels, `null`}, []string{"fix.labels /data/labels"}, false},
	{"labels missing", []string{`"labels":` + cardLabels + `,`, ``}, []string{"fix.labels /data/labels"}, false},
	{"text of a span", []string{`"Stop asking me the same question","attrs"`, `"stop asking","attrs"`}, []string{"fix.span_text /data/spans/0/text"}, false},
	{"span without a text", []string{`"text":"Stop asking me the same question","attrs"`, `"attrs"`}, []string{"fix.span_text /data/spans/0/text"}, false},
	{"end exclusive", []string{`"end":5`, `"end":6`}, []string{"span.text /data/spans/0/text", "span.labels /data/labels/6"}, true},
	{"end beyond the tokens", []string{`"end":5`, `"end":7`}, []string{"span.range /data/spans/0"}, true},
	{"tokens are not the text's", []string{`"me","the"`, `"you","the"`}, []string{"alignment.token_text /data/tokens/2", "alignment.gap /data/tokens/3"}, true},
	{"spans out of order", []string{`["annoyance"]`, `["annoyance"]`, `"end":5,"text":"Stop asking me the same question"`, `"end":1,"text":"Stop asking"`,
		`[{"type"`, `[` + strings.NewReplacer(`"start":0,"end":5`, `"start":3,"end":5`, "Stop asking me the same", "the same").Replace(cardSpan) + `,{"type"`,
		cardLabels, `["B-EMO","I-EMO","O","B-EMO","I-EMO","I-EMO","O"]`}, []string{"fix.span_order /data/spans"}, false},
	{"overlap", []string{`[{"type"`, `[` + cardSpan + `,{"type"`}, []string{"span.overlap /data/spans/1/start"}, true},
	{"labels without spans", []string{cardSpan, ``}, []string{
		"span.missing /data/spans", "span.labels /data/labels/0", "span.labels /data/labels/1", "span.labels /data/labels/2",
		"span.labels /data/labels/3", "span.labels /data/labels/4", "span.labels /data/labels/5"}, true},
	{"group", []string{`"negative_affect"`, `"bad mood"`}, []string{"fix.emotion_group /data/spans/0/attrs/emotion_group"}, false},
	{"another group of the vocabulary stays", []string{`"negative_affect"`, `"positive_affect"`}, nil, false},

	// Missing attributes.
	{"group missing", []string{`"emotion_group":"negative_affect",`, ``}, []string{"fix.emotion_group /data/spans/0/attrs/emotion_group"}, false},
	{"defaults", []string{`"intensity":"med","certainty":"asserted","temporality":"present","source":"self",`, `"intensity":null,"certainty":" ",`}, []string{
		"fix.attr_default /data/spans/0/attrs/intensity", "fix.attr_default /data/spans/0/attrs/temporality", "fix.attr_default /data/spans/0/attrs/source",
		"fix.attr_default /data/spans/0/attrs/certainty"}, false},
	{"no target", []string{`,"target_text":"you","target_relation":"cause"`, ``}, []string{
		"fix.target /data/spans/0/attrs/target_text", "fix.target /data/spans/0/attrs/target_relation"}, false},
	{"null target", []string{`"you"`, `null`, `"cause"`, `"No relation"`}, []string{
		"fix.target /data/spans/0/attrs/target_text", "fix.synonym /data/spans/0/attrs/target_relation"}, false},
	{"empty relation", []string{`"you"`, `""`, `"cause"`, `""`}, []string{"fix.target /data/spans/0/attrs/target_relation"}, false},
	{"target without a relation", []string{`,"target_relation":"cause"`, ``}, []string{"schema.missing_key /data/spans/0/attrs/target_relation"}, true},
	{"relation without a target", []string{`"target_text":"you",`, ``}, []string{"schema.missing_key /data/spans/0/attrs/target_text"}, true},
	{"valence missing", []string{`"valence":"neg",`, ``}, []string{"schema.missing_key /data/spans/0/attrs/valence"}, true},
	{"empty attrs", []string{cardAttrs, `{}`}, []string{
		"schema.missing_key /data/spans/0/attrs/valence", "schema.missing_key /data/spans/0/attrs/sentence_index",
		"schema.missing_key /data/spans/0/attrs/clause_index", "schema.missing_key /data/spans/0/attrs/confidence"}, true},
	{"no attrs", []string{`,"attrs":` + cardAttrs, ``}, []string{
		"schema.missing_key /data/spans/0/attrs/valence", "schema.missing_key /data/spans/0/attrs/sentence_index",
		"schema.missing_key /data/spans/0/attrs/clause_index", "schema.missing_key /data/spans/0/attrs/confidence"}, true},

	// Shapes.
	{"stray keys", []string{`"data":{`, `"lang":"en","data":{"id":"x",`, `"type":"EMO"`, `"cause":["a"],"type":"EMO","emotion_cause":""`, `"valence"`, `"mood":{"a":1},"valence"`}, []string{
		"fix.unknown_key /lang", "fix.unknown_key /data/spans/0/cause", "fix.unknown_key /data/spans/0/emotion_cause",
		"fix.unknown_key /data/spans/0/attrs/mood", "fix.unknown_key /data/id"}, false},
	{"more stray keys than problems are listed", []string{`"data":{`, manyKeys(50) + `"data":{`}, slices.Repeat([]string{"fix.unknown_key"}, 50), false},
	{"labels by type", []string{cardLabels, `{"EMO":` + cardLabels + `}`}, []string{"fix.labels_struct /data/labels"}, false},
	{"labels by index", []string{cardLabels, `{"1":"I-EMO","0":"B-EMO","2":"I-EMO","3":"I-EMO","4":"I-EMO","5":"I-EMO","6":"O"}`}, []string{"fix.labels_struct /data/labels"}, false},
	{"labels by token", []string{cardLabels, `{"Stop":"B-EMO","asking":"I-EMO"}`}, []string{"fix.labels_struct /data/labels", "fix.labels /data/labels"}, false},
	{"labels by token without spans", []string{cardLabels, `{"Stop":"B-EMO"}`, cardSpan, ``}, []string{"schema.type /data/labels"}, true},
	{"spans by index", []string{`[` + cardSpan + `]`, `{"0":` + cardSpan + `}`}, []string{"fix.spans_struct /data/spans"}, false},
	{"a single span", []string{`[` + cardSpan + `]`, cardSpan}, []string{"fix.spans_struct /data/spans"}, false},
	{"columns", []string{`[` + cardSpan + `]`, `{"type":["EMO"],"subtype":["Annoyance"],"start":[0],"end":[5],"text":["Stop asking me the same question"],"attrs":[` + cardAttrs + `]}`}, []string{"fix.spans_struct /data/spans"}, false},
	{"columns to the bottom", []string{`[` + cardSpan + `]`, `{"type":["EMO"],"subtype":["Annoyance"],"start":[0],"end":[5],"text":["Stop asking me the same question"],"attrs":{` +
		`"valence":["neg"],"intensity":["med"],"certainty":["asserted"],"temporality":["present"],"source":["self"],"emotion_group":["negative_affect"],"sentence_index":[0],"clause_index":[0],"confidence":[0.91],"target_text":["you"],"target_relation":["cause"]}}`},
		[]string{"fix.spans_struct /data/spans"}, false},
	{"columns of several lengths", []string{`[` + cardSpan + `]`, `{"type":["EMO"],"start":[0,1]}`}, []string{"schema.type /data/spans"}, true},
	{"attributes beside attrs", []string{`"attrs":{"valence":"neg","intensity":"med",`, `"valence":"neg","intensity":"high","attrs":{"intensity":"med",`}, []string{
		"fix.attr_place /data/spans/0/valence", "fix.unknown_key /data/spans/0/intensity"}, false},
	{"the labels that were given", []string{`"predictions"`, `"original_go_emotion_predictions"`, `"level_2"`, `"level_2_projected"`, `"level":"level2",`, ``}, []string{
		"fix.predictions_key /original_go_emotion_predictions", "fix.level /level"}, false},
	{"given by two", []string{`"predictions":["annoyance"]`, `"original_llm_predictions":["joy"],"original_go_emotion_predictions":["annoyance"]`}, []string{
		"schema.missing_key /predictions"}, true},
	{"a single prediction", []string{`["annoyance"]`, `"annoyance"`}, []string{"fix.predictions_list /predictions"}, false},
	{"no level, and a prompt that does not tell", []string{`"level":"level2",`, ``, `"level_2"`, `"mine"`}, []string{"schema.missing_key /level"}, true},

	// Not mended.
	{"id missing", []string{`"src_id":"l2_11023",`, ``}, []string{"schema.missing_key /src_id"}, true},
	{"tokens missing", []string{`"tokens":["Stop","asking","me","the","same","question","."],`, ``}, []string{"schema.missing_key /data/tokens"}, true},
	{"a key twice", []string{`"level"`, `"level":"level2","mood":1,"level"`}, []string{"schema.unknown_key /mood", "schema.duplicate_key /level"}, true},
	{"cut", []string{`]}}`, `]`}, []string{"schema.syntax /data"}, true},
	{"two records", []string{`]}}`, `]}}{}`}, []string{"schema.syntax "}, true},
	{"a list", []string{cardExample, `[` + cardExample + `]`}, []string{"schema.type "}, true},
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`"k` + strconv.Itoa(i) + `":0,`)
	}
	return b.String()
}

// validated is the result of one line, without the goroutines of Stream, whose coverage differs from run to run.
func validated(line string, tax *dataset.Taxonomy, fix bool) Result {
	res := Result{Line: 1, Raw: []byte(line)}
	res.check(new(dataset.Record), tax, fix)
	return res
}

func TestFix(t *testing.T) {
	produced := map[string]bool{}
	for _, tt := range fixCases {
		t.Run(tt.name, func(t *testing.T) {
			line := cardExample
			for i := 0; i < len(tt.edits); i += 2 {
				if !strings.Contains(line, tt.edits[i]) {
					t.Fatalf("nothing to replace: %s", tt.edits[i])
				}
				line = strings.Replace(line, tt.edits[i], tt.edits[i+1], 1)
			}
			res := validated(line, dataset.Default(), true)
			var got []string
			for _, c := range res.Changes {
				produced[c.Code] = true
				if c.From == c.To {
					t.Errorf("%s %s changes nothing: %q", c.Code, c.Path, c.From)
				}
				if len(tt.want) == 50 {
					c.Path = ""
				}
				got = append(got, strings.TrimSpace(c.Code+" "+c.Path))
			}
			if tt.faulty {
				got = codesAndPaths(res.Problems)
			} else if len(res.Problems) > 0 {
				t.Errorf("not mended: %q", res.Problems)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if tt.faulty == (len(res.Problems) == 0) {
				t.Errorf("problems %q", res.Problems)
			}
			if !tt.faulty {
				checkFixed(t, res.Record, dataset.Default())
			}
			if strict := validated(line, dataset.Default(), false); (len(strict.Problems) == 0) != (tt.want == nil) || strict.Changes != nil {
				t.Errorf("without fixing: %q, %q", strict.Problems, strict.Changes)
			}
		})
	}
	for _, c := range Fixes() {
		if !produced[c.Code] {
			t.Errorf("%s is listed but no case produces it", c.Code)
		}
		delete(produced, c.Code)
	}
	if len(produced) > 0 {
		t.Errorf("not listed: %v", produced)
	}
}

// checkFixed holds a record that was mended to be valid, and to stay as it is when it is mended again.
func checkFixed(t testing.TB, r *dataset.Record, tax *dataset.Taxonomy) {
	t.Helper()
	line, err := r.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	if strict := validated(string(line), tax, false); len(strict.Problems) > 0 {
		t.Fatalf("mended, but %q: %s", strict.Problems, line)
	}
	again := validated(string(line), tax, true)
	written, err := again.Record.AppendJSON(nil)
	if err != nil || len(again.Problems)+len(again.Changes) > 0 || !bytes.Equal(written, line) {
		t.Fatalf("mended again: %q, %q, %v\n%s\n%s", again.Problems, again.Changes, err, line, written)
	}
	if changes := Fix(again.Record, tax); changes != nil {
		t.Fatalf("a valid record is changed: %q", changes)
	}
}

func TestFixSaysWhat(t *testing.T) {
	line := strings.NewReplacer(`0.91`, `"0.9"`, `"neg"`, `"negative"`, `"target_text":"you"`, `"target_text":null`, `"cause"`, `null`, `["annoyance"]`, `["annoyance","Annoyed"]`,
		cardLabels, `{"EMO":[]}`).Replace(cardExample)
	want := []Change{
		{"fix.number", "/data/spans/0/attrs/confidence", `"0.9"`, "0.9"},
		{"fix.target", "/data/spans/0/attrs/target_text", "null", `""`},
		{"fix.target", "/data/spans/0/attrs/target_relation", "null", "none"},
		{"fix.labels_struct", "/data/labels", `{"EMO":[]}`, "[]"},
		{"fix.synonym", "/predictions/1", "Annoyed", "annoyance"},
		{"fix.synonym", "/data/spans/0/attrs/valence", "negative", "neg"},
		{"fix.duplicate", "/predictions/1", "annoyance", ""},
		{"fix.labels", "/data/labels", "[]", cardLabels},
	}
	if got := validated(line, dataset.Default(), true).Changes; !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestFixMutations mends every mutation that the checks are tested with, and random records broken in several ways at once.
func TestFixMutations(t *testing.T) {
	tax := dataset.Default()
	mended := 0
	try := func(name string, r *dataset.Record) {
		line, err := r.AppendJSON(nil)
		if err != nil {
			return // not even JSON
		}
		if res := validated(string(line), tax, true); len(res.Problems) == 0 {
			mended++
			checkFixed(t, res.Record, tax)
		} else if len(res.Changes) > 0 {
			t.Errorf("%s: %q of a record that stays invalid", name, res.Changes)
		}
	}
	for _, m := range mutations {
		r := validRecord()
		m.edit(r)
		try(m.name, r)
	}
	if mended < 20 {
		t.Errorf("%d mutations were mended", mended)
	}
	mended = 0
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		r := randomRecord(rng, tax)
		for range 1 + rng.IntN(4) {
			spoil(rng, r)
		}
		try("random", r)
	}
	if mended < 500 {
		t.Errorf("%d random records were mended", mended)
	}
}

// spoil changes something that may be mended.
func spoil(rng *rand.Rand, r *dataset.Record) {
	s := &r.Data.Spans[rng.IntN(len(r.Data.Spans))]
	i := rng.IntN(len(r.Data.Labels))
	switch rng.IntN(10) {
	case 0:
		r.Data.Labels[i] = []string{"O", "B-EMO", "I-EMO", "emo"}[rng.IntN(4)]
	case 1:
		s.Text = strings.ToUpper(s.Text) + "!"
	case 2:
		s.Subtype = strings.ToUpper(s.Subtype)
	case 3:
		r.Predictions = append(r.Predictions, strings.ToTitle(r.Predictions[0]))
	case 4:
		s.Attrs.EmotionGroup = ""
	case 5:
		s.Attrs.Intensity, s.Attrs.Source = "", "Narrator"
	case 6:
		slices.Reverse(r.Data.Spans)
	case 7:
		s.Start, s.End = s.Start-rng.IntN(2), s.End+rng.IntN(2)
	case 8:
		r.Data.Labels = r.Data.Labels[:i+1]
	case 9:
		s.Type = "emo"
	}
}

func FuzzFix(f *testing.F) {
	f.Add([]byte(cardExample))
	for _, tt := range fixCases {
		if len(tt.edits) == 2 {
			f.Add([]byte(strings.Replace(cardExample, tt.edits[0], tt.edits[1], 1)))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.IndexByte(line, '\n') >= 0 || len(line) == 0 {
			return
		}
		if res := validated(string(line), dataset.Default(), true); len(res.Problems) == 0 {
			checkFixed(t, res.Record, dataset.Default())
		}
	})
}
