package tagger

import (
	"fmt"
	"iter"

	"github.com/emospan/emospan/dataset"
)

// window is how many texts may be between the first that is not done and the last that is begun, for each sequence: the
// bound of what waits for a slow one before it.
const window = 8

// An Item is an input to tag, or what is wrong with the line where one should be.
type Item struct {
	dataset.Input
	Bad *dataset.LineError
}

// A flight is an item on its way through the model.
type flight struct {
	item Item
	*job // nil for a bad item
	done bool
}

// schedule keeps the model's sequences busy.
type schedule struct {
	*Tagger
	emit   func(Item, Result) error
	free   []int32   // sequences
	order  []*flight // as they came in; those at the front are not done
	active []*flight
	rows   []Row
}

// Run tags items, as many at a time as the model has sequences, and gives each to emit in the order in which they came, a bad
// one as it is. The result of a text does not depend on those beside it, but for what the arithmetic of a batch may change
// in the last digits of the model's scores. An error of emit ends the run, as does one of the model; what is wrong with a
// text or its answer is a Reject. Run pulls an item only when there is room for it.
func (t *Tagger) Run(items iter.Seq[Item], emit func(Item, Result) error) error {
	s := &schedule{Tagger: t, emit: emit}
	for sequence := t.decoder.model.Sequences() - 1; sequence > prefixSequence; sequence-- {
		s.free = append(s.free, int32(sequence))
	}
	limit := window * len(s.free)
	next, stop := iter.Pull(items)
	defer stop()
	defer s.release()
	for more := true; ; {
		for more && len(s.free) > 0 && len(s.order) < limit {
			var item Item
			if item, more = next(); !more {
				break
			}
			if err := s.begin(item); err != nil {
				return err
			}
		}
		if len(s.active) == 0 && !more {
			return nil
		}
		if err := s.step(); err != nil {
			return err
		}
	}
}

// begin puts an item on its way.
func (s *schedule) begin(item Item) error {
	f := &flight{item: item, done: item.Bad != nil}
	s.order = append(s.order, f)
	if f.done {
		return s.deliver()
	}
	sequence := s.free[len(s.free)-1]
	var err error
	if f.job, err = s.open(item.Input, sequence); err != nil {
		return fmt.Errorf("record %s: %w", item.ID, err)
	}
	if f.answering == nil {
		f.done = true
		return s.deliver()
	}
	s.free = s.free[:len(s.free)-1]
	done, err := f.advance()
	if done || err != nil {
		return s.land(f, err)
	}
	s.active = append(s.active, f)
	return nil
}

// land ends a flight whose answer is done, or failed.
func (s *schedule) land(f *flight, err error) error {
	if err := s.close(f.job, err); err != nil {
		return fmt.Errorf("record %s: %w", f.item.ID, err)
	}
	s.free = append(s.free, f.sequence)
	f.done = true
	return s.deliver()
}

// deliver emits what is done and has nothing before it.
func (s *schedule) deliver() error {
	for len(s.order) > 0 && s.order[0].done {
		f := s.order[0]
		s.order = s.order[1:]
		var res Result
		if f.job != nil {
			res = f.result
		}
		if err := s.emit(f.item, res); err != nil {
			return err
		}
	}
	return nil
}

// release makes the sequences free that a run which failed leaves behind.
func (s *schedule) release() {
	for _, f := range s.active {
		s.decoder.end(f.sequence)
	}
}

// step passes one batch through the model and has each answer whose queue it empties choose and go on.
func (s *schedule) step() error {
	if len(s.active) == 0 {
		return nil
	}
	s.rows = s.rows[:0]
	size := s.decoder.model.BatchSize()
	for _, f := range s.active {
		part := f.queue[:min(len(f.queue), size-len(s.rows))]
		for i, id := range part {
			s.rows = append(s.rows, Row{Token: id, Position: f.position + int32(i), Sequence: f.sequence, Logits: i == len(f.queue)-1})
		}
		f.position += int32(len(part))
		f.queue = f.queue[len(part):]
	}
	if err := s.decoder.model.Decode(s.rows); err != nil {
		return err
	}
	chosen := 0
	active := s.active
	s.active = nil
	for i, f := range active {
		if len(f.queue) > 0 {
			s.active = append(s.active, f)
			continue
		}
		for !s.rows[chosen].Logits || s.rows[chosen].Sequence != f.sequence {
			chosen++
		}
		done, err := f.choose(s.decoder.model.Logits(chosen))
		if !done && err == nil {
			done, err = f.advance()
		}
		if !done && err == nil {
			s.active = append(s.active, f)
			continue
		}
		if err := s.land(f, err); err != nil {
			s.active = append(s.active, active[i+1:]...)
			return err
		}
	}
	return nil
}

// Tag tags one text. An error means that the model failed and nothing more can be tagged; what is wrong with the text or
// the answer is a Reject.
func (t *Tagger) Tag(in dataset.Input) (res Result, err error) {
	err = t.Run(func(yield func(Item) bool) { yield(Item{Input: in}) }, func(_ Item, r Result) error {
		res = r
		return nil
	})
	return res, err
}
