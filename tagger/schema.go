package tagger

import (
	"fmt"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// schemaForm has the model write the card's whole JSON: predictions, tokens, labels and spans. The grammar makes it
// schema-valid and keeps every value to its vocabulary; that tokens, labels, indices and quotes agree with the text and
// with one another is left to the model, and checked afterwards. It is the card's pure baseline.
type schemaForm struct {
	tax   *dataset.Taxonomy
	frame *frame
}

// schemaAnswer is what the model writes: the record without what is known beforehand.
type schemaAnswer struct {
	Predictions []string     `json:"predictions"`
	Data        dataset.Data `json:"data"`
}

func newSchemaForm(tax *dataset.Taxonomy) (*schemaForm, error) {
	var emotions, subtypes, labels []string
	for _, e := range tax.Emotions() {
		emotions = append(emotions, e.Name)
		subtypes = append(subtypes, e.Subtype)
	}
	for _, t := range tax.SpanTypes() {
		labels = append(labels, "B-"+t, "I-"+t)
	}
	var b strings.Builder
	rule(&b, "root", fmt.Sprintf(`"{\"predictions\":[" emotion ("," emotion){0,%d} "],\"data\":{\"tokens\":[" string ("," string)* `+
		`"],\"labels\":[" label ("," label)* "],\"spans\":[" (span ("," span){0,%d})? "]}}"`, maxPredictions-1, maxSpans-1))
	rule(&b, "emotion", strs(emotions)...)
	rule(&b, "subtype", strs(subtypes)...)
	rule(&b, "type", strs(tax.SpanTypes())...)
	rule(&b, "label", strs(append(labels, "O"))...)
	rule(&b, "span", `"{\"type\":" type ",\"subtype\":" subtype ",\"start\":" index ",\"end\":" index ",\"text\":" string ",\"attrs\":{" attrs "}}"`)
	var attrs []string
	named := func(name, key string, alternatives ...string) {
		sep := ","
		if len(attrs) == 0 {
			sep = ""
		}
		attrs = append(attrs, grammar.Literal(sep+`"`+key+`":`)+" "+name)
		rule(&b, name, alternatives...)
	}
	attr := func(key string, alternatives ...string) {
		named(strings.ReplaceAll(key, "_", "-"), key, alternatives...)
	}
	for _, v := range tax.Attributes()[:6] {
		attr(v.Name, strs(v.Values)...)
	}
	attr("sentence_index", "index")
	attr("clause_index", "index")
	attr("confidence", `"0." [0-9] [0-9]?`, `"1.0"`)
	attr("target_text", `"\"" char* "\""`)
	attr(dataset.AttrTargetRelation, strs(tax.Attr(dataset.AttrTargetRelation).Values)...)
	for _, v := range tax.Further() {
		named(furtherRule(v), v.Name, strs(v.Values)...)
	}
	rule(&b, "attrs", strings.Join(attrs, " "))
	rule(&b, "index", `"0"`, `[1-9] [0-9]{0,3}`)
	rule(&b, "string", `"\"" char+ "\""`)
	// An escaped surrogate stands in its pair: many readers of JSON refuse it alone.
	rule(&b, "char", `[^"\\\x00-\x1F]`, `"\\" ["\\/bfnrt]`, `"\\u" code`)
	rule(&b, "code", `[0-9abcefABCEF] hex hex hex`, `[dD] [0-7] hex hex`, `[dD] [89abAB] hex hex "\\u" [dD] [c-fC-F] hex hex`)
	rule(&b, "hex", `[0-9a-fA-F]`)
	frame, err := newFrame(b.String())
	return &schemaForm{tax, frame}, err
}

// strs are the GBNF literals of values as JSON strings.
func strs(values []string) []string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = grammar.Literal(string(appendJSON(nil, v)))
	}
	return quoted
}

func (f *schemaForm) frames() []*frame { return []*frame{f.frame} }

func (f *schemaForm) stages(*document) plan { return single(stage{name: "answer", frame: f.frame}) }

func (f *schemaForm) decode(answer []byte, _ *document, r *dataset.Record) error {
	var a schemaAnswer
	if err := json.Unmarshal(answer, &a); err != nil {
		return fmt.Errorf("the answer is not the card's JSON: %w", err)
	}
	r.Predictions, r.Data = a.Predictions, a.Data
	return nil
}

func (f *schemaForm) encode(r *dataset.Record) ([]byte, error) {
	line, err := r.AppendJSON(nil)
	if err != nil {
		return nil, err
	}
	// The model writes the record's two last parts, without the text between them.
	var parts struct {
		Predictions jsontext.Value `json:"predictions"`
		Data        jsontext.Value `json:"data"`
	}
	if err := json.Unmarshal(line, &parts); err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `{"predictions":%s,"data":%s}`, parts.Predictions, parts.Data), nil
}

// limit leaves room for each token of the text to be written as a quoted token, a label and part of a span twice over.
func (f *schemaForm) limit(textTokens int) int {
	return 16*textTokens + maxSpans*(160+furtherLength(f.tax)) + 32
}
