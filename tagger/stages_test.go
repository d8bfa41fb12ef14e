package tagger

import (
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

func TestStages(t *testing.T) {
	for decode, want := range map[Decode]string{
		Compact: `answer ["neutral"]`,
		Schema:  `answer {"predictions":["joy"],"data":{"tokens":["a"],"labels":["O"],"spans":[]}}`,
		Aligned: `prediction 1 {"predictions":["joy","|prediction 2 love","|prediction 3 fear"],"data":{"|labels tokens":["Oh","no"],"labels":["B-EMO","O"],"spans":[{"|` +
			`span 1 type":"EMO","subtype":"Joy","start":0,"end":0,"text":"Oh","attrs":{"valence":"pos","intensity":"med","certainty":"hedged","temporality":"none","source":"self","emotion_group":"positive_affect","sentence_index":0,"clause_index":0,"confidence":1.00,"target_text":"","target_relation":"none"}}]}}`,
	} {
		stages, err := Stages(decode, Autonomous, dataset.Default(), "Oh no")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range stages {
			got = append(got, s.Name+" "+s.Text)
			if !accepts(matcherOf(t, s.GBNF(), newFakeVocab()), s.Text) {
				t.Errorf("the GBNF of %s does not take %s:\n%s", s.Name, s.Text, s.GBNF())
			}
		}
		if got := strings.Join(got, "|"); len(got) != len(want) { // of equally short ones any will do
			t.Errorf("got %s\nwant something like %s", got, want)
		}
	}
	for _, text := range []string{"", " \n"} {
		if stages, err := Stages(Compact, Autonomous, dataset.Default(), text); err == nil {
			t.Errorf("%q: %v", text, stages)
		}
	}
	if _, err := Stages("verse", Autonomous, dataset.Default(), "a"); err == nil || !strings.Contains(err.Error(), "no decode form") {
		t.Errorf("%v", err)
	}
}

// TestOutputClose: an answer is closed from wherever it stands, through the stages that follow.
func TestOutputClose(t *testing.T) {
	f := formOf(t, Aligned)
	whole := alignedAnswerOf()
	for n := 0; n < len(whole); n += 9 {
		out, err := newOutput(f.stages(newDocument("I love it. You too?")))
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if _, err := out.forced(); err != nil {
				t.Fatal(err)
			}
			if err := out.acceptToken(int32(whole[i]), []byte{whole[i]}); err != nil {
				t.Fatalf("%s at byte %d: %v", whole, i, err)
			}
		}
		if err := out.close(); err != nil {
			t.Fatal(err)
		}
		closed := string(out.text)
		if ok, at := newReader(t, f, "I love it. You too?").takes(closed); !ok || !strings.HasPrefix(closed, whole[:n]) {
			t.Errorf("closed behind byte %d: %s, taken to byte %d", n, closed, at)
		}
	}
}
