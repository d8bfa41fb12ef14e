package validate

// Change is one thing that [Fix] or [Stream] did to a record.
type Change struct {
	Code string `json:"code"`
	Path string `json:"path"` // RFC 6901 JSON Pointer into the record as it came
	From string `json:"from"` // a value of the taxonomy or a span's text as it is, anything else as JSON; empty for what was not there
	To   string `json:"to"`   // likewise
}

// Codes of changes. They are as stable as those of problems.
const (
	FixUnknownKey      = "fix.unknown_key"
	FixPredictionsKey  = "fix.predictions_key"
	FixPredictionsList = "fix.predictions_list"
	FixLevel           = "fix.level"
	FixLabelsStruct    = "fix.labels_struct"
	FixSpansStruct     = "fix.spans_struct"
	FixNumber          = "fix.number"

	FixLabels    = "fix.labels"
	FixSpanText  = "fix.span_text"
	FixSpanOrder = "fix.span_order"

	FixCase         = "fix.case"
	FixSynonym      = "fix.synonym"
	FixAttrPlace    = "fix.attr_place"
	FixAttrDefault  = "fix.attr_default"
	FixEmotionGroup = "fix.emotion_group"
	FixTarget       = "fix.target"

	FixDuplicate = "fix.duplicate"
)

// Fixes lists every code that a [Change] can have, grouped by check.
func Fixes() []Code {
	return []Code{
		{FixUnknownKey, stepSchema, "a key that a record does not have was dropped"},
		{FixPredictionsKey, stepSchema, "predictions stood under original_…_predictions"},
		{FixPredictionsList, stepSchema, "predictions was a string in place of a list of one"},
		{FixLevel, stepSchema, "level was missing under a prompt of level 2, or in another case"},
		{FixLabelsStruct, stepSchema, "labels was an object: a list for each span type, or labels by index"},
		{FixSpansStruct, stepSchema, "spans was an object: columns, spans by index, or a single span"},
		{FixNumber, stepSchema, "a number was written as a string, or an index as a float"},

		{FixLabels, stepSpan, "labels were recomputed from the spans"},
		{FixSpanText, stepSpan, "a span's text was recomputed from its indices"},
		{FixSpanOrder, stepSpan, "spans were put into the order of the text"},

		{FixCase, stepAttribute, "a value was written in another case, or joined by other marks"},
		{FixSynonym, stepAttribute, "a synonym was replaced by the value that it means"},
		{FixAttrPlace, stepAttribute, "an attribute stood beside attrs, not in it"},
		{FixAttrDefault, stepAttribute, "an attribute that was missing or empty has the taxonomy's default"},
		{FixEmotionGroup, stepAttribute, "emotion_group was missing or unknown and follows from the subtype"},
		{FixTarget, stepAttribute, "a missing target_text is empty, a missing target_relation none"},

		{FixDuplicate, stepEmotion, "a prediction that stood there already was dropped"},
	}
}
