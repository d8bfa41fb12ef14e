package tagger

import (
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
)

const thirtyTokens = "When the power went out last night we lit every candle in the house, told each other the stories our grandmother used to tell us, and fell asleep smiling."

// BenchmarkFilling makes the first stage of an answer about a text of thirty tokens, from a frame that is compiled.
func BenchmarkFilling(b *testing.B) {
	d := newDocument(thirtyTokens)
	b.Run("document", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			newDocument(thirtyTokens)
		}
	})
	bind := func(b *testing.B, decode Decode) form {
		f, err := newForm(decode, Autonomous, dataset.Default())
		if err != nil {
			b.Fatal(err)
		}
		for _, frame := range f.frames() {
			if err := frame.bind(vocabOf(b, englishVocab())); err != nil {
				b.Fatal(err)
			}
		}
		return f
	}
	fill := func(b *testing.B, make func() stage) {
		b.ReportAllocs()
		for b.Loop() {
			s := make()
			if _, err := s.fill(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("compact", func(b *testing.B) {
		f := bind(b, Compact)
		fill(b, func() stage { s, _ := f.stages(d)(nil); return s })
	})
	f := bind(b, Aligned).(*alignedForm)
	spans := labelledSpans(d, []byte(`],"labels":["O","B-EMO","I-EMO"]`))
	b.Run("prediction", func(b *testing.B) { fill(b, func() stage { return f.prediction([]string{"joy"}) }) })
	b.Run("labels", func(b *testing.B) { fill(b, func() stage { return f.labelling(d, false) }) })
	b.Run("span", func(b *testing.B) { fill(b, func() stage { return f.describe(d, []string{"joy", "fear"}, spans, 0) }) })
}

// TestFillingOfGrammarText: what a filling allows is what its GBNF allows, in every state a random answer comes to.
func TestFillingOfGrammarText(t *testing.T) {
	vocab := vocabOf(t, wordVocab())
	for _, decode := range []Decode{Compact, Aligned} {
		f, err := newForm(decode, Autonomous, dataset.Default())
		if err != nil {
			t.Fatal(err)
		}
		for _, frame := range f.frames() {
			if err := frame.bind(vocab); err != nil {
				t.Fatal(err)
			}
		}
		for n, text := range awkwardTexts {
			h := mix(uint64(n))
			plan := f.stages(newDocument(text))
			for before, last := []byte(nil), false; !last; {
				s, err := plan(before)
				if err != nil {
					t.Fatal(err)
				}
				c, err := s.fill()
				if err != nil {
					t.Fatal(err)
				}
				g, err := grammar.Compile(s.gbnf())
				if err != nil {
					t.Fatalf("%v in\n%s", err, s.gbnf())
				}
				same, err := grammar.NewConstraint(g, vocab)
				if err != nil {
					t.Fatal(err)
				}
				m, want := c.NewMatcher(), same.NewMatcher()
				before = []byte{}
				for !m.Done() {
					a, err := m.Mask()
					if err != nil {
						t.Fatal(err)
					}
					b, err := want.Mask()
					if err != nil {
						t.Fatal(err)
					}
					var ids []int32
					for id := range a.All() {
						ids = append(ids, id)
						if !b.Has(id) {
							t.Fatalf("%q, %s: after %q the GBNF does not allow %q", text, s.name, before, wordVocab().pieces[id])
						}
					}
					if b.Count() != len(ids) {
						t.Fatalf("%q, %s: after %q the GBNF allows %d tokens, not %d", text, s.name, before, b.Count(), len(ids))
					}
					h = mix(h)
					id := ids[h%uint64(len(ids))]
					if m.AcceptToken(id) != nil || want.AcceptToken(id) != nil {
						t.Fatalf("%q is in the mask and not accepted", wordVocab().pieces[id])
					}
					before = append(before, wordVocab().pieces[id]...)
				}
				if !want.Done() {
					t.Fatalf("%q, %s: %q is no answer by the GBNF", text, s.name, before)
				}
				last = s.last
			}
		}
	}
}

// BenchmarkCompileFrame compiles what the answers of a form have in common.
func BenchmarkCompileFrame(b *testing.B) {
	for _, decode := range Decodes {
		b.Run(string(decode), func(b *testing.B) {
			for b.Loop() {
				if _, err := newForm(decode, Autonomous, dataset.Default()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
