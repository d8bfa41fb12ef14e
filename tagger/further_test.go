package tagger

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

// furtherTaxonomy has two span types and two attributes of its own, one of them without a default.
func furtherTaxonomy(t *testing.T) *dataset.Taxonomy {
	return changedTaxonomy(t, `["EMO"]`, `["EMO", "CUE"]`, `"attributes": [`, `"attributes": [`+
		`{"name": "politeness", "default": "plain", "values": [{"name": "rude"}, {"name": "plain"}, {"name": "very \"polite\""}]},`+
		`{"name": "said_how", "values": [{"name": "aloud"}, {"name": "in silence"}]},`)
}

// TestFurtherAttributes: in each form the grammar takes what a record has of the taxonomy's own attributes and span types, it
// is read again, and nothing else is taken.
func TestFurtherAttributes(t *testing.T) {
	long(t)
	tax := furtherTaxonomy(t)
	const text = "so it was, and I was glad of it"
	for _, decode := range Decodes {
		t.Run(string(decode), func(t *testing.T) {
			f, err := newForm(decode, Autonomous, tax)
			if err != nil {
				t.Fatal(err)
			}
			bindBytes(t, f)
			rng := rand.New(rand.NewPCG(33, 34))
			seen, spoiled := map[string]bool{}, 0
			for range 100 {
				want := randomRecord(t, rng, text, tax)
				if problems := validate.Record(want, tax); len(problems) > 0 {
					t.Fatalf("%v", problems)
				}
				answer, err := f.encode(want)
				if err != nil {
					t.Fatal(err)
				}
				if ok, at := newReader(t, f, text).takes(string(answer)); !ok {
					t.Fatalf("the grammar does not take %s at byte %d", answer, at)
				}
				got := envelope(want)
				if err := f.decode(answer, newDocument(text), got); err != nil {
					t.Fatal(err)
				}
				if len(want.Data.Spans) == 0 {
					continue
				}
				if !reflect.DeepEqual(got, want) {
					t.Fatalf("%s\n got %+v\nwant %+v", answer, got, want)
				}
				for _, s := range want.Data.Spans {
					seen[s.Type], seen[*s.Attrs.Field("politeness")], seen[*s.Attrs.Field("said_how")] = true, true, true
				}
				bad := strings.NewReplacer(`rude`, `crude`, `aloud`, `loud`, `"said_how":`, `"said":`, `in_silence`, `silent`).Replace(string(answer))
				if ok, _ := newReader(t, f, text).takes(bad); ok {
					t.Fatalf("the grammar takes %s", bad)
				}
				spoiled++
			}
			if len(seen) != 7 || spoiled < 50 {
				t.Errorf("tried %v, %d spoiled", seen, spoiled)
			}
		})
	}
}

// TestFurtherPrompt: the prompts name what a taxonomy adds, and their examples have a value of each attribute.
func TestFurtherPrompt(t *testing.T) {
	tax := furtherTaxonomy(t)
	for _, name := range []string{Level2, Level2Projected} {
		p, err := BuiltinPrompt(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, decode := range Decodes {
			turns, err := p.Turns(decode, tax, "Well.", []string{"joy"})
			if err != nil {
				t.Fatalf("%s, %s: %v", name, decode, err)
			}
			for _, want := range []string{"\nTypes of spans: EMO, CUE.\n", "\npoliteness of a span: rude, plain, very \"polite\"; plain where nothing is said.\n", "\nsaid_how of a span: aloud, in silence."} {
				if !strings.Contains(turns[0].Text+"\n", want) {
					t.Errorf("%s, %s: no %q in %q", name, decode, want, turns[0].Text)
				}
			}
			want := " joy EMO med asserted present self plain aloud 93"
			if decode != Compact {
				want = `"target_relation":"target","politeness":"plain","said_how":"aloud"}}]}}`
			}
			found := false
			for _, turn := range turns {
				found = found || strings.Contains(turn.Text, want)
			}
			if !found {
				t.Errorf("%s, %s: no example with %s", name, decode, want)
			}
		}
	}
}
