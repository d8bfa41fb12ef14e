package agreement

import (
	"io"
	"strconv"
	"strings"
)

// A sentenceReader makes one annotation of the sentences of a text, which lie
// one behind the other in the order of the text under ids as
// [dataset.SentenceID] makes them. What is under other ids stays as it is. A
// text of which a sentence is missing is another text.
type sentenceReader struct {
	in      *Reader
	neutral Set

	next *Annotation // read, and no part of what was returned last
	text []byte      // of the sentences joined so far
	err  error       // behind next
}

func newSentenceReader(in *Reader) *sentenceReader {
	b := in.book
	return &sentenceReader{in: in, neutral: setOf(b.number[LevelEmotion][b.tax.Neutral()])}
}

// Next is as [Reader.Next], for texts.
func (s *sentenceReader) Next(a *Annotation) error {
	if s.next == nil {
		s.next = new(Annotation)
		s.read()
	}
	if s.err != nil {
		return s.err
	}
	textID, number, ok := cutSentence(s.next.ID)
	if !ok {
		*a, *s.next = *s.next, *a
		s.read()
		return nil
	}
	s.text = s.text[:0]
	*a = Annotation{
		Line: s.next.Line, ID: textID, First: noClass, LeftOut: a.LeftOut[:0], Spanned: true, Spans: a.Spans[:0], values: a.values[:0],
		chunks: a.chunks[:0], strict: a.strict[:0], ends: a.ends[:0],
	}
	for {
		s.join(a, s.next, number)
		s.read()
		if s.err != nil {
			break
		}
		id, behind, ok := cutSentence(s.next.ID)
		if !ok || id != textID || behind <= number {
			break
		}
		number = behind
	}
	a.text = hash(s.text)
	if a.Labels != s.neutral {
		a.Labels &^= s.neutral // it says that a sentence has none
	}
	if !a.irregular {
		a.chunks, a.strict = a.chunks[:0], a.strict[:0]
	}
	if s.err != io.EOF {
		return s.err
	}
	return nil
}

func (s *sentenceReader) read() { s.err = s.in.Next(s.next) }

// join adds a sentence, which is the number-th of its text, to the annotation
// of the text.
func (s *sentenceReader) join(a, sentence *Annotation, number int) {
	offset := int32(len(s.text))
	s.text = append(s.text, s.in.text...)
	if neutral := s.neutral.Has(a.First); a.First == noClass || neutral && sentence.Labels != s.neutral {
		a.First = sentence.First
	}
	a.Labels |= sentence.Labels
	a.LeftOut = append(a.LeftOut, sentence.LeftOut...)
	a.Spanned = a.Spanned && sentence.Spanned
	for _, end := range sentence.ends {
		a.ends = append(a.ends, end+offset)
	}
	for _, span := range sentence.Spans {
		span.Start, span.End = span.Start+offset, span.End+offset
		span.attrs.sentence = clamp16(int(span.attrs.sentence) + number)
		if span.attrs.values > 0 {
			span.attrs.values += uint32(len(a.values))
		}
		a.Spans = append(a.Spans, span)
	}
	a.values = append(a.values, sentence.values...)
	// What the labels hold is kept for all sentences where it is not what the spans hold in one.
	chunks, strict := sentence.chunks, sentence.strict
	if !sentence.irregular {
		for _, span := range sentence.Spans {
			chunks = append(chunks, entity{span.kind, span.Start, span.End})
		}
		strict = chunks
	}
	a.irregular = a.irregular || sentence.irregular
	shift := func(to, from []entity) []entity {
		for _, e := range from {
			to = append(to, entity{e.class, e.start + offset, e.end + offset})
		}
		return to
	}
	a.chunks, a.strict = shift(a.chunks, chunks), shift(a.strict, strict)
}

// cutSentence takes the id of a sentence apart.
func cutSentence(id string) (textID string, number int, ok bool) {
	i := strings.LastIndexByte(id, '#')
	if i < 0 {
		return "", 0, false
	}
	number, err := strconv.Atoi(id[i+1:])
	return id[:i], number, err == nil && number >= 0 && strconv.Itoa(number) == id[i+1:]
}
