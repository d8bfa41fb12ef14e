package agreement

import (
	"encoding/binary"
	"math"
)

// What an entry begins with.
const (
	entrySpanned = 1 << iota
	entryIrregular
	entryOnlyLeftOut
	entryID
	entryText
)

// A head is what an entry is found by: hashes, 0 where there is none.
type head struct{ id, text uint64 }

// appendEntry encodes an annotation without its text, its id and the names of
// labels that are left out: flags, hashes, then the rest, whole numbers as
// varints.
func appendEntry(dst []byte, a *Annotation) []byte {
	flags := byte(0)
	mark := func(set bool, flag byte) {
		if set {
			flags |= flag
		}
	}
	mark(a.Spanned, entrySpanned)
	mark(a.irregular, entryIrregular)
	mark(a.Labels == 0 && len(a.LeftOut) > 0, entryOnlyLeftOut)
	mark(a.ID != "", entryID)
	mark(a.text != 0, entryText)
	dst = append(dst, flags)
	if a.ID != "" {
		dst = binary.LittleEndian.AppendUint64(dst, hash([]byte(a.ID)))
	}
	if a.text != 0 {
		dst = binary.LittleEndian.AppendUint64(dst, a.text)
	}
	number := func(n int) { dst = binary.AppendUvarint(dst, uint64(n)) }
	number(a.Line)
	dst = binary.AppendUvarint(dst, uint64(a.Labels))
	dst = append(dst, a.First)
	number(len(a.Spans))
	number(len(a.values))
	dst = append(dst, a.values...)
	for i := range a.Spans {
		s := &a.Spans[i]
		number(int(s.Start))
		number(int(s.End - s.Start))
		dst = append(dst, s.class, s.kind)
		number(int(s.attrs.values))
		if s.attrs.values > 0 {
			dst = binary.LittleEndian.AppendUint32(dst, s.attrs.target)
			dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(s.attrs.confidence))
			number(int(s.attrs.sentence))
			number(int(s.attrs.clause))
		}
	}
	if !a.irregular {
		return dst
	}
	for _, list := range [...][]entity{a.chunks, a.strict} {
		number(len(list))
		for _, e := range list {
			dst = append(dst, e.class)
			number(int(e.start))
			number(int(e.end))
		}
	}
	return dst
}

func (d *decoder) head() (flags byte, h head) {
	flags = d.byte()
	if flags&entryID != 0 {
		h.id = d.uint64()
	}
	if flags&entryText != 0 {
		h.text = d.uint64()
	}
	return flags, h
}

// headOf reads the beginning of an entry.
func headOf(entry []byte) head {
	d := decoder(entry)
	_, h := d.head()
	return h
}

// decodeEntry reads an entry into a, whose lists are used again.
func decodeEntry(entry []byte, a *Annotation) {
	d := decoder(entry)
	flags, h := d.head()
	*a = Annotation{
		Line: d.number(), Labels: Set(d.uvarint()), First: d.byte(), Spanned: flags&entrySpanned != 0, text: h.text,
		irregular: flags&entryIrregular != 0, onlyLeftOut: flags&entryOnlyLeftOut != 0,
		Spans: a.Spans[:0], values: a.values[:0], chunks: a.chunks[:0], strict: a.strict[:0],
	}
	spans, values := d.number(), d.number()
	a.values = append(a.values, d[:values]...)
	d = d[values:]
	for range spans {
		s := Span{Start: int32(d.number())}
		s.End = s.Start + int32(d.number())
		s.class, s.kind = d.byte(), d.byte()
		if s.attrs.values = uint32(d.number()); s.attrs.values > 0 {
			s.attrs.target, s.attrs.confidence = d.uint32(), math.Float32frombits(d.uint32())
			s.attrs.sentence, s.attrs.clause = uint16(d.number()), uint16(d.number())
		}
		a.Spans = append(a.Spans, s)
	}
	if !a.irregular {
		return
	}
	for _, list := range [...]*[]entity{&a.chunks, &a.strict} {
		for range d.number() {
			*list = append(*list, entity{d.byte(), int32(d.number()), int32(d.number())})
		}
	}
}
