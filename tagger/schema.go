package tagger

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// schemaForm has the model write the card's whole JSON: predictions, tokens, labels and spans. The grammar makes it
// schema-valid and keeps every value to its vocabulary; that tokens, labels, indices and quotes agree with the text and
// with one another is left to the model, and checked afterwards. It is the card's pure baseline.
type schemaForm struct {
	tax *dataset.Taxonomy
	src string
}

// schemaAnswer is what the model writes: the record without what is known beforehand.
type schemaAnswer struct {
	Predictions []string     `json:"predictions"`
	Data        dataset.Data `json:"data"`
}

func newSchemaForm(tax *dataset.Taxonomy) *schemaForm {
	var b strings.Builder
	str := func(values []string) []string {
		quoted := make([]string, len(values))
		for i, v := range values {
			quoted[i] = quote(string(appendJSON(nil, v)))
		}
		return quoted
	}
	var emotions, subtypes, labels []string
	for _, e := range tax.Emotions() {
		emotions = append(emotions, e.Name)
		subtypes = append(subtypes, e.Subtype)
	}
	for _, t := range tax.SpanTypes() {
		labels = append(labels, "B-"+t, "I-"+t)
	}
	rule(&b, "root", `"{\"predictions\":[" emotion ("," emotion){0,2} "],\"data\":{\"tokens\":[" string ("," string)* "],\"labels\":[" label ("," label)* "],\"spans\":[" (span ("," span){0,2})? "]}}"`)
	rule(&b, "emotion", str(emotions)...)
	rule(&b, "subtype", str(subtypes)...)
	rule(&b, "type", str(tax.SpanTypes())...)
	rule(&b, "label", str(append(labels, "O"))...)
	rule(&b, "span", `"{\"type\":" type ",\"subtype\":" subtype ",\"start\":" index ",\"end\":" index ",\"text\":" string ",\"attrs\":{" attrs "}}"`)
	var attrs []string
	attr := func(key string, alternatives ...string) {
		sep := ","
		if len(attrs) == 0 {
			sep = ""
		}
		name := strings.ReplaceAll(key, "_", "-")
		attrs = append(attrs, quote(sep+`"`+key+`":`)+" "+name)
		rule(&b, name, alternatives...)
	}
	for _, key := range dataset.VocabularyAttrs[:6] {
		attr(key, str(tax.Attr(key).Values)...)
	}
	attr("sentence_index", "index")
	attr("clause_index", "index")
	attr("confidence", `"0." [0-9] [0-9]?`, `"1.0"`)
	attr("target_text", `"\"" char* "\""`)
	attr(dataset.AttrTargetRelation, str(tax.Attr(dataset.AttrTargetRelation).Values)...)
	rule(&b, "attrs", strings.Join(attrs, " "))
	rule(&b, "index", `"0"`, `[1-9] [0-9]{0,3}`)
	rule(&b, "string", `"\"" char+ "\""`)
	rule(&b, "char", `[^"\\\x00-\x1F]`, `"\\" ["\\/bfnrt]`, `"\\u" [0-9a-fA-F]{4}`)
	return &schemaForm{tax: tax, src: b.String()}
}

func (f *schemaForm) grammar(*document) string { return f.src }

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
		Predictions json.RawMessage `json:"predictions"`
		Data        json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(line, &parts); err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, `{"predictions":%s,"data":%s}`, parts.Predictions, parts.Data), nil
}

func (f *schemaForm) perText() bool { return false }

// limit leaves room for each token of the text to be written as a quoted token, a label and part of a span twice over.
func (f *schemaForm) limit(textTokens int) int { return 16*textTokens + maxSpans*160 + 32 }
