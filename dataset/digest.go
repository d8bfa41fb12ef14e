package dataset

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
)

// TextsDigest tells whether two runs read the same texts, in whatever format
// they came: it is a SHA-256 over all that a [Reader] returned, good or bad, in
// that order. The zero value has seen nothing. It must not be shared between
// goroutines.
type TextsDigest struct {
	hash  hash.Hash
	texts int
	buf   []byte
}

// Add takes what [Reader.Next] returned: a text, or what was wrong with a row.
func (d *TextsDigest) Add(in Input, bad *LineError) {
	d.texts++
	b := d.buf[:0]
	if bad != nil {
		b = appendString(append(b, 1), bad.ID)
		b = appendString(b, bad.Reason.Code)
	} else {
		b = appendString(append(b, 0), in.ID)
		b = appendString(b, in.Text)
		b = binary.AppendUvarint(b, uint64(len(in.Labels)))
		for _, label := range in.Labels {
			b = appendString(b, label)
		}
	}
	d.buf = b
	d.state().Write(b)
}

// Texts is the number of texts and bad rows added.
func (d *TextsDigest) Texts() int { return d.texts }

// Sum is the digest of what was added so far, in hexadecimal.
func (d *TextsDigest) Sum() string { return hex.EncodeToString(d.state().Sum(nil)) }

func (d *TextsDigest) state() hash.Hash {
	if d.hash == nil {
		d.hash = sha256.New()
	}
	return d.hash
}

// appendString appends s with its length before it, so that no two lists of strings come to the same bytes.
func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
