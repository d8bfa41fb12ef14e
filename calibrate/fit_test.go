package calibrate

import (
	"context"
	"errors"
	"hash/fnv"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/calibrate/corpus"
	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/tagger"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A byteModel has a token for each byte. The states of a row follow from the word that it is in.
type byteModel struct {
	rows  []tagger.Row
	cells [9][]int32
}

const layers, width = 3, 24

func (m *byteModel) VocabSize() int       { return 257 }
func (m *byteModel) IsEOG(id int32) bool  { return id == 256 }
func (m *byteModel) Sequences() int       { return len(m.cells) }
func (m *byteModel) ContextSize() int     { return 4000 }
func (m *byteModel) CacheSize() int       { return 40000 }
func (m *byteModel) BatchSize() int       { return 512 }
func (m *byteModel) Logits(int) []float32 { return make([]float32, 257) }
func (m *byteModel) LayerCount() int      { return layers }
func (m *byteModel) StateWidth() int      { return width }
func (m *byteModel) Piece(id int32) []byte {
	if id == 256 {
		return nil
	}
	return []byte{byte(id)}
}

func (m *byteModel) Tokenize(text string) (ids []int32, err error) {
	for _, b := range []byte(text) {
		ids = append(ids, int32(b))
	}
	return ids, nil
}

func (m *byteModel) Chat(turns []tagger.Turn, _, _ bool) (ids []int32, err error) {
	for _, t := range turns {
		more, _ := m.Tokenize(t.Text)
		ids = append(ids, more...)
	}
	return ids, nil
}

func (m *byteModel) Decode(rows []tagger.Row) error {
	m.rows = slices.Clone(rows)
	for _, r := range rows {
		m.cells[r.Sequence] = append(m.cells[r.Sequence][:r.Position], r.Token)
	}
	return nil
}

func (m *byteModel) CopyKV(from, to int32) error {
	m.cells[to] = slices.Clone(m.cells[from])
	return nil
}

func (m *byteModel) RemoveKV(sequence, from int32) error {
	m.cells[sequence] = m.cells[sequence][:from]
	return nil
}

func (m *byteModel) States(layer, row int) []float32 {
	r := m.rows[row]
	text := []byte{}
	for _, id := range m.cells[r.Sequence][:r.Position+1] {
		text = append(text, byte(id))
	}
	word := text[1+strings.LastIndexAny(string(text), " \""):]
	if lines := strings.Split(string(text), "\n"); string(word) == "expresses" { // of the whole text
		word = []byte(lines[len(lines)-1])
	}
	state := make([]float32, width)
	for i := range state {
		h := fnv.New32a()
		h.Write(word)
		h.Write([]byte{byte(layer), byte(i)})
		state[i] = float32(h.Sum32()%1000)/500 - 1
	}
	return state
}

func read(ctx context.Context, tax *dataset.Taxonomy) Read {
	return func(c *tagger.Calibration, texts iter.Seq2[Text, error], emit func(Text, *tagger.Evidence) error) error {
		p, err := tagger.BuiltinPrompt(tagger.Simple)
		if err != nil {
			return err
		}
		t, err := tagger.New(&byteModel{}, tagger.Options{ModelName: "bytes", Prompt: p, Taxonomy: tax, Decode: tagger.Compact, Calibration: c, EvidenceOnly: true})
		if err != nil {
			return err
		}
		for text, err := range texts {
			if err != nil {
				return err
			}
			res, err := t.Tag(text.Input)
			if err != nil {
				return err
			}
			if err := emit(text, res.Evidence[0]); err != nil {
				return err
			}
		}
		return context.Cause(ctx)
	}
}

// TestFit: what is fitted can be written and read, says what it was fitted to, and tells words that states and words tell apart better than a constant does.
func TestFit(t *testing.T) {
	if testing.Short() {
		t.Skip("fitting takes minutes under the race detector")
	}
	tax := dataset.Default()
	records, err := corpus.Records(tax)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	c := tagger.ReadingContext(layers, width, tax)
	var steps []string
	o := Options{Progress: func(what string, _, _ int) {
		if !slices.Contains(steps, what) {
			steps = append(steps, what)
		}
	}}
	if err := Fit(ctx, read(ctx, tax), c, tax, records, nil, o); err != nil {
		t.Fatal(err)
	}
	name := t.TempDir() + "/c.json"
	if err := c.WriteFile(name); err != nil {
		t.Fatal(err)
	}
	for _, m := range c.Measured {
		if m.Field != "target" && m.Field != "spans" && m.F1 <= m.Constant { // these words alone do not tell spans
			t.Errorf("%s: F1 %.3f, a constant's %.3f", m.Field, m.F1, m.Constant)
		}
		if m.Examples < 1000 || m.CalibrationError < 0 || m.CalibrationError > 0.2 {
			t.Errorf("%s: %+v", m.Field, m)
		}
	}
	if len(c.Measured) != 10 || c.Longest < 20 || len(steps) < 5 {
		t.Errorf("%d fields, texts of %d words, steps %q", len(c.Measured), c.Longest, steps)
	}
}

// TestFitFaults: too few examples, a fault of an input and an interruption end the fit.
func TestFitFaults(t *testing.T) {
	tax := dataset.Default()
	records, err := corpus.Records(tax)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if err := Fit(ctx, read(ctx, tax), tagger.ReadingContext(layers, width, tax), tax, records[:60], nil, Options{}); err == nil || !strings.Contains(err.Error(), "at least 8 are needed") {
		t.Errorf("too few: %v", err)
	}
	fault := errors.New("line 3 is damaged")
	bad := func(yield func(Text, error) bool) { yield(Text{}, fault) }
	if err := Fit(ctx, read(ctx, tax), tagger.ReadingContext(layers, width, tax), tax, records[:60], bad, Options{}); !errors.Is(err, fault) {
		t.Errorf("a fault: %v", err)
	}
	stopped, stop := context.WithCancelCause(ctx)
	stop(fault)
	if err := Fit(stopped, read(ctx, tax), tagger.ReadingContext(layers, width, tax), tax, records[:60], nil, Options{}); !errors.Is(err, fault) {
		t.Errorf("stopped: %v", err)
	}
}
