package export

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// CompanionName is what the companion is called in a folder; empty where the
// format has none.
func (f Format) CompanionName() string { return f.beside }

// CompanionUse says what the companion is and where it goes in the tool.
func (f Format) CompanionUse() string { return f.use }

// Companion is what the format's tool must be told before it takes the records:
// a small file that follows from the taxonomy and the names of spans alone.
func (f Format) Companion(o Options) ([]byte, error) {
	if f.companion == nil {
		return nil, nil
	}
	if o.Names == "" {
		o.Names = f.Names()
	}
	return f.companion(o)
}

// labelingConfig is Label Studio's labeling configuration: the text, a label for
// each name of a span, a choice for each emotion.
func labelingConfig(o Options) ([]byte, error) {
	var b bytes.Buffer
	value := func(tag, name string) {
		fmt.Fprintf(&b, "    <%s value=\"", tag)
		_ = xml.EscapeText(&b, []byte(name)) // a buffer takes everything
		b.WriteString("\"/>\n")
	}
	b.WriteString("<View>\n  <Text name=\"text\" value=\"$text\"/>\n  <Labels name=\"label\" toName=\"text\">\n")
	for _, name := range o.Names.all(o.Taxonomy) {
		value("Label", name)
	}
	b.WriteString("  </Labels>\n  <Choices name=\"emotion\" toName=\"text\" choice=\"multiple\">\n")
	for _, e := range o.Taxonomy.Emotions() {
		value("Choice", e.Name)
	}
	b.WriteString("  </Choices>\n</View>\n")
	return b.Bytes(), nil
}

// doccanoLabels is the file that doccano's page "Labels" imports.
func doccanoLabels(o Options) ([]byte, error) {
	type label struct {
		Text            string `json:"text"`
		BackgroundColor string `json:"backgroundColor"`
		TextColor       string `json:"textColor"`
	}
	var labels []label
	names := o.Names.all(o.Taxonomy)
	for i, name := range names {
		labels = append(labels, label{name, pastel(i, len(names)), "#000000"})
	}
	return indented(labels)
}

// pastel is the ith of n light colours around the wheel, on which black is
// read well.
func pastel(i, n int) string {
	channel := func(shift float64) int {
		turn := 2 * math.Pi * (float64(i)/float64(n) - shift)
		return int(math.Round(200 + 55*math.Cos(turn)))
	}
	return fmt.Sprintf("#%02x%02x%02x", channel(0), channel(1.0/3), channel(2.0/3))
}

// argillaSettings is what Settings.from_json of Argilla 2's SDK reads.
func argillaSettings(o Options) ([]byte, error) {
	type option struct {
		Value string `json:"value"`
		Text  string `json:"text"`
	}
	options := func(names []string) []option {
		var list []option
		for _, name := range names {
			list = append(list, option{name, name})
		}
		return list
	}
	type part struct {
		Name     string         `json:"name"`
		Title    string         `json:"title"`
		Required *bool          `json:"required,omitempty"`
		Settings map[string]any `json:"settings"`
	}
	yes, no := true, false
	var emotions []string
	for _, e := range o.Taxonomy.Emotions() {
		emotions = append(emotions, e.Name)
	}
	var metadata []part
	for _, name := range []string{"model", "provider", "prompt"} {
		metadata = append(metadata, part{name, strings.ToUpper(name[:1]) + name[1:], nil, map[string]any{"type": "terms"}})
	}
	return indented(struct {
		Guidelines   *string        `json:"guidelines"`
		Fields       []part         `json:"fields"`
		Questions    []part         `json:"questions"`
		Metadata     []part         `json:"metadata"`
		Vectors      []part         `json:"vectors"`
		Extra        bool           `json:"allow_extra_metadata"`
		Distribution map[string]any `json:"distribution"`
	}{
		Fields: []part{{"text", "Text", &yes, map[string]any{"type": "text", "use_markdown": false}}},
		Questions: []part{
			{"span", "Spans that show an emotion", &no, map[string]any{
				"type": "span", "field": "text", "allow_overlapping": false, "options": options(o.Names.all(o.Taxonomy)),
			}},
			{"emotion", "Emotions of the whole text", &yes, map[string]any{
				"type": "multi_label_selection", "options_order": "natural", "options": options(emotions),
			}},
		},
		Metadata:     metadata,
		Vectors:      []part{},
		Distribution: map[string]any{"strategy": "overlap", "min_submitted": 1},
	})
}

func indented(v any) ([]byte, error) {
	data, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent("  "))
	return append(data, '\n'), err
}
