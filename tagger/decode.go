package tagger

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emospan/emospan/grammar"
)

// prefixSequence holds the prompt's prefix; the sequences from 1 on each begin with a copy of it and write one record at a
// time.
const prefixSequence = 0

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

// A decoder is what answers in the making share.
type decoder struct {
	model    Model
	splitter *splitter
	speller  *speller
	sampling Sampling
	weighed  bool                   // answers keep how probable what they chose was
	priors   priors                 // nil where there are none
	naming   func(text []byte) bool // whether the priors are of what may follow the text of an answer
	adjusted []float32              // scratch
	prefix   []int32                // what prefixSequence holds
	shared   int                    // how many of its last tokens are the first of nearly every record's prompt
	held     []int                  // by sequence: how many tokens of the prefix it holds
	masks    durations
	picks    time.Duration // of masks, what choosing a token took
}

// setPrefix computes the tokens that every record begins with: the prompt's, then those in which two records' prompts agree.
func (d *decoder) setPrefix(prompt, one, other []int32, progress func(done, total int)) error {
	d.shared = commonPrefix(one, other)
	ids := append(slices.Clone(prompt), one[:d.shared]...)
	if len(ids) >= d.model.ContextSize() {
		return fmt.Errorf("the prompt alone takes %d tokens, the model's context holds %d", len(ids), d.model.ContextSize())
	}
	d.prefix, d.held = ids, make([]int, d.model.Sequences())
	return d.decodePrefix(progress)
}

// decodePrefix decodes what all records share, and tells progress, if there is one, after each batch.
func (d *decoder) decodePrefix(progress func(done, total int)) error {
	tell := func(done int) {
		if progress != nil {
			progress(done, len(d.prefix))
		}
	}
	tell(0)
	var rows []Row
	for at, id := range d.prefix {
		rows = append(rows, Row{Token: id, Position: int32(at), Sequence: prefixSequence})
		if len(rows) == d.model.BatchSize() || at == len(d.prefix)-1 {
			if err := d.model.Decode(rows); err != nil {
				return err
			}
			rows = rows[:0]
			tell(at + 1)
		}
	}
	return nil
}

// begin has a sequence hold what a record's prompt shares with the prefix, and returns the position behind that and the rest
// of the prompt.
func (d *decoder) begin(sequence int32, prompt []int32) (position int32, rest []int32, err error) {
	held := cmp.Or(d.held[sequence], len(d.prefix))
	base := len(d.prefix) - d.shared
	all := append(slices.Clone(d.prefix[:base]), prompt...)
	n := commonPrefix(all, d.prefix[:held])
	n = min(n, len(all)-1) // at least one token must be decoded for its logits
	return int32(n), all[n:], d.hold(sequence, int32(n))
}

// hold has a sequence hold so many tokens of the prefix and nothing else; it holds them already, or none.
func (d *decoder) hold(sequence, tokens int32) error {
	held := &d.held[sequence]
	if *held == 0 {
		if err := d.model.CopyKV(prefixSequence, sequence); err != nil {
			return err
		}
		*held = len(d.prefix)
	}
	if int(tokens) == *held {
		return nil
	}
	*held = int(tokens)
	return d.model.RemoveKV(sequence, tokens)
}

// sequences is how many sequences there are for prefix and records.
func (d *decoder) sequences() int32 { return int32(d.model.Sequences()) }

// common is how many tokens of the cache belong to no record.
func (d *decoder) common() int { return len(d.prefix) }

// end makes a sequence ready for another record.
func (d *decoder) end(sequence int32) error {
	return d.model.RemoveKV(sequence, int32(d.held[sequence]))
}

func commonPrefix(a, b []int32) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
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
