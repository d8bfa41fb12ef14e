package export

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// tally counts what the README of a folder says about its records.
type tally struct {
	tax *dataset.Taxonomy

	records, tokens, spans int
	bare                   int // records without a span
	several                int // records with more than one

	models, providers, prompts map[string]int
	emotions                   map[string]int            // of the whole text
	subtypes                   map[string]int            // of spans
	types                      map[string]int            // of spans
	attrs                      map[string]map[string]int // values of each attribute that has a vocabulary
}

// maxNames bounds how many names of models, providers and prompts are told
// apart: a file has one or a few, but nothing keeps it from a million.
const maxNames = 1000

func newTally(tax *dataset.Taxonomy) *tally {
	t := &tally{
		tax:    tax,
		models: map[string]int{}, providers: map[string]int{}, prompts: map[string]int{}, emotions: map[string]int{},
		subtypes: map[string]int{}, types: map[string]int{}, attrs: map[string]map[string]int{},
	}
	for _, v := range tax.Attributes() {
		t.attrs[v.Name] = map[string]int{}
	}
	return t
}

// add counts a record, and returns what it takes in the Arrow tables that
// datasets makes of the folder.
func (t *tally) add(r *dataset.Record) (bytes, tokenBytes int64) {
	t.records++
	t.tokens += len(r.Data.Tokens)
	t.spans += len(r.Data.Spans)
	switch len(r.Data.Spans) {
	case 0:
		t.bare++
	case 1:
	default:
		t.several++
	}
	count(t.models, r.Model)
	count(t.providers, r.Provider)
	count(t.prompts, r.Prompt)
	for _, p := range r.Predictions {
		t.emotions[p]++
	}
	for i := range r.Data.Spans {
		s := &r.Data.Spans[i]
		t.subtypes[s.Subtype]++
		t.types[s.Type]++
		for _, v := range t.tax.Attributes() {
			t.attrs[v.Name][*s.Attrs.Field(v.Name)]++
		}
	}
	return t.measure(r)
}

func count(names map[string]int, name string) {
	if _, ok := names[name]; ok {
		names[name]++
	} else if len(names) < maxNames {
		names[strings.Clone(name)] = 1 // it is cut from a whole line
	}
}

// measure is what a record takes in the Arrow tables of records and of tokens,
// their num_bytes: a string is its bytes and an offset of four, a list an offset
// of four, a number its width.
func (t *tally) measure(r *dataset.Record) (bytes, tokenBytes int64) {
	const offset, int32s, int64s, floats = 4, 4, 8, 8
	text := func(s string) int64 { return int64(offset + len(s)) }
	texts := func(list []string) int64 {
		n := int64(offset)
		for _, s := range list {
			n += text(s)
		}
		return n
	}
	tokens := texts(r.Data.Tokens)
	n := text(r.SrcID) + text(r.Model) + text(r.Provider) + text(r.Prompt) + text(r.Level) + texts(r.Predictions) + text(r.Text) +
		tokens + texts(r.Data.Labels) + offset
	for i := range r.Data.Spans {
		s := &r.Data.Spans[i]
		n += text(s.Type) + text(s.Subtype) + text(s.Text) + text(s.Attrs.TargetText) + 4*int32s + floats
		for _, v := range t.tax.Attributes() {
			n += text(*s.Attrs.Field(v.Name))
		}
	}
	return n, text(r.SrcID) + tokens + offset + int64(len(r.Data.Tokens))*int64s
}

// describes reports whether a manifest is the account of just these records,
// with as many again left out as invalid.
func (t *tally) describes(m *dataset.Manifest, left int) bool {
	if m.Accepted != t.records+left || !only(t.models, m.Model) || !only(t.prompts, m.Prompt) {
		return false
	}
	return left > 0 || m.Spans == t.spans && maps.Equal(m.Emotions, t.emotions)
}

func only(names map[string]int, name string) bool {
	_, ok := names[name]
	return ok && len(names) == 1
}

// share is one name of a count.
type share struct {
	Name  string
	Count int
}

// byCount lists names, the most frequent first.
func byCount(names map[string]int) []share {
	var list []share
	for name, n := range names {
		list = append(list, share{name, n})
	}
	slices.SortFunc(list, func(a, b share) int { return cmp.Or(b.Count-a.Count, cmp.Compare(a.Name, b.Name)) })
	return list
}
