package tagger

import (
	"fmt"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
)

// A frame is a grammar with holes, compiled once; stages fill them.
type frame struct {
	*grammar.Frame
	open *grammar.Constraint // over a model's vocabulary, once bound to it
}

func newFrame(src string, holes ...string) (*frame, error) {
	f, err := grammar.CompileFrame(src, holes...)
	if err != nil {
		return nil, fmt.Errorf("grammar: %w", err)
	}
	return &frame{Frame: f}, nil
}

func (f *frame) bind(v *grammar.Vocab) (err error) {
	f.open, err = grammar.NewConstraint(f.Grammar(), v)
	return err
}

// A stage is a part of an answer and its grammar. A part that is not the last ends where nothing can follow in it, behind
// a mark rather than within a word, and well before the next thing to choose: so nobody can tell from the tokens where it
// ended.
type stage struct {
	name    string
	frame   *frame
	filling *grammar.Filling    // nil where the frame has no holes
	filled  *grammar.Constraint // where it serves many answers
	last    bool
}

func (s *stage) fill() (*grammar.Constraint, error) {
	switch {
	case s.filled != nil:
		return s.filled, nil
	case s.filling == nil:
		return s.frame.open, nil
	}
	return s.frame.open.Fill(s.filling)
}

// gbnf is the grammar of the stage as text.
func (s *stage) gbnf() string {
	if s.filling == nil {
		return s.frame.NewFilling().String()
	}
	return s.filling.String()
}

// A plan gives the stages of one answer, each from the bytes of the one before; the first from none.
type plan func(before []byte) (stage, error)

// single is the plan of an answer of one stage.
func single(s stage) plan {
	s.last = true
	return func([]byte) (stage, error) { return s, nil }
}

// An output follows an answer through its stages.
type output struct {
	plan   plan
	text   []byte
	marked int    // how much of it is decoded
	parts  []part // the stage that text has come to, then those that are known to follow
	over   []Stage
}

type part struct {
	stage
	constraint *grammar.Constraint
	matcher    *grammar.Matcher
	begin      int // in the text
}

func newOutput(p plan) (*output, error) {
	o := &output{plan: p}
	return o, o.extend(nil, 0)
}

// extend makes the stage that follows the known ones.
func (o *output) extend(before []byte, begin int) error {
	s, err := o.plan(before)
	if err != nil {
		return err
	}
	c, err := s.fill()
	if err != nil {
		return err
	}
	o.parts = append(o.parts, part{s, c, c.NewMatcher(), begin})
	return nil
}

func (o *output) matcher() *grammar.Matcher { return o.parts[0].matcher }

// forced returns the bytes that must follow the text, through the ends of stages.
func (o *output) forced() ([]byte, error) {
	var run []byte
	for i := 0; ; i++ {
		m, steps := o.parts[i].matcher, 0
		for {
			more := m.Forced()
			if len(more) == 0 {
				break
			}
			if err := m.AcceptBytes(more); err != nil {
				return nil, err
			}
			steps++
			run = append(run, more...)
		}
		end := !o.parts[i].last && m.Done()
		m.Rollback(steps)
		if !end {
			o.pass()
			return run, nil
		}
		if i+1 == len(o.parts) {
			text := append(o.text[:len(o.text):len(o.text)], run...)
			if err := o.extend(text[o.parts[i].begin:], len(text)); err != nil {
				return nil, err
			}
		}
	}
}

// pass leaves the stages that the text has come to the end of.
func (o *output) pass() {
	for len(o.parts) > 1 && o.parts[1].begin == len(o.text) {
		o.leave()
		o.parts = o.parts[1:]
	}
}

func (o *output) leave() {
	p := &o.parts[0]
	o.over = append(o.over, Stage{Name: p.name, Text: string(o.text[p.begin:]), stage: p.stage})
}

// acceptToken appends a token that the current stage's mask allows.
func (o *output) acceptToken(id int32, piece []byte) error {
	if err := o.matcher().AcceptToken(id); err != nil {
		return err
	}
	o.text = append(o.text, piece...)
	return nil
}

// acceptForced appends the beginning of what forced returned.
func (o *output) acceptForced(run []byte) error {
	for len(run) > 0 {
		n := len(run)
		if len(o.parts) > 1 {
			n = min(n, o.parts[1].begin-len(o.text))
		}
		if err := o.matcher().AcceptBytes(run[:n]); err != nil {
			return err
		}
		o.text = append(o.text, run[:n]...)
		run = run[n:]
		o.pass()
	}
	return nil
}

// complete reports whether the text is an answer as it stands.
func (o *output) complete() bool { return o.parts[0].last && o.matcher().Done() }

// close ends the answer, each stage by as little as it allows.
func (o *output) close() error {
	for {
		end, ok, err := o.matcher().Shortest()
		if err != nil || !ok {
			return err
		}
		if err := o.acceptForced(end); err != nil {
			return err
		}
		if o.complete() {
			return nil
		}
		if _, err := o.forced(); err != nil {
			return err
		}
	}
}

// Stages returns the stages of one answer about a text, as they are without a model: each stage is as short as it can be. Where
// a form has one stage, its grammar is that of all answers. The labels that come with the text matter where the task is Projected.
func Stages(decode Decode, task Task, tax *dataset.Taxonomy, text string, labels ...string) ([]Stage, error) {
	form, err := newForm(decode, task, tax)
	if err != nil {
		return nil, err
	}
	d := newDocument(text)
	if len(d.words) == 0 {
		return nil, fmt.Errorf("the text holds no word or mark")
	}
	if task == Projected {
		if d.given = givenLabels(tax, labels); len(d.given) == 0 {
			return nil, fmt.Errorf("the text has no labels, which the prompt asks about")
		}
	}
	vocab := grammar.NewByteVocab()
	for _, f := range form.frames() {
		if err := f.bind(vocab); err != nil {
			return nil, err
		}
	}
	out, err := newOutput(form.stages(d))
	if err != nil {
		return nil, err
	}
	if err := out.close(); err != nil {
		return nil, err
	}
	out.leave()
	return out.over, nil
}
