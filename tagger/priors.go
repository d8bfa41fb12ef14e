package tagger

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"math"
	"slices"
	"sync"

	"github.com/emospan/emospan/grammar"
)

// priors say how likely a model finds each token that may begin an emotion's name, whatever the text: the mean of the token's
// log-probability among those that the grammar allows, over built-in texts of many emotions. A small model names the emotions of its prompt's
// last examples for nearly every text. With its priors subtracted it names those that this text makes likelier than others do (batch
// calibration, Zhou et al. 2024).
//
// The texts are not the run's first ones, so that a record depends on its own text alone: with any number of texts
// before it, in any shard, after --resume.
type priors map[int32]float32

// leastLog bounds a token's log-probability from below, so that one that a model excludes has a mean.
const leastLog = -100

//go:embed priors/texts.jsonl
var priorTexts []byte

// priorTextList holds the texts of the batch. The emotions in the file are for its reader: each has one.
var priorTextList = sync.OnceValue(func() (texts []string) {
	for line := range bytes.Lines(priorTexts) {
		var entry struct{ Text, Emotion string }
		if err := json.Unmarshal(line, &entry); err != nil {
			panic("built-in texts of the priors: " + err.Error())
		}
		texts = append(texts, entry.Text)
	}
	return texts
})

// A probe is a text of the batch: the chat about it with the answer up to where the first emotion is named, and what may follow.
type probe struct {
	ids  []int32
	mask grammar.Mask
}

// probes are those of the batch that the model's context holds. There are none where the model is not to name emotions.
func (t *Tagger) probes(prefix int) ([]probe, error) {
	if !t.opts.Priors || t.opts.Calibration != nil || t.opts.Prompt.Task == Projected {
		return nil, nil
	}
	var list []probe
	for _, text := range priorTextList() {
		d := newDocument(text)
		lead := t.form.lead(d)
		if lead == "" {
			return nil, nil
		}
		ids, err := t.prompt(text, nil)
		if err != nil {
			return nil, err
		}
		more, err := t.decoder.model.Tokenize(lead)
		if err != nil {
			return nil, err
		}
		if ids = append(ids, more...); prefix+len(ids) > t.decoder.model.ContextSize() {
			continue
		}
		out, err := newOutput(t.form.stages(d))
		if err != nil {
			return nil, err
		}
		if err := out.matcher().AcceptBytes([]byte(lead)); err != nil {
			return nil, err
		}
		mask, err := out.matcher().Mask()
		if err != nil {
			return nil, err
		}
		list = append(list, probe{ids, slices.Clone(mask)})
	}
	return list, nil
}

// measure estimates the priors. Each text is decoded by itself, so that they are the same however many records are decoded at a time.
func (d *decoder) measure(probes []probe, tell func(tokens int)) error {
	if len(probes) == 0 {
		return nil
	}
	const sequence = prefixSequence + 1
	sums := map[int32]float64{}
	for _, p := range probes {
		position, rest, err := d.begin(sequence, p.ids)
		if err != nil {
			return err
		}
		logits, err := d.decodeLast(sequence, position, rest)
		if err != nil {
			return err
		}
		total := logSum(logits, p.mask)
		for id := range p.mask.All() {
			sums[id] += max(leastLog, float64(logits[id])-total)
		}
		if err := d.end(sequence); err != nil {
			return err
		}
		tell(len(rest))
	}
	d.priors = priors{}
	for id, sum := range sums {
		d.priors[id] = float32(sum / float64(len(probes)))
	}
	return nil
}

// decodeLast decodes tokens of a sequence from a position on and returns the logits after the last.
func (d *decoder) decodeLast(sequence, position int32, ids []int32) ([]float32, error) {
	for {
		n := min(len(ids), d.model.BatchSize())
		rows := make([]Row, n)
		for i := range rows {
			rows[i] = Row{Token: ids[i], Position: position + int32(i), Sequence: sequence, Logits: n == len(ids) && i == n-1}
		}
		if err := d.model.Decode(rows); err != nil {
			return nil, err
		}
		if n == len(ids) {
			return d.model.Logits(n - 1), nil
		}
		position, ids = position+int32(n), ids[n:]
	}
}

// logSum is the logarithm of the sum of the allowed tokens' exponentials.
func logSum(logits []float32, allowed grammar.Mask) float64 {
	most := math.Inf(-1)
	for id := range allowed.All() {
		most = max(most, float64(logits[id]))
	}
	sum := 0.0
	for id := range allowed.All() {
		sum += math.Exp(float64(logits[id]) - most)
	}
	return most + math.Log(sum)
}

// subtract returns logits less the priors, of the allowed tokens alone. They are valid until the next call.
func (d *decoder) subtract(logits []float32, allowed grammar.Mask) []float32 {
	if len(d.adjusted) < len(logits) {
		d.adjusted = make([]float32, len(logits))
	}
	for id := range allowed.All() {
		d.adjusted[id] = logits[id] - d.priors[id]
	}
	return d.adjusted
}

// lead quotes the whole text, up to its last word.
func (f *compactForm) lead(d *document) string {
	return `["` + escape(d.run(0, d.lastBoundary())) + `","`
}

// naming reports whether an emotion's name begins after the text of an answer: the second of two strings begins with one.
func (f *compactForm) naming(text []byte) bool {
	return bytes.HasSuffix(text, []byte(`","`)) && len(jsonStrings(text))%2 == 1
}

func (f *labelsForm) lead(*document) string { return `["` }

func (f *labelsForm) naming(text []byte) bool {
	return string(text) == `["` || bytes.HasSuffix(text, []byte(`","`))
}

// In the whole JSON a name begins without a space, in a token that several share, and neutral is one of them: there priors only make
// neutral of most texts. In the form Schema nothing is done to the model's choices at all.
func (f *schemaForm) lead(*document) string { return "" }

func (f *schemaForm) naming([]byte) bool { return false }
