package dataset

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// maxThriftDepth is far above that of Parquet's own structures.
const maxThriftDepth = 32

// skimThrift goes over a struct in Thrift's compact protocol, without keeping any of it, and fails where a length or a list goes beyond
// the end of r, or structures lie deeper in each other than in any Parquet file. What it accepts the library can decode without asking for
// memory that the file's size does not warrant. https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
func skimThrift(r *bufio.Reader, depth int) error {
	for {
		field, err := r.ReadByte()
		if err != nil {
			return err
		}
		if field == 0 {
			return nil
		}
		if field>>4 == 0 { // the field's number follows, otherwise it is the distance from the one before
			if _, err := binary.ReadUvarint(r); err != nil {
				return err
			}
		}
		if kind := field & 15; kind > 2 { // 1 and 2 are true and false
			if err := skimThriftValue(r, kind, depth); err != nil {
				return err
			}
		}
	}
}

// skimThriftValue goes over a field's value or an element.
func skimThriftValue(r *bufio.Reader, kind byte, depth int) (err error) {
	if depth > maxThriftDepth { // a list may hold lists
		return errors.New("structures nested too deeply")
	}
	switch kind {
	case 1, 2, 3: // booleans in a list, bytes
		_, err = r.ReadByte()
	case 4, 5, 6:
		_, err = binary.ReadUvarint(r)
	case 7:
		_, err = r.Discard(8)
	case 8:
		var n uint64
		if n, err = binary.ReadUvarint(r); err != nil {
			return err
		}
		if n > math.MaxInt32 {
			return errors.New("a string longer than any file's")
		}
		_, err = r.Discard(int(n))
	case 9, 10:
		head, err := r.ReadByte()
		if err != nil {
			return err
		}
		n := uint64(head >> 4)
		if n == 15 {
			if n, err = binary.ReadUvarint(r); err != nil {
				return err
			}
		}
		for ; n > 0; n-- {
			if err := skimThriftValue(r, head&15, depth+1); err != nil {
				return err
			}
		}
	case 12:
		return skimThrift(r, depth+1)
	default: // maps, too, are in no structure of Parquet's
		return fmt.Errorf("a field of type %d", kind)
	}
	return err
}
