package export

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/emospan/emospan/dataset"
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

// appendType writes the type as the members of a mapping. In a list, datasets
// puts a plain type's name and a struct's members directly.
func (f *feature) appendType(b *strings.Builder, indent string) {
	switch {
	case f.labels != nil:
		fmt.Fprintf(b, "%sclass_label:\n%s  names:\n", indent, indent)
		for i, label := range f.labels {
			fmt.Fprintf(b, "%s    '%d': %s\n", indent, i, yamlString(label))
		}
	case f.list != nil && f.list.dtype != "":
		fmt.Fprintf(b, "%slist: %s\n", indent, f.list.dtype)
	case f.list != nil:
		fmt.Fprintf(b, "%slist:\n", indent)
		if f.list.fields == nil {
			f.list.appendType(b, indent+"  ")
		}
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

// yamlString quotes a string: JSON's strings are YAML's too.
func yamlString(s string) string {
	quoted, err := jsontext.AppendQuote(nil, s)
	if err != nil { // not UTF-8
		return strconv.QuoteToASCII(s)
	}
	return string(quoted)
}
