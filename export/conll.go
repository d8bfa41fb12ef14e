package export

import (
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
	"github.com/go-json-experiment/json/jsontext"
)

// conll writes a line for each token, the token, a tab and its BIO tag (IOB2,
// as CoNLL 2003's shared task has it) or BIOES tag, and a blank line after each record
// (https://aclanthology.org/W03-0419). There are two columns, no part of speech
// or chunk, and no -DOCSTART- lines.
type conll struct {
	notes
	w       io.Writer
	names   Names
	ids     bool
	bioes   bool
	block   []byte
	tags    []string
	changed int // tokens that held what a line cannot
	empty   int // records without tokens
}

func newCoNLL(w io.Writer, o Options) (Writer, error) {
	return &conll{w: w, names: o.Names, ids: o.IDs, bioes: o.BIOES}, nil
}

func (c *conll) Write(r *dataset.Record) error {
	if len(r.Data.Tokens) == 0 {
		c.empty++
		return nil
	}
	b := c.block[:0]
	if c.ids {
		b = append(b, "# src_id = "...)
		var err error
		if b, err = appendID(b, r.SrcID); err != nil {
			return err
		}
		b = append(b, '\n')
	}
	c.tags = c.names.tag(c.tags[:0], r)
	if c.bioes {
		bioes(c.tags)
	}
	for i, token := range r.Data.Tokens {
		clean := strings.Map(inColumn, token)
		if clean != token {
			c.changed++
		}
		b = append(append(append(append(b, clean...), '\t'), c.tags[i]...), '\n')
	}
	b = append(b, '\n')
	c.block = b
	_, err := c.w.Write(b)
	return err
}

// bioes turns BIO tags into BIOES, which mark the last token of a span (E) and
// a span of one token (S) too.
func bioes(tags []string) {
	for i, tag := range tags {
		if tag == "O" || i+1 < len(tags) && strings.HasPrefix(tags[i+1], "I-") {
			continue
		}
		last := "E"
		if strings.HasPrefix(tag, "B-") {
			last = "S"
		}
		tags[i] = last + tag[1:]
	}
}

// inColumn replaces what would end a column or a line to one reader or another,
// or make the file no text: white space and control characters. A byte order
// mark would be taken off the first line.
func inColumn(r rune) rune {
	if dataset.IsSpace(r) || unicode.IsControl(r) || r == '\ufeff' {
		return utf8.RuneError
	}
	return r
}

// appendID writes an id as it is, or as a JSON string where it holds what a
// column cannot, or could be taken for such a string.
func appendID(b []byte, id string) ([]byte, error) {
	if strings.Map(inColumn, id) == id && !strings.HasPrefix(id, `"`) {
		return append(b, id...), nil
	}
	return jsontext.AppendQuote(b, id)
}

func (c *conll) Close() error {
	if c.changed > 0 {
		c.notes = append(c.notes, counted(c.changed, "token")+" with white space or control characters, written as U+FFFD")
	}
	if c.empty > 0 {
		c.notes = append(c.notes, counted(c.empty, "record")+" without tokens, left out")
	}
	return nil
}
