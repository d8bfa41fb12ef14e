package tagger

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

func TestSchemaRoundTrip(t *testing.T) {
	tax := dataset.Default()
	f := formOf(t, Schema)
	r := newReader(t, f, "any")
	rng := rand.New(rand.NewPCG(9, 10))
	for range 200 {
		text := randomText(rng, 1+rng.IntN(20))
		if len(Words(text)) == 0 {
			continue
		}
		want := randomRecord(t, rng, text, tax)
		// Unlike the compact form, this one holds a valence and positions of its own.
		for i := range want.Data.Spans {
			a := &want.Data.Spans[i].Attrs
			a.Valence, a.EmotionGroup, a.SentenceIndex = "mixed", "neutral", len(want.Data.Tokens)-1
		}
		answer, err := f.encode(want)
		if err != nil {
			t.Fatal(err)
		}
		if ok, at := r.takes(string(answer)); !ok {
			t.Fatalf("the grammar does not take %s at byte %d", answer, at)
		}
		got := envelope(want)
		if err := f.decode(answer, nil, got); err != nil {
			t.Fatal(err)
		}
		if len(got.Data.Spans) == 0 { // read as an empty list, made as none
			got.Data.Spans = want.Data.Spans
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\n got %+v\nwant %+v", answer, got, want)
		}
	}
}

// schemaAnswerOf is the answer about "I love it." that a change has been made to.
func schemaAnswerOf(old, new string) string {
	const answer = `{"predictions":["love"],"data":{"tokens":["I","love","it","."],"labels":["O","B-EMO","I-EMO","O"],"spans":[` +
		`{"type":"EMO","subtype":"Love","start":1,"end":2,"text":"love it","attrs":{"valence":"pos","intensity":"low","certainty":"asserted",` +
		`"temporality":"present","source":"self","emotion_group":"positive_affect","sentence_index":0,"clause_index":0,"confidence":0.5,` +
		`"target_text":"it","target_relation":"target"}}]}}`
	if !strings.Contains(answer, old) {
		panic(old)
	}
	return strings.Replace(answer, old, new, 1)
}

func TestSchemaGrammar(t *testing.T) {
	r := newReader(t, formOf(t, Schema), "any")
	for _, tt := range []struct {
		old, new string
		want     bool
	}{
		{"", "", true},
		{`["love"]`, `["love","joy","neutral"]`, true},
		{`"I"`, `"\"\\\/\b\f\n\r\t\u00e9é😂"`, true},
		{`"I"`, "\"\x7f\u2028\"", true},
		{`"I"`, `"\ud83d\uDE02\ud7ff\ue000"`, true},
		{`0.5`, `0.05`, true},
		{`0.5`, `1.0`, true},
		{`"it","target_relation":"target"`, `"","target_relation":"none"`, true},
		{`"start":1`, `"start":9999`, true},
		{`{"type"`, schemaAnswerOf("", "")[strings.Index(schemaAnswerOf("", ""), `{"type"`):len(schemaAnswerOf("", ""))-3] + `,{"type"`, true},

		{`["love"]`, `[]`, false},
		{`["love"]`, `["Love"]`, false},
		{`["love"]`, `["rage"]`, false},
		{`["love"]`, `["love","joy","fear","anger"]`, false},
		{`["love"]`, `["love", "joy"]`, false},
		{`"tokens":["I","love","it","."]`, `"tokens":[]`, false},
		{`"I"`, `""`, false},
		{`"I"`, "\"\x1f\"", false},
		{`"I"`, `"\x"`, false},
		{`"I"`, `"\u12"`, false},
		{`"I"`, `"\ud83d"`, false},
		{`"I"`, `"\ud83d\u0041"`, false},
		{`"I"`, `"\ude02"`, false},
		{`"I"`, "\"\xff\"", false},
		{`"O","B-EMO"`, `"O","B-LOC"`, false},
		{`"O","B-EMO"`, `"O","EMO"`, false},
		{`"type":"EMO"`, `"type":"LOC"`, false},
		{`"Love"`, `"love"`, false},
		{`"start":1`, `"start":01`, false},
		{`"start":1`, `"start":-1`, false},
		{`"start":1`, `"start":10000`, false},
		{`0.5`, `1.1`, false},
		{`0.5`, `0.555`, false},
		{`0.5`, `1`, false},
		{`0.5`, `.5`, false},
		{`"low"`, `"medium"`, false},
		{`"valence":"pos",`, ``, false},
		{`"valence":"pos","intensity":"low"`, `"intensity":"low","valence":"pos"`, false},
		{`"predictions"`, `"text":"","predictions"`, false},
		{`]}}`, `]}} `, false},
		{`]}}`, `]}`, false},
	} {
		if got, at := r.takes(schemaAnswerOf(tt.old, tt.new)); got != tt.want {
			t.Errorf("%s for %s: %v at byte %d, want %v", tt.new, tt.old, got, at, tt.want)
		}
	}
}

// TestSchemaGrammarIsJSON: what the grammar takes is JSON, whatever the model does within it.
func TestSchemaGrammarIsJSON(t *testing.T) {
	ended, limited := 0, 0
	for seed := range uint64(24) {
		m := newFakeModel(t, closing(seed))
		if seed%4 == 0 {
			m.script = noise(seed)
		}
		s := newSession(t, m, smallPrompt, Options{Decode: Schema, Sampling: Sampling{Temperature: 1, Seed: int64(seed)}})
		res := s.tag(t, "a", "I love it. :)")
		if res.Reject == nil {
			continue
		}
		if res.Answer.Closed > 0 {
			limited++
		} else {
			ended++
		}
		if (res.Answer.Closed > 0) != (res.Reject.Reasons[0].Code == CodeLimit) {
			t.Errorf("%d bytes close an answer that is rejected for %s", res.Answer.Closed, res.Reject.Reasons[0].Code)
		}
		if !json.Valid([]byte(res.Reject.Raw)) {
			t.Errorf("%s is no JSON", res.Reject.Raw)
		}
	}
	if ended < 6 || limited < 2 {
		t.Errorf("%d answers came to an end, %d were closed: too few", ended, limited)
	}
}

// closing is noise that likes to close what it has opened.
func closing(seed uint64) script {
	random := noise(seed)
	return func(m *fakeModel, sequence []int32, logits []float32) {
		random(m, sequence, logits)
		for _, id := range []byte(`"]}`) {
			logits[id] += 7
		}
	}
}

// TestSchemaRejects: an answer that is JSON of the right shape and contradicts the text or itself is a reject.
func TestSchemaRejects(t *testing.T) {
	for _, tt := range []struct {
		name, old, new string
		codes          []string
	}{
		{"right", "", "", nil},
		{"another token", `"love","it"`, `"loved","it"`, []string{validate.CodeAlignTokenText}},
		{"token left out", `"I","love"`, `"love"`, []string{validate.CodeAlignGap, validate.CodeAlignLength}},
		{"tokens merged", `"I","love"`, `"I love"`, []string{validate.CodeAlignLength, validate.CodeSpanText}},
		{"too few labels", `"I-EMO","O"`, `"I-EMO"`, []string{validate.CodeAlignLength}},
		{"label inside out", `"O","B-EMO"`, `"O","I-EMO"`, []string{validate.CodeLabelBIO, validate.CodeSpanLabels}},
		{"label without span", `"O","B-EMO"`, `"B-EMO","B-EMO"`, []string{validate.CodeSpanLabels}},
		{"end beyond the text", `"end":2`, `"end":4`, []string{validate.CodeSpanRange}},
		{"end before the start", `"end":2`, `"end":0`, []string{validate.CodeSpanRange}},
		{"another quote", `"text":"love it"`, `"text":"love"`, []string{validate.CodeSpanText}},
		{"emotion not predicted", `["love"]`, `["joy"]`, []string{validate.CodeSubtypeNotPredicted}},
		{"predicted twice", `["love"]`, `["love","love"]`, []string{validate.CodeEmotionDuplicate}},
		{"neutral beside another", `["love"]`, `["love","neutral"]`, []string{validate.CodeNeutralAlone}},
		{"target elsewhere", `"target_text":"it"`, `"target_text":"the dog"`, []string{validate.CodeTargetText}},
		{"relation without target", `"target_text":"it"`, `"target_text":""`, []string{validate.CodeTargetNone}},
		{"sentence beyond the text", `"sentence_index":0`, `"sentence_index":7`, []string{validate.CodeIndex}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer := schemaAnswerOf(tt.old, tt.new)
			s := newSession(t, newFakeModel(t, say(answer)), smallPrompt, Options{Decode: Schema, Sampling: Sampling{Seed: 2}})
			res := s.tag(t, "a", "I love it.")
			if tt.codes == nil {
				if res.Record == nil || string(s.raw(t, res)) != answer {
					t.Errorf("%+v", res)
				}
				return
			}
			if res.Reject == nil {
				t.Fatalf("accepted: %s", answer)
			}
			codes := map[string]bool{}
			for _, reason := range res.Reject.Reasons {
				codes[reason.Code] = true
			}
			for _, code := range tt.codes {
				if !codes[code] {
					t.Errorf("no %s among %v", code, res.Reject.Reasons)
				}
			}
			if r := res.Reject; r.Raw != answer || r.SrcID != "a" || r.Line != 3 || r.Model != "fake" || r.Prompt != "small" || r.Decode != "schema" || r.Seed != 2 || r.Text != "I love it." {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestSchemaLimit: a model that goes in circles is stopped; what it wrote is kept and closed.
func TestSchemaLimit(t *testing.T) {
	for name, circle := range map[string]struct{ before, again string }{
		"tokens": {`{"predictions":["joy"],"data":{"tokens":["I","`, `it","`},
		"string": {`{"predictions":["joy"],"data":{"tokens":["`, `it`},
		"escape": {`{"predictions":["joy"],"data":{"tokens":["`, `\ud83d\ude02`},
		"emoji":  {`{"predictions":["joy"],"data":{"tokens":["`, `🏳️‍🌈`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSession(t, newFakeModel(t, say(circle.before+strings.Repeat(circle.again, 900))), smallPrompt, Options{Decode: Schema})
			res := s.tag(t, "a", "I love it")
			if res.Reject == nil || res.Reject.Reasons[0].Code != CodeLimit || res.Reject.Reasons[0].Path != "answer" {
				t.Fatalf("%+v", res)
			}
			if !strings.HasPrefix(res.Reject.Raw, circle.before+strings.Repeat(circle.again, 20)) {
				t.Errorf("raw %q", res.Reject.Raw)
			}
			if closed := res.Reject.Raw[len(res.Reject.Raw)-res.Answer.Closed:]; closed == "" || !json.Valid([]byte(res.Reject.Raw)) {
				t.Errorf("closed by %q: %s", closed, res.Reject.Raw)
			}
			prompt, _ := s.prompt("I love it", nil)
			if n, limit := res.Counts.Forced+res.Counts.Sampled, s.form.limit(len(prompt)); n < limit || n > limit+8 {
				t.Errorf("stopped after %d tokens, the limit is %d", n, limit)
			}
			if !strings.Contains(res.Reject.Reasons[0].Expected, "tokens") {
				t.Errorf("%+v", res.Reject.Reasons[0])
			}
		})
	}
}

func TestSchemaDecodeErrors(t *testing.T) {
	f := formOf(t, Schema)
	for _, answer := range []string{``, `[]`, `{"predictions":"joy"}`, `{"data":{"tokens":[1]}}`, schemaAnswerOf(`"start":1`, `"start":1.5`), schemaAnswerOf("", "") + "x"} {
		if err := f.decode([]byte(answer), nil, &dataset.Record{}); err == nil || !strings.Contains(err.Error(), "not the card's JSON") {
			t.Errorf("%s: %v", answer, err)
		}
	}
}
