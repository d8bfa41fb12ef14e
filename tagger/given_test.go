package tagger

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

// TestGivenTakes: what may be said where the emotions are given.
func TestGivenTakes(t *testing.T) {
	for _, tt := range []struct {
		text, given, answer string
		ok                  bool
	}{
		{"I love it", "love", `["love"," love med asserted present self 90"]`, true},
		{"I love it", "love", `["I love it"," love high asserted present self 90 cause it"]`, true},
		{"I love it", "love", `["I"," love med asserted present self 90","love"," love med asserted present self 90","it"," love med asserted present self 90"]`, true},
		{"I love it", "love", `["love"," joy med asserted present self 90"]`, false},
		{"I love it", "love", `["neutral"]`, false},
		{"I love it", "neutral", `["neutral"]`, true},
		{"I love it", "neutral", `["love"," love med asserted present self 90"]`, false},
		{"I love it", "joy love", `["love"," love med asserted present self 90"]`, false},
		{"I love it", "joy love", `["love"," love med asserted present self 90","it"," joy med asserted present self 90"]`, true},
		{"I love it", "joy love", `["love"," joy med asserted present self 90","it"," love med asserted present self 90"]`, true},
		{"I love it", "joy love", `["I"," joy med asserted present self 90","love"," joy med asserted present self 90","it"," love med asserted present self 90"]`, true},
		{"I love it", "joy love", `["I"," joy med asserted present self 90","love"," joy med asserted present self 90","it"," joy med asserted present self 90"]`, false},
		{"I love it", "joy love", `["I love it"," joy med asserted present self 90"]`, false}, // no word is left for love
		{"love", "joy love", `["love"," joy med asserted present self 90"]`, true},            // there is but one word
		{"love", "joy love", `["love"," love med asserted present self 90"]`, true},
		{"I love it so", "joy love fear desire", `["I"," joy med asserted present self 90","love"," love med asserted present self 90","it"," fear med asserted present self 90"]`, true}, // three spans at most
		{"I love it so", "joy love fear desire", `["I"," joy med asserted present self 90","love"," joy med asserted present self 90","it"," fear med asserted present self 90"]`, false},
		{"no no no", "joy love", `["no"," joy med asserted present self 90","no"," love med asserted present self 90"]`, true},
		{"no no no", "joy love", `["no no"," joy med asserted present self 90","no"," love med asserted present self 90","no"," love med asserted present self 90"]`, false},
	} {
		r := newReader(t, formOf(t, Compact), tt.text)
		r.d.given = strings.Fields(tt.given)
		if ok, at := r.takes(tt.answer); ok != tt.ok {
			t.Errorf("%q, %s: %s is taken %v to byte %d", tt.text, tt.given, tt.answer, ok, at)
		}
	}
}

// TestGivenRandom: a record's answer is taken just where its emotions are those that are given.
func TestGivenRandom(t *testing.T) {
	tax := dataset.Default()
	f := formOf(t, Compact)
	rng := rand.New(rand.NewPCG(7, 8))
	taken, refused := 0, 0
	for range 300 {
		text := randomText(rng, 1+rng.IntN(12))
		if len(Words(text)) == 0 {
			continue
		}
		want := randomRecord(t, rng, text, tax)
		given := slices.Clone(want.Predictions)
		rng.Shuffle(len(given), func(i, j int) { given[i], given[j] = given[j], given[i] })
		ok := true
		if rng.IntN(3) == 0 {
			other := tax.Emotions()[rng.IntN(27)].Name
			if ok = slices.Contains(given, other); !ok {
				given[rng.IntN(len(given))] = other
			}
		}
		answer, err := f.encode(want)
		if err != nil {
			t.Fatal(err)
		}
		r := newReader(t, f, text)
		r.d.given = given
		if got, at := r.takes(string(answer)); got != ok {
			t.Fatalf("%q, given %v: %s is taken %v to byte %d", text, given, answer, got, at)
		}
		if !ok {
			refused++
			continue
		}
		taken++
		got := envelope(want)
		if err := f.decode(answer, r.d, got); err != nil || !slices.Equal(got.Predictions, given) {
			t.Errorf("%s, given %v: %v, %v", answer, given, got.Predictions, err)
		}
	}
	if taken < 100 || refused < 50 {
		t.Errorf("%d taken, %d refused", taken, refused)
	}
}

const projectedPrompt = `{{define "task"}}projected{{end}}{{define "system"}}Tag.{{end}}{{define "user"}}{{.Text}} {{.Labels}}{{end}}{{define "examples"}}
{"text": "I love it", "answer": ["love"," love high asserted present self 90 target it"]}{{end}}`

// TestProjected: with labels that come with the text, records have these predictions or are rejected for it, whatever the model
// chooses.
func TestProjected(t *testing.T) {
	labels := [][]string{{"joy"}, {"neutral"}, {"love", "neutral", "joy", "love"}, {"fear", "anger", "grief", "pride"}, nil}
	for _, decode := range Decodes {
		records, spans := 0, 0
		for seed := range 6 {
			m := newFakeModel(t, noise(uint64(seed)))
			s := newTagger(t, m, projectedPrompt, Options{Decode: decode})
			for i, text := range scheduleTexts[:10] {
				in := dataset.Input{ID: fmt.Sprint(i), Text: text, Labels: labels[i%len(labels)]}
				res, err := s.Tag(in)
				if err != nil {
					t.Fatal(err)
				}
				given := givenLabels(dataset.Default(), in.Labels)
				switch {
				case res.Reject != nil && len(given) == 0:
					if code := res.Reject.Reasons[0].Code; code != CodeLabelsMissing && code != CodeTextEmpty {
						t.Errorf("%q without labels: %s", text, code)
					}
				case res.Reject != nil && decode != Schema:
					if code := res.Reject.Reasons[0].Code; code != CodeTextEmpty && code != CodeTextUTF8 && code != CodeTextTooLong && code != CodeLimit {
						t.Errorf("%s, %q, %v: %v", decode, text, given, res.Reject.Reasons)
					}
				case res.Record != nil:
					records++
					spans += len(res.Record.Data.Spans)
					if !slices.Equal(res.Record.Predictions, given) {
						t.Errorf("%s, %q: %v, given %v", decode, text, res.Record.Predictions, given)
					}
					if problems := validate.Record(res.Record, dataset.Default()); len(problems) > 0 {
						t.Error(problems)
					}
				}
			}
		}
		if records < 6 || decode != Schema && spans < 20 {
			t.Errorf("%s: %d records, %d spans", decode, records, spans)
		}
	}
}

// TestProject: other predictions than the labels are a reason to reject, in whatever order.
func TestProject(t *testing.T) {
	r := &dataset.Record{Predictions: []string{"love", "joy"}}
	if reason := project(r, []string{"joy", "love"}); reason != nil || r.Predictions[0] != "joy" {
		t.Errorf("%+v, %v", reason, r.Predictions)
	}
	if reason := project(r, []string{"joy"}); reason == nil || reason.Code != CodeLabelsDiffer || reason.Found != "joy, love" || reason.Expected != "joy" {
		t.Errorf("%+v", reason)
	}
}

// TestPromptNames: a record says whether its labels were a model's.
func TestPromptNames(t *testing.T) {
	p, err := BuiltinPrompt(Level2Projected)
	if err != nil {
		t.Fatal(err)
	}
	for _, generated := range []bool{false, true} {
		s := &Tagger{opts: Options{Prompt: p}}
		want := map[bool]string{false: "level_2_projected", true: "level_2_llm_projected"}[generated]
		if got := s.promptName(dataset.Input{Generated: generated}); got != want {
			t.Errorf("generated %v: %s", generated, got)
		}
	}
}

// TestLabelsOnly: the answers of a prompt for labels alone, and the records they become.
func TestLabelsOnly(t *testing.T) {
	tax := dataset.Default()
	f, err := newForm(Compact, LabelsOnly, tax)
	if err != nil {
		t.Fatal(err)
	}
	bindBytes(t, f)
	for answer, want := range map[string]string{
		`[" joy"]`: "joy", `[" neutral"]`: "neutral", `[" joy"," love"]`: "joy love", `[" joy"," joy"," fear"]`: "joy fear",
		`[" neutral"," joy"]`: "", `["joy"]`: "", `[" joy"," love"," fear"," grief"]`: "", `[]`: "", `[" calm"]`: "",
	} {
		d := newDocument("Well, then.")
		if ok, at := newReader(t, f, d.text).takes(answer); ok != (want != "") {
			t.Errorf("%s is taken %v to byte %d", answer, ok, at)
		}
		if want == "" {
			continue
		}
		r := &dataset.Record{SrcID: "a", Model: "m", Provider: dataset.Provider, Prompt: Simple, Level: dataset.Level, Text: d.text}
		if err := f.decode([]byte(answer), d, r); err != nil || strings.Join(r.Predictions, " ") != want {
			t.Errorf("%s: %v, %v", answer, r.Predictions, err)
		}
		if problems := validate.Record(r, tax); len(problems) > 0 || len(r.Data.Labels) != 4 {
			t.Errorf("%s: %v, labels %v", answer, problems, r.Data.Labels)
		}
	}
	if _, err := newForm(Aligned, LabelsOnly, tax); err == nil {
		t.Error("there is a whole record of labels alone")
	}
}
