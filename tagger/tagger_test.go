package tagger

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emospan/emospan/dataset"
)

var tagTexts = []string{
	"I love this so much!", "the dog ran", "no no no, it was awful", "?!", "ok", "  you and I\n\n 😂😂 ", "a \"quoted\" back\\slash\tand nul\x00",
	"日本 👩‍👩‍👧 naïve", "[[\"neutral\"]]", "<|end|>", "{{.Text}}", "é",
}

// TestTagRandomAnswers: whatever the logits, a compact or aligned answer becomes a valid record.
func TestTagRandomAnswers(t *testing.T) {
	long(t)
	for _, decode := range []Decode{Compact, Aligned} {
		for _, sampling := range []Sampling{{}, {Temperature: 1, TopP: 0.9}, {Temperature: 3, Seed: 5}} {
			t.Run(fmt.Sprintf("%s, temperature %g", decode, sampling.Temperature), func(t *testing.T) {
				records := map[string]bool{}
				spans := [maxSpans + 1]int{}
				for _, vocab := range []*fakeVocab{englishVocab(), wordVocab(), newFakeVocab()} {
					m := newFakeModel(t, nil)
					m.vocab = vocab
					s := newSession(t, m, smallPrompt, Options{Decode: decode, Sampling: sampling})
					for i, text := range slices.Concat(tagTexts, awkwardTexts, tagTexts, awkwardTexts) {
						m.script = lively(uint64(i))
						if i%4 == 0 {
							m.script = noise(uint64(i))
						}
						res := s.tag(t, fmt.Sprint(i), text)
						if res.Reject != nil {
							t.Fatalf("%q: %v, %s", text, res.Reject.Reasons, res.Reject.Raw)
						}
						line, _ := res.Record.AppendJSON(nil)
						records[string(line)] = true
						spans[len(res.Record.Data.Spans)]++
					}
				}
				if len(records) < 60 || slices.Min(spans[1:]) < 5 {
					t.Errorf("%d different records, spans %v: too few to show anything", len(records), spans)
				}
			})
		}
	}
}

// TestTagIsIndependent: a record depends on its text, id and seed, not on what was tagged before it.
func TestTagIsIndependent(t *testing.T) {
	for _, decode := range Decodes {
		for _, temperature := range []float64{0, 1} {
			t.Run(fmt.Sprint(decode, temperature), func(t *testing.T) {
				o := Options{Decode: decode, Sampling: Sampling{Temperature: temperature, Seed: 4}}
				order := func(indices []int) []Result {
					s := newSession(t, newFakeModel(t, lively(99)), smallPrompt, o)
					results := make([]Result, len(tagTexts))
					for _, i := range indices {
						results[i] = s.tag(t, fmt.Sprint(i), tagTexts[i])
						results[i].Answer.Stages = nil // these hold more than a result
					}
					return results
				}
				indices := []int{0, 1, 2, 3, 4, 5, 6, 7}
				want := order(indices)
				slices.Reverse(indices)
				if got := order(slices.Concat(indices, indices[:3])); !reflect.DeepEqual(got, want) {
					t.Error("in another order the results differ")
				}
			})
		}
	}
}

func TestTagSeeds(t *testing.T) {
	tag := func(temperature float64, seed int64, id string) string {
		s := newSession(t, newFakeModel(t, lively(1)), smallPrompt, Options{Decode: Compact, Sampling: Sampling{Temperature: temperature, Seed: seed}})
		return string(s.raw(t, s.tag(t, id, "I love the dog and you so much")))
	}
	if base := tag(2, 0, "a"); tag(2, 0, "a") != base || tag(2, 1, "a") == base || tag(2, 0, "b") == base {
		t.Error("at a temperature, the answer does not follow the seed and the id alone")
	}
	if base := tag(0, 0, "a"); tag(0, 1, "b") != base {
		t.Error("greedy answers follow the seed or the id")
	}
}

func TestTagRejects(t *testing.T) {
	long := strings.Repeat("the dog ran and ", 80)
	for _, tt := range []struct {
		name, text            string
		code, expected, found string
	}{
		{"empty", "", CodeTextEmpty, "a word or a mark", `""`},
		{"blank", " \t\n\u3000", CodeTextEmpty, "a word or a mark", `" \t\n\u3000"`},
		{"not UTF-8", "caf\xe9", CodeTextUTF8, "valid UTF-8", `"caf\xe9"`},
		{"long and not UTF-8", strings.Repeat("ab", 50) + "\xff", CodeTextUTF8, "valid UTF-8", `"` + strings.Repeat("ab", 20) + `"`},
		{"too long", long, CodeTextTooLong, "at most %d tokens beside the prompt's %d", "%d tokens"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newFakeModel(t, noise(1))
			m.context = 400
			s := newSession(t, m, smallPrompt, Options{Decode: Compact, Sampling: Sampling{Seed: 8}})
			if tt.code == CodeTextTooLong {
				room := m.context - 64 - s.PrefixTokens()
				tt.expected = fmt.Sprintf(tt.expected, room, s.PrefixTokens())
				tt.found = fmt.Sprintf(tt.found, len(m.vocab.tokenize(long))+3)
			}
			want := &dataset.Reject{
				SrcID: "id", Line: 3, Model: "fake", Prompt: "small", Decode: "compact", Text: tt.text, Seed: 8,
				Reasons: []dataset.Reason{{Code: tt.code, Path: "text", Expected: tt.expected, Found: tt.found}},
			}
			res := s.tag(t, "id", tt.text)
			if !reflect.DeepEqual(res, Result{Reject: want}) {
				t.Errorf("got %+v, want %+v", res.Reject, want)
			}
			if m.recordRows > 0 {
				t.Error("the model was asked all the same")
			}
			if s.tag(t, "id", "I love it").Record == nil {
				t.Error("the next text fails too")
			}
		})
	}
}

// TestTagLongestText: the text that just fits is tagged, one token more is not.
func TestTagLongestText(t *testing.T) {
	m := newFakeModel(t, noise(3))
	m.context = 300
	s := newSession(t, m, smallPrompt, Options{Decode: Compact})
	room := m.context - 64 - s.PrefixTokens() - 3 // a user's turn has three control tokens
	text := strings.Repeat("%x", room/2) + strings.Repeat("%", room%2)
	if res := s.tag(t, "a", text); res.Reject != nil && res.Reject.Reasons[0].Code != CodeLimit {
		t.Errorf("%d tokens: %v", room, res.Reject.Reasons)
	}
	if res := s.tag(t, "a", text+"_"); res.Reject == nil || res.Reject.Reasons[0].Code != CodeTextTooLong {
		t.Errorf("%d tokens are taken", room+1)
	}
}

// TestTagHugeText: of a text that is much too long no more is tokenized than shows that it is.
func TestTagHugeText(t *testing.T) {
	for _, tt := range []struct {
		name, unit string
		times      int
	}{
		{"words", "the dog ran and ", 1 << 20},
		{"one run", "a", 16 << 20},
		{"runs and spaces", strings.Repeat(" ", 70<<10) + "a", 200},
	} {
		m := newFakeModel(t, noise(3))
		m.context = 1 << 12
		s := newSession(t, m, smallPrompt, Options{Decode: Compact})
		tokenized := 0
		s.decoder.splitter.model = tokenizerModel{m, func(text string) ([]int32, error) {
			tokenized += len(text)
			return m.vocab.tokenize(text), nil
		}}
		m.turns = nil
		text := strings.Repeat(tt.unit, tt.times)
		res := s.tag(t, "a", text)
		if res.Reject == nil || res.Reject.Reasons[0].Code != CodeTextTooLong || res.Reject.Text != text {
			t.Fatalf("%s: not rejected whole for its length", tt.name)
		}
		var n int
		_, err := fmt.Sscanf(res.Reject.Reasons[0].Found, "at least %d tokens", &n)
		if most := tt.times * len(m.vocab.tokenize(tt.unit)); err != nil || n <= m.context-64-s.PrefixTokens() || n > most {
			t.Errorf("%s: found %s, of %d at most", tt.name, res.Reject.Reasons[0].Found, most)
		}
		if most := m.context*s.decoder.splitter.longest + longStretch; tokenized > most || len(m.turns) > 0 {
			t.Errorf("%s: %d of %d bytes were tokenized, %d at most are needed; %d turns", tt.name, tokenized, len(text), most, len(m.turns))
		}
	}
}

// TestTagBeyondGrammar: a text that package grammar cannot hold is rejected; the run goes on.
func TestTagBeyondGrammar(t *testing.T) {
	m := newFakeModel(t, say(`["neutral"]`))
	m.context = 1 << 18
	s := newSession(t, m, smallPrompt, Options{Decode: Compact})
	res := s.tag(t, "a", strings.Repeat("no a ", 12000))
	if res.Reject == nil || res.Reject.Reasons[0].Code != CodeTextGrammar || !strings.Contains(res.Reject.Reasons[0].Found, "too large") || res.Reject.Raw != "" {
		t.Fatalf("%+v", res.Reject)
	}
	if s.tag(t, "a", "ok").Record == nil {
		t.Error("the next text fails too")
	}
}

// TestTagRepetition: a text that repeats itself may be quoted like any other.
func TestTagRepetition(t *testing.T) {
	for name, tt := range map[string]struct{ text, answer string }{
		"one word":   {strings.Repeat("no ", 2000), `["no no no"," joy low asserted past self 7 cause no no","no"," joy low asserted present self 7 cause no","no"," joy med asserted present self 7"]`},
		"two words":  {strings.Repeat("no a ", 1500), `["a no"," joy med asserted past self 7 cause no a no","a"," joy med asserted past self 7 cause a"]`},
		"characters": {strings.Repeat("😂", 1000), `["😂😂"," joy med asserted past self 7 cause 😂","😂"," joy low asserted present self 7"]`},
	} {
		t.Run(name, func(t *testing.T) {
			m := newFakeModel(t, say(tt.answer))
			m.context = 1 << 14
			s := newSession(t, m, smallPrompt, Options{Decode: Compact})
			res := s.tag(t, "a", tt.text)
			if res.Record == nil {
				t.Fatalf("%+v", res.Reject)
			}
			for i, span := range res.Record.Data.Spans {
				if i == 0 && span.Start > 1 || i > 0 && span.Start > res.Record.Data.Spans[i-1].End+2 {
					t.Errorf("span %d is at %d: not the leftmost", i, span.Start)
				}
			}
		})
	}
}

// TestTagModelErrors: where the model fails there is neither record nor reject.
func TestTagModelErrors(t *testing.T) {
	broken := errors.New("out of memory")
	for name, fail := range map[string]func(*fakeModel){
		"decode":        func(m *fakeModel) { m.decodeErr = broken },
		"copy":          func(m *fakeModel) { m.copyErr = broken },
		"no logits":     func(m *fakeModel) { m.script = func(_ *fakeModel, _ []int32, l []float32) { fill(l, nan) } },
		"infinite ones": func(m *fakeModel) { m.script = func(_ *fakeModel, _ []int32, l []float32) { fill(l, inf) } },
	} {
		t.Run(name, func(t *testing.T) {
			m := newFakeModel(t, noise(1))
			s := newSession(t, m, smallPrompt, Options{Decode: Compact})
			fail(m)
			res, err := s.Tag(dataset.Input{ID: "a", Text: "I love it"})
			if !errors.Is(err, broken) && !errors.Is(err, errNoLogits) || res.Record != nil || res.Reject != nil {
				t.Errorf("%+v, %v", res, err)
			}
			if m.left() > 0 {
				t.Error("the record is still in the cache")
			}
		})
	}
}

func fill(logits []float32, with float32) {
	for i := range logits {
		logits[i] = with
	}
}

func TestNewErrors(t *testing.T) {
	p, err := ParsePrompt("small", smallPrompt)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Prompt: p, Taxonomy: dataset.Default(), Decode: Compact}
	m := newFakeModel(t, nil)
	m.context = 30
	if _, err := New(m, o); err == nil || !strings.Contains(err.Error(), "no room is left for texts") {
		t.Errorf("a prompt that does not fit: %v", err)
	}
	m = newFakeModel(t, nil)
	blind, err := ParsePrompt("blind", strings.Replace(smallPrompt, "{{.Text}}", "What is in it?", 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(m, Options{Prompt: blind, Taxonomy: o.Taxonomy, Decode: Compact}); err == nil || !strings.Contains(err.Error(), "does not show the text") {
		t.Errorf("a prompt without the text: %v", err)
	}
	broken := errors.New("out of memory")
	m = newFakeModel(t, nil)
	m.decodeErr = broken
	if _, err := New(m, o); !errors.Is(err, broken) {
		t.Errorf("a model that fails: %v", err)
	}
	o.Decode = "verse"
	if _, err := New(m, o); err == nil || !strings.Contains(err.Error(), `no decode form "verse"`) {
		t.Errorf("an unknown form: %v", err)
	}
}

func TestAccount(t *testing.T) {
	hash := func(d Decode) string {
		sum, err := GrammarSHA256(d, Autonomous, dataset.Default())
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
	compact, again, schema := hash(Compact), hash(Compact), hash(Schema)
	if compact != again || compact == schema || len(schema) != 64 {
		t.Error("the hash does not identify the form")
	}
	s := newSession(t, newFakeModel(t, say(`["neutral"]`)), smallPrompt, Options{Decode: Compact})
	if s.Totals() != (Counts{}) || s.PrefixTokens() == 0 || s.MaskTime(0.5) != 0 {
		t.Errorf("before the first text: %v, a prefix of %d tokens, a mask time of %v", s.Totals(), s.PrefixTokens(), s.MaskTime(0.5))
	}
	if s.Times() != (Times{}) {
		t.Errorf("before the first text: %+v", s.Times())
	}
	start := time.Now()
	s.tag(t, "a", "?!")
	whole := time.Since(start)
	if s.MaskTime(0.5) <= 0 {
		t.Error("the masks of a text took no time")
	}
	spent := s.Times()
	if spent.Masks <= 0 || spent.Sampling <= 0 || spent.Records <= 0 || spent.Masks+spent.Sampling+spent.Records > whole {
		t.Errorf("of %v a text took %+v", whole, spent)
	}
}

// FuzzTag: any text under any logits is a valid record or a reject.
func FuzzTag(f *testing.F) {
	for i, text := range tagTexts {
		f.Add(text, uint64(i))
	}
	for i, text := range awkwardTexts {
		f.Add(text, uint64(i))
	}
	f.Add("\xff", uint64(1))
	f.Add(strings.Repeat("no ", 60), uint64(2))
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		o := Options{Decode: Decodes[seed%3], Sampling: Sampling{Temperature: float64(seed / 3 % 2), TopP: 0.9, Seed: int64(seed)}}
		m := newFakeModel(t, lively(seed))
		m.context, m.batch = 1024, 1+int(seed%40)
		newSession(t, m, smallPrompt, o).tag(t, "x", text)
	})
}
