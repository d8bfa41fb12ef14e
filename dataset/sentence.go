package dataset

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
)

// Sentence says where the text of a record that is a sentence stands in the
// text that it was cut from: TextID is that text's id, and its bytes from Start
// to before End are the record's text.
type Sentence struct {
	SrcID  string `json:"src_id"` // of the record: SentenceID(TextID, Index)
	TextID string `json:"text_id"`
	Index  int    `json:"sentence"` // in the text, from 0
	Start  int    `json:"start"`    // in bytes of UTF-8
	End    int    `json:"end"`
	Line   int    `json:"line"` // of the text in its input, from 1
}

// SentenceID is the id of a text's sentence. It is another than that of every
// other sentence of any text, whatever # the texts' ids hold.
func SentenceID(textID string, index int) string { return textID + "#" + strconv.Itoa(index) }

// SentenceTextID is the id of the text that a sentence's id leads back to.
func SentenceTextID(id string) string { return id[:max(0, strings.LastIndexByte(id, '#'))] }

// ParseSentence reads one line of a file of sentences.
func ParseSentence(line []byte) (*Sentence, error) {
	s := new(Sentence)
	if err := json.Unmarshal(line, s); err != nil {
		return nil, fmt.Errorf("sentence: %w", err)
	}
	return s, nil
}

// AppendJSON appends the sentence to dst as one line of JSON without a newline.
func (s *Sentence) AppendJSON(dst []byte) ([]byte, error) {
	w := jsonWriter{dst: dst}
	w.str(`{"src_id":`, s.SrcID)
	w.str(`,"text_id":`, s.TextID)
	w.int(`,"sentence":`, int64(s.Index))
	w.int(`,"start":`, int64(s.Start))
	w.int(`,"end":`, int64(s.End))
	w.int(`,"line":`, int64(s.Line))
	w.raw(`}`)
	if w.err != nil {
		return dst, fmt.Errorf("sentence %q: %w", s.SrcID, w.err)
	}
	return w.dst, nil
}
