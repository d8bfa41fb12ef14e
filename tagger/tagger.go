package tagger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
	"github.com/emospan/emospan/validate"
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
	limit(textTokens int) int // tokens of the longest answer that is not the model going in circles
}

// Options say how texts are tagged.
type Options struct {
	ModelName string // the record's model field
	Prompt    *Prompt
	Taxonomy  *dataset.Taxonomy
	Decode    Decode
	Sampling  Sampling

	// Alike has the same arithmetic done for a text whatever is tagged beside it, so that its result is the same to the last
	// bit. It needs a model whose sequences have caches of their own, two at least beside the first.
	Alike bool
}

// A Tagger tags texts, one at a time. It belongs to one goroutine.
type Tagger struct {
	opts    Options
	form    form
	decoder decoder
	single  bool // one text at a time, whatever the model has sequences for
	total   Counts
	records time.Duration // spent in open and close

	grammarSHA256 string
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
	form, err := newForm(o.Decode, o.Taxonomy)
	if err != nil {
		return nil, err
	}
	t := &Tagger{opts: o, form: form}
	if t.grammarSHA256, err = grammarSHA256(o); err != nil {
		return nil, err
	}
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
	t.decoder = decoder{model: model, splitter: splitter, speller: &speller{splitter: splitter}, sampling: o.Sampling}
	prefix, err := o.Prompt.prefix(o.Decode, t.form, o.Taxonomy)
	if err != nil {
		return nil, err
	}
	ids, err := model.Chat(prefix, true, false)
	if err != nil {
		return nil, err
	}
	one, err := t.prompt("a")
	if err != nil {
		return nil, err
	}
	other, err := t.prompt("1")
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
	if err := t.decoder.setPrefix(ids, one, other); err != nil {
		return nil, err
	}
	return t, nil
}

// prompt is the chat about one text, as it follows the examples.
func (t *Tagger) prompt(text string) ([]int32, error) {
	turn, err := t.opts.Prompt.user(text)
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

func newForm(decode Decode, tax *dataset.Taxonomy) (form, error) {
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
	Answer Answer // empty where the text was not put to the model
}

// A job is a text that is being tagged.
type job struct {
	in     dataset.Input
	doc    *document
	result Result
	*answering
}

// open looks at a text and begins its answer in a sequence. A text that is not put to the model has no answering, but its
// result. An error means that the model failed.
func (t *Tagger) open(in dataset.Input, sequence int32) (*job, error) {
	defer t.spendOnRecords(time.Now())
	j := &job{in: in}
	rejected := func(r dataset.Reason) (*job, error) {
		j.result.Reject = t.reject(in, nil, r)
		return j, nil
	}
	if !utf8.ValidString(in.Text) {
		return rejected(dataset.Reason{Code: CodeTextUTF8, Path: "text", Expected: "valid UTF-8", Found: strconv.QuoteToASCII(head(in.Text))})
	}
	prompt, err := t.prompt(in.Text)
	if err != nil {
		return nil, err
	}
	size, used := t.decoder.wideSize(), t.PrefixTokens()+len(prompt)
	tooLong := func(room int) (*job, error) {
		return rejected(dataset.Reason{
			Code: CodeTextTooLong, Path: "text",
			Expected: fmt.Sprintf("at most %d tokens beside the prompt's %d", size-room-t.PrefixTokens(), t.PrefixTokens()),
			Found:    fmt.Sprintf("%d tokens", len(prompt)),
		})
	}
	failed := func(err error) (*job, error) {
		if isGrammarLimit(err) {
			return rejected(grammarReason(err))
		}
		return nil, err
	}
	// Before the text is looked at any closer: a megabyte of it is refused at the price of tokenizing it.
	if used+answerRoom > size {
		return tooLong(answerRoom)
	}
	j.doc = newDocument(in.Text)
	if len(j.doc.words) == 0 {
		return rejected(dataset.Reason{Code: CodeTextEmpty, Path: "text", Expected: "a word or a mark", Found: strconv.QuoteToASCII(head(in.Text))})
	}
	limit := t.form.limit(len(prompt))
	if limit > size-used {
		limit = size - used
		room, err := t.shortest(j.doc)
		if err != nil {
			return failed(err)
		}
		if room > limit {
			return tooLong(room)
		}
	}
	a, err := t.decoder.newAnswering(sequence, in.ID, prompt, t.form.stages(j.doc), limit)
	if err != nil {
		return failed(err)
	}
	j.answering = a
	return j, nil
}

// close makes the result of a job whose answer is done, or ended with err.
func (t *Tagger) close(j *job, err error) error {
	defer t.spendOnRecords(time.Now())
	res := &j.result
	res.Answer, res.Counts, err = j.finish(err)
	res.Counts.Prompt = len(j.prompt)
	t.total.add(res.Counts)
	raw := res.Answer.Text
	switch {
	case errors.Is(err, errLimit):
		written := len(raw) - res.Answer.Closed
		res.Reject = t.reject(j.in, raw, dataset.Reason{
			Code: CodeLimit, Path: "answer",
			Expected: fmt.Sprintf("at most %d tokens", j.limit),
			Found:    fmt.Sprintf("%d bytes without an end; the %d behind them close the answer", written, res.Answer.Closed),
		})
		return nil
	case isGrammarLimit(err):
		res.Reject = t.reject(j.in, raw, grammarReason(err))
		return nil
	case err != nil:
		return err
	}
	r := &dataset.Record{
		SrcID: j.in.ID, Model: t.opts.ModelName, Provider: dataset.Provider, Prompt: t.opts.Prompt.Name, Level: dataset.Level, Text: j.in.Text,
	}
	if err := t.form.decode(raw, j.doc, r); err != nil {
		res.Reject = t.reject(j.in, raw, dataset.Reason{Code: CodeAnswer, Path: "answer", Expected: "an answer in the " + string(t.opts.Decode) + " form", Found: err.Error()})
	} else if problems := validate.Record(r, t.opts.Taxonomy); len(problems) > 0 {
		res.Reject = t.reject(j.in, raw, problems...)
	} else {
		res.Record = r
	}
	return nil
}

func (t *Tagger) spendOnRecords(start time.Time) { t.records += time.Since(start) }

func (t *Tagger) reject(in dataset.Input, raw []byte, reasons ...dataset.Reason) *dataset.Reject {
	return &dataset.Reject{
		SrcID: in.ID, Line: in.Line, Index: in.Index, Model: t.opts.ModelName, Prompt: t.opts.Prompt.Name, Decode: string(t.opts.Decode),
		Text: in.Text, Seed: t.opts.Sampling.Seed, Reasons: reasons, Raw: string(raw),
	}
}

func grammarReason(err error) dataset.Reason {
	return dataset.Reason{Code: CodeTextGrammar, Path: "text", Expected: "a text whose grammar keeps to the limits", Found: err.Error()}
}

// TextTokens is the number of tokens that a text and what the template puts around it come to.
func (t *Tagger) TextTokens(text string) (int, error) {
	ids, err := t.prompt(text)
	return len(ids), err
}

// isGrammarLimit reports whether a text's grammar is too large to compile, or a matcher could not go on in it.
func isGrammarLimit(err error) bool {
	var source *grammar.Error
	var match *grammar.MatchError
	return errors.As(err, &match) || errors.As(err, &source) && (source.Code == grammar.ErrSourceSize || source.Code == grammar.ErrProgramSize)
}

// Totals are the counts of everything tagged so far, without the prompt that every record shares.
func (t *Tagger) Totals() Counts { return t.total }

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

// GrammarSHA256 identifies the decode form's grammar, whatever the texts: it is the hash of the stages for a fixed text.
func (t *Tagger) GrammarSHA256() string { return t.grammarSHA256 }

func grammarSHA256(o Options) (string, error) {
	stages, err := Stages(o.Decode, o.Taxonomy, "One two, three.")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, s := range stages {
		io.WriteString(h, s.GBNF())
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// shortest is the number of tokens of a shortest answer about a text.
func (t *Tagger) shortest(d *document) (int, error) {
	out, err := newOutput(t.form.stages(d))
	if err != nil {
		return 0, err
	}
	if err := out.close(); err != nil {
		return 0, err
	}
	ids, err := t.decoder.model.Tokenize(string(out.text))
	return len(ids), err
}

// head shortens a text for a message.
func head(s string) string {
	if len(s) > 40 {
		return s[:40]
	}
	return s
}
