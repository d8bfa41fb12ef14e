package tagger

import "cmp"

// oneAStep is the longest queue of which one token is decoded at a time, with one of each other answer.
const oneAStep = 6

// decodeAlike passes a batch through the model in which the arithmetic for each row does not depend on the other rows. Whether
// it does is up to the products of matrices: ggml takes another way, with sums in another order, for a single row than for
// several. So
//
//   - a long queue, a prompt for one, is decoded by itself; else each answer has one row, as attention in a cache of its own sees
//     the rows of that answer alone;
//   - there are never fewer than two rows, nor one row alone whose logits are wanted;
//   - sequences follow each other without a gap, since llama.cpp would part the batch there. What fills a gap is forgotten at
//     once.
//
// Cells of the cache that a row does not see add zeros, which is exact.
func (s *schedule) decodeAlike() error {
	model := s.decoder.model
	for _, f := range s.active {
		f.row = -1
	}
	for _, f := range s.active {
		if len(f.queue) > oneAStep {
			s.add(f, model.BatchSize())
			s.neverOne()
			return model.Decode(s.rows)
		}
	}
	first, last := s.active[0].sequence, s.active[len(s.active)-1].sequence
	if first == last {
		if last++; last == s.decoder.sequences() {
			first, last = first-1, first
		}
	}
	var fill []int32
	active := s.active
	for sequence := first; sequence <= last; sequence++ {
		if len(active) > 0 && active[0].sequence == sequence {
			s.add(active[0], 1)
			active = active[1:]
			continue
		}
		held := int32(cmp.Or(s.decoder.held[sequence], len(s.decoder.prefix)))
		if err := s.decoder.hold(sequence, held); err != nil {
			return err
		}
		fill = append(fill, sequence)
		s.rows = append(s.rows, Row{Token: s.decoder.prefix[0], Position: held, Sequence: sequence})
	}
	s.neverOne()
	if err := model.Decode(s.rows); err != nil {
		return err
	}
	for _, sequence := range fill {
		if err := s.decoder.end(sequence); err != nil {
			return err
		}
	}
	return nil
}

// neverOne asks for the logits of a second row where those of one are wanted.
func (s *schedule) neverOne() {
	wanted, spare := 0, -1
	for i, r := range s.rows {
		if r.Logits {
			wanted++
		} else {
			spare = i
		}
	}
	if wanted == 1 {
		s.rows[spare].Logits = true
	}
}
