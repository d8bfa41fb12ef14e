package validate

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// cardExample is the one record that the dataset card shows.
const cardExample = `{"src_id":"l2_11023","model":"llama3:instruct","provider":"ollama-local","prompt":"level_2","level":"level2","predictions":["annoyance"],"text":"Stop asking me the same question.","data":{"tokens":["Stop","asking","me","the","same","question","."],"labels":["B-EMO","I-EMO","I-EMO","I-EMO","I-EMO","I-EMO","O"],"spans":[{"type":"EMO","subtype":"Annoyance","start":0,"end":5,"text":"Stop asking me the same question","attrs":{"valence":"neg","intensity":"med","certainty":"asserted","temporality":"present","source":"self","emotion_group":"negative_affect","sentence_index":0,"clause_index":0,"confidence":0.91,"target_text":"you","target_relation":"cause"}}]}}`

// validRecord has two spans, one with a target in the text and one without any.
func validRecord() *dataset.Record {
	span := func(subtype string, start, end int, text string) dataset.Span {
		return dataset.Span{Type: "EMO", Subtype: subtype, Start: start, End: end, Text: text, Attrs: dataset.Attrs{
			Valence: "pos", Intensity: "high", Certainty: "asserted", Temporality: "present", Source: "self",
			EmotionGroup: "positive_affect", Confidence: 0.75, TargetRelation: "none",
		}}
	}
	r := &dataset.Record{
		SrcID: "l2_7", Model: "tiny", Provider: "emospan", Prompt: "level_2", Level: "level2",
		Predictions: []string{"joy", "gratitude"},
		Text:        " So happy today,  thank you Ana! 🎉",
		Data: dataset.Data{
			Tokens: []string{"So", "happy", "today", ",", "thank", "you", "Ana", "!", "🎉"},
			Labels: []string{"B-EMO", "I-EMO", "O", "O", "B-EMO", "I-EMO", "O", "O", "O"},
			Spans:  []dataset.Span{span("Joy", 0, 1, "So happy"), span("Gratitude", 4, 5, "thank you")},
		},
	}
	r.Data.Spans[1].Attrs.TargetText = "you Ana"
	r.Data.Spans[1].Attrs.TargetRelation = "target"
	return r
}

type mutation struct {
	name string
	edit func(r *dataset.Record)
	want []string // "code path" of each problem, in order
}

// mutations change one thing of validRecord each.
var mutations = []mutation{
	{"unchanged", func(r *dataset.Record) {}, nil},
	{"empty id", func(r *dataset.Record) { r.SrcID = "" }, []string{"schema.empty /src_id"}},
	{"empty model", func(r *dataset.Record) { r.Model = "" }, []string{"schema.empty /model"}},
	{"empty provider", func(r *dataset.Record) { r.Provider = "" }, []string{"schema.empty /provider"}},
	{"empty prompt", func(r *dataset.Record) { r.Prompt = "" }, []string{"schema.empty /prompt"}},
	{"invalid UTF-8", func(r *dataset.Record) { r.Model = "a\xff" }, []string{"schema.invalid_utf8 /model"}},
	{"level", func(r *dataset.Record) { r.Level = "level1" }, []string{"schema.level /level"}},

	{"no predictions", func(r *dataset.Record) { r.Predictions = nil }, []string{
		"emotion.empty /predictions",
		"emotion.subtype_not_predicted /data/spans/0/subtype", "emotion.subtype_not_predicted /data/spans/1/subtype"}},
	{"prediction in capitals", func(r *dataset.Record) { r.Predictions[0] = "Joy" }, []string{"emotion.case /predictions/0"}},
	{"unknown prediction", func(r *dataset.Record) { r.Predictions = append(r.Predictions, "hunger") }, []string{"emotion.unknown /predictions/2"}},
	{"unknown in capitals", func(r *dataset.Record) { r.Predictions = append(r.Predictions, "Hunger") },
		[]string{"emotion.case /predictions/2", "emotion.unknown /predictions/2"}},
	{"synonym is not in the taxonomy", func(r *dataset.Record) { r.Predictions = append(r.Predictions, "happiness") }, []string{"emotion.unknown /predictions/2"}},
	{"prediction twice", func(r *dataset.Record) { r.Predictions = append(r.Predictions, "joy") }, []string{"emotion.duplicate /predictions/2"}},
	{"neutral and another", func(r *dataset.Record) { r.Predictions = append(r.Predictions, "neutral") }, []string{"emotion.neutral_alone /predictions/2"}},
	{"prediction without a span", func(r *dataset.Record) { r.Predictions = append(r.Predictions, "relief") }, nil},

	{"token not of the text", func(r *dataset.Record) { r.Data.Tokens[6] = "Anna" }, []string{"alignment.token_text /data/tokens/6", "alignment.gap /data/tokens/7"}},
	{"last token not of the text", func(r *dataset.Record) { r.Data.Tokens[8] = "🎊" }, []string{"alignment.token_text /data/tokens/8", "alignment.gap /data/tokens"}},
	{"empty token", func(r *dataset.Record) {
		r.Data.Tokens = append(r.Data.Tokens, "")
		r.Data.Labels = append(r.Data.Labels, "O")
	}, []string{"alignment.empty_token /data/tokens/9"}},
	{"a token of white space alone", func(r *dataset.Record) {
		r.Text += " \x1c\x1f"
		r.Data.Tokens = append(r.Data.Tokens, "\x1c\x1f")
		r.Data.Labels = append(r.Data.Labels, "O")
	}, []string{"alignment.empty_token /data/tokens/9"}},
	{"separators are white space", func(r *dataset.Record) { r.Text = strings.Replace(r.Text, ", ", ",\x1c\x1d\x1e\x1f", 1) + "\x1f" }, nil},
	{"text before the first token", func(r *dataset.Record) { r.Text = "Oh" + r.Text }, []string{"alignment.gap /data/tokens/0"}},
	{"text behind the last token", func(r *dataset.Record) { r.Text += " Bye" }, []string{"alignment.gap /data/tokens"}},
	{"text between tokens", func(r *dataset.Record) { r.Text = strings.Replace(r.Text, ", ", ", - ", 1) }, []string{"alignment.gap /data/tokens/4"}},
	{"zero width joiner is not white space", func(r *dataset.Record) { r.Text = strings.Replace(r.Text, ", ", ",\u200d", 1) }, []string{"alignment.gap /data/tokens/4"}},
	{"other white space", func(r *dataset.Record) { r.Text = strings.Replace(r.Text, ", ", ",\u2003\u0085\u00a0\t", 1) }, nil},
	{"tokens without space between", func(r *dataset.Record) {
		r.Data.Tokens = slices.Insert(r.Data.Tokens, 2, "to", "day")
		r.Data.Tokens = slices.Delete(r.Data.Tokens, 4, 5)
		r.Data.Labels = slices.Insert(r.Data.Labels, 2, "O")
		r.Data.Spans[1].Start, r.Data.Spans[1].End = 5, 6
	}, nil},
	{"too few labels", func(r *dataset.Record) { r.Data.Labels = r.Data.Labels[:8] }, []string{"alignment.length /data/labels"}},
	{"too many labels", func(r *dataset.Record) { r.Data.Labels = append(r.Data.Labels, "O") }, []string{"alignment.length /data/labels"}},
	{"no tokens", func(r *dataset.Record) { r.Data = dataset.Data{} }, []string{"alignment.gap /data/tokens", "span.missing /data/spans"}},
	{"empty text", func(r *dataset.Record) { r.Text, r.Data = "", dataset.Data{} }, []string{"schema.empty /text", "span.missing /data/spans"}},

	{"unknown label", func(r *dataset.Record) { r.Data.Labels[8] = "B-PER" }, []string{"label.value /data/labels/8", "span.labels /data/labels/8"}},
	{"label in lower case", func(r *dataset.Record) { r.Data.Labels[8] = "o" }, []string{"label.value /data/labels/8", "span.labels /data/labels/8"}},
	{"label without type", func(r *dataset.Record) { r.Data.Labels[0] = "B-" }, []string{"label.value /data/labels/0", "label.bio /data/labels/1", "span.labels /data/labels/0"}},
	{"I without B", func(r *dataset.Record) { r.Data.Labels[0] = "I-EMO" }, []string{"label.bio /data/labels/0", "span.labels /data/labels/0"}},
	{"B within a span", func(r *dataset.Record) { r.Data.Labels[1] = "B-EMO" }, []string{"span.labels /data/labels/1"}},
	{"label outside spans", func(r *dataset.Record) { r.Data.Labels[8] = "B-EMO" }, []string{"span.labels /data/labels/8"}},
	{"label missing in a span", func(r *dataset.Record) { r.Data.Labels[1] = "O" }, []string{"span.labels /data/labels/1"}},
	{"span not listed", func(r *dataset.Record) { r.Data.Spans = r.Data.Spans[:1] }, []string{"span.labels /data/labels/4", "span.labels /data/labels/5"}},

	{"span type", func(r *dataset.Record) { r.Data.Spans[0].Type = "emo" }, []string{
		"span.type /data/spans/0/type", "span.labels /data/labels/0", "span.labels /data/labels/1"}},
	{"start below 0", func(r *dataset.Record) { r.Data.Spans[0].Start = -1 }, []string{"span.range /data/spans/0"}},
	{"end before start", func(r *dataset.Record) { r.Data.Spans[1].End = 3 }, []string{"span.range /data/spans/1"}},
	{"end is inclusive", func(r *dataset.Record) { r.Data.Spans[1].End = 9 }, []string{"span.range /data/spans/1"}},
	{"span order", func(r *dataset.Record) { slices.Reverse(r.Data.Spans) }, []string{"span.order /data/spans/1/start"}},
	{"span overlap", func(r *dataset.Record) { r.Data.Spans[1].Start, r.Data.Spans[1].Text = 1, "happy today,  thank you" }, []string{"span.overlap /data/spans/1/start"}},
	{"same span twice", func(r *dataset.Record) { r.Data.Spans[1] = r.Data.Spans[0] }, []string{"span.overlap /data/spans/1/start"}},
	{"span text", func(r *dataset.Record) { r.Data.Spans[0].Text = "so happy" }, []string{"span.text /data/spans/0/text"}},
	{"span text with a space more", func(r *dataset.Record) { r.Data.Spans[0].Text = "So happy " }, []string{"span.text /data/spans/0/text"}},
	{"spans under simple", func(r *dataset.Record) { r.Prompt = "simple" }, []string{"span.simple /data/spans"}},
	{"labels under simple", func(r *dataset.Record) { r.Prompt, r.Data.Spans = "simple", nil }, []string{
		"span.labels /data/labels/0", "span.labels /data/labels/1", "span.labels /data/labels/4", "span.labels /data/labels/5"}},
	{"simple", func(r *dataset.Record) {
		r.Prompt, r.Data.Spans = "simple", nil
		r.Data.Labels = slices.Repeat([]string{"O"}, 9)
	}, nil},

	{"emotions without a span", func(r *dataset.Record) {
		r.Data.Spans, r.Data.Labels = nil, slices.Repeat([]string{"O"}, 9)
	}, []string{"span.missing /data/spans"}},
	{"neutral without a span", func(r *dataset.Record) {
		r.Predictions, r.Data.Spans, r.Data.Labels = []string{"neutral"}, nil, slices.Repeat([]string{"O"}, 9)
	}, nil},
	{"simple and neutral", func(r *dataset.Record) {
		r.Prompt, r.Predictions, r.Data.Spans, r.Data.Labels = "simple", []string{"neutral"}, nil, slices.Repeat([]string{"O"}, 9)
	}, nil},
	{"a prompt that begins with simple", func(r *dataset.Record) {
		r.Prompt, r.Data.Spans, r.Data.Labels = "simple_2", nil, slices.Repeat([]string{"O"}, 9)
	}, []string{"span.missing /data/spans"}},

	{"subtype in lower case", func(r *dataset.Record) { r.Data.Spans[0].Subtype = "joy" }, []string{"emotion.subtype_case /data/spans/0/subtype"}},
	{"subtype in capitals", func(r *dataset.Record) { r.Data.Spans[0].Subtype = "JOY" }, []string{"emotion.subtype_case /data/spans/0/subtype"}},
	{"unknown subtype", func(r *dataset.Record) { r.Data.Spans[0].Subtype = "Hunger" }, []string{"emotion.subtype_unknown /data/spans/0/subtype"}},
	{"subtype not predicted", func(r *dataset.Record) { r.Data.Spans[0].Subtype = "Love" }, []string{"emotion.subtype_not_predicted /data/spans/0/subtype"}},

	{"valence", func(r *dataset.Record) { r.Data.Spans[0].Attrs.Valence = "positive" }, []string{"vocab.valence /data/spans/0/attrs/valence"}},
	{"intensity", func(r *dataset.Record) { r.Data.Spans[0].Attrs.Intensity = "" }, []string{"vocab.intensity /data/spans/0/attrs/intensity"}},
	{"certainty", func(r *dataset.Record) { r.Data.Spans[0].Attrs.Certainty = "Asserted" }, []string{"vocab.certainty /data/spans/0/attrs/certainty"}},
	{"temporality", func(r *dataset.Record) { r.Data.Spans[0].Attrs.Temporality = "now" }, []string{"vocab.temporality /data/spans/0/attrs/temporality"}},
	{"source", func(r *dataset.Record) { r.Data.Spans[0].Attrs.Source = "me" }, []string{"vocab.source /data/spans/0/attrs/source"}},
	{"emotion group", func(r *dataset.Record) { r.Data.Spans[0].Attrs.EmotionGroup = "joy" }, []string{"vocab.emotion_group /data/spans/0/attrs/emotion_group"}},
	{"emotion group of another emotion", func(r *dataset.Record) { r.Data.Spans[0].Attrs.EmotionGroup = "negative_affect" }, nil},
	{"sentence index below 0", func(r *dataset.Record) { r.Data.Spans[0].Attrs.SentenceIndex = -1 }, []string{"vocab.index /data/spans/0/attrs/sentence_index"}},
	{"clause index too high", func(r *dataset.Record) { r.Data.Spans[0].Attrs.ClauseIndex = 9 }, []string{"vocab.index /data/spans/0/attrs/clause_index"}},
	{"highest clause index", func(r *dataset.Record) { r.Data.Spans[0].Attrs.ClauseIndex = 8 }, nil},
	{"confidence above 1", func(r *dataset.Record) { r.Data.Spans[0].Attrs.Confidence = math.Nextafter(1, 2) }, []string{"confidence.range /data/spans/0/attrs/confidence"}},
	{"confidence below 0", func(r *dataset.Record) { r.Data.Spans[1].Attrs.Confidence = -0.1 }, []string{"confidence.range /data/spans/1/attrs/confidence"}},
	{"confidence in percent", func(r *dataset.Record) {
		r.Data.Spans[0].Attrs.Confidence, r.Data.Spans[1].Attrs.Confidence = 91, 100
	}, []string{"confidence.percent /data/spans/0/attrs/confidence", "confidence.percent /data/spans/1/attrs/confidence"}},
	{"confidence above 100", func(r *dataset.Record) { r.Data.Spans[0].Attrs.Confidence = 101 }, []string{"confidence.range /data/spans/0/attrs/confidence"}},
	{"confidence is not a number", func(r *dataset.Record) { r.Data.Spans[0].Attrs.Confidence = math.NaN() }, []string{"confidence.range /data/spans/0/attrs/confidence"}},
	{"confidence at the ends", func(r *dataset.Record) {
		r.Data.Spans[0].Attrs.Confidence, r.Data.Spans[1].Attrs.Confidence = 0, 1
	}, nil},

	{"target across white space", func(r *dataset.Record) { setTarget(r, ",  thank") }, nil},
	{"target with other white space", func(r *dataset.Record) { setTarget(r, ", thank") }, []string{"target.text /data/spans/1/attrs/target_text"}},
	{"target within a token", func(r *dataset.Record) { setTarget(r, "hank you") }, []string{"target.text /data/spans/1/attrs/target_text"}},
	{"target ends within a token", func(r *dataset.Record) { setTarget(r, "thank yo") }, []string{"target.text /data/spans/1/attrs/target_text"}},
	{"target with trailing space", func(r *dataset.Record) { setTarget(r, "🎉 ") }, []string{"target.text /data/spans/1/attrs/target_text"}},
	{"target is the last token", func(r *dataset.Record) { setTarget(r, "🎉") }, nil},
	{"target not in the text", func(r *dataset.Record) { setTarget(r, "Maria") }, []string{"target.text /data/spans/1/attrs/target_text"}},
	{"target is a pronoun", func(r *dataset.Record) { setTarget(r, "They") }, nil},
	{"relation without target", func(r *dataset.Record) { setTarget(r, "") }, []string{"target.relation /data/spans/1/attrs/target_relation"}},
	{"target without relation", func(r *dataset.Record) { r.Data.Spans[1].Attrs.TargetRelation = "none" }, []string{"target.relation /data/spans/1/attrs/target_relation"}},
	{"unknown relation", func(r *dataset.Record) { r.Data.Spans[1].Attrs.TargetRelation = "object" }, []string{"vocab.target_relation /data/spans/1/attrs/target_relation"}},
}

func setTarget(r *dataset.Record, s string) { r.Data.Spans[1].Attrs.TargetText = s }

func TestRecord(t *testing.T) {
	for _, tt := range mutations {
		t.Run(tt.name, func(t *testing.T) {
			r := validRecord()
			tt.edit(r)
			if got := codesAndPaths(Record(r, dataset.Default())); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func codesAndPaths(list []Problem) []string {
	var out []string
	for _, p := range list {
		out = append(out, p.Code+" "+p.Path)
	}
	return out
}

func TestCardExample(t *testing.T) {
	r, problems := Decode([]byte(cardExample), dataset.Default())
	if len(problems) > 0 {
		t.Fatalf("decode: %v", problems)
	}
	if problems := Record(r, dataset.Default()); len(problems) > 0 {
		t.Errorf("record: %v", problems)
	}
	line, err := r.AppendJSON(nil)
	if err != nil || string(line) != cardExample {
		t.Errorf("written again: %s, %v", line, err)
	}
}

func TestProblemSaysWhat(t *testing.T) {
	r := validRecord()
	r.Data.Spans[0].Text = "so happy"
	r.Data.Spans[1].Attrs.Valence = "good"
	want := []Problem{
		{Code: "span.text", Path: "/data/spans/0/text", Expected: `"So happy"`, Found: `"so happy"`},
		{Code: "vocab.valence", Path: "/data/spans/1/attrs/valence", Expected: "one of pos, neg, neu, mixed", Found: `"good"`},
	}
	if got := Record(r, dataset.Default()); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	r := validRecord()
	r.Data.Labels = slices.Repeat([]string{"X"}, 100_000)
	got := Record(r, dataset.Default())
	if len(got) != MaxProblems+1 || got[MaxProblems].Code != CodeLimitProblems {
		t.Errorf("%d problems, the last %v", len(got), got[len(got)-1])
	}
	r = validRecord()
	r.Data.Tokens[0] = strings.Repeat("é", 1<<20)
	for _, p := range Record(r, dataset.Default()) {
		if len(p.Found) > 2*maxShown || len(p.Expected) > 2*maxShown {
			t.Errorf("%s shows %d and %d bytes", p.Code, len(p.Expected), len(p.Found))
		}
	}
}

// wideRecord makes every search for a target run along the whole text.
func wideRecord() *dataset.Record {
	const n = 40_000
	r := validRecord()
	r.Predictions = []string{"joy"}
	r.Text = strings.Repeat("a", n) + "b"
	r.Data.Tokens = append(slices.Repeat([]string{"a"}, n), "b")
	r.Data.Labels = append(slices.Repeat([]string{"B-EMO"}, n), "O")
	span := r.Data.Spans[0]
	span.Text = "a"
	span.Attrs.TargetText, span.Attrs.TargetRelation = strings.Repeat("a", n/2)+"c", "cause"
	r.Data.Spans = make([]dataset.Span, n)
	for i := range r.Data.Spans {
		span.Start, span.End = i, i
		r.Data.Spans[i] = span
	}
	return r
}

func TestWorkIsBounded(t *testing.T) {
	got := Record(wideRecord(), dataset.Default())
	if got[0].Code != CodeLimitWork {
		t.Errorf("first problem %v", got[0])
	}
}

func ExampleRecord() {
	r := &dataset.Record{
		SrcID: "l2_0", Model: "tiny", Provider: "emospan", Prompt: "simple", Level: "level2",
		Predictions: []string{"joy", "neutral"},
		Text:        "What a day",
		Data:        dataset.Data{Tokens: []string{"What", "a", "day"}, Labels: []string{"O", "O"}},
	}
	for _, p := range Record(r, dataset.Default()) {
		fmt.Println(p.Code, p.Path, "want", p.Expected, "found", p.Found)
	}
	// Output:
	// emotion.neutral_alone /predictions/1 want no other prediction beside it found 1
	// alignment.length /data/labels want 3 labels found 2
}
