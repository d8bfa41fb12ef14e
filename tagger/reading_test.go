package tagger

import (
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/internal/bagofwords"
	"github.com/emospan/emospan/internal/linear"
	"github.com/emospan/emospan/validate"
)

const (
	fakeLayers = 4
	fakeWidth  = 6
)

// A stateModel has states that depend on the layer and on the sequence up to a row, and on nothing else.
type stateModel struct {
	*fakeModel
	asked map[int]bool // layers
}

func (m *stateModel) LayerCount() int { return fakeLayers }
func (m *stateModel) StateWidth() int { return fakeWidth }

func (m *stateModel) States(layer, row int) []float32 {
	m.asked[layer] = true
	r := m.rows[row]
	h := uint64(layer + 1)
	for _, id := range m.cells[r.Sequence][:r.Position+1] {
		h = mix(h ^ uint64(id))
	}
	state := make([]float32, fakeWidth)
	for i := range state {
		state[i] = float32(mix(h+uint64(i))>>40)/(1<<23) - 1
	}
	return state
}

func newStateModel(t testing.TB, parallel int) *stateModel {
	m := newFakeModel(t, func(*fakeModel, []int32, []float32) { t.Error("logits were looked at") })
	m.parallel, m.context = parallel, 400
	return &stateModel{m, map[int]bool{}}
}

// randomMap maps vectors to scores of classes by numbers that follow from a seed.
func randomMap(t testing.TB, classes, width int, seed uint64) Map {
	rows := make([][]float32, classes)
	for c := range rows {
		for i := range width {
			rows[c] = append(rows[c], float32(mix(seed+uint64(c*width+i))>>40)/(1<<23)-1)
		}
	}
	m, err := NewMap(make([]float64, classes), rows)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// testCalibration has readings of random numbers, by which texts differ.
func testCalibration(t testing.TB) *Calibration {
	t.Helper()
	tax := dataset.Default()
	c := &Calibration{
		Version: CalibrationVersion, Name: "test", Model: "fake", ModelSHA256: strings.Repeat("a", 64), Texts: "none",
		Prefix: "\"no\" is bad.\n", Before: `"`, After: `" says so`, Layers: []int{1, 2}, LayerCount: fakeLayers, Width: fakeWidth, Longest: 12, Neutral: "neutral",
	}
	size := c.size()
	ones := func(x float32) Floats { return slices.Repeat(Floats{x}, size) }
	c.Rows, c.End = Scale{ones(0.1), ones(0.5)}, Scale{ones(-0.1), ones(2)}
	examples := func(n int) []int { return slices.Repeat([]int{MinExamples}, n) }
	for _, e := range tax.Emotions() {
		c.Emotions.Names = append(c.Emotions.Names, e.Name)
	}
	n := len(c.Emotions.Names)
	m := randomMap(t, n, TextVectors*size, 1)
	var bags []Bag
	for _, kind := range []bagofwords.Kind{bagofwords.Words, bagofwords.Characters} {
		counter := bagofwords.NewCounter(kind)
		counter.Add("I love it that it is over")
		v := counter.Vocabulary(bagofwords.Options{})
		words := make([][]float32, n)
		for i := range words {
			words[i] = make([]float32, v.Len())
			words[i][0] = float32(i)
		}
		bags = append(bags, Bag{Vocabulary: v, Weights: linear.Pack(words)})
	}
	c.Emotions = EmotionReading{
		Names: c.Emotions.Names, Thresholds: slices.Repeat([]float64{4}, n), Examples: examples(n), Sureness: Sureness{0.5, 0.1, 0.2}, Map: &m, Bags: bags,
	}
	for _, name := range c.Emotions.Names {
		if name != c.Neutral {
			c.Spans.Names = append(c.Spans.Names, name)
		}
	}
	c.Spans.Map, c.Spans.Emotions = randomMap(t, 1, c.wordSize(), 2), randomMap(t, n-1, c.wordSize(), 3)
	c.Spans.Weight, c.Spans.Extend, c.Spans.Second = 0.5, 0.5, 2
	field := func(name string, values []string, width int, seed uint64) FieldReading {
		return FieldReading{Name: name, Values: values, Map: randomMap(t, len(values), width, seed), Temperature: 1, Shift: make([]float64, len(values)), Examples: examples(len(values))}
	}
	for i, name := range FieldNames(tax) {
		c.Fields = append(c.Fields, field(name, FieldValues(tax, name), SpanVectors*size, uint64(10+i)))
	}
	c.Targets = TargetReading{
		Kind:     field("target", []string{TargetNone, TargetText, TargetUnsaid}, SpanVectors*size, 20),
		Words:    randomMap(t, 1, c.targetSize(), 21),
		Relation: field("target_relation", []string{"cause", "target", "experiencer"}, RelationVectors*size, 22),
	}
	return c
}

// parse writes a calibration and reads it again.
func parse(t testing.TB, c *Calibration) (*Calibration, error) {
	t.Helper()
	name := t.TempDir() + "/c.json"
	if err := c.WriteFile(name); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return ParseCalibration(data, dataset.Default())
}

func mustParse(t testing.TB, c *Calibration) *Calibration {
	t.Helper()
	c, err := parse(t, c)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// readTexts tags texts by readings.
func readTexts(t *testing.T, m StateModel, texts []string, o Options) (results []Result) {
	t.Helper()
	s := newTagger(t, m, smallPrompt, o)
	err := s.Run(items(texts), true, func(item Item, res Result) error {
		if item.Bad == nil {
			results = append(results, res)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range results {
		if r := results[i].Record; r != nil {
			if problems := validate.Record(r, dataset.Default()); len(problems) > 0 {
				t.Errorf("%q: %v", r.Text, problems)
			}
		}
		results[i].Evidence = nil // of other memory
	}
	return results
}

// TestReadingSchedule: a text's record does not depend on how many are read at a time, on how batches part it, or on a cache that is too small.
func TestReadingSchedule(t *testing.T) {
	c := mustParse(t, testCalibration(t))
	want := readTexts(t, newStateModel(t, 1), scheduleTexts, Options{Decode: Compact, Calibration: c})
	spans, emotions, values := 0, map[string]bool{}, map[string]bool{}
	for _, r := range want {
		if r.Record != nil {
			spans += len(r.Record.Data.Spans)
			for _, s := range r.Record.Data.Spans {
				emotions[s.Subtype] = true
				values[s.Attrs.Certainty+s.Attrs.Source] = true
			}
		}
	}
	if spans < 20 || len(emotions) < 4 || len(values) < 3 {
		t.Fatalf("%d spans of %d emotions with %d values: the texts show little", spans, len(emotions), len(values))
	}
	for _, parallel := range []int{2, 5, 16} {
		for _, cache := range []int{0, 200, 1 << 16} {
			for _, batch := range []int{3, 64} {
				m := newStateModel(t, parallel)
				m.cache, m.batch, m.context = cache, batch, 300
				got := readTexts(t, m, scheduleTexts, Options{Decode: Compact, Calibration: c})
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%d at a time, cache of %d, batches of %d: other records", parallel, cache, batch)
				}
				if !reflect.DeepEqual(m.asked, map[int]bool{1: true, 2: true}) {
					t.Errorf("states of layers %v", m.asked)
				}
			}
		}
	}
	m := newStateModel(t, 4)
	if got := readTexts(t, m, scheduleTexts, Options{Decode: Compact, Calibration: c, Alike: true}); !reflect.DeepEqual(got, want) {
		t.Error("with Alike: other records")
	}
	for i, r := range readTexts(t, newStateModel(t, 4), scheduleTexts, Options{Decode: Aligned, Calibration: c}) {
		if !reflect.DeepEqual(r.Record, want[i].Record) {
			t.Errorf("in the aligned form %q has another record", scheduleTexts[i])
		}
	}
}

// TestReadingTexts: texts of every length and kind give a record or a reject that says why.
func TestReadingTexts(t *testing.T) {
	c := mustParse(t, testCalibration(t))
	for _, test := range []struct{ name, text, code string }{
		{"empty", "", CodeTextEmpty},
		{"one word", "Great", ""},
		{"emoji", "😂😂❤️", ""},
		{"marks", "?!", ""},
		{"function words", "it is what it is", ""},
		{"longer than the context", strings.Repeat("so glad that it is over ", 200), CodeTextTooLong},
		{"sentences longer than the context together", strings.Repeat("I love that it is over now. ", 60), ""},
		{"no UTF-8", "so \xff", CodeTextUTF8},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, r := range readTexts(t, newStateModel(t, 2), []string{test.text}, Options{Decode: Compact, Calibration: c}) {
				code := ""
				if r.Reject != nil {
					code = r.Reject.Reasons[0].Code
				}
				if code != test.code || (r.Record == nil) != (code != "") {
					t.Errorf("reject %v, record %v", r.Reject, r.Record)
				}
			}
		})
	}
}

// TestReadingGiven: a prompt with given labels has these as predictions, and spans of these alone.
func TestReadingGiven(t *testing.T) {
	c := mustParse(t, testCalibration(t))
	prompt, err := BuiltinPrompt(Level2Projected)
	if err != nil {
		t.Fatal(err)
	}
	tagger, err := New(newStateModel(t, 1), Options{ModelName: "fake", Decode: Compact, Calibration: c, Prompt: prompt, Taxonomy: dataset.Default()})
	if err != nil {
		t.Fatal(err)
	}
	res, err := tagger.Tag(dataset.Input{ID: "1", Text: "I love that my sister sings in the kitchen.", Labels: []string{"pride", "relief"}})
	if err != nil || res.Record == nil {
		t.Fatal(err, res.Reject)
	}
	if !slices.Equal(res.Record.Predictions, []string{"pride", "relief"}) {
		t.Errorf("predictions %v", res.Record.Predictions)
	}
	for _, s := range res.Record.Data.Spans {
		if s.Subtype != "Pride" && s.Subtype != "Relief" {
			t.Errorf("a span of %s", s.Subtype)
		}
	}
	if len(res.Record.Data.Spans) == 0 {
		t.Error("no span")
	}
}

// TestEvidence: vectors hold the states of the right rows.
func TestEvidence(t *testing.T) {
	c := ReadingContext(fakeLayers, fakeWidth, dataset.Default())
	c.Prefix, c.Before, c.After, c.Layers = "x", `"`, `" y`, []int{1}
	d := newDocument("So glad it ended!")
	// Tokens: "So", " gl", "ad", " it", " ended", "!".
	ends := []int{2, 5, 7, 10, 16, 17}
	var rows [][]float32
	for i := range ends {
		rows = append(rows, []float32{float32(i), 1, 0, 0, 0, 0})
	}
	e := c.newEvidence(d, 0, len(d.words), rows, ends, []float32{9, 9, 9, 9, 9, 9})
	first := func(v []float32, blocks ...int) (numbers []float32) {
		for _, b := range blocks {
			numbers = append(numbers, v[b*fakeWidth])
		}
		return numbers
	}
	for _, test := range []struct {
		name string
		got  []float32
		want []float32
	}{
		{"text: mean, end", first(e.TextVector(), 0, 1), []float32{2.5, 9}},
		{"span glad: mean, before, text, end", first(e.SpanVector(1, 1), 0, 1, 2, 3), []float32{1.5, 0, 2.5, 9}},
		{"span glad it", first(e.SpanVector(1, 2), 0, 1), []float32{2, 0}},
		{"first word has itself before it", first(e.SpanVector(0, 0), 0, 1), []float32{0, 0}},
		{"word glad: its last row, the next word's", first(e.WordVector(1), 0, 1), []float32{2, 3}},
		{"the last word is its own next", first(e.WordVector(4), 0, 1), []float32{5, 5}},
		{"relation of glad to ended", first(e.RelationVector(1, 1, 3, 3), 0, 1, 2), []float32{1.5, 4, 2.5}},
	} {
		if !slices.Equal(test.got, test.want) {
			t.Errorf("%s: %v, want %v", test.name, test.got, test.want)
		}
	}
	for i, want := range []bool{false, true, false, true, false} {
		if e.IsContent(i) != want {
			t.Errorf("word %d: content %v", i, !want)
		}
	}
	if v := e.TargetVector(3, 1, 1); len(v) != c.targetSize() || v[c.wordSize()+2] != 1 || v[c.wordSize()+3] != 0.5 {
		t.Errorf("target: %v", v[c.wordSize():])
	}
}

// TestFindSpans: a span begins at the best content word and takes in what reaches extend.
func TestFindSpans(t *testing.T) {
	c := ReadingContext(fakeLayers, fakeWidth, dataset.Default())
	const text = "She was so very proud of me , but also worried sick ."
	d := newDocument(text)
	rows := make([][]float32, len(d.words))
	ends := make([]int, len(d.words))
	for i := range rows {
		rows[i], ends[i] = make([]float32, c.size()), d.words[i].End
	}
	e := c.newEvidence(d, 0, len(d.words), rows, ends, make([]float32, c.size()))
	for _, test := range []struct {
		name   string
		scores string // a digit for each word
		second float64
		want   string
	}{
		{"one word", "0000900000000", 99, "proud"},
		{"a phrase", "0066970000000", 99, "so very proud"},
		{"a function word is none by itself", "9000500000000", 99, "proud"},
		{"it ends with no preposition", "0000960000000", 99, "proud"},
		{"nor with a mark", "0000966600000", 99, "proud of me"},
		{"a second place", "0000900000080", 7, "proud|sick"},
		{"no second place below second", "0000900000060", 7, "proud"},
		{"not beside the first", "0000980000000", 7, "proud"},
	} {
		t.Run(test.name, func(t *testing.T) {
			scores := make([]float64, len(d.words))
			for i := range scores {
				scores[i] = float64(test.scores[i] - '0')
			}
			var got []string
			for _, p := range FindSpans(e, scores, 6, test.second) {
				got = append(got, d.run(p.Start, p.End))
			}
			if strings.Join(got, "|") != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// TestDecide: the value is the best of those allowed, with what Shift gives; the probabilities are the scores'.
func TestDecide(t *testing.T) {
	m, err := NewMap([]float64{1, 0, -1}, [][]float32{{0}, {1}, {2}})
	if err != nil {
		t.Fatal(err)
	}
	f := FieldReading{Values: []string{"a", "b", "c"}, Map: m, Temperature: 1, Shift: []float64{0, 0, 0}}
	for _, test := range []struct {
		x       float32
		shift   []float64
		allowed []string
		want    string
	}{
		{0, []float64{0, 0, 0}, []string{"a", "b", "c"}, "a"},
		{3, []float64{0, 0, 0}, []string{"a", "b", "c"}, "c"},
		{3, []float64{0, 0, 0}, []string{"a", "b"}, "b"},
		{0, []float64{0, 2, 0}, []string{"a", "b", "c"}, "b"},
	} {
		f.Shift = test.shift
		got, p := f.Decide([]float32{test.x}, test.allowed)
		if got != test.want {
			t.Errorf("%v: %s", test, got)
		}
		if want := math.Exp(1) / (math.Exp(1) + math.Exp(float64(test.x)) + math.Exp(-1+2*float64(test.x))); math.Abs(p[0]-want) > 1e-3 {
			t.Errorf("%v: probabilities %v, want %v first", test, p, want)
		}
	}
}

// TestReadingOfAnotherModel: a calibration is refused by a model with other layers, or without states.
func TestReadingOfAnotherModel(t *testing.T) {
	prompt, err := BuiltinPrompt(Level2)
	if err != nil {
		t.Fatal(err)
	}
	c := testCalibration(t)
	c.LayerCount = 9
	o := Options{Decode: Compact, Calibration: c, Prompt: prompt, Taxonomy: dataset.Default()}
	if _, err := New(newStateModel(t, 1), o); err == nil || !strings.Contains(err.Error(), "model with 9 layers") {
		t.Error(err)
	}
	if _, err := New(newFakeModel(t, nil), o); err == nil || !strings.Contains(err.Error(), "no hidden states") {
		t.Error(err)
	}
	o.Calibration, o.Decode = testCalibration(t), Schema
	if _, err := New(newStateModel(t, 1), o); err == nil || !strings.Contains(err.Error(), "form schema") {
		t.Error(err)
	}
}

// TestReadingFault: where the model fails, the run ends with its error.
func TestReadingFault(t *testing.T) {
	m := newStateModel(t, 2)
	s := newTagger(t, m, smallPrompt, Options{Decode: Compact, Calibration: mustParse(t, testCalibration(t))})
	m.decodeErr = errors.New("no power")
	err := s.Run(items([]string{"So glad", "It is over"}), false, func(Item, Result) error { return nil })
	if !errors.Is(err, m.decodeErr) {
		t.Error(err)
	}
}

// TestWordScores: a text has the emotion whose words are further above what they usually come to.
func TestWordScores(t *testing.T) {
	s := NewWordScores(dataset.Default())
	if err := s.check(28); err != nil {
		t.Fatal(err)
	}
	values := func(most int) []float64 {
		v := make([]float64, len(s.Words))
		for i := range v {
			v[i] = -5 + float64(i)/100
		}
		for _, i := range s.Emotions[max(most, 0)] {
			if most >= 0 {
				v[i]++
			}
		}
		return v
	}
	var all [][]float64
	for i := range 60 {
		all = append(all, values(i%28))
	}
	s.Estimate(all)
	for e := range 28 {
		scores := make([]float64, 28)
		s.Add(values(e), scores)
		if slices.Index(scores, slices.Max(scores)) != e {
			t.Errorf("emotion %d: %v", e, scores)
		}
	}
	logits := []float32{1, 2, 3, 4}
	if got := fmt.Sprintf("%.3f", wordValues(logits, []int32{1, 3})); got != "[-2.127 -0.127]" {
		t.Error(got)
	}
}
