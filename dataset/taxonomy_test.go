package dataset

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDefaultTaxonomy(t *testing.T) {
	tax := Default()
	if tax != Default() {
		t.Error("parsed more than once")
	}
	if n := len(tax.Emotions()); n != 28 || tax.Neutral() != "neutral" || len(tax.SHA256()) != 64 {
		t.Errorf("%d emotions, neutral %q, hash %q", n, tax.Neutral(), tax.SHA256())
	}
	groups := map[string]int{}
	ekman := map[string]int{}
	synonyms := 0
	for _, e := range tax.Emotions() {
		groups[e.Group]++
		ekman[e.Ekman]++
		synonyms += len(e.Synonyms)
		if got, ok := tax.EmotionBySubtype(tax.Subtype(e.Name)); !ok || got.Name != e.Name {
			t.Errorf("subtype of %s: %v", e.Name, got)
		}
	}
	for group, want := range map[string]int{"positive_affect": 12, "negative_affect": 11, "ambiguous_affect": 4, "neutral": 1} {
		if groups[group] != want {
			t.Errorf("%d emotions in %s, want %d", groups[group], group, want)
		}
	}
	for class, want := range map[string]int{"anger": 3, "disgust": 1, "fear": 2, "joy": 12, "sadness": 5, "surprise": 4, "neutral": 1} {
		if ekman[class] != want {
			t.Errorf("%d emotions in Ekman's %s, want %d", ekman[class], class, want)
		}
	}
	if synonyms < 200 {
		t.Errorf("%d synonyms", synonyms)
	}
	for attr, want := range map[string]string{
		AttrValence: "pos neg neu mixed", AttrIntensity: "low med high",
		AttrCertainty:   "asserted hedged negated hypothetical questioned",
		AttrTemporality: "past present future none", AttrSource: "self other group unknown",
		AttrEmotionGroup:   "positive_affect negative_affect ambiguous_affect neutral",
		AttrTargetRelation: "cause target experiencer none",
	} {
		if got := strings.Join(tax.Attr(attr).Values, " "); got != want {
			t.Errorf("%s: %s", attr, got)
		}
	}
	if d := tax.Attr(AttrIntensity).Default + " " + tax.Attr(AttrValence).Default; d != "med " {
		t.Errorf("defaults of intensity and valence: %q", d)
	}
	if tax.Attr("confidence") != nil {
		t.Error("confidence has a vocabulary")
	}
}

func TestLookups(t *testing.T) {
	tax := Default()
	for name, want := range map[string]string{
		"joy": "joy", "Happiness": "joy", " MAD ": "anger", "thankful": "gratitude", "let-down": "disappointment",
		"Self_Conscious": "embarrassment", "no  emotion": "neutral", "hunger": "", "": "", "joyless": "",
	} {
		got := ""
		if e, ok := tax.CanonicalEmotion(name); ok {
			got = e.Name
		}
		if got != want {
			t.Errorf("%q means %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"Joy", "happiness", ""} {
		if _, ok := tax.Emotion(name); ok {
			t.Errorf("Emotion(%q) is known", name)
		}
	}
	valence := tax.Attr(AttrValence)
	for name, want := range map[string]string{"neg": "neg", "NEG": "neg", "Negative": "neg", "both": "mixed", "blue": ""} {
		if got, _ := valence.Canonical(name); got != want {
			t.Errorf("valence %q means %q, want %q", name, got, want)
		}
	}
	if valence.Has("Neg") || valence.Has("negative") || !valence.Has("neg") {
		t.Error("Has is not exact")
	}
	for s, want := range map[string]bool{"you": true, "You": true, "THEY": true, "I": true, "Ana": false, "": false, strings.Repeat("I", 1<<20): false} {
		if tax.IsPronoun(s) != want {
			t.Errorf("IsPronoun(%.10q) is %v", s, !want)
		}
	}
	for name, want := range map[string]string{"annoyance": "Annoyance", "ärger": "Ärger", "": "", "\xff": "\xff"} {
		if got := tax.Subtype(name); got != want {
			t.Errorf("Subtype(%q) is %q", name, got)
		}
	}
}

func TestParseTaxonomyErrors(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"unknown key", `"name": "goemotions"`, `"name": "x", "colour": 1`, "colour"},
		{"unknown nested key", `"ekman": "joy"`, `"ekmann": "joy"`, "ekmann"},
		{"repeated key", `"neutral": "neutral"`, `"neutral": "neutral", "neutral": "joy"`, "neutral"},
		{"key in another case", `"pronouns"`, `"Pronouns"`, "Pronouns"},
		{"not JSON", `{`, `[`, "taxonomy"},
		{"no name", `"goemotions"`, `""`, "name is empty"},
		{"no span types", `["EMO"]`, `[]`, "span_types is empty"},
		{"span type with a dash", `["EMO"]`, `["EM-O"]`, `"EM-O"`},
		{"duplicate span type", `["EMO"]`, `["EMO", "EMO"]`, `"EMO" appears twice`},
		{"duplicate pronoun", `"i", "me"`, `"i", "i"`, `"i" appears twice`},
		{"pronoun in capitals", `"i", "me"`, `"I", "me"`, `"I" is not lower case`},
		{"required attribute missing", `{"name": "valence"`, `{"name": "mood"`, `"valence" is missing; a taxonomy may add attributes to valence, `},
		{"attribute in capitals", `{"name": "valence"`, `{"name": "Mood"`, `"Mood" is no name for one`},
		{"attribute without a name", `{"name": "valence"`, `{"name": ""`, "a name is empty"},
		{"attribute of two words", `{"name": "valence"`, `{"name": "my mood"`, `"my mood" is no name for one`},
		{"attribute without a vocabulary", `{"name": "valence"`, `{"name": "confidence"`, `"confidence" has another meaning`},
		{"attribute called as a span's key", `{"name": "valence"`, `{"name": "text"`, `"text" has another meaning`},
		{"attribute twice", `{"name": "intensity"`, `{"name": "valence"`, `"valence" appears twice`},
		{"duplicate value", `{"name": "low"`, `{"name": "high"`, `"high" already means`},
		{"empty value", `{"name": "low"`, `{"name": ""`, "empty name"},
		{"synonym clash in a vocabulary", `"medium"`, `"weak"`, `"weak" already means "low"`},
		{"default that is no value", `"default": "med"`, `"default": "medium"`, `attribute intensity: its default "medium" is not among`},
		{"no relation none", `{"name": "none", "synonyms": ["no relation"`, `{"name": "nothing", "synonyms": ["no relation"`, `"none" is missing`},
		{"unknown group", `"group": "positive_affect"`, `"group": "nice"`, `"admiration": unknown group "nice"`},
		{"unknown class", `"ekman": "joy"`, `"ekman": "trust"`, `unknown Ekman class "trust"`},
		{"unknown valence", `"valences": ["pos"]`, `"valences": ["pos", "good"]`, `unknown valence "good"`},
		{"no valences", `"valences": ["pos"]`, `"valences": []`, "valences is empty"},
		{"default not among valences", `"valence": "pos", "valences": ["pos"]`, `"valence": "neg", "valences": ["pos"]`, `its valence "neg"`},
		{"emotion in capitals", `{"name": "joy"`, `{"name": "Joy"`, `"Joy" is not lower case`},
		{"emotion with a quote", `{"name": "joy"`, `{"name": "jo\"y"`, "something other than letters"},
		{"empty emotion", `{"name": "joy"`, `{"name": ""`, "does not begin with a letter"},
		{"emotion twice", `{"name": "joy"`, `{"name": "anger"`, `"anger" appears twice`},
		{"synonym clash", `"happiness"`, `"Mad"`, `"joy": the name "Mad" already means "anger"`},
		{"synonym is an emotion", `"happiness"`, `"fear"`, `"joy": the name "fear" already means "fear"`},
		{"empty synonym", `"happiness"`, `" - "`, "empty name or synonym"},
		{"neutral unknown", `"neutral": "neutral"`, `"neutral": "calm"`, `"calm" is not one`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(string(TaxonomyJSON()), tt.old, tt.new, 1)
			if text == string(TaxonomyJSON()) {
				t.Fatal("nothing was replaced")
			}
			_, err := ParseTaxonomy([]byte(text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestLoadTaxonomy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.json")
	small := `{"name":"two","neutral":"none","span_types":["A","B"],"ekman_classes":["x"],"pronouns":["it"],"attributes":[`
	for i, name := range requiredAttrs {
		if i > 0 {
			small += ","
		}
		small += `{"name":"` + name + `","values":[{"name":"none"}]}`
	}
	small += `],"emotions":[{"name":"none","group":"none","ekman":"x","valence":"none","valences":["none"]},{"name":"ärger","group":"none","ekman":"x","valence":"none","valences":["none"]}]}`
	if err := os.WriteFile(path, []byte(small), 0o666); err != nil {
		t.Fatal(err)
	}
	tax, err := LoadTaxonomy(path)
	if err != nil || tax.Name() != "two" || !slices.Equal(tax.SpanTypes(), []string{"A", "B"}) || tax.Emotions()[1].Subtype != "Ärger" {
		t.Errorf("%+v, %v", tax, err)
	}
	if _, err := LoadTaxonomy(path + ".missing"); err == nil {
		t.Error("a missing file was read")
	}
	if err := os.WriteFile(path, make([]byte, maxTaxonomy+1), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadTaxonomy(path); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("a huge file: %v", err)
	}
}
