package report

import (
	"cmp"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"

	"github.com/emospan/emospan/dataset"
)

// What the charts show of the counts.

func tiles(c *counts, o *Options) []tile {
	occur := 0
	for _, n := range c.predictions {
		if n > 0 {
			occur++
		}
	}
	list := []tile{
		{"records", thousands(c.records), ""},
		{"with a span", percent(c.tagged, c.records), thousands(c.tagged)},
		{"spans", thousands(c.spans), ratio(float64(c.spans), c.records) + " a record"},
		{"emotions", strconv.Itoa(occur), fmt.Sprintf("of %d", len(c.predictions))},
		{"tokens a text", ratio(float64(c.textTokens.sum), c.textTokens.n), "at most " + thousands(c.textTokens.max)},
		{"mean confidence", ratio(c.confidenceSum, c.spans), "of spans"},
	}
	if c.invalid > 0 {
		list = append(list, tile{"invalid lines", thousands(c.invalid), "left out"})
	}
	if m := o.Manifest; m != nil {
		list = append(list, tile{"records a second", strconv.FormatFloat(m.RecordsPerSecond, 'f', 2, 64), "by the manifest"})
	}
	switch {
	case o.Rejects != nil:
		list = append(list, tile{"rejected", thousands(o.Rejects.Records), ""})
	case o.Manifest != nil:
		list = append(list, tile{"rejected", thousands(o.Manifest.Rejected), "by the manifest"})
	}
	if ref := &c.reference; o.Reference != nil {
		list = append(list,
			tile{"in the reference", percent(ref.Found, c.records), thousands(ref.Found)},
			tile{"same emotions", percent(ref.same, ref.Found), "as the reference"},
			tile{"an emotion shared", percent(ref.shared, ref.Found), "with the reference"})
	}
	return list
}

func emotionBars(c *counts) bars {
	b := bars{
		Title: "Emotions", Of: "emotion", Unit: "records", Total: c.records,
		Desc: "How many records predict each emotion, the most frequent first, coloured by its group. A record may predict several. A name leads to its records.",
	}
	for i, e := range c.tax.Emotions() {
		if n := c.predictions[i]; n > 0 {
			b.Rows = append(b.Rows, bar{Name: e.Name, Class: groupClass(e.Group), Link: filterLink("emotion", e.Name), Count: n})
		}
	}
	slices.SortStableFunc(b.Rows, func(a, b bar) int { return cmp.Compare(b.Count, a.Count) })
	return b.laidOut()
}

// filterLink is the address that sets one filter, as the page's script reads it.
func filterLink(name, value string) template.URL {
	return template.URL("#" + url.Values{name: {value}}.Encode())
}

func attributeBars(c *counts) []bars {
	var list []bars
	if types := c.tax.SpanTypes(); len(types) > 1 {
		b := bars{Title: "span type", Of: "type", Unit: "spans", Total: c.spans}
		for i, kind := range types {
			b.Rows = append(b.Rows, bar{Name: kind, Class: "plain", Link: filterLink(typeControl, kind), Count: c.types[i]})
		}
		list = append(list, b.laidOut())
	}
	for i, v := range c.tax.Attributes() {
		b := bars{Title: v.Name, Of: "value", Unit: "spans", Total: c.spans}
		for k, value := range v.Values {
			row := bar{Name: value, Class: "plain", Link: filterLink(attrControl(i, v.Name), value), Count: c.attrs[i][k]}
			if v.Name == dataset.AttrEmotionGroup {
				row.Class = groupClass(value)
			}
			b.Rows = append(b.Rows, row)
		}
		list = append(list, b.laidOut())
	}
	return list
}

func histograms(c *counts) []histogram {
	var list []histogram
	if c.records > 0 {
		l := &c.textTokens
		list = append(list, histogram{
			ID: "text-length", Title: "Length of texts", Of: "tokens", Unit: "records", Bins: lengthBins(l),
			Desc: fmt.Sprintf("Tokens a text: %s in the mean, half of the texts have at most %d, the longest has %s.", ratio(float64(l.sum), l.n), l.quantile(0.5), thousands(l.max)),
		}.laidOut())
	}
	if c.spans > 0 {
		l := &c.spanTokens
		list = append(list, histogram{
			ID: "span-length", Title: "Length of spans", Of: "tokens", Unit: "spans", Bins: lengthBins(l),
			Desc: fmt.Sprintf("Tokens a span: %s in the mean, half of the spans have at most %d, the longest has %s.", ratio(float64(l.sum), l.n), l.quantile(0.5), thousands(l.max)),
		}.laidOut())
		bins := confidenceBinNames(confidenceBins)
		for i, n := range c.confidence {
			bins[i].Count = n
		}
		list = append(list, histogram{
			ID: "confidence", Title: "Confidence of spans", Of: "confidence", Unit: "spans", Bins: bins,
			Desc: fmt.Sprintf("How confident the model says it is of a span: %s in the mean.", ratio(c.confidenceSum, c.spans)),
		}.laidOut())
	}
	return list
}

func tokenBars(m *dataset.Manifest) bars {
	return bars{
		Title: "Tokens of the run", Of: "tokens", Unit: "number", Total: m.PromptTokens + m.ForcedTokens + m.SampledTokens,
		Desc: "What passed through the model: the prompts, what the grammar left no choice about, and what the model chose.",
		Rows: []bar{
			{Name: "prompt", Class: "plain", Count: m.PromptTokens},
			{Name: "forced", Class: "plain", Count: m.ForcedTokens},
			{Name: "sampled", Class: "plain", Count: m.SampledTokens},
		},
	}.laidOut()
}

// rejectBars are from the reject log, else from the manifest, which has no ids.
func rejectBars(o *Options) (*bars, int) {
	b := bars{Title: "Reasons", Of: "reason", Unit: "records", Desc: "How many rejected records have each reason. A record may have several."}
	switch {
	case o.Rejects != nil:
		b.Total = o.Rejects.Records
		for _, code := range o.Rejects.Codes {
			row := bar{Name: code.Code, Class: "plain", Count: code.Records, Note: "records:"}
			for i, id := range code.IDs {
				if i > 0 {
					row.Note += ","
				}
				row.Note += " " + id
			}
			if len(code.IDs) < code.Records {
				row.Note += ", …"
			}
			b.Rows = append(b.Rows, row)
		}
	case o.Manifest != nil:
		b.Total = o.Manifest.Rejected
		for code, n := range o.Manifest.RejectCodes {
			b.Rows = append(b.Rows, bar{Name: code, Class: "plain", Count: n})
		}
		slices.SortFunc(b.Rows, func(a, b bar) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	default:
		return nil, 0
	}
	if o.Meaning != nil {
		for i := range b.Rows {
			b.Rows[i].Meaning = o.Meaning(b.Rows[i].Name)
		}
	}
	b = b.laidOut()
	return &b, b.Total
}
