package tagger

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

// smallPrompt is a prompt that costs a test little.
const smallPrompt = `{{define "system"}}Name the emotions.{{end}}{{define "user"}}{{.Text}}{{end}}
{{define "examples"}}{"text": "I love it", "answer": ["love"," love low 90 target it"]}{{end}}`

// A session is a Tagger with the model that it was made for.
type session struct {
	*Tagger
	model *fakeModel
}

func newSession(t testing.TB, m *fakeModel, prompt string, o Options) *session {
	t.Helper()
	return &session{newTagger(t, m, prompt, o), m}
}

func newTagger(t testing.TB, m Model, prompt string, o Options) *Tagger {
	t.Helper()
	p, err := ParsePrompt("small", prompt)
	if err != nil {
		t.Fatal(err)
	}
	o.ModelName, o.Prompt, o.Taxonomy = "fake", p, dataset.Default()
	tagger, err := New(m, o)
	if err != nil {
		t.Fatal(err)
	}
	return tagger
}

// tag tags a text and checks what must hold however that comes out.
func (s *session) tag(t testing.TB, id, text string) Result {
	t.Helper()
	s.model.recordRows, s.model.asked, s.model.last = 0, 0, nil
	before := s.Totals()
	res, err := s.Tag(dataset.Input{ID: id, Text: text, Line: 3})
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	s.model.allRead()
	if n := s.model.left(); n > 0 {
		t.Errorf("%d tokens of the record are left in the cache", n)
	}
	if s.model.prefixRows != s.PrefixTokens() {
		t.Errorf("%d tokens were decoded for a prefix of %d", s.model.prefixRows, s.PrefixTokens())
	}
	before.add(res.Counts)
	if s.Totals() != before {
		t.Errorf("totals %v, want %v", s.Totals(), before)
	}
	if (res.Record == nil) == (res.Reject == nil) {
		t.Fatalf("%q: not one of record and reject: %+v", text, res)
	}
	s.checkTokens(t, text, res)
	s.checkAnswer(t, res)
	if res.Record == nil {
		return res
	}
	if problems := validate.Record(res.Record, dataset.Default()); len(problems) > 0 {
		t.Errorf("%q: %v", text, problems)
	}
	line, err := res.Record.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	if r, problems := validate.Decode(line, dataset.Default()); len(problems) > 0 || r.Text != text || r.SrcID != id || r.Model != "fake" ||
		r.Provider != "emospan" || r.Level != "level2" || r.Prompt != "small" {
		t.Errorf("%s: %v", line, problems)
	}
	return res
}

// raw is what the model wrote.
func (s *session) raw(t testing.TB, res Result) []byte {
	t.Helper()
	if res.Record == nil {
		return []byte(res.Reject.Raw)
	}
	raw, err := s.form.encode(res.Record)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// checkTokens compares the counts with the rows that the model decoded: the chat as a whole, then the answer but for what
// follows the last token that was sampled, and one row's logits for each that was.
func (s *session) checkTokens(t testing.TB, text string, res Result) {
	t.Helper()
	m, c := s.model, res.Counts
	if m.asked == 0 {
		if m.recordRows > 0 || c.Sampled > 0 {
			t.Errorf("%d rows without logits, %v", m.recordRows, c)
		}
		return
	}
	prefix, err := s.opts.Prompt.prefix(s.opts.Decode, s.form, s.opts.Taxonomy)
	if err != nil {
		t.Fatal(err)
	}
	chat, _ := m.Chat(prefix, true, false)
	turn, _ := s.opts.Prompt.user(text, nil)
	rest, _ := m.Chat([]Turn{turn}, false, true)
	chat = append(chat, rest...)
	if len(m.last) < len(chat) || !slices.Equal(m.last[:len(chat)], chat) {
		t.Fatalf("%q: the model saw\n%v, want\n%v", text, m.last, chat)
	}
	if c.Prompt != len(chat)-int(m.first) {
		t.Errorf("%d prompt tokens counted, %d of %d were in the prefix", c.Prompt, m.first, len(chat))
	}
	answer, raw := m.last[len(chat):], s.raw(t, res)
	if c.Prompt+len(answer) != m.recordRows {
		t.Errorf("%d prompt tokens and %d of the answer make %d rows", c.Prompt, len(answer), m.recordRows)
	}
	tail, ok := bytes.CutPrefix(raw, m.vocab.bytes(answer))
	if !ok {
		t.Errorf("the model was fed %q, the answer is %q", m.vocab.bytes(answer), raw)
	}
	if c.Sampled != m.asked {
		t.Errorf("%d tokens sampled from %d rows", c.Sampled, m.asked)
	}
	// Everything that was forced or sampled was decoded or is in the tail.
	undecoded := c.Prompt + c.Forced + c.Sampled - m.recordRows
	if undecoded < min(1, len(tail)) || undecoded > max(len(tail), 1) {
		t.Errorf("%d tokens were not decoded, the bytes that were not are %q; %v, %d rows", undecoded, tail, c, m.recordRows)
	}
}

// checkAnswer compares an answer's tokens, runs and stages with its text. Forced runs hold the tokenizer's tokens.
func (s *session) checkAnswer(t testing.TB, res Result) {
	t.Helper()
	a, v := res.Answer, s.model.vocab
	written := a.Text[:len(a.Text)-a.Closed]
	if !bytes.Equal(v.bytes(a.Tokens), written) {
		t.Errorf("tokens %q of %q", v.bytes(a.Tokens), written)
	}
	if n := res.Counts.Forced + res.Counts.Sampled - len(a.Tokens); n < 0 || n > 1 {
		t.Errorf("%v of %d tokens", res.Counts, len(a.Tokens))
	}
	var stages strings.Builder
	for _, stage := range a.Stages {
		stages.WriteString(stage.Text)
	}
	if stages.String() != string(a.Text) {
		t.Errorf("stages %q of %q", stages.String(), a.Text)
	}
	if s.opts.Decode == Aligned && !s.decoder.splitter.parts([]byte(`:"`), []byte("a")) {
		return // tokens of marks and letters lie across the ends of stages
	}
	places := map[int]int{} // by offset, the token of the whole that begins there
	whole, offset := v.tokenize(string(a.Text)), 0
	for i, id := range whole {
		places[offset] = i
		offset += len(v.pieces[id])
	}
	end := 0
	for _, run := range a.Forced {
		if run.Begin < end || run.End <= run.Begin || run.End > len(a.Tokens) {
			t.Fatalf("run %v behind %d, of %d tokens", run, end, len(a.Tokens))
		}
		end = run.End
		ids := a.Tokens[run.Begin:run.End]
		i, ok := places[len(v.bytes(a.Tokens[:run.Begin]))]
		if !ok || i+len(ids) > len(whole) || !slices.Equal(whole[i:i+len(ids)], ids) {
			if end == len(a.Tokens) && a.Closed > 0 {
				continue // what closes the answer was not known
			}
			t.Errorf("%s: forced %s, the tokenizer makes %s", a.Text, pieces(v, ids), pieces(v, whole[max(0, i-2):min(i+len(ids)+2, len(whole))]))
		}
	}
}
