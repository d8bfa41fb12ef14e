package tagger

import (
	"errors"
	"fmt"
	"slices"

	"github.com/emospan/emospan/grammar"
)

// The cache holds the prompt's prefix in one sequence; each record is a copy of it that goes on.
const (
	prefixSequence = 0
	recordSequence = 1
	// Sequences is how many sequences a Model's cache must hold.
	Sequences = 2
)

// errLimit says that an answer came to its token limit before the grammar let it end.
var errLimit = errors.New("the answer did not end within its token limit")

// Counts are the tokens that passed through the model, by why.
type Counts struct {
	Prompt  int // the text and what the template puts around it, but for what the shared prefix holds
	Forced  int // the only ones the grammar allowed: appended, not chosen
	Sampled int // chosen by the model; the end of the answer counts as one where it was a choice
}

func (c *Counts) add(o Counts) {
	c.Prompt += o.Prompt
	c.Forced += o.Forced
	c.Sampled += o.Sampled
}

// A decoder runs one answer at a time through the model.
type decoder struct {
	model    Model
	splitter *splitter
	sampler  sampler
	prefix   []int32 // what prefixSequence holds
	shared   int     // how many of its last tokens are the first of nearly every record's prompt
	rows     []Row
	position int32 // of the next row in the sequence being written
	masks    durations
}

// setPrefix computes the tokens that every record begins with: the prompt's, then those in which two records' prompts agree.
func (d *decoder) setPrefix(prompt, one, other []int32) error {
	d.shared = commonPrefix(one, other)
	ids := append(slices.Clone(prompt), one[:d.shared]...)
	if len(ids) >= d.model.ContextSize() {
		return fmt.Errorf("the prompt alone takes %d tokens, the model's context holds %d", len(ids), d.model.ContextSize())
	}
	d.position = 0
	if err := d.feed(prefixSequence, ids, false); err != nil {
		return err
	}
	d.prefix = ids
	return nil
}

// begin puts what a record's prompt shares with the prefix into its sequence and returns the rest of the prompt.
func (d *decoder) begin(prompt []int32) ([]int32, error) {
	if err := d.model.CopyKV(prefixSequence, recordSequence); err != nil {
		return nil, err
	}
	base := len(d.prefix) - d.shared
	n := commonPrefix(prompt, d.prefix[base:])
	if n == len(prompt) {
		n-- // at least one token must be decoded for its logits
	}
	d.position = int32(base + n)
	if n < d.shared {
		if err := d.model.RemoveKV(recordSequence, d.position); err != nil {
			return nil, err
		}
	}
	return prompt[n:], nil
}

func commonPrefix(a, b []int32) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// answer continues a record's prompt by the stages of a plan, in at most limit tokens. What was written is returned with any
// error; where it is errLimit, that is closed as the grammar demands.
func (d *decoder) answer(prompt []int32, p plan, limit int) (answer Answer, n Counts, err error) {
	defer func() {
		if e := d.model.RemoveKV(recordSequence, 0); err == nil {
			err = e
		}
	}()
	prompt, err = d.begin(prompt)
	if err != nil {
		return answer, n, err
	}
	n.Prompt = len(prompt)
	out, err := newOutput(p)
	if err != nil {
		return answer, n, err
	}
	a := answering{decoder: d, out: out, prompt: prompt, limit: limit}
	for done := false; !done && err == nil; {
		done, err = a.step()
	}
	if written := len(out.text); errors.Is(err, errLimit) {
		if e := out.close(); e != nil {
			err = e
		}
		a.Closed = len(out.text) - written
	}
	out.leave()
	a.Text, a.Stages = out.text, out.over
	n.Sampled, n.Forced = a.sampled, len(a.Tokens)-a.sampled
	if a.ended {
		n.Forced++ // the end is no token of the answer
	}
	return a.Answer, n, err
}

// choices returns the first allowed token that is not an end of generation, and how many such there are, up to two.
func (d *decoder) choices(mask grammar.Mask) (first int32, n int) {
	for id := range mask.All() {
		if d.model.IsEOG(id) {
			continue
		}
		if n++; n == 2 {
			break
		}
		first = id
	}
	return first, n
}

// feed decodes ids at the end of a sequence, in as many batches as it takes; with logits the last row's are computed.
func (d *decoder) feed(sequence int32, ids []int32, logits bool) error {
	if int(d.position)+len(ids) > d.model.ContextSize() {
		return fmt.Errorf("%w: %d tokens, the context holds %d", errLimit, int(d.position)+len(ids), d.model.ContextSize())
	}
	for size := d.model.BatchSize(); len(ids) > 0; {
		part := ids[:min(size, len(ids))]
		ids = ids[len(part):]
		d.rows = d.rows[:0]
		for i, id := range part {
			d.rows = append(d.rows, Row{Token: id, Position: d.position, Sequence: sequence, Logits: logits && len(ids) == 0 && i == len(part)-1})
			d.position++
		}
		if err := d.model.Decode(d.rows); err != nil {
			return err
		}
	}
	return nil
}
