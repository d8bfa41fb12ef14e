package report

import (
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/emospan/emospan/dataset"
	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/gzip"
)

// blockRecords is how many records one block holds: few enough that the first is shown at once, enough to compress well.
const blockRecords = 4096

// columns writes the records that the page holds, a block at a time: a script element of a type that browsers do not run, in
// it gzip in base64, in that JSON with a list for each field. Fields side by side compress far better than records do.
type columns struct {
	out     io.Writer
	tax     *dataset.Taxonomy
	names   []string // emotions of the taxonomy, then labels that only the reference has
	index   map[string]int
	records int
	block   block
}

// block is what a script element holds. Lists of a record, as its spans, lie one behind the other: count says how many are
// each record's.
type block struct {
	ID             []string `json:"id"`
	Text           []string `json:"text"`
	Predictions    labels   `json:"predictions"`
	Spans          spans    `json:"spans"`
	Reference      *labels  `json:"reference,omitempty"`
	ReferenceSpans *spans   `json:"referenceSpans,omitempty"`
}

// labels are indices into columns.names. A count of -1 stands for a record that the reference does not have.
type labels struct {
	Count []int `json:"count"`
	Name  []int `json:"name"`
}

// spans have Start and End in UTF-16 units of the text, as JavaScript counts, the end exclusive; -1 where a reference's span
// is not in the text. Attrs are lists for each attribute of the taxonomy, of indices into its values, or -1. Type is empty where
// the taxonomy has one span type, else an index of it, or -1.
type spans struct {
	Count      []int     `json:"count"`
	Name       []int     `json:"name"`
	Start      []int     `json:"start"`
	End        []int     `json:"end"`
	Type       []int     `json:"type,omitempty"`
	Attrs      [][]int   `json:"attrs"`
	Sentence   []int     `json:"sentence"`
	Clause     []int     `json:"clause"`
	Confidence []float64 `json:"confidence"`
	Target     []string  `json:"target"`
}

func newColumns(out io.Writer, tax *dataset.Taxonomy, reference bool) *columns {
	c := &columns{out: out, tax: tax, index: make(map[string]int)}
	for _, e := range tax.Emotions() {
		c.name(e.Name)
	}
	c.block.Spans.Attrs = make([][]int, len(tax.Attributes()))
	if reference {
		c.block.Reference, c.block.ReferenceSpans = new(labels), &spans{Attrs: make([][]int, len(tax.Attributes()))}
	}
	return c
}

// name is the index of a label.
func (c *columns) name(label string) int {
	i, ok := c.index[label]
	if !ok {
		i = len(c.names)
		label = strings.Clone(label)
		c.names = append(c.names, label)
		c.index[label] = i
	}
	return i
}

// add takes a valid record, and what the reference says of it, nil for nothing, and writes the block that it completes.
func (c *columns) add(r *dataset.Record, ref *Annotation) error {
	b := &c.block
	b.ID = append(b.ID, strings.Clone(r.SrcID))
	b.Text = append(b.Text, strings.Clone(r.Text))
	c.addLabels(&b.Predictions, r.Predictions)
	var tokens []extent
	if len(r.Data.Spans) > 0 || ref != nil && len(ref.Spans) > 0 {
		tokens = extents(r.Text, r.Data.Tokens)
	}
	c.addSpans(&b.Spans, &Annotation{Spans: r.Data.Spans}, r.Text, tokens)
	if b.Reference != nil {
		if ref != nil {
			c.addLabels(b.Reference, ref.Labels)
		} else {
			ref = new(Annotation)
			b.Reference.Count = append(b.Reference.Count, -1)
		}
		c.addSpans(b.ReferenceSpans, ref, r.Text, tokens)
	}
	c.records++
	if len(b.ID) == blockRecords {
		return c.flush()
	}
	return nil
}

func (c *columns) addLabels(l *labels, list []string) {
	l.Count = append(l.Count, len(list))
	for _, label := range list {
		l.Name = append(l.Name, c.name(label))
	}
}

func (c *columns) addSpans(s *spans, of *Annotation, text string, tokens []extent) {
	s.Count = append(s.Count, len(of.Spans))
	for i := range of.Spans {
		span := &of.Spans[i]
		name, at := span.Subtype, extent{}
		if of.Characters {
			at = characters(span, text)
		} else {
			if e, ok := c.tax.CanonicalEmotion(name); ok {
				name = e.Name
			}
			at = place(span, text, tokens)
		}
		s.Name = append(s.Name, c.name(name))
		s.Start = append(s.Start, at.start16)
		s.End = append(s.End, at.end16)
		a := &span.Attrs
		if types := c.tax.SpanTypes(); len(types) > 1 {
			s.Type = append(s.Type, slices.Index(types, span.Type))
		}
		for k, v := range c.tax.Attributes() {
			at := -1
			if value := a.Field(v.Name); value != nil {
				at = slices.Index(v.Values, *value)
			}
			s.Attrs[k] = append(s.Attrs[k], at)
		}
		s.Sentence = append(s.Sentence, a.SentenceIndex)
		s.Clause = append(s.Clause, a.ClauseIndex)
		s.Confidence = append(s.Confidence, a.Confidence)
		s.Target = append(s.Target, strings.Clone(a.TargetText))
	}
}

// flush writes the block, if there is anything in it, and empties it.
func (c *columns) flush() error {
	if len(c.block.ID) == 0 {
		return nil
	}
	if _, err := io.WriteString(c.out, `<script type="text/plain" class="block">`); err != nil {
		return err
	}
	text := base64.NewEncoder(base64.StdEncoding, c.out)
	packed := gzip.NewWriter(text)
	if err := json.MarshalWrite(packed, &c.block); err != nil {
		return fmt.Errorf("records: %w", err)
	}
	if err := packed.Close(); err != nil {
		return err
	}
	if err := text.Close(); err != nil {
		return err
	}
	c.empty()
	_, err := io.WriteString(c.out, "</script>\n")
	return err
}

// empty keeps the memory of the lists for the next block.
func (c *columns) empty() {
	b := &c.block
	clear(b.ID)
	clear(b.Text)
	b.ID, b.Text = b.ID[:0], b.Text[:0]
	b.Predictions.empty()
	b.Spans.empty()
	if b.Reference != nil {
		b.Reference.empty()
		b.ReferenceSpans.empty()
	}
}

func (l *labels) empty() { l.Count, l.Name = l.Count[:0], l.Name[:0] }

func (s *spans) empty() {
	clear(s.Target)
	for k := range s.Attrs {
		s.Attrs[k] = s.Attrs[k][:0]
	}
	*s = spans{
		Count: s.Count[:0], Name: s.Name[:0], Start: s.Start[:0], End: s.End[:0], Type: s.Type[:0], Attrs: s.Attrs,
		Sentence: s.Sentence[:0], Clause: s.Clause[:0], Confidence: s.Confidence[:0], Target: s.Target[:0],
	}
}

// extent is where something lies in a text: in bytes, and in UTF-16 units.
type extent struct{ start, end, start16, end16 int }

// extents are where the tokens lie, up to the first that does not follow the text.
func extents(text string, tokens []string) []extent {
	list := make([]extent, 0, len(tokens))
	pos, pos16 := 0, 0
	for _, token := range tokens {
		start := pos
		if !strings.HasPrefix(text[start:], token) {
			start = len(text) - len(strings.TrimLeftFunc(text[pos:], dataset.IsSpace))
			if !strings.HasPrefix(text[start:], token) {
				break
			}
		}
		at := extent{start: start, end: start + len(token), start16: pos16 + units(text[pos:start])}
		at.end16 = at.start16 + units(token)
		list = append(list, at)
		pos, pos16 = at.end, at.end16
	}
	return list
}

// place is where a span lies: at its tokens, where they hold its text; a reference may have cut its tokens otherwise, and then
// it is where its text stands first.
func place(s *dataset.Span, text string, tokens []extent) extent {
	if 0 <= s.Start && s.Start <= s.End && s.End < len(tokens) {
		first, last := tokens[s.Start], tokens[s.End]
		if text[first.start:last.end] == s.Text {
			return extent{first.start, last.end, first.start16, last.end16}
		}
	}
	start := strings.Index(text, s.Text)
	if start < 0 || s.Text == "" {
		return extent{-1, -1, -1, -1}
	}
	start16 := units(text[:start])
	return extent{start, start + len(s.Text), start16, start16 + units(s.Text)}
}

// characters is where a span lies whose start and end count characters.
func characters(s *dataset.Span, text string) extent {
	at, n := extent{end: len(text)}, 0
	for i := range text {
		switch n {
		case s.Start:
			at.start = i
		case s.End:
			at.end = i
		}
		n++
	}
	at.start16 = units(text[:at.start])
	at.end16 = at.start16 + units(text[at.start:at.end])
	return at
}

// units is the length of a string in UTF-16.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += utf16.RuneLen(r)
	}
	return n
}
