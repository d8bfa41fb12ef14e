package tagger

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/go-json-experiment/json"
)

// A Calibration says how a text's emotions are read from what a model makes of it in plain words, in place of having the model write
// one: small models name the same few emotions whatever the text, and how strongly a text suggests each of many words, beside other
// texts, tells more than which word is likeliest.
//
// The text stands behind a prefix of examples, and behind the text stands a probe, at whose end the logits of many words are read (several
// words for one class: Hu et al. 2022, KPT). A word's value is its logit less the logarithm of the sum over the probe's words,
// standardised by the mean and deviation that it has over other texts (batch calibration, Zhou et al. 2024, with the deviation as well).
// An emotion's score is a weighted sum of values: of its own words alike or, where the emotions of the other texts are known, with
// weights fitted to them (matrix scaling, Guo et al. 2017, by ridge regression). A text's emotions are those whose score reaches their
// threshold, else the one that comes nearest.
type Calibration struct {
	Name        string  `json:"name"`
	Model       string  `json:"model"` // whose means and deviations these are
	ModelSHA256 string  `json:"model_sha256"`
	Texts       string  `json:"texts"` // that they and the thresholds were estimated from
	Prefix      string  `json:"prefix"`
	Before      string  `json:"before"` // the text
	Probes      []Probe `json:"probes"`

	Neutral  string         `json:"neutral"` // the emotion that stands alone
	Emotions []EmotionScale `json:"emotions"`

	Words *WordScale `json:"words,omitempty"` // where spans are found by it; else the model quotes them

	SHA256 string `json:"-"` // of the file
}

// A Probe is what follows a text, and the words that may come next.
type Probe struct {
	After string      `json:"after"`
	Words []ProbeWord `json:"words"`
}

// A ProbeWord is a word whose first token's logit is read, with the mean and deviation of its value over other texts.
type ProbeWord struct {
	Word      string  `json:"word"`
	Mean      float64 `json:"mean"`
	Deviation float64 `json:"deviation"`
}

// An EmotionScale turns the words' standardised values into an emotion's score, with a weight for each word of each probe, and that into
// a decision and a probability, 1 / (1 + exp(-(Slope score + Offset))) (Platt 1999).
type EmotionScale struct {
	Emotion   string    `json:"emotion"`
	Threshold float64   `json:"threshold"`
	Slope     float64   `json:"slope"`
	Offset    float64   `json:"offset"`
	Weights   []float64 `json:"weights"`
}

// ParseCalibration reads a calibration, for a taxonomy whose every emotion it scores.
func ParseCalibration(data []byte, tax *dataset.Taxonomy) (*Calibration, error) {
	c := new(Calibration)
	if err := json.Unmarshal(data, c, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("calibration: %w", err)
	}
	sum := sha256.Sum256(data)
	c.SHA256 = hex.EncodeToString(sum[:])
	bad := func(format string, args ...any) (*Calibration, error) {
		return nil, fmt.Errorf("calibration %q: %w", c.Name, fmt.Errorf(format, args...))
	}
	if c.Neutral != tax.Neutral() {
		return bad("neutral is %q, in the taxonomy %q", c.Neutral, tax.Neutral())
	}
	if len(c.Probes) == 0 {
		return bad("it has no probes")
	}
	finite := func(numbers ...float64) bool {
		return !slices.ContainsFunc(numbers, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) })
	}
	words := 0
	for _, p := range c.Probes {
		if p.After == "" || len(p.Words) == 0 {
			return bad("a probe holds no text or no words")
		}
		words += len(p.Words)
		for _, w := range p.Words {
			if w.Word == "" || !finite(w.Mean, w.Deviation) || w.Deviation <= 0 {
				return bad("word %q: want a word, a finite mean and a deviation above 0", w.Word)
			}
		}
	}
	for i, e := range c.Emotions {
		if _, ok := tax.Emotion(e.Emotion); !ok || c.index(e.Emotion) != i {
			return bad("emotion %q is not in the taxonomy, or here twice", e.Emotion)
		}
		if !finite(append(e.Weights, e.Threshold, e.Slope, e.Offset)...) || len(e.Weights) != words {
			return bad("emotion %q: want finite numbers and %d weights", e.Emotion, words)
		}
	}
	if w := c.Words; w != nil {
		if len(w.Means) != words || len(w.Deviations) != words || !finite(append(w.Means, w.Threshold)...) || !finite(w.Deviations...) || slices.Min(w.Deviations) <= 0 || w.Longest < 0 {
			return bad("words: want %d finite means and deviations above 0, a finite threshold, and a length of 0 or more", words)
		}
	}
	for _, e := range tax.Emotions() {
		if c.index(e.Name) < 0 {
			return bad("the taxonomy's %s is missing; calibrate anew for this taxonomy", e.Name)
		}
	}
	return c, nil
}

//go:embed calibrations
var calibrations embed.FS

// PlainCalibration is a new calibration with the examples that are built in.
func PlainCalibration(tax *dataset.Taxonomy) *Calibration {
	examples, err := calibrations.ReadFile("calibrations/examples.txt")
	if err != nil {
		panic(err)
	}
	return NewCalibration(string(examples), `"`, []string{`" expresses`}, tax)
}

// BuiltinCalibration is that of the first of some models, known by the SHA-256 of their files, for which one is built in; nil where none is.
func BuiltinCalibration(tax *dataset.Taxonomy, models ...string) (*Calibration, error) {
	entries, err := calibrations.ReadDir("calibrations")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".json") {
			continue
		}
		data, err := calibrations.ReadFile("calibrations/" + entry.Name())
		if err != nil {
			return nil, err
		}
		c, err := ParseCalibration(data, tax)
		if err != nil {
			return nil, err
		}
		if slices.Contains(models, c.ModelSHA256) {
			return c, nil
		}
	}
	return nil, nil
}

// WriteFile writes the calibration as JSON, all of it or nothing.
func (c *Calibration) WriteFile(path string) error {
	data, err := json.Marshal(c, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("calibration: %w", err)
	}
	err = dataset.Replace(path, func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
	if err != nil {
		return fmt.Errorf("calibration: %w", err)
	}
	return nil
}

// index is an emotion's place in Emotions, -1 for none.
func (c *Calibration) index(emotion string) int {
	return slices.IndexFunc(c.Emotions, func(e EmotionScale) bool { return e.Emotion == emotion })
}
