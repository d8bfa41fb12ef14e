package agreement

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
)

// spillSize is how many bytes a store keeps in memory, if it can.
var spillSize = 4 << 20

// blockEntries is how many entries are read at once: one offset in memory does for them.
const blockEntries = 16

// A store keeps encoded annotations, by their numbers from 0. When what is in
// memory becomes too much it goes to a temporary file, which has no name, so
// that nothing is left of it however the program ends. Where no such file can be
// made or written, everything behind what it holds stays in memory.
//
// Once sealed it is immutable; goroutines may share it.
type store struct {
	block   []byte // not full yet
	entries int

	file   *os.File // nil where there is none
	starts []int64  // of the blocks in it, and where the last ends
	stuck  bool     // nothing more goes to the file

	kept      [][]byte // the blocks behind them
	keptBytes int
}

// add appends an entry.
func (s *store) add(entry []byte) {
	s.block = binary.AppendUvarint(s.block, uint64(len(entry)))
	s.block = append(s.block, entry...)
	if s.entries++; s.entries%blockEntries == 0 {
		s.endBlock()
	}
}

// seal ends the last block. Nothing may be added behind it.
func (s *store) seal() {
	if len(s.block) > 0 {
		s.endBlock()
	}
	s.block = nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const sumSize = 4

func (s *store) endBlock() {
	s.block = binary.BigEndian.AppendUint32(s.block, crc32.Checksum(s.block, castagnoli))
	s.kept = append(s.kept, bytes.Clone(s.block))
	s.keptBytes += len(s.block)
	s.block = s.block[:0]
	if s.keptBytes > spillSize && !s.stuck {
		s.stuck = s.spill() != nil
	}
}

// spill moves the blocks in memory to the file. After an error they are where
// they were.
func (s *store) spill() error {
	if s.file == nil {
		f, err := os.CreateTemp("", "emospan-compare-")
		if err != nil {
			return err
		}
		if err := os.Remove(f.Name()); err != nil {
			return errors.Join(err, f.Close())
		}
		s.file, s.starts = f, []int64{0}
	}
	at := s.starts[len(s.starts)-1]
	w := bufio.NewWriterSize(io.NewOffsetWriter(s.file, at), 1<<16)
	for _, b := range s.kept {
		w.Write(b) // Flush returns its error
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, b := range s.kept {
		at += int64(len(b))
		s.starts = append(s.starts, at)
	}
	clear(s.kept)
	s.kept, s.keptBytes = s.kept[:0], 0
	return nil
}

// close gives the file back. The store is of no more use.
func (s *store) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// ErrReadBack says that what a reference kept in a temporary file is not there
// any more.
var ErrReadBack = errors.New("what was kept of the reference in a temporary file cannot be read back")

// A storeReader reads the entries of a sealed store, best in their order. It must
// not be shared between goroutines.
type storeReader struct {
	store *store
	block []byte // the one at hand, without its sum
	n     int    // its number, from 1; 0 while there is none
	at    int    // the entry of it that begins at rest
	rest  []byte
	buf   []byte
}

// entry returns an entry, which is valid until the next call.
func (r *storeReader) entry(i int) ([]byte, error) {
	if n := i/blockEntries + 1; n != r.n {
		if err := r.load(n - 1); err != nil {
			return nil, err
		}
		r.n, r.at, r.rest = n, 0, r.block
	}
	want := i % blockEntries
	if want < r.at {
		r.at, r.rest = 0, r.block
	}
	for {
		size, n := binary.Uvarint(r.rest)
		entry := r.rest[n : n+int(size)]
		if r.at == want {
			return entry, nil
		}
		r.at, r.rest = r.at+1, r.rest[n+int(size):]
	}
}

func (r *storeReader) load(n int) error {
	s := r.store
	r.n = 0
	filed := max(0, len(s.starts)-1)
	if n >= filed {
		b := s.kept[n-filed]
		r.block = b[:len(b)-sumSize]
		return nil
	}
	size := int(s.starts[n+1] - s.starts[n])
	r.buf = slices.Grow(r.buf[:0], size)[:size]
	switch _, err := s.file.ReadAt(r.buf, s.starts[n]); {
	case err == io.EOF:
		return fmt.Errorf("%w: it ends early", ErrReadBack)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrReadBack, err)
	}
	r.block = r.buf[:size-sumSize]
	if crc32.Checksum(r.block, castagnoli) != binary.BigEndian.Uint32(r.buf[size-sumSize:]) {
		return fmt.Errorf("%w: it holds other bytes than were written", ErrReadBack)
	}
	return nil
}
