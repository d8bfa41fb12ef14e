package tagger

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/emospan/emospan/grammar"
)

// An Answer is what the model wrote about a text.
type Answer struct {
	Text   []byte
	Closed int     // how many bytes at the end of Text are not the model's: they close an answer that came to its limit
	Tokens []int32 // of Text but for what closes it; without an end of generation
	Forced []Run   // of Tokens
	Stages []Stage
}

// A Run is the tokens Begin to End-1 of an answer, which stand there because the grammar forces their bytes. The first may
// begin with bytes that were chosen just before.
type Run struct{ Begin, End int }

// A Stage is a part of an answer that was decoded under a grammar of its own, made from the parts before.
type Stage struct {
	Name, Text string
	stage      stage
}

// GBNF is the grammar of the stage.
func (s Stage) GBNF() string { return s.stage.gbnf() }

// answering is an answer in the making.
type answering struct {
	*decoder
	Answer
	out      *output
	reading  *reading // where a text is read and nothing is written: there is no out
	sampler  sampler
	sequence int32
	base     int32   // position behind what the sequence shares with the prefix
	prompt   []int32 // from there
	position int32   // of the first of queue
	queue    []int32 // tokens to decode; the choice follows the last
	mask     grammar.Mask
	scratch  grammar.Mask  // of a mask that is not the grammar's own
	spent    time.Duration // on the choice to come
	decoded  int           // so many of Tokens are, or are in queue
	sampled  int
	chosen   []choice // where the decoder weighs them
	ended    bool     // the last that was sampled is an end of generation
	limit    int
}

// newAnswering begins the answer to a prompt in a sequence that is free.
func (d *decoder) newAnswering(sequence int32, id string, prompt []int32, p plan, limit int) (*answering, error) {
	a := &answering{decoder: d, sampler: sampler{Sampling: d.sampling}, sequence: sequence, limit: limit}
	a.sampler.reseed(id)
	var err error
	if a.base, a.prompt, err = d.begin(sequence, prompt); err != nil {
		return nil, err
	}
	a.position, a.queue = a.base, a.prompt
	a.out, err = newOutput(p)
	return a, err
}

// advance appends what is forced, up to where the model is to choose behind queue. It is done where nothing can follow.
func (a *answering) advance() (done bool, err error) {
	for {
		start := time.Now()
		if err := a.force(); err != nil {
			return false, err
		}
		a.mask, err = a.out.matcher().Mask()
		if err != nil {
			return false, err
		}
		first, choices := a.choices(a.mask)
		a.spent = time.Since(start)
		switch {
		case choices == 0 && a.out.complete():
			a.masks.add(a.spent)
			return true, nil // not even the last tokens need decoding
		case len(a.Tokens) >= a.limit:
			return false, errLimit
		case choices == 1 && !a.out.complete():
			a.masks.add(a.spent)
			if err := a.accept(first); err != nil {
				return false, err
			}
			continue
		}
		a.queue = append(a.queue[:len(a.queue):len(a.queue)], a.Tokens[a.decoded:]...)
		if end, size := int(a.position)+len(a.queue), a.wideSize(); end > size {
			return false, fmt.Errorf("%w: %d tokens, the context holds %d", errLimit, end, size)
		}
		a.decoded = len(a.Tokens)
		a.out.marked = len(a.out.text)
		return false, nil
	}
}

// cells is how many tokens the answer and its prompt take in the cache once queue is decoded, beside the prefix.
func (a *answering) cells() int { return int(a.position-a.base) + len(a.queue) }

// rewind empties the sequence, where it may behind the prefix; queue then begins there.
func (a *answering) rewind() error {
	a.position = a.base
	a.queue = slices.Concat(a.prompt, a.Tokens[:a.decoded])
	return a.end(a.sequence)
}

// hold has the sequence hold what comes before the prompt, once it has been rewound or the cache emptied.
func (a *answering) hold() error { return a.decoder.hold(a.sequence, a.base) }

// choose appends the token that the logits behind the queue's last make the model's choice.
func (a *answering) choose(logits []float32) (done bool, err error) {
	start := time.Now()
	if a.priors != nil && a.naming(a.out.text) {
		logits = a.subtract(logits, a.mask)
	}
	id, err := a.pick(logits)
	took := time.Since(start)
	a.picks += took
	a.masks.add(a.spent + took)
	if err != nil {
		return false, err
	}
	a.sampled++
	if a.weighed {
		a.chosen = append(a.chosen, choice{len(a.out.text), probability(logits, a.mask, id)})
	}
	if a.ended = a.model.IsEOG(id); a.ended {
		return true, nil
	}
	return false, a.accept(id)
}

// pick chooses among the allowed tokens that the tokenizer could make here, or among all allowed ones if it could make none.
func (a *answering) pick(logits []float32) (int32, error) {
	first, err := a.sampler.pick(logits, a.mask)
	mask := a.mask
	for id := first; err == nil; id, err = a.sampler.pick(logits, mask) {
		fits, err := a.speller.fits(a.out.matcher(), a.Tokens, id)
		if fits || err != nil {
			return id, err
		}
		if id == first {
			a.scratch = append(a.scratch[:0], a.mask...)
			mask = a.scratch
		}
		mask[id>>6] &^= 1 << (id & 63)
		if mask.Empty() {
			return first, nil
		}
	}
	return 0, err
}

func (a *answering) accept(id int32) error {
	a.Tokens = append(a.Tokens, id)
	return a.out.acceptToken(id, a.splitter.pieces[id])
}

// finish makes the sequence free and returns the answer, closed as the grammar demands if err is errLimit.
func (a *answering) finish(err error) (Answer, Counts, error) {
	if e := a.end(a.sequence); e != nil {
		return a.Answer, Counts{}, e
	}
	if written := len(a.out.text); errors.Is(err, errLimit) {
		if e := a.out.close(); e != nil {
			err = e
		}
		a.Closed = len(a.out.text) - written
	}
	a.out.leave()
	a.Text, a.Stages = a.out.text, a.out.over
	n := Counts{Sampled: a.sampled, Forced: len(a.Tokens) - a.sampled}
	if a.ended {
		n.Forced++ // the end is no token of the answer
	}
	return a.Answer, n, err
}

// choosing reports whether the logits after the queue's last token are wanted.
func (a *answering) choosing() bool { return a.reading == nil || a.reading.reader.words != nil }
