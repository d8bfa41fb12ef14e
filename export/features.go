package export

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A feature is the type of a column, or of what lies in one, as Hugging Face's
// datasets describe it: a value of some dtype, a class label, a list, or a
// struct.
type feature struct {
	name   string // of a column or a member
	dtype  string
	labels []string  // of a class label
	list   *feature  // of the elements
	fields []feature // of a struct
}

// features are the columns of a table.
type features []feature

func value(name, dtype string) feature { return feature{name: name, dtype: dtype} }

func list(name string, element feature) feature { return feature{name: name, list: &element} }

func object(name string, fields ...feature) feature { return feature{name: name, fields: fields} }

// recordFeatures are the columns of parquetRecord, and those of the attributes
// that the taxonomy adds.
func recordFeatures(tax *dataset.Taxonomy) features {
	text := func(name string) feature { return value(name, "string") }
	texts := func(name string) feature { return list(name, text("")) }
	attrs := []feature{
		text("valence"), text("intensity"), text("certainty"), text("temporality"), text("source"), text("emotion_group"),
		value("sentence_index", "int32"), value("clause_index", "int32"), value("confidence", "float64"),
		text("target_text"), text("target_relation"),
	}
	for _, v := range tax.Further() {
		attrs = append(attrs, text(v.Name))
	}
	return features{
		text("src_id"), text("model"), text("provider"), text("prompt"), text("level"), texts("predictions"), text("text"),
		object("data", texts("tokens"), texts("labels"), list("spans", object("",
			text("type"), text("subtype"), value("start", "int32"), value("end", "int32"), text("text"),
			object("attrs", attrs...),
		))),
	}
}

// tokenFeatures are the columns of parquetTokens.
func tokenFeatures(tags []string) features {
	return features{value("id", "string"), list("tokens", value("", "string")), list("ner_tags", feature{labels: tags})}
}

// yaml writes the columns as a README's dataset_info has them, each line behind
// indent.
func (f features) yaml(indent string) string {
	var b strings.Builder
	for _, column := range f {
		column.appendYAML(&b, indent)
	}
	return b.String()
}

func (f *feature) appendYAML(b *strings.Builder, indent string) {
	fmt.Fprintf(b, "%s- name: %s\n", indent, f.name)
	f.appendType(b, indent+"  ")
}

// appendType writes the type as the members of a mapping. A list of plain
// values is a sequence, and one of structs a list: datasets before version 4
// takes "list" of plain values for a bare Python list without a feature, and
// "sequence" of structs for a struct of lists.
func (f *feature) appendType(b *strings.Builder, indent string) {
	switch {
	case f.labels != nil:
		fmt.Fprintf(b, "%sclass_label:\n%s  names:\n", indent, indent)
		for i, label := range f.labels {
			fmt.Fprintf(b, "%s    '%d': %s\n", indent, i, yamlString(label))
		}
	case f.list != nil && f.list.dtype != "":
		fmt.Fprintf(b, "%ssequence: %s\n", indent, f.list.dtype)
	case f.list != nil && f.list.fields == nil:
		fmt.Fprintf(b, "%ssequence:\n", indent)
		f.list.appendType(b, indent+"  ")
	case f.list != nil:
		fmt.Fprintf(b, "%slist:\n", indent)
		for i := range f.list.fields {
			f.list.fields[i].appendYAML(b, indent)
		}
	case f.fields != nil:
		fmt.Fprintf(b, "%sstruct:\n", indent)
		for i := range f.fields {
			f.fields[i].appendYAML(b, indent)
		}
	default:
		fmt.Fprintf(b, "%sdtype: %s\n", indent, f.dtype)
	}
}

// MarshalJSONTo writes the columns as Features.from_dict of datasets reads
// them, in their order.
func (f features) MarshalJSONTo(enc *jsontext.Encoder) error {
	err := enc.WriteToken(jsontext.BeginObject)
	for i := range f {
		err = errors.Join(err, enc.WriteToken(jsontext.String(f[i].name)), json.MarshalEncode(enc, &f[i]))
	}
	return errors.Join(err, enc.WriteToken(jsontext.EndObject))
}

// MarshalJSONTo writes the type, which every version of datasets from 2.21 on
// takes for the same as the README's.
func (f *feature) MarshalJSONTo(enc *jsontext.Encoder) error {
	type classLabel struct {
		Names []string `json:"names"`
		Type  string   `json:"_type"`
	}
	type sequence struct {
		Feature *feature `json:"feature"`
		Type    string   `json:"_type"`
	}
	type value struct {
		DType string `json:"dtype"`
		Type  string `json:"_type"`
	}
	switch {
	case f.labels != nil:
		return json.MarshalEncode(enc, classLabel{f.labels, "ClassLabel"})
	case f.list != nil && f.list.fields == nil:
		return json.MarshalEncode(enc, sequence{f.list, "Sequence"})
	case f.list != nil:
		return json.MarshalEncode(enc, []features{f.list.fields})
	case f.fields != nil:
		return json.MarshalEncode(enc, features(f.fields))
	}
	return json.MarshalEncode(enc, value{f.dtype, "Value"})
}

// yamlString quotes a string: JSON's strings are YAML's too.
func yamlString(s string) string {
	quoted, err := jsontext.AppendQuote(nil, s)
	if err != nil { // not UTF-8
		return strconv.QuoteToASCII(s)
	}
	return string(quoted)
}
