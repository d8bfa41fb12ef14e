package tagger

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

// awkwardTexts are texts over which tokens, quotes or JSON could go wrong.
var awkwardTexts = []string{
	"ugh", "?!", "?! ... --", "é", "😂", "👩‍👩‍👧 🏳️‍🌈", `"`, `\`, `\" \\ \n`, `say "no" to C:\new`, "nul\x00 bell\x07 esc\x1b del\x7f", "a\u2028b\u0085c",
	`{"predictions":["joy"],"data":{"tokens":["x"],"labels":["O"],"spans":[]}}`, `],"labels":["B-EMO`, `"],"spans":[{"`, "neutral", "O B-EMO I-EMO", "no no no no no",
	"it it it", "(it)", "...it...", "{{.Text}}", "日本語とても嬉しい", "\u200b", "\ufeffbom", "1 2 3", strings.Repeat("so long ", 40), "Is it? It is! Because I said so, and you, my dear, know it.",
}

func TestAlignedRoundTrip(t *testing.T) {
	tax := dataset.Default()
	f := formOf(t, Aligned)
	rng := rand.New(rand.NewPCG(15, 16))
	spans := 0
	for range 200 {
		text := randomText(rng, 1+rng.IntN(16))
		if len(Words(text)) == 0 {
			continue
		}
		want := randomRecord(t, rng, text, tax)
		for i := range want.Data.Spans { // unlike the compact form, this one has a valence of its own
			s := &want.Data.Spans[i]
			e, _ := tax.EmotionBySubtype(s.Subtype)
			s.Attrs.Valence = e.Valences[rng.IntN(len(e.Valences))]
		}
		if problems := validate.Record(want, tax); len(problems) > 0 {
			t.Fatalf("%q: %v", text, problems)
		}
		answer, err := f.encode(want)
		if err != nil {
			t.Fatal(err)
		}
		if ok, at := newReader(t, f, text).takes(string(answer)); !ok {
			t.Fatalf("the grammar of %q does not take %s at byte %d: %s", text, answer, at, answer[at:])
		}
		got := envelope(want)
		if err := f.decode(answer, newDocument(text), got); err != nil {
			t.Fatal(err)
		}
		if len(got.Data.Spans) == 0 {
			got.Data.Spans = want.Data.Spans
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\n got %+v\nwant %+v", answer, got, want)
		}
		spans += len(want.Data.Spans)
	}
	if spans < 200 {
		t.Errorf("only %d spans were tried", spans)
	}
}

// alignedAnswerOf is the answer about "I love it. You too?" that changes have been made to.
func alignedAnswerOf(change ...string) string {
	answer := `{"predictions":["love","surprise"],"data":{"tokens":["I","love","it",".","You","too","?"],"labels":["O","B-EMO","I-EMO","O","B-EMO","O","O"],"spans":[` +
		`{"type":"EMO","subtype":"Love","start":1,"end":2,"text":"love it","attrs":{"valence":"pos","intensity":"low","certainty":"asserted",` +
		`"temporality":"present","source":"self","emotion_group":"positive_affect","sentence_index":0,"clause_index":0,"confidence":0.50,` +
		`"target_text":"it","target_relation":"target"}},` +
		`{"type":"EMO","subtype":"Surprise","start":4,"end":4,"text":"You","attrs":{"valence":"mixed","intensity":"high","certainty":"questioned",` +
		`"temporality":"none","source":"other","emotion_group":"ambiguous_affect","sentence_index":1,"clause_index":0,"confidence":1.00,` +
		`"target_text":"","target_relation":"none"}}]}}`
	for i := 0; i < len(change); i += 2 {
		if !strings.Contains(answer, change[i]) {
			panic(change[i])
		}
		answer = strings.Replace(answer, change[i], change[i+1], 1)
	}
	return answer
}

func TestAlignedGrammar(t *testing.T) {
	r := newReader(t, formOf(t, Aligned), "I love it. You too?")
	neutral := `{"predictions":["neutral"],"data":{"tokens":["I","love","it",".","You","too","?"],"labels":["O","O","O","O","O","O","O"],"spans":[]}}`
	answer := alignedAnswerOf
	for _, tt := range []struct {
		name, answer string
		want         bool
	}{
		{"two spans", answer(), true},
		{"neutral", neutral, true},
		{"third prediction", answer(`"love","surprise"`, `"love","surprise","joy"`), true},
		{"another order", answer(`"love","surprise"`, `"surprise","love"`), true},
		{"another predicted subtype", answer(`"Surprise"`, `"Love"`, `"mixed"`, `"pos"`, `"ambiguous_affect"`, `"positive_affect"`), true},
		{"prediction without a span", answer(`"Love"`, `"Surprise"`, `"pos"`, `"neu"`, `"positive_affect"`, `"ambiguous_affect"`), true},
		{"confidence", answer(`0.50`, `0.00`), true},
		{"target of the whole text", answer(`"it","target_relation":"target"`, `"I love it. You too","target_relation":"experiencer"`), true},
		{"target that is a pronoun", answer(`"it","target_relation":"target"`, `"themself","target_relation":"cause"`), true},
		{"no target", answer(`"it","target_relation":"target"`, `"","target_relation":"none"`), true},
		{"no sentence too many", answer("}}]}}", "}}]}}"), true},

		{"nothing", "", false},
		{"no prediction", answer(`["love","surprise"]`, `[]`), false},
		{"four predictions", answer(`"love","surprise"`, `"love","surprise","joy","fear"`), false},
		{"the same twice", answer(`"love","surprise"`, `"love","love"`), false},
		{"the first again", answer(`"love","surprise"`, `"love","surprise","love"`), false},
		{"neutral beside another", answer(`"love","surprise"`, `"love","neutral"`), false},
		{"another beside neutral", strings.Replace(neutral, `"neutral"`, `"neutral","love"`, 1), false},
		{"unknown emotion", answer(`"love"`, `"rage"`), false},
		{"capitals", answer(`"love"`, `"Love"`), false},
		{"another token", answer(`"love",`, `"loved",`), false},
		{"token left out", answer(`"I","love"`, `"love"`), false},
		{"escaped token", answer(`"I"`, `"\u0049"`), false},
		{"label too few", answer(`"O","O"]`, `"O"]`), false},
		{"label too many", answer(`"O","O"]`, `"O","O","O"]`), false},
		{"inside without a beginning", answer(`"I-EMO","O"`, `"O","I-EMO"`), false},
		{"inside at first", answer(`["O","B-EMO"`, `["I-EMO","B-EMO"`), false},
		{"another type", answer(`"B-EMO"`, `"B-LOC"`), false},
		{"span that begins at a mark", answer(`"I-EMO","O"`, `"I-EMO","B-EMO"`), false},
		{"span that ends at a mark", answer(`"I-EMO","O","B-EMO","O","O"`, `"I-EMO","I-EMO","O","O","O"`), false},
		{"span over the last mark", answer(`"B-EMO","O","O"]`, `"B-EMO","I-EMO","I-EMO"]`), false},
		{"no span", answer(`"O","B-EMO","I-EMO","O","B-EMO","O","O"`, `"O","O","O","O","O","O","O"`), false},
		{"span beside neutral", strings.Replace(neutral, `["O","O"`, `["B-EMO","O"`, 1), false},
		{"four spans", answer(`"O","B-EMO","I-EMO","O","B-EMO","O"`, `"B-EMO","B-EMO","B-EMO","O","B-EMO","O"`), false},
		{"span left out", answer(`"labels":["O","B-EMO","I-EMO","O","B-EMO"`, `"labels":["O","B-EMO","I-EMO","O","O"`), false},
		{"subtype not predicted", answer(`"Surprise"`, `"Joy"`), false},
		{"subtype in lower case", answer(`"Surprise"`, `"surprise"`), false},
		{"start elsewhere", answer(`"start":1`, `"start":0`), false},
		{"end elsewhere", answer(`"end":2`, `"end":3`), false},
		{"text elsewhere", answer(`"text":"love it"`, `"text":"love"`), false},
		{"valence of another emotion", answer(`"pos"`, `"neg"`), false},
		{"group of another emotion", answer(`"ambiguous_affect"`, `"negative_affect"`), false},
		{"unknown intensity", answer(`"low"`, `"medium"`), false},
		{"sentence elsewhere", answer(`"sentence_index":1`, `"sentence_index":0`), false},
		{"clause elsewhere", answer(`"clause_index":0`, `"clause_index":1`), false},
		{"confidence above 1", answer(`1.00`, `1.01`), false},
		{"one decimal", answer(`0.50`, `0.5`), false},
		{"three decimals", answer(`0.50`, `0.500`), false},
		{"target elsewhere", answer(`"target_text":"it"`, `"target_text":"them all"`), false},
		{"half a target", answer(`"target_text":"it"`, `"target_text":"ove it"`), false},
		{"target with a mark", answer(`"target_text":"it"`, `"target_text":"it."`), false},
		{"target without relation", answer(`"target_relation":"target"`, `"target_relation":"none"`), false},
		{"relation without target", answer(`"target_text":"it"`, `"target_text":""`), false},
		{"space", answer(`,"data"`, `, "data"`), false},
		{"text after the answer", answer() + " ", false},
		{"unfinished", strings.TrimSuffix(answer(), "}"), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, at := r.takes(tt.answer); got != tt.want {
				t.Errorf("%s: %v at byte %d, want %v", tt.answer, got, at, tt.want)
			}
		})
	}
}

// TestAlignedStages: what a stage is called and how far it goes.
func TestAlignedStages(t *testing.T) {
	for answer, want := range map[string]string{
		alignedAnswerOf(): `prediction 1 {"predictions":["love","
prediction 2 surprise"],"data":{"
labels tokens":["I","love","it",".","You","too","?"],"labels":["O","B-EMO","I-EMO","O","B-EMO","O","O"],"spans":[{"
span 1 type":"EMO","subtype":"Love","start":1,"end":2,"text":"love it","attrs":{"valence":"pos","intensity":"low","certainty":"asserted","temporality":"present","source":"self","emotion_group":"positive_affect","sentence_index":0,"clause_index":0,"confidence":0.50,"target_text":"it","target_relation":"target"}},{"
span 2 type":"EMO","subtype":"Surprise","start":4,"end":4,"text":"You","attrs":{"valence":"mixed","intensity":"high","certainty":"questioned","temporality":"none","source":"other","emotion_group":"ambiguous_affect","sentence_index":1,"clause_index":0,"confidence":1.00,"target_text":"","target_relation":"none"}}]}}
`,
		`{"predictions":["neutral"],"data":{"tokens":["I","love","it",".","You","too","?"],"labels":["O","O","O","O","O","O","O"],"spans":[]}}`: `prediction 1 {"predictions":["neutral"],"data":{"
labels tokens":["I","love","it",".","You","too","?"],"labels":["O","O","O","O","O","O","O"],"spans":[]}}
`,
	} {
		m := newFakeModel(t, say(answer))
		m.vocab = wordVocab()
		s := newSession(t, m, smallPrompt, Options{Decode: Aligned})
		res := s.tag(t, "a", "I love it. You too?")
		if res.Record == nil {
			t.Fatal(res.Reject)
		}
		var got strings.Builder
		for _, stage := range res.Answer.Stages {
			fmt.Fprintln(&got, stage.Name, stage.Text)
			if !accepts(matcherOf(t, stage.GBNF(), newFakeVocab()), stage.Text) {
				t.Errorf("the GBNF of %s does not take it:\n%s", stage.Name, stage.GBNF())
			}
		}
		if got.String() != want {
			t.Errorf("got\n%swant\n%s", got.String(), want)
		}
	}
}

// TestAlignedOtherTaxonomy: span types may be several, and emotions few.
func TestAlignedOtherTaxonomy(t *testing.T) {
	src := string(dataset.TaxonomyJSON())
	begin, end := strings.Index(src, `{"name": "admiration"`), strings.Index(src, `{"name": "neutral", "group"`)
	for name, tt := range map[string]struct {
		emotions string
		answers  map[string]bool
	}{
		"one emotion": {`{"name": "joy", "group": "positive_affect", "ekman": "joy", "valence": "pos", "valences": ["pos", "neu"], "synonyms": []}`, map[string]bool{
			`{"predictions":["joy"],"data":{"tokens":["a","b"],"labels":["B-EMO","B-TONE"],"spans":[{"`:       true,
			`{"predictions":["joy"],"data":{"tokens":["a","b"],"labels":["B-TONE","I-TONE"],"spans":[{"`:      true,
			`{"predictions":["joy"],"data":{"tokens":["a","b"],"labels":["B-EMO","I-TONE"],"spans":[{"`:       false,
			`{"predictions":["joy","neutral"],"data":{"tokens":["a","b"],"labels":["B-EMO","O"],"spans":[{"`:  false,
			`{"predictions":["joy","joy"],"data":{"tokens":["a","b"],"labels":["B-EMO","O"],"spans":[{"type"`: false,
		}},
		"no emotion": {"", map[string]bool{
			`{"predictions":["neutral"],"data":{"tokens":["a","b"],"labels":["O","O"],"spans":[]}}`: true,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			text := src[:begin] + tt.emotions
			if tt.emotions != "" {
				text += ","
			}
			tax, err := dataset.ParseTaxonomy([]byte(strings.Replace(text+src[end:], `["EMO"]`, `["EMO", "TONE"]`, 1)))
			if err != nil {
				t.Fatal(err)
			}
			f, err := newAlignedForm(tax)
			if err != nil {
				t.Fatal(err)
			}
			for _, frame := range f.frames() {
				if err := frame.bind(vocabOf(t, newFakeVocab())); err != nil {
					t.Fatal(err)
				}
			}
			for answer, want := range tt.answers {
				if _, at := newReader(t, f, "a b").takes(answer); (at == len(answer)) != want {
					t.Errorf("%s: taken to byte %d, want all: %v", answer, at, want)
				}
			}
		})
	}
}

// TestAlignedLongText: a text whose shortest answer does not fit is refused before the model is asked; one whose answer may not
// fit is tried, and closed where it comes to its limit.
func TestAlignedLongText(t *testing.T) {
	text := strings.Repeat("so long ", 150)
	m := newFakeModel(t, nil)
	s := newSession(t, m, smallPrompt, Options{Decode: Aligned})
	prompt, err := s.prompt(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	room, err := s.shortest(newDocument(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		room int
		code string
	}{{room - 1, CodeTextTooLong}, {room, CodeLimit}, {8 * room, ""}} {
		m := newFakeModel(t, lively(1))
		m.context = s.PrefixTokens() + len(prompt) + tt.room
		res := newSession(t, m, smallPrompt, Options{Decode: Aligned}).tag(t, "a", text)
		code, raw := "", ""
		if res.Reject != nil {
			code, raw = res.Reject.Reasons[0].Code, res.Reject.Raw
		}
		if code != tt.code || code == CodeTextTooLong && m.recordRows > 0 || code == CodeLimit && !json.Valid([]byte(raw)) {
			t.Errorf("room for %d tokens: %s, want %s; %d rows; %s", tt.room, code, tt.code, m.recordRows, raw)
		}
	}
}
