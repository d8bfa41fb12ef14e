package tagger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
)

// A Decode names the form in which the model writes a record.
type Decode string

// The forms.
const (
	Compact Decode = "compact" // only the decisions, as a short array
	Aligned Decode = "aligned" // the card's whole JSON, in stages that agree with the text and with each other
	Schema  Decode = "schema"  // the card's whole JSON, whatever it holds
)

// Decodes lists the forms.
var Decodes = []Decode{Compact, Aligned, Schema}

// A form is one way to write a record: the stages of its answers, and the way between answer and record.
type form interface {
	frames() []*frame        // of all its stages
	stages(d *document) plan // of the answers about a text that has tokens
	decode(answer []byte, d *document, r *dataset.Record) error
	encode(r *dataset.Record) ([]byte, error)
	odds(answer []byte, probability func(begin, end int) float64) []float64 // of the spans' emotions
	lead(d *document) string                                                // of an answer, up to where it names its first emotion; "" for a form without priors
	naming(text []byte) bool                                                // whether an emotion's name begins after the text of an answer
	limit(textTokens int) int                                               // tokens of the longest answer that is not the model going in circles
}

// Options say how texts are tagged.
type Options struct {
	ModelName   string // the record's model field
	Prompt      *Prompt
	Taxonomy    *dataset.Taxonomy
	Decode      Decode
	Sampling    Sampling
	Confidence  Confidence   // "" means ConfidenceSelf
	Calibration *Calibration // by which every field is read from the model's hidden states; nil has the model write them

	// EvidenceOnly has texts read and no records made: Result.Evidence is all there is. Calibration need only be a ReadingContext.
	EvidenceOnly bool

	// Priors has New measure how likely the model finds each emotion's name whatever the text, over built-in texts, and that is subtracted
	// where the model names an emotion in the form Compact. It is without effect with a Calibration and where the emotions are given.
	Priors bool

	// Progress, if there is one, is told how many of the tokens of the shared prompt, and of the texts of the priors, are decoded, while
	// New decodes them.
	Progress func(done, total int)

	// Alike has the same arithmetic done for a text whatever is tagged beside it, so that its result is the same to the last
	// bit. It needs a model whose sequences have caches of their own, two at least beside the first.
	Alike bool
}

// A Tagger tags texts, one at a time. It belongs to one goroutine, but for InFlight.
type Tagger struct {
	opts    Options
	form    form
	decoder decoder
	reader  *textReader // nil where the model writes
	single  bool        // one text at a time, whatever the model has sequences for
	total   Counts
	records time.Duration // spent in open and close
	flights atomic.Int64
}

// Codes of rejects that this package gives itself, beside those of package validate.
const (
	CodeTextEmpty   = "text.empty"    // the text holds nothing but white space
	CodeTextUTF8    = "text.utf8"     // the text is not valid UTF-8
	CodeTextTooLong = "text.too_long" // prompt, text and the shortest room for an answer do not fit the model's context
	CodeTextGrammar = "text.grammar"  // the text is too long, or repeats itself too much, for package grammar's limits
	CodeLimit       = "answer.limit"  // the answer did not end within its token limit
	CodeAnswer      = "answer.form"   // the answer does not expand into a record
)

// answerRoom is how many tokens of context must be left for an answer.
const answerRoom = 64

// New prepares a model to tag: it decodes the prompt that every record shares.
func New(model Model, o Options) (*Tagger, error) {
	form, err := newForm(o.Decode, o.Prompt.Task, o.Taxonomy)
	if err != nil {
		return nil, err
	}
	t := &Tagger{opts: o, form: form}
	pieces, eog := piecesOf(model)
	vocab, err := grammar.NewVocab(pieces, grammar.VocabOptions{EOG: eog})
	if err != nil {
		return nil, err
	}
	for _, f := range form.frames() {
		if err := f.bind(vocab); err != nil {
			return nil, err
		}
	}
	splitter, err := newSplitter(model, pieces)
	if err != nil {
		return nil, err
	}
	t.decoder = decoder{
		model: model, splitter: splitter, speller: &speller{splitter: splitter}, sampling: o.Sampling, weighed: o.Confidence == ConfidenceModel,
		naming: form.naming,
	}
	if o.Calibration != nil {
		if o.Decode == Schema {
			return nil, fmt.Errorf("calibration: in the form %s the model itself writes the emotions; use %s or %s", Schema, Compact, Aligned)
		}
		return t, t.newReader(model, o.Calibration, o.Progress)
	}
	prefix, err := o.Prompt.prefix(o.Decode, t.form, o.Taxonomy)
	if err != nil {
		return nil, err
	}
	ids, err := model.Chat(prefix, true, false)
	if err != nil {
		return nil, err
	}
	one, err := t.prompt("a", nil)
	if err != nil {
		return nil, err
	}
	other, err := t.prompt("1", nil)
	if err != nil {
		return nil, err
	}
	if slices.Equal(one, other) {
		return nil, fmt.Errorf("prompt %s: its user block does not show the text; it must hold {{.Text}}", o.Prompt.Name)
	}
	if w, ok := model.(Widener); ok && 2*len(ids) > model.ContextSize() && w.WideSize() > model.ContextSize() {
		if err := w.Widen(true); err != nil { // for good: most records would ask for it
			return nil, err
		}
		t.single = o.Alike // all sequences now share one cache
	}
	if size := model.ContextSize(); len(ids)+len(one)+answerRoom > size {
		return nil, fmt.Errorf("prompt %s takes %d tokens of a context of %d: no room is left for texts; give it fewer or shorter examples", o.Prompt.Name, len(ids), size)
	}
	probes, err := t.probes(len(ids))
	if err != nil {
		return nil, err
	}
	return t, t.prepare(ids, one, other, probes)
}

// prepare decodes what all records share, and what the priors are estimated from.
func (t *Tagger) prepare(prompt, one, other []int32, probes []probe) error {
	more := 0
	for _, p := range probes {
		more += len(p.ids) - commonPrefix(p.ids, one)
	}
	before := 0
	tell := func(done, total int) {
		if before = done; t.opts.Progress != nil {
			t.opts.Progress(done, total+more)
		}
	}
	if err := t.decoder.setPrefix(prompt, one, other, tell); err != nil {
		return err
	}
	total := before
	return t.decoder.measure(probes, func(tokens int) { tell(before+tokens, total) })
}

// prompt is the chat about one text, and the labels that came with it, as it follows the examples.
func (t *Tagger) prompt(text string, labels []string) ([]int32, error) {
	turn, err := t.opts.Prompt.user(text, labels)
	if err != nil {
		return nil, err
	}
	return t.decoder.model.Chat([]Turn{turn}, false, true)
}

// piecesOf returns the bytes of each token, none for those that end a generation, and the ids of these.
func piecesOf(model Model) (pieces [][]byte, eog []int32) {
	pieces = make([][]byte, model.VocabSize())
	for id := range int32(len(pieces)) {
		if model.IsEOG(id) {
			eog = append(eog, id)
			continue
		}
		pieces[id] = model.Piece(id)
	}
	return pieces, eog
}

func newForm(decode Decode, task Task, tax *dataset.Taxonomy) (form, error) {
	if task == LabelsOnly {
		if decode != Compact {
			return nil, fmt.Errorf("a prompt for labels alone has the form %s, not %s", Compact, decode)
		}
		return newLabelsForm(tax)
	}
	switch decode {
	case Compact:
		return newCompactForm(tax)
	case Aligned:
		return newAlignedForm(tax)
	case Schema:
		return newSchemaForm(tax)
	}
	return nil, fmt.Errorf("no decode form %q; there are %v", decode, Decodes)
}

// A Result is what became of one text: a Record that passes every check, or a Reject that says why there is none.
type Result struct {
	Record *dataset.Record
	Reject *dataset.Reject
	Counts Counts
	Answer Answer // empty where the model had nothing to write

	Evidence []*Evidence // where there is a calibration: of the text, or of each sentence of a long one
}

// TextTokens is the number of tokens that a text, its labels and what the template puts around them come to.
func (t *Tagger) TextTokens(in dataset.Input) (int, error) {
	if t.reader == nil {
		ids, err := t.prompt(in.Text, givenLabels(t.opts.Taxonomy, in.Labels))
		return len(ids), err
	}
	d := newDocument(in.Text)
	if len(d.words) == 0 {
		return 0, nil
	}
	pieces, err := t.reader.pieces(d)
	n := 0
	for _, p := range pieces {
		n += len(p.tokens)
	}
	return n, err
}

// Totals are the counts of everything tagged so far, without the prompt that every record shares.
func (t *Tagger) Totals() Counts { return t.total }

// InFlight is how many texts Run has begun and not finished. It may be called from any goroutine.
func (t *Tagger) InFlight() int { return int(t.flights.Load()) }

// PrefixTokens is the length of the prompt that every record shares, which is decoded once.
func (t *Tagger) PrefixTokens() int { return len(t.decoder.prefix) }

// MaskTime is the q-quantile of the time that one step took beside the model: forced run, mask and pick.
func (t *Tagger) MaskTime(q float64) time.Duration { return t.decoder.masks.quantile(q) }

// Times are what tagging took beside the model's own work.
type Times struct {
	Masks    time.Duration // forced runs and masks
	Sampling time.Duration // picking a token
	Records  time.Duration // a text's words, prompt and grammar at the beginning, making and checking its record at the end
}

// Times are those of everything tagged so far.
func (t *Tagger) Times() Times {
	d := &t.decoder
	return Times{Masks: d.masks.total - d.picks, Sampling: d.picks, Records: t.records}
}

// GrammarSHA256 identifies a decode form's grammar, whatever the texts: it is the hash of the stages for a fixed text.
func GrammarSHA256(decode Decode, task Task, tax *dataset.Taxonomy) (string, error) {
	stages, err := Stages(decode, task, tax, "One two, three.", tax.Emotions()[0].Name)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, s := range stages {
		io.WriteString(h, s.GBNF())
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
