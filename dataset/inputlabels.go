package dataset

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// canonicalLabels gives the emotions that labels mean, each once, in their
// order. A label is a name, with the tolerance of [Taxonomy.CanonicalEmotion],
// or the number of an emotion in the taxonomy, from 0; an empty one is none.
func canonicalLabels(labels []string, tax *Taxonomy, path string) ([]string, *Reason) {
	var names []string
	for _, label := range labels {
		label = strings.TrimSpace(label)
		if label == "" {
			continue
		}
		name, ok := "", false
		if strings.Trim(label, "0123456789") == "" { // no emotion's name is a number
			if id, err := strconv.Atoi(label); err == nil && id < len(tax.Emotions()) {
				name, ok = tax.Emotions()[id].Name, true
			}
		} else if e, known := tax.CanonicalEmotion(label); known {
			name, ok = e.Name, true
		}
		if !ok {
			return nil, &Reason{
				Code: CodeInputUnknownLabel, Path: path, Found: strconv.Quote(clipped(label)),
				Expected: fmt.Sprintf("an emotion of the taxonomy %s or a number below %d", tax.Name(), len(tax.Emotions())),
			}
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, nil
}

// splitLabels cuts a list with commas between, also as Python prints one.
func splitLabels(list string) []string {
	list = strings.TrimSpace(list)
	if inner, ok := strings.CutPrefix(list, "["); ok {
		list = strings.TrimSuffix(inner, "]")
	}
	labels := strings.Split(list, ",")
	for i, label := range labels {
		labels[i] = strings.Trim(label, ` '"`)
	}
	return labels
}

// labelsValue takes an array of names or numbers, or one string with commas between.
func labelsValue(name string, kind jsontext.Kind, value jsontext.Value) ([]string, *Reason) {
	switch kind {
	case '"':
		return splitLabels(unquote(value)), nil
	case '0':
		return []string{string(value)}, nil
	case '[':
	default:
		return nil, &Reason{Code: CodeInputType, Path: pointer(name), Expected: "an array of names", Found: KindName(kind, "no JSON")}
	}
	var labels []string
	d := jsontext.NewDecoder(bytes.NewReader(value), jsontext.AllowDuplicateNames(true))
	d.ReadToken()
	for i := 0; d.PeekKind() != ']'; i++ {
		kind := d.PeekKind()
		item, err := d.ReadValue()
		if err != nil {
			return nil, syntaxReason(err)
		}
		switch kind {
		case '"':
			labels = append(labels, unquote(item))
		case '0':
			labels = append(labels, string(item))
		default:
			return nil, &Reason{Code: CodeInputType, Path: fmt.Sprintf("%s/%d", pointer(name), i), Expected: "a name", Found: KindName(kind, "no JSON")}
		}
	}
	return labels, nil
}

// clipped shortens what a message quotes from an input.
func clipped(s string) string {
	const limit = 40 // bytes
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "…"
}
