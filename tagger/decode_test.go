package tagger

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// newDecoder is a decoder whose prefix is the tokens of a text.
func newDecoder(t *testing.T, m *fakeModel, prefix string) *decoder {
	t.Helper()
	pieces, _ := piecesOf(m)
	splitter, err := newSplitter(m, pieces)
	if err != nil {
		t.Fatal(err)
	}
	d := &decoder{model: m, splitter: splitter, speller: &speller{splitter: splitter}}
	if err := d.setPrefix(m.vocab.tokenize(prefix), nil, nil, nil); err != nil {
		t.Fatal(err)
	}
	return d
}

// answer continues a record's prompt by itself.
func (d *decoder) answer(prompt []int32, p plan, limit int) (Answer, Counts, error) {
	a, err := d.newAnswering(1, "x", prompt, p, limit)
	if err != nil {
		return Answer{}, Counts{}, err
	}
	asked := len(a.queue)
	done, err := a.advance()
	for !done && err == nil {
		last := 0
		for len(a.queue) > 0 && err == nil {
			var rows []Row
			for len(a.queue) > 0 && len(rows) < d.model.BatchSize() {
				rows = append(rows, Row{a.queue[0], a.position, 1, len(a.queue) == 1})
				a.queue, a.position, last = a.queue[1:], a.position+1, len(rows)-1
			}
			err = d.model.Decode(rows)
		}
		if err == nil {
			done, err = a.choose(d.model.Logits(last))
		}
		if !done && err == nil {
			done, err = a.advance()
		}
	}
	answer, n, err := a.finish(err)
	n.Prompt = asked
	return answer, n, err
}

func TestDecoderAnswer(t *testing.T) {
	const prompt = "ask " // four tokens
	for _, tt := range []struct {
		name, grammar, answer string
		limit                 int
		want                  Counts
		rows                  int // decoded
		err                   error
	}{
		// Nothing is decoded for an answer that is forced as a whole, not even the prompt.
		{"forced", `root ::= "xyz"`, "xyz", 9, Counts{Prompt: 4, Forced: 3}, 0, nil},
		{"empty", `root ::= ""`, "", 9, Counts{Prompt: 4}, 0, nil},
		{"one choice", `root ::= "xy" ("p" | "q")`, "xyq", 9, Counts{4, 2, 1}, 6, nil},
		{"tail", `root ::= ("p" | "q") "xyz"`, "pxyz", 9, Counts{4, 3, 1}, 4, nil},
		{"chosen, forced, chosen", `root ::= ("p" | "q") "xyz" ("p" | "q")`, "qxyzp", 9, Counts{4, 3, 2}, 8, nil},
		{"end chosen", `root ::= "x" "y"?`, "x", 9, Counts{4, 1, 1}, 5, nil},
		{"end not chosen", `root ::= "x" "y"?`, "xy", 9, Counts{4, 1, 1}, 5, nil},
		{"end chosen after the first token", `root ::= "p"*`, "ppp", 9, Counts{4, 0, 4}, 7, nil},
		{"end at the limit", `root ::= "p"{0,3}`, "ppp", 3, Counts{4, 0, 3}, 6, nil},
		{"at the limit, not yet ended", `root ::= "p"*`, "pppp", 3, Counts{4, 0, 3}, 6, errLimit},
		{"forced beyond the limit", `root ::= "xyzxyz" ("p" | "q")`, "xyzxyzp", 3, Counts{4, 6, 0}, 0, errLimit},
		{"no limit left", `root ::= "p" | "q"`, "p", 0, Counts{4, 0, 0}, 0, errLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := &fakeModel{t: t, vocab: newFakeVocab(), context: 64, batch: 3}
			m.script = func(m *fakeModel, sequence []int32, logits []float32) {
				rest := tt.answer[len(sequence)-len("prefix"+prompt):]
				if rest == "" {
					logits[m.vocab.control(stop)] = 1
				} else {
					logits[rest[0]] = 1
				}
			}
			d := newDecoder(t, m, "prefix")
			for range 2 { // the second time nothing is left of the first
				m.recordRows, m.asked = 0, 0
				got, n, err := d.answer(m.vocab.tokenize(prompt), planOf(t, m.vocab, tt.grammar), tt.limit)
				written := string(got.Text[:len(got.Text)-got.Closed])
				if !errors.Is(err, tt.err) || err == nil && string(got.Text) != tt.answer || !strings.HasPrefix(tt.answer, written) {
					t.Errorf("%q, %v; want %q, %v", got.Text, err, tt.answer, tt.err)
				}
				if n != tt.want || m.recordRows != tt.rows || m.asked != n.Sampled {
					t.Errorf("%v, %d rows, %d with logits; want %v, %d rows", n, m.recordRows, m.asked, tt.want, tt.rows)
				}
				if m.left() > 0 || m.prefixRows != len("prefix") {
					t.Errorf("%d tokens left, %d of the prefix decoded", m.left(), m.prefixRows)
				}
			}
		})
	}
}

// TestDecoderOnlyTokenIsForced: where one token is left to choose from, the model is not asked even if bytes are not forced.
func TestDecoderOnlyTokenIsForced(t *testing.T) {
	m := &fakeModel{t: t, vocab: newFakeVocab(), context: 64, batch: 8, script: func(*fakeModel, []int32, []float32) {}}
	// Without the byte b, the grammar's two ways come to one.
	m.vocab.pieces['b'] = nil
	d := newDecoder(t, m, "prefix")
	got, n, err := d.answer([]int32{'?'}, planOf(t, m.vocab, `root ::= "a" | "b"`), 5)
	if err != nil || string(got.Text) != "a" || n != (Counts{Prompt: 1, Forced: 1}) {
		t.Errorf("%q, %v, %v", got.Text, n, err)
	}
}

func TestDecoderContext(t *testing.T) {
	for _, batch := range []int{1, 2, 7, 512} {
		m := &fakeModel{t: t, vocab: newFakeVocab(), context: 12, batch: batch, script: func(_ *fakeModel, _ []int32, l []float32) { l['p'] = 1 }}
		d := newDecoder(t, m, "prefix")
		got, n, err := d.answer(m.vocab.tokenize("ask"), planOf(t, m.vocab, `root ::= [a-z]*`), 100)
		// Six and three tokens leave room for three; a fourth can be chosen but not decoded.
		if !errors.Is(err, errLimit) || string(got.Text) != "pppp" || n != (Counts{3, 0, 4}) {
			t.Errorf("batches of %d: %q, %v, %v", batch, got.Text, n, err)
		}
		if err := d.setPrefix(make([]int32, 12), nil, nil, nil); err == nil || !strings.Contains(err.Error(), "takes 12 tokens") {
			t.Errorf("a prefix of the whole context: %v", err)
		}
	}
}

func TestDecoderBegin(t *testing.T) {
	for _, tt := range []struct {
		prompt string
		first  int32 // position of the first token that is still to be decoded
	}{
		{"ab?c", 7},     // shares ab with the prefix, as nearly all do
		{"ab", 6},       // ends there: its last token is decoded again, for the logits
		{"a", 5},        //
		{"axyz", 6},     // goes another way earlier
		{"xyz", 5},      // at once
		{"prefixab", 5}, // does not begin with what the prefix begins with
	} {
		t.Run(tt.prompt, func(t *testing.T) {
			m := &fakeModel{t: t, vocab: newFakeVocab(), context: 64, batch: 4, script: func(*fakeModel, []int32, []float32) {}}
			d := newDecoder(t, m, "")
			if err := d.setPrefix(m.vocab.tokenize("begin"), m.vocab.tokenize("ab1?"), m.vocab.tokenize("ab2?"), nil); err != nil {
				t.Fatal(err)
			}
			if string(m.vocab.bytes(d.prefix)) != "beginab" {
				t.Errorf("prefix %q", m.vocab.bytes(d.prefix))
			}
			_, n, err := d.answer(m.vocab.tokenize(tt.prompt), planOf(t, m.vocab, `root ::= "p" | "q"`), 5)
			if err != nil {
				t.Fatal(err)
			}
			if got := string(m.vocab.bytes(m.last)); got != "begin"+tt.prompt || m.first != tt.first || n.Prompt != m.recordRows {
				t.Errorf("the model saw %q, from position %d on, %d rows; %v", got, m.first, m.recordRows, n)
			}
		})
	}
}

// TestSharedHeader: what the template puts before every text is decoded with the prefix, and where a text's first
// characters make one token with it, the record begins earlier.
func TestSharedHeader(t *testing.T) {
	userBlock := func(s string) string {
		return strings.Replace(smallPrompt, `{{.Text}}`, s+`{{.Text}}`, 1)
	}
	for _, tt := range []struct {
		name, header, text string
		shared             int // tokens of the header in the prefix, that of the user's turn among them
		first              int // of those, how many hold for the text
	}{
		{"none", "", "it was", 1, 1},
		{"header", "%%%\n", "it was", 1 + 4, 1 + 4},
		{"merges with any word", "%: ", "it was", 1 + 2, 1 + 2},
		{"merges with this one", "%!", "! it was", 1 + 2, 1 + 1},
		{"merges twice over", "%..", "./", 1 + 2, 1 + 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newFakeModel(t, lively(2))
			s := newSession(t, m, userBlock(tt.header), Options{Decode: Compact})
			if s.decoder.shared != tt.shared {
				t.Errorf("%d tokens are shared, want %d", s.decoder.shared, tt.shared)
			}
			res := s.tag(t, "a", tt.text) // compares what the model saw
			if res.Record == nil {
				t.Fatal(res.Reject.Reasons)
			}
			if got := int(m.first) - (s.PrefixTokens() - s.decoder.shared); got != tt.first {
				t.Errorf("%d shared tokens were used, want %d", got, tt.first)
			}
		})
	}
}

// TestBatchSizeDoesNotMatter: however the rows are split, the model sees the same.
func TestBatchSizeDoesNotMatter(t *testing.T) {
	var want []string
	for _, batch := range []int{512, 1, 2, 13} {
		m := newFakeModel(t, lively(6))
		m.batch = batch
		s := newSession(t, m, smallPrompt, Options{Decode: Compact, Sampling: Sampling{Temperature: 1}})
		var got []string
		for i, text := range tagTexts {
			got = append(got, string(s.raw(t, s.tag(t, fmt.Sprint(i), text))))
		}
		if want == nil {
			want = got
		}
		if !slices.Equal(got, want) {
			t.Errorf("batches of %d: %q, want %q", batch, got, want)
		}
	}
}

// TestCanonicalTokens: where the model chooses the tokens that the tokenizer would, the forced ones are the tokenizer's
// too, and every one of them is counted.
func TestCanonicalTokens(t *testing.T) {
	long(t)
	tax := dataset.Default()
	rng := rand.New(rand.NewPCG(11, 12))
	for _, decode := range Decodes {
		t.Run(string(decode), func(t *testing.T) {
			m := newFakeModel(t, nil)
			if decode == Aligned { // where a stage ends, no token goes from marks to letters
				m.vocab = wordVocab()
			}
			s := newSession(t, m, smallPrompt, Options{Decode: decode})
			var total Counts
			for range 60 {
				text := randomText(rng, 2+rng.IntN(10))
				if len(Words(text)) == 0 {
					continue
				}
				want := randomRecord(t, rng, text, tax)
				answer, err := s.form.encode(want)
				if err != nil {
					t.Fatal(err)
				}
				m.script = say(string(answer))
				res := s.tag(t, "a", text)
				if res.Record == nil {
					t.Fatalf("%q, %s: %v", text, answer, res.Reject.Reasons)
				}
				if raw := s.raw(t, res); string(raw) != string(answer) {
					t.Fatalf("%q: wrote %s, want %s", text, raw, answer)
				}
				canonical := m.vocab.tokenize(string(answer))
				fed := m.answer(m.last)
				if len(fed) > len(canonical) || !slices.Equal(fed, canonical[:len(fed)]) {
					t.Fatalf("%s\nfed  %v\nwant %v", answer, fed, canonical)
				}
				c := res.Counts
				// What is not decoded is the last token that was sampled and all that was forced after it.
				if undecoded := len(canonical) - len(fed); c.Forced+c.Sampled != len(canonical) || c.Prompt+c.Forced+c.Sampled != m.recordRows+undecoded {
					t.Fatalf("%s: %v of %d tokens, %d rows", answer, c, len(canonical), m.recordRows)
				}
				total.add(c)
			}
			if total.Forced < total.Sampled/4 {
				t.Errorf("only %d forced of %d tokens", total.Forced, total.Forced+total.Sampled)
			}
		})
	}
}
