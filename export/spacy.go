package export

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/klauspost/compress/zlib"
)

// Attributes of a token in a DocBin: spaCy's numbers of ORTH, ENT_IOB and
// ENT_TYPE. ENT_IOB is 1 in an entity, 2 outside, 3 at the beginning of one.
const (
	spacyOrth    = 65
	spacyEntIOB  = 77
	spacyEntType = 78

	spacyInside, spacyOutside, spacyBegin = 1, 2, 3
)

// spanGroup is the key of a document's spans, as spancat has it unless told
// otherwise.
const spanGroup = "sc"

// spacy writes a DocBin (https://spacy.io/api/docbin), which is one MessagePack
// map under zlib. In it lie whole columns one behind another: the tokens'
// attributes, whether a space follows each, how many tokens a document has,
// and so on. They are gathered in temporary files, since each begins with its
// length; only the distinct strings stay in memory. Spans are entities, and
// besides the span group "sc", from which spancat trains; predictions are
// categories (all of the taxonomy's, 1 or 0, as training wants them), the id is
// user_data["src_id"], and white space that is more than one space is a token,
// which is what spaCy's own tokenizer makes of it.
type spacy struct {
	notes
	w     io.Writer
	names Names
	cats  []string // names of the categories
	langs []string // codes of the languages, or none
	at    layout

	docs  int
	known map[string]uint64 // the number of each string
	ents  []uint64          // of the record's tokens: IOB and type
	index []int             // of each token of the record among the document's
	buf   []byte

	tokens, spaces, lengths, categories, userData, groups *spill
}

func newSpaCy(w io.Writer, o Options) (Writer, error) {
	s := &spacy{w: w, names: o.Names, langs: o.Languages, known: make(map[string]uint64)}
	for _, e := range o.Taxonomy.Emotions() {
		s.cats = append(s.cats, e.Name)
	}
	for _, column := range []**spill{&s.tokens, &s.spaces, &s.lengths, &s.categories, &s.userData, &s.groups} {
		var err error
		if *column, err = newSpill(); err != nil {
			return nil, errors.Join(err, s.release())
		}
	}
	return s, nil
}

func (s *spacy) Write(r *dataset.Record) error {
	if err := s.at.set(r); err != nil {
		return err
	}
	s.entities(r)
	pieces := s.at.split()
	b := s.buf[:0]
	s.index = s.index[:0]
	inside := -1 // the span that the last token is in
	for i, p := range pieces {
		iob, kind := uint64(spacyOutside), uint64(0)
		switch {
		case p.token >= 0:
			iob, kind = s.ents[2*p.token], s.ents[2*p.token+1]
			inside = p.token
			s.index = append(s.index, i)
		case s.between(r, inside):
			iob, kind = spacyInside, s.ents[2*inside+1]
		}
		b = binary.LittleEndian.AppendUint64(b, s.id(r.Text[p.start:p.end]))
		b = binary.LittleEndian.AppendUint64(b, iob)
		b = binary.LittleEndian.AppendUint64(b, kind)
	}
	s.tokens.add(b)
	b = b[:0]
	for _, p := range pieces {
		space := byte(0)
		if p.space {
			space = 1
		}
		b = append(b, space)
	}
	s.spaces.add(b)
	s.lengths.add(binary.LittleEndian.AppendUint32(b[:0], uint32(len(pieces))))
	s.categories.add(s.appendCats(b[:0], r))
	data := s.appendUserData(nil, r)
	s.userData.add(append(appendMsgBin(b[:0], len(data)), data...))
	groups := s.spanGroups(r)
	s.groups.add(append(appendMsgBin(b[:0], len(groups)), groups...))
	s.buf = b
	s.docs++
	return errors.Join(s.tokens.err, s.spaces.err, s.lengths.err, s.categories.err, s.userData.err, s.groups.err)
}

// entities notes the IOB value and the type of each token.
func (s *spacy) entities(r *dataset.Record) {
	s.ents = s.ents[:0]
	for range r.Data.Tokens {
		s.ents = append(s.ents, spacyOutside, 0)
	}
	for i := range r.Data.Spans {
		span := &r.Data.Spans[i]
		kind := s.id(s.names.of(span))
		for at := span.Start; at <= span.End; at++ {
			s.ents[2*at], s.ents[2*at+1] = spacyInside, kind
		}
		s.ents[2*span.Start] = spacyBegin
	}
}

// appendUserData writes the id, and the language where one was stated. A DocBin
// says nothing of languages itself: a document has that of its reader.
func (s *spacy) appendUserData(b []byte, r *dataset.Record) []byte {
	if len(s.langs) == 0 {
		return appendMsgString(appendMsgString(appendMsgMap(b, 1), "src_id"), r.SrcID)
	}
	b = appendMsgString(appendMsgString(appendMsgMap(b, 2), "src_id"), r.SrcID)
	return appendMsgString(appendMsgString(b, "language"), strings.Join(s.langs, ","))
}

// spanGroups writes the one group of spans of a record, in the list that every
// spaCy 3 reads: SpanGroups.to_bytes of it, and in it SpanGroup.to_bytes.
func (s *spacy) spanGroups(r *dataset.Record) []byte {
	g := appendMsgString(appendMsgString(appendMsgMap(nil, 3), "name"), spanGroup)
	g = appendMsgMap(appendMsgString(g, "attrs"), 0)
	g = appendMsgArray(appendMsgString(g, "spans"), len(r.Data.Spans))
	for i := range r.Data.Spans {
		span := &r.Data.Spans[i]
		at := s.at.span(span)
		g = appendMsgBin(g, 3*8+4*4)
		g = binary.BigEndian.AppendUint64(g, 0) // its own id
		g = binary.BigEndian.AppendUint64(g, 0) // that of a knowledge base
		g = binary.BigEndian.AppendUint64(g, s.id(s.names.of(span)))
		for _, n := range []int{s.index[span.Start], s.index[span.End] + 1, at.from, at.to} {
			g = binary.BigEndian.AppendUint32(g, uint32(n))
		}
	}
	return append(appendMsgBin(appendMsgArray(nil, 1), len(g)), g...)
}

// between reports whether the white space behind a token lies inside a span:
// whether the token after it goes on in the same one.
func (s *spacy) between(r *dataset.Record, token int) bool {
	return token >= 0 && token+1 < len(r.Data.Tokens) && s.ents[2*(token+1)] == spacyInside
}

// id is the number that spaCy has for a string, which is noted for the table of
// strings.
func (s *spacy) id(text string) uint64 {
	id, ok := s.known[text]
	if !ok {
		id = spacyID(text)
		s.known[strings.Clone(text)] = id // text is cut from a whole line
	}
	return id
}

func (s *spacy) appendCats(b []byte, r *dataset.Record) []byte {
	b = appendMsgMap(b, len(s.cats))
	for _, name := range s.cats {
		value := float32(0)
		for _, p := range r.Predictions {
			if p == name {
				value = 1
			}
		}
		b = appendMsgFloat(appendMsgString(b, name), value)
	}
	return b
}

// Close writes the map.
func (s *spacy) Close() (err error) {
	defer func() { err = errors.Join(err, s.release()) }()
	z := zlib.NewWriter(s.w)
	out := bufio.NewWriterSize(z, 1<<16)
	put := func(b []byte) { _, _ = out.Write(b) } // a bufio.Writer keeps its first error for Flush
	put(appendMsgMap(nil, 10))
	put(appendMsgString(appendMsgString(nil, "version"), "0.1"))
	put(appendMsgArray(appendMsgString(nil, "attrs"), 3))
	put([]byte{spacyOrth, spacyEntIOB, spacyEntType}) // below 128 a number is its own byte
	for _, column := range []struct {
		name string
		*spill
	}{{"tokens", s.tokens}, {"spaces", s.spaces}, {"lengths", s.lengths}} {
		if column.size > math.MaxUint32 {
			return fmt.Errorf("%s: %d bytes, more than a DocBin can hold; split the input and write several", column.name, column.size)
		}
		put(appendMsgBin(appendMsgString(nil, column.name), int(column.size)))
		if err := column.copyTo(out); err != nil {
			return err
		}
	}
	put(appendMsgArray(appendMsgString(nil, "strings"), len(s.known)))
	for _, text := range sorted(s.known) {
		put(appendMsgString(nil, text))
	}
	for _, column := range []struct {
		name string
		*spill
	}{{"cats", s.categories}, {"user_data", s.userData}} {
		put(appendMsgArray(appendMsgString(nil, column.name), s.docs))
		if err := column.copyTo(out); err != nil {
			return err
		}
	}
	put(appendMsgArray(appendMsgString(nil, "flags"), s.docs))
	flags := append(appendMsgString(appendMsgMap(nil, 1), "has_unknown_spaces"), msgFalse)
	for range s.docs {
		put(flags)
	}
	put(appendMsgArray(appendMsgString(nil, "span_groups"), s.docs))
	if err := s.groups.copyTo(out); err != nil {
		return err
	}
	return errors.Join(out.Flush(), z.Close())
}

func (s *spacy) release() error {
	var errs []error
	for _, column := range []*spill{s.tokens, s.spaces, s.lengths, s.categories, s.userData, s.groups} {
		if column != nil {
			errs = append(errs, column.close())
		}
	}
	return errors.Join(errs...)
}

// spill is a column that is too long for memory. Its file has no name, so that
// nothing is left of it however the program ends.
type spill struct {
	file *os.File
	buf  *bufio.Writer
	size int64
	err  error
}

func newSpill() (*spill, error) {
	f, err := os.CreateTemp("", "emospan-spacy-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &spill{file: f, buf: bufio.NewWriterSize(f, 1<<16)}, nil
}

func (s *spill) add(b []byte) {
	n, err := s.buf.Write(b)
	s.size += int64(n)
	if s.err == nil {
		s.err = err
	}
}

func (s *spill) copyTo(w io.Writer) error {
	if err := s.buf.Flush(); err != nil {
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(w, s.file)
	return err
}

func (s *spill) close() error { return s.file.Close() }
