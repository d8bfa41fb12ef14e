package tagger

import (
	"github.com/emospan/emospan/internal/bagofwords"

	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// TestParseCalibration: what does not fit is refused in one line.
func TestParseCalibration(t *testing.T) {
	for name, test := range map[string]struct {
		change func(c *Calibration)
		want   string // "" is accepted
	}{
		"as it is":               {func(*Calibration) {}, ""},
		"version":                {func(c *Calibration) { c.Version = 2 }, "version 2"},
		"neutral":                {func(c *Calibration) { c.Neutral = "joy" }, `neutral emotion is "joy"`},
		"layers":                 {func(c *Calibration) { c.Layers = []int{1, 9} }, "layer 9"},
		"layer twice":            {func(c *Calibration) { c.Layers = []int{1, 1} }, "layer 1"},
		"width":                  {func(c *Calibration) { c.Width = 7 }, "want 14 means"},
		"NaN in a scale":         {func(c *Calibration) { c.Rows.Means[3] = float32(math.NaN()) }, "finite means"},
		"deviation of 0":         {func(c *Calibration) { c.End.Deviations[3] = 0 }, "deviations above 0"},
		"no prefix":              {func(c *Calibration) { c.Prefix = "" }, "no prefix"},
		"unknown emotion":        {func(c *Calibration) { c.Emotions.Names[0] = "zest" }, `"zest"`},
		"emotion twice":          {func(c *Calibration) { c.Emotions.Names[0] = c.Emotions.Names[1] }, "stands twice"},
		"too few of an emotion":  {func(c *Calibration) { c.Emotions.Examples[0] = 2 }, "has 2 examples, at least 8"},
		"no map":                 {func(c *Calibration) { c.Emotions.Map = nil }, "want a map or scores"},
		"weights without words":  {func(c *Calibration) { c.Emotions.Bags[0].Vocabulary = nil }, "weights without words"},
		"words of another kind":  {func(c *Calibration) { c.Emotions.Bags[0].Vocabulary = &bagofwords.Vocabulary{} }, `no kind ""`},
		"weights of other words": {func(c *Calibration) { c.Emotions.Bags[0].Vocabulary = c.Emotions.Bags[1].Vocabulary }, "want weights of"},
		"too few weights":        {func(c *Calibration) { c.Spans.Map.Weights.Values = c.Spans.Map.Weights.Values[1:] }, "want a map of"},
		"a scale of weights":     {func(c *Calibration) {}, "the scale of row 0 is -"},
		"no temperature":         {func(c *Calibration) { c.Fields[0].Temperature = 0 }, "temperature above 0"},
		"too few of a value":     {func(c *Calibration) { c.Fields[1].Examples[2] = 7 }, "has 7 examples"},
		"a field's value":        {func(c *Calibration) { c.Fields[1].Values = []string{"low", "med", "huge"} }, `"huge"`},
		"a field missing":        {func(c *Calibration) { c.Fields = c.Fields[1:] }, "attribute valence"},
		"relation":               {func(c *Calibration) { c.Targets.Relation.Values = []string{"cause", "target", "none"} }, "relations are"},
		"kind":                   {func(c *Calibration) { c.Targets.Kind.Values[0] = "some" }, "kinds are"},
	} {
		t.Run(name, func(t *testing.T) {
			c := testCalibration(t)
			test.change(c)
			data, err := json.Marshal(c)
			if name == "a scale of weights" { // which JSON has no number for
				data, err = bytes.Replace(mustMarshal(t, testCalibration(t)), []byte(`"scales":[`), []byte(`"scales":[-`), 1), nil
			}
			if err != nil {
				t.Fatal(err)
			}
			_, err = ParseCalibration(data, dataset.Default())
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n")):
				t.Errorf("%v, want %q", err, test.want)
			}
		})
	}
	for _, data := range []string{"", "{", "[]", `{"version":2}`, `{"version":"2"}`} {
		if _, err := ParseCalibration([]byte(data), dataset.Default()); err == nil {
			t.Errorf("%q is accepted", data)
		}
	}
}

func mustMarshal(t testing.TB, c *Calibration) []byte {
	t.Helper()
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// FuzzCalibration: what is accepted can be written and read again.
func FuzzCalibration(f *testing.F) {
	f.Add(mustMarshal(f, testCalibration(f)))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseCalibration(data, dataset.Default())
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("error of more than one line: %q", err)
			}
			return
		}
		if _, err := parse(t, c); err != nil {
			t.Errorf("written and read again: %v", err)
		}
	})
}
