package tagger

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// pointingCalibration finds spans by words; only the best of each emotion, as no word reaches the threshold.
func pointingCalibration() *Calibration {
	c := testCalibration()
	n := 0
	for _, p := range c.Probes {
		n += len(p.Words)
	}
	c.Words = &WordScale{Means: make([]float64, n), Deviations: make([]float64, n), Threshold: 1e6}
	for i := range n {
		c.Words.Means[i], c.Words.Deviations[i] = -3+0.01*float64(i), 0.5+0.01*float64(i)
	}
	return c
}

// wordScore is what the fake model's logits behind a single word say for an emotion rather than neutral, computed plainly.
func wordScore(m *fakeModel, c *Calibration, word string, emotion int) float64 {
	logits := make([]float32, m.VocabSize())
	score, n := 0.0, 0
	for _, p := range c.Probes {
		sequence := slices.Concat([]int32{m.vocab.control(begin)}, m.vocab.tokenize(c.Prefix), m.vocab.tokenize(c.Before+strings.ToLower(word)), m.vocab.tokenize(p.After))
		clear(logits)
		m.script(m, sequence, logits)
		sum := 0.0
		for _, w := range p.Words {
			sum += math.Exp(float64(logits[m.vocab.tokenize(w.Word)[0]]))
		}
		for _, w := range p.Words {
			value := float64(logits[m.vocab.tokenize(w.Word)[0]]) - math.Log(sum)
			score += (c.Emotions[emotion].Weights[n] - c.Emotions[c.index("neutral")].Weights[n]) * (value - c.Words.Means[n]) / c.Words.Deviations[n]
			n++
		}
	}
	return score
}

// TestRunPointed: spans are the words that, each by itself, suggest the predictions most, whatever is tagged beside and however often
// records have to give way.
func TestRunPointed(t *testing.T) {
	long(t)
	for _, decode := range []Decode{Compact, Aligned} {
		var want []Result
		for _, parallel := range []int{1, 3, 16} {
			for _, narrow := range []int{0, 160} {
				m := newNarrow(t, parallel, narrow)
				m.scored = true
				if m.wide = 340; decode == Aligned {
					m.wide = 2000
				}
				if narrow == 0 {
					m.narrow, m.context = m.wide, m.wide
				}
				s := newTagger(t, m, smallPrompt, Options{Decode: decode, Calibration: pointingCalibration()})
				got := tagAll(t, s, false)
				if m.left() > 0 {
					t.Errorf("%d at a time: %d tokens are left in the cache", parallel, m.left())
				}
				if want == nil {
					want = got
					checkPointed(t, m.fakeModel, pointingCalibration(), got)
				}
				for i := range want {
					if !reflect.DeepEqual(got[i].Record, want[i].Record) || !reflect.DeepEqual(got[i].Reject, want[i].Reject) {
						t.Fatalf("%s, %d at a time: %q became %+v, %+v; want %+v, %+v", decode, parallel, scheduleTexts[i], got[i].Record, got[i].Reject, want[i].Record, want[i].Reject)
					}
				}
			}
		}
	}
}

func checkPointed(t *testing.T, m *fakeModel, c *Calibration, results []Result) {
	t.Helper()
	spans := 0
	for i, res := range results {
		if res.Record == nil || res.Record.Predictions[0] == "neutral" {
			continue
		}
		d := newDocument(scheduleTexts[i])
		taken := map[int]string{}
		for _, name := range res.Record.Predictions {
			best := -1
			for w := range d.words {
				if d.boundary[w] && taken[w] == "" && (best < 0 || wordScore(m, c, d.word(w), c.index(name)) > wordScore(m, c, d.word(best), c.index(name))) {
					best = w
				}
			}
			if best >= 0 {
				taken[best] = capitalised(name)
			}
		}
		got := map[int]string{}
		for _, s := range res.Record.Data.Spans {
			spans++
			for w := s.Start; w <= s.End; w++ {
				got[w] = s.Subtype
			}
		}
		if !reflect.DeepEqual(got, taken) {
			t.Errorf("%q, %v: spans at %v, want %v", scheduleTexts[i], res.Record.Predictions, got, taken)
		}
	}
	if spans == 0 {
		t.Error("no spans")
	}
}

func capitalised(name string) string {
	e, _ := dataset.Default().Emotion(name)
	return e.Subtype
}

func TestPoint(t *testing.T) {
	c := testCalibration()
	c.Words = &WordScale{Threshold: 2}
	joy, fear := c.index("joy"), c.index("fear")
	for _, tt := range []struct {
		text   string
		joy    []float32 // by word, 0 for those not named
		fear   []float32
		given  []string
		expect string
	}{
		{"so happy today", []float32{0.1, 0.9, 0.2}, nil, []string{"joy"}, "[{1 1 joy}]"},
		{"so very happy , happy today", []float32{1.9, 2.5, 3, 0, 3}, nil, []string{"joy"}, "[{1 2 joy} {4 4 joy}]"}, // a word's second place too
		{"glad but afraid", []float32{3, 0, 2.9}, []float32{2.1, 0, 1}, []string{"joy", "fear"}, "[{0 0 joy} {2 2 fear}]"},
		{"glad afraid", []float32{3, 1}, []float32{0, 0}, []string{"joy", "fear"}, "[{0 0 joy} {1 1 fear}]"},
		{"glad", []float32{3}, []float32{4}, []string{"joy", "fear"}, "[{0 0 joy}]"}, // no word is left
		{"a b c d e f g", []float32{9, 0, 8, 0, 7, 0, 6}, nil, []string{"joy"}, "[{0 0 joy} {2 2 joy} {4 4 joy}]"},
		{"a b c d e f g", []float32{9, 0, 8, 0, 7, 6, 0}, nil, []string{"joy"}, "[{0 0 joy} {2 2 joy} {4 5 joy}]"},
		{"!!!", nil, nil, []string{"joy"}, "[{0 0 joy}]"},
	} {
		d := newDocument(tt.text)
		d.given = tt.given
		e := (&pointer{Calibration: c}).look(d)
		for i := range d.words {
			scores := make([]float32, len(c.Emotions))
			if i < len(tt.joy) {
				scores[joy] = tt.joy[i]
			}
			if i < len(tt.fear) {
				scores[fear] = tt.fear[i]
			}
			e.scores[strings.ToLower(d.word(i))] = scores
		}
		if got := fmt.Sprint((&pointer{Calibration: c}).point(d, e)); got != tt.expect {
			t.Errorf("%q, %v: %s, want %s", tt.text, tt.given, got, tt.expect)
		}
	}
}

// TestRunSpotted: the emotions of a text that is longer than the calibration's are those of its strongest words, those of a shorter one are
// read from the whole text, whatever the prompt asks for.
func TestRunSpotted(t *testing.T) {
	simple, err := BuiltinPrompt(Simple)
	if err != nil {
		t.Fatal(err)
	}
	small, err := ParsePrompt("small", smallPrompt)
	if err != nil {
		t.Fatal(err)
	}
	for _, prompt := range []*Prompt{small, simple} {
		c := pointingCalibration()
		c.Words.Longest, c.Words.Threshold = 4, 0.5
		m := newFakeModel(t, noise(3))
		m.scored = true
		s, err := New(m, Options{ModelName: "fake", Prompt: prompt, Taxonomy: dataset.Default(), Decode: Compact, Calibration: c})
		if err != nil {
			t.Fatal(err)
		}
		differ := 0
		for _, text := range []string{"So glad", "I love it all", "I love it all!", "I love it all now", "So glad that it is over", "Why would she say that to me , of all people ?"} {
			res, err := s.Tag(dataset.Input{ID: "a", Text: text})
			if err != nil || res.Record == nil {
				t.Fatalf("%q: %+v, %v", text, res, err)
			}
			want := likeliest(m, c, text)
			if d := newDocument(text); d.wordCount() > 4 {
				words := strongest(m, c, d)
				if words == nil {
					t.Fatalf("%q: no word is strong; the test says nothing", text)
				}
				if !slices.Equal(want, words) {
					differ++
				}
				want = words
			}
			if !slices.Equal(res.Record.Predictions, want) {
				t.Errorf("%s, %q: %v, want %v", prompt.Name, text, res.Record.Predictions, want)
			}
		}
		if differ == 0 {
			t.Error("no text where the two differ")
		}
	}
}

// strongest are the emotions of the three words that suggest one most, by plain sums.
func strongest(m *fakeModel, c *Calibration, d *document) (names []string) {
	type word struct {
		emotion string
		score   float64
	}
	var words []word
	for i := range d.words {
		best := word{score: math.Inf(-1)}
		for e, emotion := range c.Emotions {
			if x := wordScore(m, c, d.word(i), e); emotion.Emotion != "neutral" && x > best.score {
				best = word{emotion.Emotion, x}
			}
		}
		if d.boundary[i] && best.score >= c.Words.Threshold {
			words = append(words, best)
		}
	}
	slices.SortStableFunc(words, func(a, b word) int { return cmp.Compare(b.score, a.score) })
	for _, w := range words[:min(3, len(words))] {
		if !slices.Contains(names, w.emotion) {
			names = append(names, w.emotion)
		}
	}
	return names
}

// TestSpot: no word below the threshold, three at most, an emotion once, neutral never.
func TestSpot(t *testing.T) {
	c := testCalibration()
	c.Words = &WordScale{Threshold: 2, Longest: 3}
	p := &pointer{Calibration: c}
	for _, tt := range []struct {
		text    string
		scores  []float32 // of the emotion
		emotion []string
		want    []string
	}{
		{"glad but so afraid", []float32{3, 0, 1.9, 4}, []string{"joy", "joy", "joy", "fear"}, []string{"fear", "joy"}},
		{"a b c d", []float32{2, 3, 5, 4}, []string{"joy", "fear", "anger", "love"}, []string{"anger", "love", "fear"}},
		{"a b c d", []float32{5, 3, 4, 2}, []string{"joy", "joy", "joy", "fear"}, []string{"joy"}},
		{"a b c d", []float32{1.9, 1, 0, 0}, []string{"joy", "joy", "joy", "fear"}, nil},
		{"a b c d", []float32{9, 2, 0, 0}, []string{"neutral", "grief", "joy", "joy"}, []string{"grief"}},
	} {
		d := newDocument(tt.text)
		e := p.look(d)
		for i := range d.words {
			scores := make([]float32, len(c.Emotions))
			scores[c.index(tt.emotion[i])] = tt.scores[i]
			e.scores[d.word(i)] = scores
		}
		if got := p.spot(d, e); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %v, want %v", tt.text, got, tt.want)
		}
	}
	for text, want := range map[string]bool{"one two three!": false, "one two three four": true} {
		if got := p.rules(newDocument(text)); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
