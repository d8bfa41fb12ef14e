package dataset

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Attrs are the attributes of a span: the eleven that each has, and those that
// the taxonomy adds. Confidence lies in [0,1].
type Attrs struct {
	Valence        string  `json:"valence"`
	Intensity      string  `json:"intensity"`
	Certainty      string  `json:"certainty"`
	Temporality    string  `json:"temporality"`
	Source         string  `json:"source"`
	EmotionGroup   string  `json:"emotion_group"`
	SentenceIndex  int     `json:"sentence_index"`
	ClauseIndex    int     `json:"clause_index"`
	Confidence     float64 `json:"confidence"`
	TargetText     string  `json:"target_text"`
	TargetRelation string  `json:"target_relation"`

	// Further are the taxonomy's own, in the order of [Taxonomy.Further]; nil
	// under one that adds none. They are members of the JSON object, behind
	// the others.
	Further []Attr `json:"-"`
}

// Attr is the value of one attribute.
type Attr struct{ Name, Value string }

// attrKeys are the keys of the eleven attributes, in a record's order.
var attrKeys = [...]string{
	AttrValence, AttrIntensity, AttrCertainty, AttrTemporality, AttrSource, AttrEmotionGroup,
	"sentence_index", "clause_index", "confidence", "target_text", AttrTargetRelation,
}

// Field points at the value of an attribute that has a vocabulary; nil where
// the span has no such attribute.
func (a *Attrs) Field(name string) *string {
	switch name {
	case AttrValence:
		return &a.Valence
	case AttrIntensity:
		return &a.Intensity
	case AttrCertainty:
		return &a.Certainty
	case AttrTemporality:
		return &a.Temporality
	case AttrSource:
		return &a.Source
	case AttrEmotionGroup:
		return &a.EmotionGroup
	case AttrTargetRelation:
		return &a.TargetRelation
	}
	for i := range a.Further {
		if a.Further[i].Name == name {
			return &a.Further[i].Value
		}
	}
	return nil
}

// UnmarshalJSONFrom implements [json.UnmarshalerFrom]. It knows no taxonomy:
// every further member that is a string becomes one of Further, in the order
// of the JSON, and others are passed over.
func (a *Attrs) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*a = Attrs{}
	if d.PeekKind() != '{' {
		type plain Attrs
		return json.UnmarshalDecode(d, (*plain)(a)) // null, or an error
	}
	if _, err := d.ReadToken(); err != nil {
		return err
	}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		if err := a.unmarshal(name.String(), d); err != nil {
			return err
		}
	}
	_, err := d.ReadToken()
	return err
}

func (a *Attrs) unmarshal(name string, d *jsontext.Decoder) error {
	switch name {
	case "sentence_index":
		return json.UnmarshalDecode(d, &a.SentenceIndex)
	case "clause_index":
		return json.UnmarshalDecode(d, &a.ClauseIndex)
	case "confidence":
		return json.UnmarshalDecode(d, &a.Confidence)
	case "target_text":
		return json.UnmarshalDecode(d, &a.TargetText)
	}
	if value := a.Field(name); value != nil {
		return json.UnmarshalDecode(d, value)
	}
	if d.PeekKind() != '"' {
		return d.SkipValue()
	}
	value, err := d.ReadToken()
	if err == nil {
		a.Further = append(a.Further, Attr{name, value.String()})
	}
	return err
}
