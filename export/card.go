package export

import (
	_ "embed"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/emospan/emospan/dataset"
)

// UnknownLicense is the Hub's identifier for a licence that nobody stated.
const UnknownLicense = "unknown"

// CardOptions are what a folder's README says beyond what the records hold.
type CardOptions struct {
	License  string            // an identifier of the Hub's; empty for UnknownLicense
	Manifest *dataset.Manifest // of the run that made the records, nil where there is none
}

//go:embed card.tmpl
var cardText string

var cardTemplate = template.Must(template.New("card").Funcs(template.FuncMap{
	"yaml": yamlString, "code": codeSpan, "percent": percent,
	"date": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") },
}).Parse(cardText))

// card is what the README of a folder is made from. It says nothing that does
// not follow from the records, or from a manifest that counts just these.
type card struct {
	Title, License          string
	RecordsSize, TokensSize int64 // of the Parquet files
	Parts                   []*hubPart
	Left                    int // lines that were not valid records

	Manifest *dataset.Manifest // nil where there is none, or it is another file's
	Stray    *dataset.Manifest // one that is another file's

	opts  Options
	tally *tally
}

func newCard(path string, t *tally, o Options, more CardOptions, left int) *card {
	c := &card{Title: filepath.Base(path), License: more.License, Left: left, opts: o, tally: t}
	if c.License == "" {
		c.License = UnknownLicense
	}
	if m := more.Manifest; m != nil && t.describes(m, left) {
		c.Manifest = m
	} else {
		c.Stray = m
	}
	return c
}

func (c *card) write(w io.Writer) error { return cardTemplate.Execute(w, c) }

// The numbers of the records.

func (c *card) Records() int { return c.tally.records }
func (c *card) Tokens() int  { return c.tally.tokens }
func (c *card) Spans() int   { return c.tally.spans }
func (c *card) Bare() int    { return c.tally.bare }
func (c *card) Several() int { return c.tally.several }

// Bytes and TokenBytes are what the two tables take in Arrow's memory format.

func (c *card) Bytes() (n int64) {
	for _, p := range c.Parts {
		n += p.Bytes
	}
	return n
}

func (c *card) TokenBytes() (n int64) {
	for _, p := range c.Parts {
		n += p.TokenBytes
	}
	return n
}

// RecordsFile and TokensFile are the tables of a part.

func (p *hubPart) RecordsFile() string { return hubTable("data", p.Name) }
func (p *hubPart) TokensFile() string  { return hubTable("tokens", p.Name) }

// First is the part that the README's examples load.
func (c *card) First() string { return c.Parts[0].Name }

// Split reports whether there are several parts.
func (c *card) Split() bool { return len(c.Parts) > 1 }

func (c *card) Languages() []string { return c.opts.Languages }
func (c *card) Seed() uint64        { return c.opts.Splits.Seed }

func (c *card) Models() []share    { return byCount(c.tally.models) }
func (c *card) Providers() []share { return byCount(c.tally.providers) }
func (c *card) Prompts() []share   { return byCount(c.tally.prompts) }

// Predictions is how many emotions the texts have, all texts together.
func (c *card) Predictions() int {
	n := 0
	for _, count := range c.tally.emotions {
		n += count
	}
	return n
}

// Top is the most frequent emotion of the texts.
func (c *card) Top() share { return byCount(c.tally.emotions)[0] }

// emotionRow is a line of the table of emotions.
type emotionRow struct {
	Name, Group  string
	Texts, Spans int
}

// Emotions are all of the taxonomy, those that do not occur too.
func (c *card) Emotions() []emotionRow {
	var table []emotionRow
	for _, e := range c.opts.Taxonomy.Emotions() {
		table = append(table, emotionRow{e.Name, e.Group, c.tally.emotions[e.Name], c.tally.subtypes[e.Subtype]})
	}
	return table
}

// attrRow is an attribute with its vocabulary and how often each value occurs.
type attrRow struct {
	Name, Default string
	Values        []share
}

func (c *card) Attrs() []attrRow {
	var table []attrRow
	for _, v := range c.opts.Taxonomy.Attributes() {
		row := attrRow{Name: v.Name, Default: v.Default}
		for _, value := range v.Values {
			row.Values = append(row.Values, share{value, c.tally.attrs[v.Name][value]})
		}
		table = append(table, row)
	}
	return table
}

// Defaults are the values that the compact form leaves out.
func (c *card) Defaults() []attrRow {
	return slices.DeleteFunc(c.Attrs(), func(a attrRow) bool { return a.Default == "" })
}

func (c *card) Taxonomy() *dataset.Taxonomy { return c.opts.Taxonomy }

func (c *card) Tags() []string { return c.opts.Names.tags(c.opts.Taxonomy) }

// NamedBy says what a tag's tail is.
func (c *card) NamedBy() string {
	if c.opts.Names == ByType {
		return "the span's type"
	}
	return "the span's emotion"
}

func (c *card) RecordFeatures() string { return recordFeatures(c.opts.Taxonomy).yaml("  ") }
func (c *card) TokenFeatures() string  { return tokenFeatures(c.Tags()).yaml("  ") }

// RejectCodes are the reasons for which the run rejected records.
func (c *card) RejectCodes() []share { return byCount(c.Manifest.RejectCodes) }

// Stated reports whether anybody named a licence.
func (c *card) Stated() bool { return c.License != UnknownLicense }

// SizeCategory is the Hub's class of the number of records.
func (c *card) SizeCategory() string {
	classes := []struct {
		below int
		name  string
	}{
		{1e3, "n<1K"}, {1e4, "1K<n<10K"}, {1e5, "10K<n<100K"}, {1e6, "100K<n<1M"}, {1e7, "1M<n<10M"}, {1e8, "10M<n<100M"}, {1e9, "100M<n<1B"},
	}
	for _, class := range classes {
		if c.tally.records < class.below {
			return class.name
		}
	}
	return "1B<n<10B"
}

// percent is a part of a whole, to one place.
func percent(part, whole int) string {
	if whole == 0 {
		return "0 %"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}

// codeSpan shows a name from a record or manifest as Markdown's code, in a
// table too: without what would end either.
func codeSpan(name string) string {
	return "`" + strings.Map(func(r rune) rune {
		if r < ' ' || r == '`' || r == '|' {
			return '\ufffd'
		}
		return r
	}, name) + "`"
}
