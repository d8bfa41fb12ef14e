package validate

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
)

// PromptSimple is the prompt whose records have predictions but no spans.
const PromptSimple = "simple"

// Record checks a record's content against a taxonomy and returns every
// problem, in the order of the record's keys; none means that it is valid.
// The record is not changed. Goroutines may call Record at the same time.
//
// An emotion_group need only be a value of its vocabulary: it may differ from
// the group that the taxonomy puts the subtype in.
func Record(r *dataset.Record, tax *dataset.Taxonomy) []Problem {
	c := checkers.Get().(*checker)
	c.r, c.tax, c.list, c.work = r, tax, nil, maxWork
	c.identity()
	c.predictions()
	c.alignment()
	c.labels()
	c.spans()
	list := c.list
	c.r, c.tax, c.list = nil, nil, nil
	checkers.Put(c)
	return list
}

var checkers = sync.Pool{New: func() any { return new(checker) }}

// checker is the state of one record's check.
type checker struct {
	r   *dataset.Record
	tax *dataset.Taxonomy
	problems

	start, end []int // byte offsets of each token in the text, -1 where it is not in it
	aligned    bool  // every token has its offsets
	work       int   // what may still be spent on looking for targets
}

func (c *checker) identity() {
	for _, f := range [...]struct{ path, value string }{
		{"/src_id", c.r.SrcID}, {"/model", c.r.Model}, {"/provider", c.r.Provider}, {"/prompt", c.r.Prompt}, {"/text", c.r.Text},
	} {
		if f.value == "" {
			c.add(CodeEmpty, f.path, "a value", "an empty string")
		}
		if !utf8.ValidString(f.value) {
			c.add(CodeUTF8, f.path, "UTF-8", "an invalid byte at "+strconv.Itoa(invalidByte([]byte(f.value))))
		}
	}
	if c.r.Level != dataset.Level {
		c.add(CodeLevel, "/level", dataset.Level, quote(c.r.Level))
	}
}

func (c *checker) predictions() {
	list := c.r.Predictions
	if len(list) == 0 {
		c.add(CodeEmotionEmpty, "/predictions", "at least one emotion", "none")
	}
	for i, p := range list {
		if c.full() {
			return
		}
		_, known := c.tax.Emotion(p)
		if !known {
			path := at("/predictions", i, "")
			if lower := strings.ToLower(p); lower != p {
				c.add(CodeEmotionCase, path, quote(lower), quote(p))
				_, known = c.tax.Emotion(lower)
			}
			if !known {
				c.add(CodeEmotionUnknown, path, "an emotion of the taxonomy", quote(p))
			}
			continue
		}
		for _, earlier := range list[:i] {
			if earlier == p {
				c.add(CodeEmotionDuplicate, at("/predictions", i, ""), "each emotion once", quote(p))
				break
			}
		}
		if p == c.tax.Neutral() && len(list) > 1 {
			c.add(CodeNeutralAlone, at("/predictions", i, ""), "no other prediction beside it", strconv.Itoa(len(list)-1))
		}
	}
}

// alignment walks the tokens along the text and notes where each lies.
func (c *checker) alignment() {
	text, tokens := c.r.Text, c.r.Data.Tokens
	c.start, c.end, c.aligned = c.start[:0], c.end[:0], true
	pos := 0
	for i, tok := range tokens {
		if c.full() {
			c.aligned = false
			return
		}
		start, end := -1, -1
		if dataset.IsBlank(tok) {
			found := "an empty string"
			if tok != "" {
				found = "white space alone, " + quote(tok)
			}
			c.add(CodeAlignEmptyToken, at("/data/tokens", i, ""), "a token", found)
		} else if start = find(text, pos, tok); start >= 0 {
			end = start + len(tok)
			if gap := dataset.TrimSpace(text[pos:start]); gap != "" {
				c.add(CodeAlignGap, at("/data/tokens", i, ""), "only white space before it", quote(gap))
			}
			pos = end
		} else {
			c.add(CodeAlignTokenText, at("/data/tokens", i, ""), "a token of the rest of the text, "+quote(clip(text[pos:])), quote(tok))
		}
		c.aligned = c.aligned && start >= 0
		c.start, c.end = append(c.start, start), append(c.end, end)
	}
	if rest := dataset.TrimSpace(text[pos:]); rest != "" {
		c.add(CodeAlignGap, "/data/tokens", "no text behind the last token", quote(rest))
	}
}

// find returns where a token stands at or behind pos: behind white space if it
// is there, else at its first occurrence, else -1.
func find(text string, pos int, tok string) int {
	rest := text[pos:]
	if strings.HasPrefix(rest, tok) {
		return pos
	}
	next := strings.TrimLeftFunc(rest, dataset.IsSpace)
	if strings.HasPrefix(next, tok) {
		return len(text) - len(next)
	}
	if i := strings.Index(rest, tok); i >= 0 {
		return pos + i
	}
	return -1
}

// labels checks each label by itself and after the one before it.
func (c *checker) labels() {
	labels, tokens := c.r.Data.Labels, c.r.Data.Tokens
	if len(labels) != len(tokens) {
		c.add(CodeAlignLength, "/data/labels", fmt.Sprintf("%d labels", len(tokens)), strconv.Itoa(len(labels)))
	}
	before := ""
	for i, label := range labels {
		if c.full() {
			return
		}
		if label == "O" {
			before = ""
			continue
		}
		prefix, kind := splitLabel(label)
		switch {
		case prefix == 0 || !hasType(c.tax, kind):
			c.add(CodeLabelValue, at("/data/labels", i, ""), "O, B-TYPE or I-TYPE", quote(label))
			kind = ""
		case prefix == 'I' && before != kind:
			c.add(CodeLabelBIO, at("/data/labels", i, ""), "B-"+kind+" or I-"+kind+" before it", quote(label))
		}
		before = kind
	}
}

// splitLabel returns B or I and the type, or 0 for anything else.
func splitLabel(label string) (prefix byte, kind string) {
	if len(label) > 2 && label[1] == '-' && (label[0] == 'B' || label[0] == 'I') {
		return label[0], label[2:]
	}
	return 0, ""
}
