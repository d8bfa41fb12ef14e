package bagofwords

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func vocabularyOf(o Options, texts ...string) *Vocabulary {
	c := NewCounter(Words)
	for _, t := range texts {
		c.Add(t)
	}
	return c.Vocabulary(o)
}

// TestFeatures: numbers are those of scikit-learn's TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=r"\w+|[!?]+").
func TestFeatures(t *testing.T) {
	v := vocabularyOf(Options{}, "good good day", "bad day", "a good night !!", "bad bad news")
	got := map[string]float64{}
	for _, f := range v.Features("Good good day", nil) {
		got[v.words[f.Index]] = float64(f.Value)
	}
	for w, want := range map[string]float64{"good": 0.6361, "good day": 0.4765, "day": 0.3757, "good good": 0.4765} {
		if math.Abs(got[w]-want) > 1e-3 {
			t.Errorf("%q: %v, want %v", w, got[w], want)
		}
	}
	if len(got) != 4 {
		t.Errorf("features %v", got)
	}
	if f := v.Features("zebra", nil); len(f) != 0 {
		t.Errorf("an unknown word: %v", f)
	}
}

// TestWords: what counts as a word.
func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"Don’t STOP!!!!! [NAME] :) 😂😂": "don't|don't stop|stop|!!!|stop !!!|[name]|!!! [name]|:)|[name] :)|😂|:) 😂|😂|😂 😂",
		"":                             "",
		"a":                            "a",
	} {
		var got []string
		each(Words, text, func(w string) { got = append(got, w) })
		slices.Sort(got)
		parts := slices.Sorted(slices.Values(strings.Split(want, "|")))
		if strings.Join(got, "|") != strings.Join(parts, "|") {
			t.Errorf("%q: %q, want %q", text, got, parts)
		}
	}
}

// TestOptions: rare words are left out, and the most frequent kept.
func TestOptions(t *testing.T) {
	if v := vocabularyOf(Options{MinCount: 2}, "so good", "so bad", "so so"); !slices.Equal(v.words, []string{"so"}) {
		t.Errorf("words in two texts: %q", v.words)
	}
	if v := vocabularyOf(Options{MaxWords: 2}, "a b", "a b", "a c"); !slices.Equal(v.words, []string{"a", "a b"}) {
		t.Errorf("the two most frequent: %q", v.words)
	}
}

func TestJSON(t *testing.T) {
	v := vocabularyOf(Options{}, "so good", "so bad")
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var w Vocabulary
	if err := json.Unmarshal(data, &w); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(v.Features("so good", nil), w.Features("so good", nil)) || w.Len() != v.Len() {
		t.Error("another vocabulary is read than was written")
	}
	for _, bad := range []string{`{"words":"a\nb","weights":[1]}`, `{"words":"b\na","weights":[1,1]}`, `{"words":"a\na","weights":[1,1]}`, `{"words":"","weights":[1]}`, `{"words":"a","weights":[0]}`, `3`} {
		if err := new(Vocabulary).UnmarshalJSON([]byte(bad)); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

// TestRows: numbers are those of scikit-learn's TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), sublinear_tf=True).
func TestRows(t *testing.T) {
	c := NewCounter(Characters)
	c.Add("So ein")
	c.Add("sooo é!")
	v := c.Vocabulary(Options{})
	got := map[string]float64{}
	for _, f := range v.Features("SO so é!", nil) {
		got[v.words[f.Index]] = float64(f.Value)
	}
	for w, want := range map[string]float64{" s": 0.2877, " so": 0.2877, " so ": 0.4043, " é": 0.2388, " é!": 0.2388, " é! ": 0.2388, "! ": 0.2388, "o ": 0.2877, "so": 0.2877, "so ": 0.4043, "é!": 0.2388, "é! ": 0.2388} {
		if math.Abs(got[w]-want) > 1e-3 {
			t.Errorf("%q: %v, want %v", w, got[w], want)
		}
	}
	if len(got) != 12 {
		t.Errorf("features %v", got)
	}
}
