package report

import (
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
)

//go:embed page
var files embed.FS

// scripts are the page's script, in the order in which they build on each other.
var scripts = []string{"records.js", "filter.js", "text.js", "list.js"}

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"thousands": thousands, "visible": visible, "plural": plural,
}).ParseFS(files, "page/*.html"))

// page writes the two parts of a page around the blocks of records: what is known before them, and what only they tell.
type page struct {
	out  io.Writer
	opts *Options
}

func newPage(out io.Writer, opts *Options) *page { return &page{out, opts} }

func (p *page) title() string {
	return cmp.Or(p.opts.Title, base(p.opts.Name))
}

// base is a path without its folders.
func base(path string) string {
	if path == "" {
		return ""
	}
	return filepath.Base(path)
}

// head writes the page up to the records. The policy lets the page's own style and script work, by their hashes, and nothing
// else: no other script, no request of any kind.
func (p *page) head() error {
	style, script := asset("style.css"), script()
	return templates.ExecuteTemplate(p.out, "head", map[string]any{
		"Title":  p.title(),
		"Policy": "default-src 'none'; style-src " + hash(style) + "; script-src " + hash(script) + "; base-uri 'none'; form-action 'none'",
		"Style":  template.CSS(style),
	})
}

func asset(name string) string {
	data, err := files.ReadFile("page/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	return "\n" + string(data)
}

func script() string {
	var b strings.Builder
	for _, name := range scripts {
		b.WriteString(asset(name))
	}
	return b.String()
}

// hash is a text's source expression in a Content-Security-Policy.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// contents is what the body's template shows.
type contents struct {
	Title, Name, ReferenceName string
	Models                     []string
	MoreModels                 bool
	Records, Embedded, Invalid int
	InvalidCodes               []RejectCode
	Notes                      []string

	Tiles       []tile
	Emotions    bars
	Attributes  []bars
	Histograms  []histogram
	Heatmap     *heatmap
	Reliability *reliability
	Reference   *agreement

	Run          *dataset.Manifest
	RunTokens    bars
	ManifestNote string

	Rejects     *bars
	RejectTotal int
	RejectsNote string

	EmotionOptions []optionGroup
	Meta           meta
	Script         template.JS
}

type tile struct{ Name, Value, Note string }

// optionGroup is the emotions of one group, to choose from.
type optionGroup struct {
	Name     string
	Emotions []bar
}

// meta is what the page's script needs to read the records. Classes are the colours of Names.
type meta struct {
	Block      int        `json:"block"`
	Records    int        `json:"records"`
	Names      []string   `json:"names"`
	Classes    []string   `json:"classes"`
	Types      []string   `json:"types"` // none where the taxonomy has but one
	Attributes []metaAttr `json:"attributes"`
	Reference  bool       `json:"reference"`
	Compared   []int      `json:"compared"` // as what each of Names is compared with the reference, if not as itself
}

type metaAttr struct {
	Name    string   `json:"name"`
	Control string   `json:"control"` // of the filters
	Values  []string `json:"values"`
}

// typeControl is the filter of span types.
const typeControl = "type"

// attrControl is the name of the filter of the i-th attribute of the taxonomy: for one that it adds, such as no other control has.
func attrControl(i int, name string) string {
	if i < len(dataset.Default().Attributes()) {
		return name
	}
	return "attr." + name
}

// body writes the rest of the page.
func (p *page) body(c *counts, cols *columns) error {
	o := p.opts
	v := contents{
		Title: p.title(), Name: base(o.Name), ReferenceName: base(o.ReferenceName), Models: c.modelNames(), MoreModels: c.more,
		Records: c.records, Embedded: cols.records, Invalid: c.invalid, InvalidCodes: sortedCodes(c.codes),
		Tiles: tiles(c, o), Emotions: emotionBars(c), Attributes: attributeBars(c), Histograms: histograms(c),
		Heatmap: newHeatmap(c), Run: o.Manifest, ManifestNote: o.ManifestNote, RejectsNote: o.RejectsNote,
		EmotionOptions: emotionOptions(c), Meta: newMeta(c, cols, o.Reference != nil), Script: template.JS(script()),
	}
	if c.ekman {
		v.Notes = append(v.Notes, "The reference's labels are Ekman's classes, so the records' emotions are compared with it as the classes that they belong to.")
	}
	if o.Reference != nil {
		v.Reference = &c.reference
		v.Reliability = newReliability(&c.reference)
	}
	if m := o.Manifest; m != nil {
		v.RunTokens = tokenBars(m)
		if m.Accepted != c.records {
			v.Notes = append(v.Notes, "The manifest counts "+thousands(m.Accepted)+" accepted records, this file holds "+thousands(c.records)+": they may not belong together.")
		}
	}
	v.Rejects, v.RejectTotal = rejectBars(o)
	return templates.ExecuteTemplate(p.out, "body", v)
}

func newMeta(c *counts, cols *columns, reference bool) meta {
	m := meta{Block: blockRecords, Records: cols.records, Reference: reference}
	if c.ekman {
		for i := range c.tax.Emotions() {
			m.Compared = append(m.Compared, cols.name(c.compared(i)))
		}
	}
	m.Names = cols.names
	for _, name := range cols.names {
		m.Classes = append(m.Classes, emotionClass(c.tax, name))
	}
	if types := c.tax.SpanTypes(); len(types) > 1 {
		m.Types = types
	}
	for i, v := range c.tax.Attributes() {
		m.Attributes = append(m.Attributes, metaAttr{v.Name, attrControl(i, v.Name), v.Values})
	}
	return m
}

// emotionClass is the class that colours an emotion by its group.
func emotionClass(tax *dataset.Taxonomy, name string) string {
	if e, ok := tax.Emotion(name); ok {
		return groupClass(e.Group)
	}
	return "other"
}

// groupClass knows the groups of the built-in taxonomy; those of another are not coloured.
func groupClass(group string) string {
	switch class, _, _ := strings.Cut(group, "_"); class {
	case "positive", "negative", "ambiguous", "neutral":
		return class
	}
	return "other"
}

func emotionOptions(c *counts) []optionGroup {
	var groups []optionGroup
	for _, e := range c.tax.Emotions() {
		n := c.predictions[c.index[e.Name]]
		if n == 0 {
			continue
		}
		at := slices.IndexFunc(groups, func(g optionGroup) bool { return g.Name == e.Group })
		if at < 0 {
			at = len(groups)
			groups = append(groups, optionGroup{Name: e.Group})
		}
		groups[at].Emotions = append(groups[at].Emotions, bar{Name: e.Name, Count: n})
	}
	return groups
}
