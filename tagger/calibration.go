package tagger

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/internal/bagofwords"
	"github.com/emospan/emospan/internal/linear"
	"github.com/go-json-experiment/json"
)

// MinExamples is how many examples of each value a reading must have been fitted to.
const MinExamples = 8

// CalibrationVersion is the version of the files that ParseCalibration reads.
const CalibrationVersion = 3

// A Calibration holds the readings of one model: linear maps from the model's hidden states, and for emotions from the text's words as
// well, to log-odds over the values of each field of a record. They are fitted to labelled texts (package calibrate).
//
// A text is read after a fixed Prefix: Before, the text, After. The states of Layers for the rows of the text and for the last row of
// After are what the maps see (Evidence). No token is generated. Alain and Bengio 2016 introduced such linear probes; Hewitt
// and Manning 2019 found syntax, and Zou et al. 2023 emotions, by them.
type Calibration struct {
	Version     int    `json:"version"`
	Name        string `json:"name"`
	Model       string `json:"model"`
	ModelSHA256 string `json:"model_sha256"`
	Texts       string `json:"texts"` // that the maps were fitted to

	Prefix     string `json:"prefix"`
	Before     string `json:"before"`
	After      string `json:"after"`
	Layers     []int  `json:"layers"`
	LayerCount int    `json:"layer_count"` // of the model
	Width      int    `json:"width"`       // numbers of a layer's state
	Longest    int    `json:"longest"`     // words of a text that is read in one piece; a longer one is read sentence by sentence

	Neutral string `json:"neutral"` // the emotion that stands alone
	Rows    Scale  `json:"rows"`    // of the text's rows
	End     Scale  `json:"end"`     // of After's last row

	Emotions EmotionReading `json:"emotions"`
	Spans    SpanReading    `json:"spans"`
	Fields   []FieldReading `json:"fields"`
	Targets  TargetReading  `json:"targets"`

	Measured []Measure `json:"measured"` // how well each field was read

	SHA256 string `json:"-"` // of the file
}

// A Scale standardises states: Layers x Width numbers, layer by layer.
type Scale struct {
	Means      Floats `json:"means"`
	Deviations Floats `json:"deviations"` // above 0
}

// Floats are numbers that a file has as base64 of little-endian float32.
type Floats []float32

// A Map is a linear map from a vector to one score a class: Bias[class] + Weights[class] · vector.
type Map struct {
	Bias    []float64     `json:"bias"`
	Weights linear.Packed `json:"weights"`

	rows [][]float32
}

// An EmotionReading scores the emotions of a text: Map's vector is Evidence.TextVector; Bags add the weights of the text's words and of its
// characters in a row, WordScores what the model says would follow. Without a map nothing was fitted to labels.
type EmotionReading struct {
	Names      []string    `json:"names"`
	Thresholds []float64   `json:"thresholds"` // of scores, see linear.Choose
	Examples   []int       `json:"examples"`   // texts that the map was fitted to, by emotion
	Sureness   Sureness    `json:"sureness"`
	Map        *Map        `json:"map,omitempty"`
	Bags       []Bag       `json:"bags,omitempty"`
	WordScores *WordScores `json:"word_scores,omitempty"`
}

// Sureness gives the probability that a chosen emotion is right: 1 / (1 + exp(-(Slope score + Threshold threshold + Offset))) (Platt 1999,
// with the emotion's threshold as a second evidence: a rare emotion is chosen by a lower score).
type Sureness struct {
	Slope     float64 `json:"slope"`
	Threshold float64 `json:"threshold"`
	Offset    float64 `json:"offset"`
}

// Probability is that of an emotion chosen by its score.
func (s Sureness) Probability(score, threshold float64) float64 {
	return 1 / (1 + math.Exp(-(s.Slope*score + s.Threshold*threshold + s.Offset)))
}

// A Bag scores a text by what stands in it, in any order.
type Bag struct {
	Vocabulary *bagofwords.Vocabulary `json:"vocabulary"`
	Weights    linear.Packed          `json:"weights"` // class x word of Vocabulary

	words [][]float32 // of Weights, by word: a text has few of the words and needs the weights of every class
}

// add adds the scores of a text.
func (b *Bag) add(text string, scores []float64) {
	for _, term := range b.Vocabulary.Features(text, nil) {
		for class, w := range b.words[term.Index] {
			scores[class] += float64(w) * float64(term.Value)
		}
	}
}

// A SpanReading finds the words that show an emotion. Map's vector is Evidence.Word, its single score that of a word in any span;
// Emotions has a score for each emotion, by that of the word in a span of it. A word's score is their weighted sum.
type SpanReading struct {
	Map      Map      `json:"map"`
	Names    []string `json:"names"`
	Emotions Map      `json:"emotions"`
	Weight   float64  `json:"weight"` // of Emotions' score
	Extend   float64  `json:"extend"` // the score with which a word beside the best one belongs to its span
	Alone    float64  `json:"alone"`  // the score by Map alone with which a word shows an emotion in a sentence of a long text that is neutral by EmotionReading
	Second   float64  `json:"second"` // the score with which another word begins a second span of the emotion
}

// A FieldReading decides the value of one attribute of a span. Map's vector is Evidence.Span. The scores are log-odds up to a
// common constant; their softmax at Temperature is the probability. The value is the one whose score plus Shift is highest:
// Shift takes back that values are unequally frequent where the map was fitted (Menon et al. 2021).
type FieldReading struct {
	Name        string    `json:"name"`
	Values      []string  `json:"values"`
	Map         Map       `json:"map"`
	Temperature float64   `json:"temperature"`
	Shift       []float64 `json:"shift"`
	Examples    []int     `json:"examples"` // that the map was fitted to, by value
}

// A TargetReading finds what an emotion is about. Kind is a FieldReading with the values none, text and unsaid (an imperative's
// addressee); Words scores the words of the text as part of the target, by the vector Evidence.Target; Relation decides by the vector
// Evidence.Relation.
type TargetReading struct {
	Kind     FieldReading `json:"kind"`
	Words    Map          `json:"words"`
	Extend   float64      `json:"extend"`
	Relation FieldReading `json:"relation"`
}

// The values of TargetReading.Kind.
const (
	TargetNone   = "none"
	TargetText   = "text"
	TargetUnsaid = "unsaid"
)

// Unsaid is the target of an imperative that leaves its addressee unsaid.
const Unsaid = "you"

// A Measure says how well a field was read from texts that its map was not fitted to.
type Measure struct {
	Field            string  `json:"field"`
	Examples         int     `json:"examples"`
	F1               float64 `json:"f1"`       // macro-F1 over the values; of spans and targets their words' F1
	Constant         float64 `json:"constant"` // the same for the commonest value, or for the baseline that Note names
	CalibrationError float64 `json:"calibration_error"`
	Note             string  `json:"note,omitempty"`
}

// MarshalText writes base64.
func (f Floats) MarshalText() ([]byte, error) {
	data := make([]byte, 0, 4*len(f))
	for _, x := range f {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	return base64.StdEncoding.AppendEncode(nil, data), nil
}

// UnmarshalText reads base64.
func (f *Floats) UnmarshalText(text []byte) error {
	data, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil || len(data)%4 != 0 {
		return fmt.Errorf("numbers are not base64 of float32")
	}
	*f = make(Floats, len(data)/4)
	for i := range *f {
		(*f)[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
	}
	return nil
}

// NewMap packs a map's weights.
func NewMap(bias []float64, weights [][]float32) (Map, error) {
	m := Map{Bias: bias, Weights: linear.Pack(weights)}
	var err error
	m.rows, err = m.Weights.Unpack()
	return m, err
}

// Scores gives a score for each class.
func (m *Map) Scores(vector []float32) []float64 {
	scores := slices.Clone(m.Bias)
	for class, row := range m.rows {
		scores[class] += float64(dot32(row, vector))
	}
	return scores
}

// Score is that of one class.
func (m *Map) Score(class int, vector []float32) float64 {
	return m.Bias[class] + float64(dot32(m.rows[class], vector))
}

// dot32 is the inner product of two vectors of one length.
func dot32(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s1) + (s2 + s3)
}

// ParseCalibration reads a calibration, for a taxonomy whose every emotion and attribute it reads.
func ParseCalibration(data []byte, tax *dataset.Taxonomy) (*Calibration, error) {
	c := new(Calibration)
	if err := json.Unmarshal(data, c); err != nil {
		return nil, fmt.Errorf("calibration: %w", err)
	}
	sum := sha256.Sum256(data)
	c.SHA256 = hex.EncodeToString(sum[:])
	if err := c.check(tax); err != nil {
		return nil, fmt.Errorf("calibration %q: %w", dataset.ShownName(c.Name), err)
	}
	return c, nil
}

// FieldNames are the attributes of a span that a calibration reads: those whose value neither text nor emotion settles. "type" is the
// span's type, where the taxonomy has several.
func FieldNames(tax *dataset.Taxonomy) []string {
	var names []string
	if len(tax.SpanTypes()) > 1 {
		names = append(names, fieldType)
	}
	for _, e := range tax.Emotions() {
		if len(e.Valences) > 1 && e.Name != tax.Neutral() {
			names = append(names, dataset.AttrValence)
			break
		}
	}
	names = append(names, dataset.AttrIntensity, dataset.AttrCertainty, dataset.AttrTemporality, dataset.AttrSource)
	for _, v := range tax.Further() {
		names = append(names, v.Name)
	}
	return names
}

const fieldType = "type"

// FieldValues are the values that a taxonomy has for one of FieldNames.
func FieldValues(tax *dataset.Taxonomy, name string) []string {
	if name == fieldType {
		return tax.SpanTypes()
	}
	if v := tax.Attr(name); v != nil {
		return v.Values
	}
	return nil
}

// FieldValue is the value that a span has of one of FieldNames.
func FieldValue(s *dataset.Span, name string) *string {
	if name == fieldType {
		return &s.Type
	}
	return s.Attrs.Field(name)
}

// Field is the reading of one of FieldNames, nil for none.
func (c *Calibration) Field(name string) *FieldReading {
	for i := range c.Fields {
		if c.Fields[i].Name == name {
			return &c.Fields[i]
		}
	}
	return nil
}

// size is that of one vector of states: of all layers.
func (c *Calibration) size() int { return len(c.Layers) * c.Width }

//go:embed calibrations
var calibrations embed.FS

// ReadingContext is a calibration without any reading: the built-in examples, and the layers that are read of a model with so many layers
// of a width. A Tagger with it gives Evidence.
func ReadingContext(layers, width int, tax *dataset.Taxonomy) *Calibration {
	examples, err := calibrations.ReadFile("calibrations/examples.txt")
	if err != nil {
		panic(err)
	}
	c := &Calibration{
		Version: CalibrationVersion, Prefix: string(examples), Before: `"`, After: `" expresses`,
		LayerCount: layers, Width: width, Neutral: tax.Neutral(),
	}
	for _, share := range []float64{0.5, 0.7, 0.9} {
		layer := min(int(share*float64(layers)), layers-2)
		if layer >= 0 && !slices.Contains(c.Layers, layer) {
			c.Layers = append(c.Layers, layer)
		}
	}
	return c
}

// BuiltinCalibration is the file, for ParseCalibration, of the first of some models, known by the SHA-256 of their files, for which one is
// built in; nil where none is.
func BuiltinCalibration(models ...string) []byte {
	entries, err := calibrations.ReadDir("calibrations")
	if err != nil {
		panic(err)
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".json") {
			continue
		}
		data, err := calibrations.ReadFile("calibrations/" + entry.Name())
		if err != nil {
			panic(err)
		}
		if slices.ContainsFunc(models, func(sha string) bool { return sha != "" && strings.Contains(string(data[:min(len(data), 1024)]), sha) }) {
			return data
		}
	}
	return nil
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

// CheckModel reports whether the calibration is one of a model with so many layers of a width.
func (c *Calibration) CheckModel(layers, width int) error {
	if layers != c.LayerCount || width != c.Width {
		return fmt.Errorf("calibration %q is of a model with %d layers of %d numbers, this one has %d of %d", c.Name, c.LayerCount, c.Width, layers, width)
	}
	return nil
}
