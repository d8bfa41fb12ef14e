package tagger

import "slices"

// A Widener is a Model whose sequences have less room each than the model allows. It can give them all of it, for a while: it
// then decodes fewer tokens a second.
type Widener interface {
	Model
	// WideSize is the most tokens of a sequence when it is wide, ContextSize at least.
	WideSize() int
	// Widen makes sequences wide or narrow and forgets all that they hold. ContextSize and CacheSize change with it.
	Widen(wide bool) error
}

// wideSize is the most tokens that a record and the prompt before it may come to.
func (d *decoder) wideSize() int {
	if w, ok := d.model.(Widener); ok {
		return max(w.WideSize(), w.ContextSize())
	}
	return d.model.ContextSize()
}

// widen makes the model's sequences wide or narrow and decodes the prefix again.
func (d *decoder) widen(wide bool) error {
	if err := d.model.(Widener).Widen(wide); err != nil {
		return err
	}
	clear(d.held)
	return d.decodePrefix(nil)
}

// outgrown takes those flights out of the cache whose sequences have no room for what they are to decode.
func (s *schedule) outgrown() error {
	size, kept := s.decoder.model.ContextSize(), s.active[:0]
	for i, f := range s.active {
		if int(f.position)+len(f.queue) <= size {
			kept = append(kept, f)
			continue
		}
		if err := f.rewind(); err != nil {
			s.active = append(kept, s.active[i:]...)
			return err
		}
		s.long = append(s.long, f)
	}
	s.active = kept
	return nil
}

// finishLong has the model wide until the flights that need it have landed. There are no others.
func (s *schedule) finishLong() error {
	for len(s.long) > 0 {
		if err := s.decoder.widen(true); err != nil {
			return err
		}
		s.wide = true
		n := len(s.long)
		if s.opts.Alike {
			n = 1
		}
		s.active, s.long = slices.Clone(s.long[:n]), s.long[n:]
		for _, f := range s.active {
			if err := f.hold(); err != nil {
				return err
			}
		}
		for len(s.active)+len(s.paused) > 0 {
			if err := s.resume(); err != nil {
				return err
			}
			if err := s.step(); err != nil {
				return err
			}
		}
	}
	s.wide = false
	return s.decoder.widen(false)
}
