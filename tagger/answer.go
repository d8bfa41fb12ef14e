package tagger

import "time"

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
	out     *output
	prompt  []int32 // what of it is not decoded yet
	decoded int     // so many of Tokens are
	sampled int
	ended   bool // the last that was sampled is an end of generation
	limit   int
}

// step appends what is forced and then one token that the model chooses. It is done where nothing can follow, or where the
// model chose to end.
func (a *answering) step() (done bool, err error) {
	start := time.Now()
	if err := a.force(); err != nil {
		return false, err
	}
	mask, err := a.out.matcher().Mask()
	if err != nil {
		return false, err
	}
	first, choices := a.choices(mask)
	spent := time.Since(start)
	switch {
	case choices == 0 && a.out.complete():
		a.masks.add(spent)
		return true, nil // not even the last tokens need decoding
	case len(a.Tokens) >= a.limit:
		return false, errLimit
	case choices == 1 && !a.out.complete():
		a.masks.add(spent)
		return false, a.accept(first)
	}
	// One after the other: the prompt's tokens are not the answer's.
	ids := append(a.prompt, a.Tokens[a.decoded:]...)
	a.prompt, a.decoded = nil, len(a.Tokens)
	if err := a.feed(recordSequence, ids, true); err != nil {
		return false, err
	}
	a.out.marked = len(a.out.text)
	start = time.Now()
	id, err := a.sampler.pick(a.model.Logits(len(a.rows)-1), mask)
	a.masks.add(spent + time.Since(start))
	if err != nil {
		return false, err
	}
	a.sampled++
	if a.ended = a.model.IsEOG(id); a.ended {
		return true, nil
	}
	return false, a.accept(id)
}

func (a *answering) accept(id int32) error {
	a.Tokens = append(a.Tokens, id)
	return a.out.acceptToken(id, a.splitter.pieces[id])
}
