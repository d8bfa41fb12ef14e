package validate

import (
	"strings"

	"github.com/emospan/emospan/dataset"
)

// Normalize replaces, in place, values that mean one of the taxonomy's but are
// written another way, by case or by a synonym: predictions, subtypes, span
// types and the attributes that have a vocabulary. Values it does not know, and
// everything else, stay as they are, so that [Record] judges them. It returns
// the changes in the order of the record's keys.
func Normalize(r *dataset.Record, tax *dataset.Taxonomy) []Change {
	var changes []Change
	set := func(value *string, to, path string) {
		code := FixSynonym
		if sameWord(*value, to) {
			code = FixCase
		}
		changes = append(changes, Change{Code: code, Path: path, From: *value, To: to})
		*value = to
	}
	for i := range r.Predictions {
		p := &r.Predictions[i]
		if e, ok := tax.CanonicalEmotion(*p); ok && e.Name != *p {
			set(p, e.Name, at("/predictions", i, ""))
		}
	}
	for i := range r.Data.Spans {
		s := &r.Data.Spans[i]
		for _, kind := range tax.SpanTypes() {
			// Types may differ by case alone; what is one of them is left as it is.
			if s.Type != kind && strings.EqualFold(s.Type, kind) && !hasType(tax, s.Type) {
				set(&s.Type, kind, at("/data/spans", i, "/type"))
			}
		}
		if _, ok := tax.EmotionBySubtype(s.Subtype); !ok {
			if e, ok := tax.CanonicalEmotion(s.Subtype); ok {
				set(&s.Subtype, e.Subtype, at("/data/spans", i, "/subtype"))
			}
		}
		for _, v := range tax.Attributes() {
			value := s.Attrs.Field(v.Name)
			if value == nil {
				continue
			}
			if to, ok := v.Canonical(*value); ok && to != *value {
				set(value, to, at("/data/spans", i, "/attrs/"+v.Name))
			}
		}
	}
	return changes
}

// sameWord reports whether two names differ by case and by what joins or surrounds their words alone.
func sameWord(a, b string) bool {
	return strings.EqualFold(joined.Replace(a), joined.Replace(b))
}

var joined = strings.NewReplacer(" ", "", "\t", "", "-", "", "_", "")

func hasType(tax *dataset.Taxonomy, kind string) bool {
	for _, t := range tax.SpanTypes() {
		if t == kind {
			return true
		}
	}
	return false
}
