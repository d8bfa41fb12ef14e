package tagger

import (
	"fmt"
	"slices"

	"github.com/emospan/emospan/dataset"
)

const (
	// window is how many texts may be between the first that is not done and the last that is begun, for each sequence: the
	// bound of what waits for a slow one before it.
	window = 8
	// firstGuess is how many tokens of cache a record is thought to take before any is done.
	firstGuess = 64
)

// An Item is an input to tag, or what is wrong with the line where one should be.
type Item struct {
	dataset.Input
	Bad *dataset.LineError
}

// A flight is an item on its way through the model.
type flight struct {
	item  Item
	index int // among the items
	*job      // nil for a bad item
	done  bool
	row   int // of the last batch, behind which it is to choose; -1 where it is not
	first int // row of the last batch that is its own, of count; position is that of the row
	count int
	from  int32
}

// schedule keeps the model's sequences busy.
type schedule struct {
	*Tagger
	emit    func(Item, Result) error
	items   <-chan Item // nil once it is closed
	live    bool
	begun   int
	free    []int32   // sequences
	order   []*flight // as they came in; those at the front are not done
	active  []*flight
	paused  []*flight // they have a sequence and no tokens in it behind the prefix
	long    []*flight // likewise; they wait for the model to be wide
	wide    bool
	typical int // tokens that the cache held for a record when it was done, in the long run
	rows    []Row
}

// Run tags items until the channel is closed, as many at a time as the model has sequences, and gives each to emit in the
// order in which they came, a bad one as it is. The result of a text does not depend on those beside it, but for what the
// arithmetic of a batch may change in the last digits of the model's scores. An error of emit ends the run, as does one of
// the model; what is wrong with a text or its answer is a Reject.
//
// Run receives an item only when there is room for it. It then waits for one, so that the same items are always decoded
// side by side; but where the items are live, and may be long in coming, only when it has nothing else to do.
func (t *Tagger) Run(items <-chan Item, live bool, emit func(Item, Result) error) error {
	s := &schedule{Tagger: t, emit: emit, items: items, live: live, typical: firstGuess}
	for sequence := t.decoder.sequences() - 1; sequence > prefixSequence; sequence-- {
		s.free = append(s.free, sequence)
	}
	if s.single {
		s.free = s.free[len(s.free)-1:]
	}
	limit := window * len(s.free)
	defer s.release()
	for {
		if err := s.resume(); err != nil {
			return err
		}
		for s.items != nil && len(s.paused) == 0 && len(s.free) > 0 && len(s.order) < limit && s.fits(s.typical) {
			item, ok := s.receive()
			if !ok {
				break
			}
			if err := s.begin(item); err != nil {
				return err
			}
		}
		switch {
		case len(s.active) > 0:
			if err := s.step(); err != nil {
				return err
			}
		case len(s.long) > 0:
			if err := s.finishLong(); err != nil {
				return err
			}
		case s.items == nil:
			return nil
		}
	}
}

// receive takes an item, if there is one.
func (s *schedule) receive() (item Item, ok bool) {
	if !s.live || len(s.active)+len(s.long) == 0 {
		item, ok = <-s.items
	} else {
		select {
		case item, ok = <-s.items:
		default:
			return item, false
		}
	}
	if !ok {
		s.items = nil
	}
	return item, ok
}

// begin puts an item on its way.
func (s *schedule) begin(item Item) error {
	f := &flight{item: item, index: s.begun, done: item.Bad != nil}
	s.begun++
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
	s.flights.Add(1)
	if f.reading == nil {
		done, err := f.advance()
		if done || err != nil {
			return s.land(f, err)
		}
	}
	s.active = append(s.active, f)
	return nil
}

// land ends a flight whose answer is done, or failed.
func (s *schedule) land(f *flight, err error) error {
	if f.answering != nil && f.reading == nil {
		s.typical = (7*s.typical + f.cells() + 7) / 8
		err = s.close(f.job, err)
	}
	if err != nil {
		return fmt.Errorf("record %s: %w", f.item.ID, err)
	}
	s.free = append(s.free, f.seat)
	s.flights.Add(-1)
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
	s.flights.Store(0)
	for _, f := range s.active {
		s.decoder.end(f.sequence)
	}
	if s.wide {
		s.decoder.widen(false)
	}
}

// fits reports whether the cache has room for so many tokens more when each answer in the making has come to its usual
// length. A single answer always fits.
func (s *schedule) fits(tokens int) bool {
	for _, f := range s.active {
		tokens += max(f.cells(), s.typical)
	}
	return len(s.active) == 0 || s.decoder.common()+tokens <= s.decoder.model.CacheSize()
}

// pause takes the latest flights out of a cache that has become too small for all. Their tokens are decoded again when there is
// room: the sequence's rest as it was, in one go.
func (s *schedule) pause() error {
	for len(s.active) > 1 {
		tokens, latest := s.decoder.common(), 0
		for i, f := range s.active {
			tokens += f.cells()
			if f.index > s.active[latest].index {
				latest = i
			}
		}
		if tokens <= s.decoder.model.CacheSize() {
			break
		}
		f := s.active[latest]
		if err := f.rewind(); err != nil {
			return err
		}
		s.active = slices.Delete(s.active, latest, latest+1)
		s.paused = append(s.paused, f)
	}
	return nil
}

// resume puts paused flights on their way again, the first first.
func (s *schedule) resume() error {
	slices.SortFunc(s.paused, func(a, b *flight) int { return a.index - b.index })
	for len(s.paused) > 0 && s.fits(max(s.paused[0].cells(), s.typical)) {
		f := s.paused[0]
		s.active, s.paused = append(s.active, f), s.paused[1:]
		if err := f.hold(); err != nil {
			return err
		}
	}
	return nil
}

// step passes one batch through the model and has each answer whose queue it empties choose and go on.
func (s *schedule) step() error {
	if err := s.outgrown(); err != nil {
		return err
	}
	if len(s.active) == 0 {
		return nil
	}
	if err := s.pause(); err != nil {
		return err
	}
	s.rows = s.rows[:0]
	// With a cache for each sequence llama.cpp computes those rows together whose sequences follow each other.
	slices.SortFunc(s.active, func(a, b *flight) int { return int(a.sequence - b.sequence) })
	for _, f := range s.active {
		f.count = 0
	}
	var err error
	if s.opts.Alike {
		err = s.decodeAlike()
	} else {
		err = s.decodeAll()
	}
	if err != nil {
		return err
	}
	active := s.active
	s.active = nil
	for i, f := range active {
		var err error
		if f.reading != nil {
			err = f.collect(f.first, f.count, f.from)
		}
		if f.row < 0 && err == nil {
			s.active = append(s.active, f)
			continue
		}
		done := false
		if err == nil {
			var logits []float32
			if f.choosing() {
				logits = s.decoder.model.Logits(f.row)
			}
			done, err = s.proceed(f.job, logits)
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

// add has the first n tokens of a flight's queue, or as many as there are, in the next batch.
func (s *schedule) add(f *flight, n int) {
	f.row = -1
	f.first, f.from, f.count = len(s.rows), f.position, min(len(f.queue), n)
	for i, id := range f.queue[:min(len(f.queue), n)] {
		last := i == len(f.queue)-1
		if last {
			f.row = len(s.rows)
		}
		s.rows = append(s.rows, Row{Token: id, Position: f.position, Sequence: f.sequence, Logits: last && f.choosing()})
		f.position++
	}
	f.queue = f.queue[min(len(f.queue), n):]
}

// decodeAll passes all queues through the model, or as much of them as a batch takes.
func (s *schedule) decodeAll() error {
	size := s.decoder.model.BatchSize()
	for _, f := range s.active {
		s.add(f, size-len(s.rows))
	}
	return s.decoder.model.Decode(s.rows)
}

// Tag tags one text. An error means that the model failed and nothing more can be tagged; what is wrong with the text or
// the answer is a Reject.
func (t *Tagger) Tag(in dataset.Input) (res Result, err error) {
	items := make(chan Item, 1)
	items <- Item{Input: in}
	close(items)
	err = t.Run(items, false, func(_ Item, r Result) error {
		res = r
		return nil
	})
	return res, err
}
