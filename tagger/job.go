package tagger

import (
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
	"github.com/emospan/emospan/validate"
)

// A job is a text that is being tagged.
type job struct {
	in         dataset.Input
	doc        *document
	result     Result
	seat       int32 // the sequence
	*answering       // nil before and after
}

// open looks at a text and begins its answer in a sequence. A text that is not put to the model has no answering, but its
// result. An error means that the model failed.
func (t *Tagger) open(in dataset.Input, sequence int32) (*job, error) {
	defer t.spendOnRecords(time.Now())
	j := &job{in: in, seat: sequence}
	rejected := func(r dataset.Reason) (*job, error) {
		j.result.Reject = t.reject(in, nil, r)
		return j, nil
	}
	if !utf8.ValidString(in.Text) {
		return rejected(dataset.Reason{Code: CodeTextUTF8, Path: "text", Expected: "valid UTF-8", Found: strconv.QuoteToASCII(head(in.Text))})
	}
	var given []string
	if t.opts.Prompt.Task == Projected {
		if given = givenLabels(t.opts.Taxonomy, in.Labels); len(given) == 0 {
			return rejected(dataset.Reason{Code: CodeLabelsMissing, Path: "labels", Expected: "the text's labels", Found: "none"})
		}
	}
	room := t.decoder.wideSize() - t.PrefixTokens() - answerRoom
	if n, err := t.decoder.splitter.atLeast(in.Text, room); err != nil {
		return nil, err
	} else if n > room {
		return rejected(t.tooLong(fmt.Sprintf("at least %d", n), answerRoom))
	}
	var prompt []int32
	if t.reader == nil {
		var err error
		if prompt, err = t.prompt(in.Text, given); err != nil {
			return nil, err
		}
	}
	if len(prompt) > room { // before the text is looked at any closer
		return rejected(t.tooLong(strconv.Itoa(len(prompt)), answerRoom))
	}
	j.doc = newDocument(in.Text)
	j.doc.given = given
	if len(j.doc.words) == 0 {
		return rejected(dataset.Reason{Code: CodeTextEmpty, Path: "text", Expected: "a word or a mark", Found: strconv.QuoteToASCII(head(in.Text))})
	}
	if j.doc.isNeutral(t.opts.Taxonomy) {
		t.settle(j)
		return j, nil
	}
	if t.reader != nil {
		return j, t.read(j)
	}
	return j, t.begin(j, prompt)
}

// begin begins the answer about a text, or rejects the text, which then has no answering.
func (t *Tagger) begin(j *job, prompt []int32) error {
	room := t.decoder.wideSize() - t.PrefixTokens() - len(prompt)
	limit := t.form.limit(len(prompt))
	if limit > room {
		shortest, err := t.shortest(j.doc)
		if err != nil {
			return t.refuse(j, err)
		}
		if limit = room; shortest > room {
			j.result.Reject = t.reject(j.in, nil, t.tooLong(strconv.Itoa(len(prompt)), shortest))
			return nil
		}
	}
	a, err := t.decoder.newAnswering(j.seat, j.in.ID, prompt, t.form.stages(j.doc), limit)
	if err != nil {
		return t.refuse(j, err)
	}
	j.answering = a
	return nil
}

// close makes the result of a job whose answer is done, or ended with err.
func (t *Tagger) close(j *job, err error) error {
	defer t.spendOnRecords(time.Now())
	res := &j.result
	var counts Counts
	res.Answer, counts, err = j.finish(err)
	counts.Prompt = len(j.prompt)
	t.count(j, counts)
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
	r := t.record(j.in)
	if err := t.form.decode(raw, j.doc, r); err != nil {
		res.Reject = t.reject(j.in, raw, dataset.Reason{Code: CodeAnswer, Path: "answer", Expected: "an answer in the " + string(t.opts.Decode) + " form", Found: err.Error()})
	} else {
		if t.opts.Confidence == ConfidenceModel {
			setConfidence(r, t.form, raw, j.chosen)
		}
		t.check(j, raw, r)
	}
	return nil
}

// proceed has a job go on behind the logits of its queue's last token.
func (t *Tagger) proceed(j *job, logits []float32) (done bool, err error) {
	if j.reading == nil {
		if done, err = j.choose(logits); !done && err == nil {
			done, err = j.advance()
		}
		return done, err
	}
	t.count(j, Counts{Prompt: len(j.prompt)})
	done, err = j.pieceRead(logits)
	if done && err == nil {
		t.finishReading(j)
	}
	return done, err
}

// count notes tokens that a job has passed through the model.
func (t *Tagger) count(j *job, n Counts) {
	j.result.Counts.add(n)
	t.total.add(n)
}

// settle makes the record of a text of whose emotions there is nothing more to say.
func (t *Tagger) settle(j *job) {
	r := t.record(j.in)
	setSpans(r, j.doc, j.doc.given, nil)
	t.check(j, nil, r)
}

// check accepts a record, or rejects what the model wrote.
func (t *Tagger) check(j *job, raw []byte, r *dataset.Record) {
	problems := validate.Record(r, t.opts.Taxonomy)
	if len(problems) == 0 && j.doc.given != nil {
		if reason := project(r, j.doc.given); reason != nil {
			problems = append(problems, *reason)
		}
	}
	if len(problems) > 0 {
		j.result.Reject = t.reject(j.in, raw, problems...)
		return
	}
	j.result.Record = r
}

// record is the beginning of a text's record.
func (t *Tagger) record(in dataset.Input) *dataset.Record {
	return &dataset.Record{
		SrcID: in.ID, Model: t.opts.ModelName, Provider: dataset.Provider, Prompt: t.promptName(in), Level: dataset.Level, Text: in.Text,
	}
}

// promptName is the name of the prompt for a text, which says whose its labels are.
func (t *Tagger) promptName(in dataset.Input) string {
	if name := t.opts.Prompt.Name; name != Level2Projected || !in.Generated {
		return name
	}
	return Level2LLMProjected
}

// refuse rejects a text whose grammar is too large; any other error is the model's.
func (t *Tagger) refuse(j *job, err error) error {
	if !isGrammarLimit(err) {
		return err
	}
	j.result.Reject = t.reject(j.in, nil, grammarReason(err))
	return nil
}

// tooLong is the reason to reject a text of so many tokens where so many must be left for an answer.
func (t *Tagger) tooLong(tokens string, room int) dataset.Reason {
	return dataset.Reason{
		Code: CodeTextTooLong, Path: "text",
		Expected: fmt.Sprintf("at most %d tokens beside the prompt's %d", t.decoder.wideSize()-room-t.PrefixTokens(), t.PrefixTokens()),
		Found:    tokens + " tokens",
	}
}

func (t *Tagger) spendOnRecords(start time.Time) { t.records += time.Since(start) }

func (t *Tagger) reject(in dataset.Input, raw []byte, reasons ...dataset.Reason) *dataset.Reject {
	return &dataset.Reject{
		SrcID: in.ID, Line: in.Line, Index: in.Index, Model: t.opts.ModelName, Prompt: t.promptName(in), Decode: string(t.opts.Decode),
		Text: in.Text, Labels: in.Labels, Seed: t.opts.Sampling.Seed, Reasons: reasons, Raw: string(raw),
	}
}

func grammarReason(err error) dataset.Reason {
	return dataset.Reason{Code: CodeTextGrammar, Path: "text", Expected: "a text whose grammar keeps to the limits", Found: err.Error()}
}

// isGrammarLimit reports whether a text's grammar is too large to compile, or a matcher could not go on in it.
func isGrammarLimit(err error) bool {
	var source *grammar.Error
	var match *grammar.MatchError
	return errors.As(err, &match) || errors.As(err, &source) && (source.Code == grammar.ErrSourceSize || source.Code == grammar.ErrProgramSize)
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
