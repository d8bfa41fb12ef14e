package validate

import "github.com/emospan/emospan/dataset"

// Change is one value that [Normalize] brought into the taxonomy's form.
type Change struct {
	Path string `json:"path"` // RFC 6901 JSON Pointer
	From string `json:"from"`
	To   string `json:"to"`
}

// Normalize replaces, in place, values that mean one of the taxonomy's but are
// written another way, by case or by a synonym: predictions, subtypes and the
// attributes that have a vocabulary. Values it does not know, and everything
// else, stay as they are, so that [Record] judges them. It returns the changes
// in the order of the record's keys.
func Normalize(r *dataset.Record, tax *dataset.Taxonomy) []Change {
	var changes []Change
	set := func(value *string, to, path string) {
		changes = append(changes, Change{Path: path, From: *value, To: to})
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
		if _, ok := tax.EmotionBySubtype(s.Subtype); !ok {
			if e, ok := tax.CanonicalEmotion(s.Subtype); ok {
				set(&s.Subtype, e.Subtype, at("/data/spans", i, "/subtype"))
			}
		}
		a := &s.Attrs
		for _, f := range [...]struct {
			attr  string
			value *string
		}{
			{dataset.AttrValence, &a.Valence},
			{dataset.AttrIntensity, &a.Intensity},
			{dataset.AttrCertainty, &a.Certainty},
			{dataset.AttrTemporality, &a.Temporality},
			{dataset.AttrSource, &a.Source},
			{dataset.AttrEmotionGroup, &a.EmotionGroup},
			{dataset.AttrTargetRelation, &a.TargetRelation},
		} {
			if to, ok := tax.Attr(f.attr).Canonical(*f.value); ok && to != *f.value {
				set(f.value, to, at("/data/spans", i, "/attrs/"+f.attr))
			}
		}
	}
	return changes
}
