package tagger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// TestPriorTexts: the texts of the batch show different emotions, as many good ones as bad ones but for one at most, so that no emotion's
// prior is that of a batch of its own kind.
func TestPriorTexts(t *testing.T) {
	tax := dataset.Default()
	signs := map[string]int{}
	for line := range bytes.Lines(priorTexts) {
		var entry struct{ Text, Emotion string }
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Fatal(err)
		}
		e, ok := tax.Emotion(entry.Emotion)
		if !ok || bytes.Count(priorTexts, fmt.Appendf(nil, `"emotion": "%s"}`, entry.Emotion)) != 1 {
			t.Fatalf("%s is no emotion, or another text's too", entry.Emotion)
		}
		signs[e.Group]++
	}
	if len(signs) < 3 || max(signs["positive_affect"], signs["negative_affect"])-min(signs["positive_affect"], signs["negative_affect"]) > 1 {
		t.Errorf("the texts' emotions are %v", signs)
	}
	for _, text := range priorTextList() {
		if len(text) > 40 || len(newDocument(text).words) < 3 {
			t.Errorf("%q is too long or too short", text)
		}
	}
}

// fond is a model that names gratitude for every text and, where the text has the word storm, likes fear better than elsewhere. What it
// writes before and after the emotion is the same in all answers.
func fond(f form, before, after string) script {
	return func(m *fakeModel, sequence []int32, logits []float32) {
		written := m.written(sequence)
		if f.naming(written) {
			logits[m.vocab.longestToken(" gratitude")] = 9
			if bytes.Contains(m.vocab.bytes(sequence), []byte("storm")) {
				logits[m.vocab.longestToken(" fear")] = 6
			}
			return
		}
		answer := before + " gratitude" + after
		if fear := before + " fear"; strings.HasPrefix(string(written), before+" f") {
			answer = fear + after
		}
		say(answer)(m, sequence, logits)
	}
}

// TestPriorsFree: an emotion that a model names whatever the text does not keep it from another that the text suggests.
func TestPriorsFree(t *testing.T) {
	const labels = `{{define "task"}}labels{{end}}`
	for _, tt := range []struct{ name, task, before, after string }{
		{"compact", "", `["The storm","`, ` low asserted future self 50"]`},
		{Simple, labels, `["`, `"]`},
	} {
		p, err := ParsePrompt(tt.name, tt.task+`{{define "system"}}Name them.{{end}}{{define "user"}}{{.Text}}{{end}}{{define "examples"}}{{end}}`)
		if err != nil {
			t.Fatal(err)
		}
		f, err := newForm(Compact, p.Task, dataset.Default())
		if err != nil {
			t.Fatal(err)
		}
		for with, want := range map[bool]string{false: "gratitude", true: "fear"} {
			tag, err := New(newFakeModel(t, fond(f, tt.before, tt.after)), Options{ModelName: "fake", Prompt: p, Taxonomy: dataset.Default(), Decode: Compact, Priors: with})
			if err != nil {
				t.Fatal(err)
			}
			res, err := tag.Tag(dataset.Input{ID: "a", Text: "The storm comes at ten past."})
			if err != nil || res.Record == nil || res.Record.Predictions[0] != want {
				t.Errorf("%s, with priors %v: %s, %v, want %s", tt.name, with, res.Answer.Text, err, want)
			}
		}
	}
}

// TestPriorsAreTheirOwn: the priors follow from the model, the prompt and the built-in texts. How many rows a batch has, how many records
// are decoded at a time and what was tagged before are without effect.
func TestPriorsAreTheirOwn(t *testing.T) {
	var want priors
	for _, size := range []struct{ batch, parallel int }{{64, 1}, {64, 3}, {7, 1}, {7, 5}} {
		m := newFakeModel(t, noise(3))
		m.batch, m.parallel = size.batch, size.parallel
		s := newSession(t, m, smallPrompt, Options{Decode: Compact, Priors: true})
		got := s.decoder.priors
		if want == nil {
			want = got
		}
		if len(got) < len(dataset.Default().Emotions()) || !maps.Equal(got, want) {
			t.Errorf("batches of %d, %d at a time: %d priors, want %d", size.batch, size.parallel, len(got), len(want))
		}
		if n := m.left(); n > 0 || m.prefixRows != s.PrefixTokens() {
			t.Errorf("%d tokens of the texts are left, %d are of the prefix", n, m.prefixRows)
		}
		first := s.tag(t, "a", "I love it")
		s.tag(t, "b", "No, the dog ran.")
		if again := s.tag(t, "a", "I love it"); !bytes.Equal(first.Answer.Text, again.Answer.Text) {
			t.Errorf("%s, then %s", first.Answer.Text, again.Answer.Text)
		}
		if !maps.Equal(s.decoder.priors, want) {
			t.Error("tagging changed the priors")
		}
	}
}

// TestPriorsAreMeans holds the priors against a model that knows two ways to go on.
func TestPriorsAreMeans(t *testing.T) {
	odd := 0
	var d decoder
	m := newFakeModel(t, func(m *fakeModel, sequence []int32, logits []float32) {
		logits['a'], logits['b'], logits['c'] = 2, 2, float32(math.Inf(-1))
		if odd++; odd%2 == 1 {
			logits['a'] = 5
		}
	})
	d = decoder{model: m, held: make([]int, m.Sequences())}
	if err := d.setPrefix(m.vocab.tokenize("prompt"), m.vocab.tokenize("xa"), m.vocab.tokenize("xb"), nil); err != nil {
		t.Fatal(err)
	}
	mask := maskOf(m.VocabSize(), 'a', 'b', 'c')
	probes := []probe{{m.vocab.tokenize("xone"), mask}, {m.vocab.tokenize("xtwo"), mask}}
	told := 0
	if err := d.measure(probes, func(tokens int) { told += tokens }); err != nil {
		t.Fatal(err)
	}
	a := (math.Log(math.Exp(5)/(math.Exp(5)+math.Exp(2))) + math.Log(0.5)) / 2
	b := (math.Log(math.Exp(2)/(math.Exp(5)+math.Exp(2))) + math.Log(0.5)) / 2
	for id, want := range map[int32]float64{'a': a, 'b': b, 'c': leastLog} {
		if got := d.priors[id]; math.Abs(float64(got)-want) > 1e-6 {
			t.Errorf("%c: %v, want %v", id, got, want)
		}
	}
	if want := len(probes[0].ids) + len(probes[1].ids) - 2*d.shared; len(d.priors) != 3 || told != want {
		t.Errorf("%d priors, told of %d tokens, want %d", len(d.priors), told, want)
	}
	logits := make([]float32, m.VocabSize())
	logits['a'] = 1
	if got := d.subtract(logits, maskOf(m.VocabSize(), 'a')); math.Abs(float64(got['a'])-(1-a)) > 1e-6 || logits['a'] != 1 {
		t.Errorf("%v, of logits that are %v", got['a'], logits['a'])
	}
}

// TestWithoutPriors: nothing is measured where no emotion is chosen by the model, nor in the form that is the baseline.
func TestWithoutPriors(t *testing.T) {
	const projected = `{{define "task"}}projected{{end}}`
	for _, tt := range []struct {
		name, task string
		o          Options
	}{
		{"not asked for", "", Options{Decode: Compact}},
		{"schema", "", Options{Decode: Schema, Priors: true}},
		{"the emotions are given", projected, Options{Decode: Compact, Priors: true}},
		{"aligned", "", Options{Decode: Aligned, Priors: true}},
	} {
		m := newFakeModel(t, noise(1))
		if s := newSession(t, m, tt.task+smallPrompt, tt.o); m.recordRows > 0 || s.decoder.priors != nil {
			t.Errorf("%s: %d tokens were decoded for %d priors", tt.name, m.recordRows, len(s.decoder.priors))
		}
	}
}

// TestPriorsOfAShortContext: a text that the model's context does not hold beside the prompt is not in the batch.
func TestPriorsOfAShortContext(t *testing.T) {
	m := newFakeModel(t, noise(1))
	s := newSession(t, m, smallPrompt, Options{Decode: Compact})
	m = newFakeModel(t, noise(1))
	m.context = s.PrefixTokens() + answerRoom + 4
	short := newSession(t, m, smallPrompt, Options{Decode: Compact, Priors: true})
	if len(short.decoder.priors) == 0 {
		t.Error("no text of the batch was decoded")
	}
}

func TestPriorsErrors(t *testing.T) {
	broken := errors.New("broken")
	m := newFakeModel(t, noise(1))
	p, err := ParsePrompt("small", smallPrompt)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{ModelName: "fake", Prompt: p, Taxonomy: dataset.Default(), Decode: Compact, Priors: true}
	at, total := 0, 0
	o.Progress = func(done, all int) {
		if done < at || done > all {
			t.Errorf("%d tokens of %d after %d", done, all, at)
		}
		at, total = done, all
	}
	tag, err := New(m, o)
	if err != nil || at != total || total <= tag.PrefixTokens() {
		t.Errorf("%v; progress ended at %d of %d tokens, %d of them the prompt's", err, at, total, tag.PrefixTokens())
	}
	m = newFakeModel(t, noise(1))
	prefix := tag.PrefixTokens()
	o.Progress = func(done, _ int) {
		if done == prefix {
			m.decodeErr = broken
		}
	}
	if _, err := New(m, o); !errors.Is(err, broken) {
		t.Errorf("%v, want %v", err, broken)
	}
}
