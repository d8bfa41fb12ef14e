package tagger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

// testCalibration has a word for each emotion behind each of two probes; the words' means and deviations differ.
func testCalibration() *Calibration {
	c := &Calibration{Name: "test", Model: "fake", Texts: "none", Prefix: "\"no\" is bad.\n", Before: `"`, Neutral: "neutral"}
	for _, after := range []string{`" is`, `" says so much`} {
		p := Probe{After: after}
		for i, e := range dataset.Default().Emotions() {
			p.Words = append(p.Words, ProbeWord{Word: " " + e.Name, Mean: -3 - float64(i)/28, Deviation: 1 + float64(i%3)/4})
		}
		c.Probes = append(c.Probes, p)
	}
	for i, e := range dataset.Default().Emotions() {
		weights := make([]float64, 2*28)
		weights[i], weights[28+i] = 0.5, 0.5
		c.Emotions = append(c.Emotions, EmotionScale{Emotion: e.Name, Threshold: 0.9, Slope: 2, Offset: -1, Weights: weights})
	}
	return c
}

func parse(t *testing.T, c *Calibration) (*Calibration, error) {
	t.Helper()
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return ParseCalibration(data, dataset.Default())
}

// FuzzCalibration: what is accepted scores any values without a panic, names emotions of the taxonomy, and can be written and read again.
func FuzzCalibration(f *testing.F) {
	data, err := json.Marshal(testCalibration())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(bytes.Replace(data, []byte(`"test"`), []byte(`"\n"`), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseCalibration(data, dataset.Default())
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("error of more than one line: %q", err)
			}
			return
		}
		words := 0
		for _, p := range c.Probes {
			words += len(p.Words)
		}
		emotions, all := c.Read(make([]float64, words))
		if len(emotions) == 0 || len(all) == 0 {
			t.Errorf("%v, %v", emotions, all)
		}
		for _, name := range emotions {
			if _, ok := dataset.Default().Emotion(name); !ok {
				t.Errorf("%q is no emotion", name)
			}
		}
		if _, err := parse(t, c); err != nil {
			t.Errorf("written and read again: %v", err)
		}
	})
}

func TestParseCalibration(t *testing.T) {
	c, err := parse(t, testCalibration())
	if err != nil || len(c.SHA256) != 64 || len(c.Probes[1].Words) != 28 {
		t.Fatalf("%+v, %v", c, err)
	}
	for _, tt := range []struct {
		name, want string
		change     func(c *Calibration)
	}{
		{"no probes", "no probes", func(c *Calibration) { c.Probes = nil }},
		{"no words", "no text or no words", func(c *Calibration) { c.Probes[0].Words = nil }},
		{"no text", "no text or no words", func(c *Calibration) { c.Probes[0].After = "" }},
		{"emotion unknown", `"calm" is not in the taxonomy`, func(c *Calibration) { c.Emotions[3].Emotion = "calm" }},
		{"emotion twice", `"joy" is not in the taxonomy, or here twice`, func(c *Calibration) { c.Emotions[27].Emotion = "joy" }},
		{"empty word", `word ""`, func(c *Calibration) { c.Probes[1].Words[2].Word = "" }},
		{"deviation", "a deviation above 0", func(c *Calibration) { c.Probes[1].Words[2].Deviation = 0 }},
		{"weights", "and 56 weights", func(c *Calibration) { c.Emotions[5].Weights = c.Emotions[5].Weights[:28] }},
		{"neutral", `neutral is "calm"`, func(c *Calibration) { c.Neutral = "calm" }},
		{"emotion missing", "the taxonomy's neutral is missing", func(c *Calibration) { c.Emotions = c.Emotions[:27] }},
	} {
		c := testCalibration()
		tt.change(c)
		if _, err := parse(t, c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := ParseCalibration([]byte(`{"name":"x","weights":[]}`), dataset.Default()); err == nil {
		t.Error("an unknown member is passed over")
	}
}

// TestScoringResult: which emotions follow from scores.
func TestScoringResult(t *testing.T) {
	c := testCalibration()
	for _, p := range c.Probes {
		for i := range p.Words {
			p.Words[i].Mean, p.Words[i].Deviation = -1, 0.5
		}
	}
	for _, tt := range []struct {
		scores map[string]float64 // means
		want   string
	}{
		{map[string]float64{"joy": 2}, "joy"},
		{map[string]float64{"joy": 1, "love": 2}, "love joy"},
		{map[string]float64{"joy": 0.5, "love": 0.4}, "joy"}, // none reaches its threshold
		{map[string]float64{"joy": 1, "neutral": 2}, "neutral"},
		{map[string]float64{"joy": 2, "neutral": 1}, "joy"},
		{map[string]float64{"joy": 2, "love": 3, "fear": 1, "grief": 1.5}, "love joy grief"}, // the most there may be
	} {
		values := make([]float64, 2*28)
		for i := range values {
			score, ok := tt.scores[c.Emotions[i%28].Emotion]
			if !ok {
				score = -4
			}
			values[i] = -1 + 0.5*(score-0.25+0.5*float64(i/28))
		}
		got, all := c.Read(values)
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%v: %v", tt.scores, got)
		}
		for _, s := range all {
			if want, ok := tt.scores[s.Emotion]; ok && (math.Abs(s.Score-want) > 1e-12 || math.Abs(s.Probability-1/(1+math.Exp(1-2*want))) > 1e-12) {
				t.Errorf("%v: %+v", tt.scores, s)
			}
		}
	}
}

// likeliest is, for the text before a probe, what the fake model's logits give by the formula of Calibration, computed plainly.
func likeliest(m *fakeModel, c *Calibration, text string) []string {
	type emotion struct {
		name   string
		margin float64
	}
	var list []emotion
	logits := make([]float32, m.VocabSize())
	for e, scale := range c.Emotions {
		score := 0.0
		for _, p := range c.Probes {
			sequence := slices.Concat([]int32{m.vocab.control(begin)}, m.vocab.tokenize(c.Prefix), m.vocab.tokenize(c.Before+text), m.vocab.tokenize(p.After))
			clear(logits)
			m.script(m, sequence, logits)
			sum := 0.0
			for _, w := range p.Words {
				sum += math.Exp(float64(logits[m.vocab.tokenize(w.Word)[0]]))
			}
			w := p.Words[e]
			score += (float64(logits[m.vocab.tokenize(w.Word)[0]]) - math.Log(sum) - w.Mean) / w.Deviation / float64(len(c.Probes))
		}
		list = append(list, emotion{scale.Emotion, score - scale.Threshold})
	}
	slices.SortStableFunc(list, func(a, b emotion) int {
		if a.margin > b.margin {
			return -1
		}
		return 1
	})
	if list[0].name == "neutral" || list[0].margin < 0 {
		return []string{list[0].name}
	}
	var names []string
	for _, e := range list {
		if e.margin >= 0 && e.name != "neutral" && len(names) < maxPredictions {
			names = append(names, e.name)
		}
	}
	return names
}

// TestRunScored: a record's predictions are what the scores say, whatever is tagged beside it and however often records have to
// give way in the cache.
func TestRunScored(t *testing.T) {
	for _, o := range []Options{{Decode: Compact}, {Decode: Aligned}, {Decode: Compact, Alike: true}} {
		var want []Result
		for _, parallel := range []int{1, 2, 5, 16} {
			for _, narrow := range []int{0, 160} {
				m := newNarrow(t, parallel, narrow)
				m.scored = true
				if m.wide = 340; o.Decode == Aligned {
					m.wide = 2000
				}
				if narrow == 0 {
					m.narrow, m.context = m.wide, m.wide
				}
				if o.Alike && parallel < 2 {
					continue
				}
				o.Calibration = testCalibration()
				o.Confidence = ConfidenceModel
				var model Model = m
				if o.Alike {
					model = &alikeModel{narrowModel: m, shapes: map[int]int{}}
				}
				got := tagAll(t, newTagger(t, model, smallPrompt, o), false)
				if m.left() > 0 {
					t.Errorf("%d at a time: %d tokens are left in the cache", parallel, m.left())
				}
				if want == nil {
					want = got
					checkScored(t, m.fakeModel, o.Calibration, got)
				}
				for i := range want {
					if !reflect.DeepEqual(got[i].Record, want[i].Record) || !reflect.DeepEqual(got[i].Reject, want[i].Reject) || !o.Alike && got[i].Counts != want[i].Counts {
						t.Fatalf("%s, %d at a time: %q became %+v, %+v; want %+v, %+v", o.Decode, parallel, scheduleTexts[i], got[i].Record, got[i].Reject, want[i].Record, want[i].Reject)
					}
				}
			}
		}
	}
}

func checkScored(t *testing.T, m *fakeModel, c *Calibration, results []Result) {
	t.Helper()
	several, neutral := 0, 0
	for i, res := range results {
		if res.Record == nil {
			continue
		}
		want := likeliest(m, c, scheduleTexts[i])
		if !slices.Equal(res.Record.Predictions, want) {
			t.Errorf("%q: %v, want %v", scheduleTexts[i], res.Record.Predictions, want)
		}
		if len(want) > 1 {
			several++
		}
		if want[0] == "neutral" {
			neutral++
			if res.Counts.Sampled > 0 || res.Counts.Prompt == 0 {
				t.Errorf("neutral, %v", res.Counts)
			}
		}
		for _, s := range res.Record.Data.Spans {
			if p := s.Attrs.Confidence; p <= 0 || p >= 1 || slices.Contains([]float64{0.9, 0.95}, p) {
				t.Errorf("%q: confidence %v", scheduleTexts[i], p)
			}
		}
		if problems := validate.Record(res.Record, dataset.Default()); len(problems) > 0 {
			t.Error(problems)
		}
	}
	if several == 0 || neutral == len(results) {
		t.Errorf("%d of %d with several emotions, %d neutral", several, len(results), neutral)
	}
}

// TestScoredLabelsOnly: where labels are all that is asked for, nothing is left for the model to write.
func TestScoredLabelsOnly(t *testing.T) {
	m := newFakeModel(t, noise(3))
	m.scored = true
	p, err := BuiltinPrompt(Simple)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(m, Options{ModelName: "fake", Prompt: p, Taxonomy: dataset.Default(), Decode: Compact, Calibration: testCalibration()})
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Tag(dataset.Input{ID: "a", Text: "I love it"})
	if err != nil || res.Record == nil || res.Counts.Sampled+res.Counts.Forced > 0 || !slices.Equal(res.Record.Predictions, likeliest(m, testCalibration(), "I love it")) {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestCalibrationRefused(t *testing.T) {
	for _, tt := range []struct {
		prompt string
		decode Decode
		scored bool
		want   string
	}{
		{smallPrompt, Schema, true, "in the form schema the model itself writes the emotions"},
		{projectedPrompt, Compact, true, "has the emotions given"},
		{smallPrompt, Compact, false, "2 sequences"},
	} {
		m := newFakeModel(t, noise(1))
		m.scored = tt.scored
		p, err := ParsePrompt("p", tt.prompt)
		if err != nil {
			t.Fatal(err)
		}
		_, err = New(m, Options{ModelName: "fake", Prompt: p, Taxonomy: dataset.Default(), Decode: tt.decode, Calibration: testCalibration()})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}

// TestScoringFails: the model's errors end the run.
func TestScoringFails(t *testing.T) {
	m := newFakeModel(t, noise(1))
	m.scored = true
	s := newTagger(t, m, smallPrompt, Options{Decode: Compact, Calibration: testCalibration()})
	m.copyErr = errors.New("no room")
	if _, err := s.Tag(dataset.Input{ID: "a", Text: "I love it"}); err == nil || !strings.Contains(fmt.Sprint(err), "no room") {
		t.Errorf("%v", err)
	}
}
