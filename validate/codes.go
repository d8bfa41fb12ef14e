package validate

import "github.com/emospan/emospan/dataset"

// Problem is one fault of a record.
type Problem = dataset.Reason

// MaxProblems is how many problems of one record are reported; a last one of
// code [CodeLimitProblems] says that there are more.
const MaxProblems = 20

// Codes of problems. They are stable: logs and scripts may rely on them.
const (
	CodeSyntax       = "schema.syntax"
	CodeUTF8         = "schema.invalid_utf8"
	CodeTooDeep      = "schema.too_deep"
	CodeLineTooLong  = "schema.line_too_long"
	CodeUnknownKey   = "schema.unknown_key"
	CodeMissingKey   = "schema.missing_key"
	CodeDuplicateKey = "schema.duplicate_key"
	CodeType         = "schema.type"
	CodeNumberRange  = "schema.number_range"
	CodeEmpty        = "schema.empty"
	CodeLevel        = "schema.level"
	CodeDuplicateID  = "schema.duplicate_id"

	CodeAlignLength     = "alignment.length"
	CodeAlignEmptyToken = "alignment.empty_token"
	CodeAlignTokenText  = "alignment.token_text"
	CodeAlignGap        = "alignment.gap"

	CodeLabelValue = "label.value"
	CodeLabelBIO   = "label.bio"

	CodeSpanType    = "span.type"
	CodeSpanRange   = "span.range"
	CodeSpanOrder   = "span.order"
	CodeSpanOverlap = "span.overlap"
	CodeSpanText    = "span.text"
	CodeSpanLabels  = "span.labels"
	CodeSpanSimple  = "span.simple"
	CodeSpanMissing = "span.missing"

	CodeValence        = "vocab.valence"
	CodeIntensity      = "vocab.intensity"
	CodeCertainty      = "vocab.certainty"
	CodeTemporality    = "vocab.temporality"
	CodeSource         = "vocab.source"
	CodeEmotionGroup   = "vocab.emotion_group"
	CodeTargetRelation = "vocab.target_relation"
	CodeFurther        = "vocab.further"
	CodeIndex          = "vocab.index"
	CodeTargetText     = "target.text"
	CodeTargetNone     = "target.relation"

	CodeEmotionEmpty        = "emotion.empty"
	CodeEmotionCase         = "emotion.case"
	CodeEmotionUnknown      = "emotion.unknown"
	CodeEmotionDuplicate    = "emotion.duplicate"
	CodeNeutralAlone        = "emotion.neutral_alone"
	CodeSubtypeCase         = "emotion.subtype_case"
	CodeSubtypeUnknown      = "emotion.subtype_unknown"
	CodeSubtypeNotPredicted = "emotion.subtype_not_predicted"

	CodeConfidence = "confidence.range"
	CodePercent    = "confidence.percent"

	CodeLimitProblems = "limit.problems"
	CodeLimitWork     = "limit.work"
)

// Code describes one code of a problem.
type Code struct {
	Code    string `json:"code"`
	Step    string `json:"step"` // the check of the card that it belongs to
	Meaning string `json:"meaning"`
}

const (
	stepSchema     = "schema validation"
	stepAlignment  = "token/label alignment"
	stepSpan       = "span consistency"
	stepAttribute  = "attribute normalization"
	stepEmotion    = "emotion label validation"
	stepConfidence = "confidence checks"
	stepLogging    = "rejected sample logging"
)

// Steps are the card's seven checks, in its order.
func Steps() []string {
	return []string{stepSchema, stepAlignment, stepSpan, stepAttribute, stepEmotion, stepConfidence, stepLogging}
}

// Codes lists every code that this package reports, grouped by check.
func Codes() []Code {
	return []Code{
		{CodeSyntax, stepSchema, "the line is not exactly one JSON value"},
		{CodeUTF8, stepSchema, "the line or a string is not UTF-8"},
		{CodeTooDeep, stepSchema, "the JSON is nested far deeper than a record"},
		{CodeLineTooLong, stepSchema, "the line is longer than the limit"},
		{CodeUnknownKey, stepSchema, "a key that a record does not have"},
		{CodeMissingKey, stepSchema, "a key of the record is missing"},
		{CodeDuplicateKey, stepSchema, "a key appears twice in one object"},
		{CodeType, stepSchema, "a value has the wrong type"},
		{CodeNumberRange, stepSchema, "a number does not fit its type"},
		{CodeEmpty, stepSchema, "a string that identifies the record, or its text, is empty"},
		{CodeLevel, stepSchema, "level is not level2"},
		{CodeDuplicateID, stepSchema, "src_id stands in an earlier record too"},

		{CodeAlignLength, stepAlignment, "there are not as many labels as tokens"},
		{CodeAlignEmptyToken, stepAlignment, "a token is empty or white space alone"},
		{CodeAlignTokenText, stepAlignment, "a token does not stand in the rest of the text"},
		{CodeAlignGap, stepAlignment, "text other than white space lies before, between or behind tokens"},
		{CodeLabelValue, stepAlignment, "a label is not O, B-TYPE or I-TYPE of a known type"},
		{CodeLabelBIO, stepAlignment, "an I- label follows neither B- nor I- of its type"},

		{CodeSpanType, stepSpan, "the span's type is unknown"},
		{CodeSpanRange, stepSpan, "start and end are not token indices in order"},
		{CodeSpanOrder, stepSpan, "a span starts before the one listed before it"},
		{CodeSpanOverlap, stepSpan, "a span starts inside the one before it"},
		{CodeSpanText, stepSpan, "the span's text is not the text from token start to token end"},
		{CodeSpanLabels, stepSpan, "a label is not what the spans make it"},
		{CodeSpanSimple, stepSpan, "a record of the prompt simple has a span"},
		{CodeSpanMissing, stepSpan, "an emotion is predicted and there is no span, which the prompt simple alone allows"},

		{CodeValence, stepAttribute, "valence is not in its vocabulary"},
		{CodeIntensity, stepAttribute, "intensity is not in its vocabulary"},
		{CodeCertainty, stepAttribute, "certainty is not in its vocabulary"},
		{CodeTemporality, stepAttribute, "temporality is not in its vocabulary"},
		{CodeSource, stepAttribute, "source is not in its vocabulary"},
		{CodeEmotionGroup, stepAttribute, "emotion_group is not in its vocabulary"},
		{CodeTargetRelation, stepAttribute, "target_relation is not in its vocabulary"},
		{CodeFurther, stepAttribute, "an attribute that the taxonomy adds is not in its vocabulary"},
		{CodeIndex, stepAttribute, "sentence_index or clause_index is below 0 or no less than the number of tokens"},
		{CodeTargetText, stepAttribute, "target_text is neither empty, nor a run of the text's tokens, nor a listed pronoun"},
		{CodeTargetNone, stepAttribute, "target_relation is none with a target_text, or something else without one"},

		{CodeEmotionEmpty, stepEmotion, "predictions is empty"},
		{CodeEmotionCase, stepEmotion, "a prediction is not in lower case"},
		{CodeEmotionUnknown, stepEmotion, "a prediction is not in the taxonomy"},
		{CodeEmotionDuplicate, stepEmotion, "a prediction appears twice"},
		{CodeNeutralAlone, stepEmotion, "neutral stands beside another prediction"},
		{CodeSubtypeCase, stepEmotion, "a subtype is not capitalised"},
		{CodeSubtypeUnknown, stepEmotion, "a subtype is not in the taxonomy"},
		{CodeSubtypeNotPredicted, stepEmotion, "a subtype is not among the predictions"},

		{CodeConfidence, stepConfidence, "confidence is not in [0,1]"},
		{CodePercent, stepConfidence, "confidence is given in percent: text with a % sign, or a number from 2 to 100"},

		{CodeLimitProblems, stepLogging, "the record has more problems than are reported"},
		{CodeLimitWork, stepLogging, "the record is too large for every target_text to be looked for"},
	}
}

// problems gathers what is wrong with one record, up to MaxProblems.
type problems struct {
	list []Problem
}

func (p *problems) add(code, path, expected, found string) {
	if len(p.list) >= MaxProblems {
		if len(p.list) == MaxProblems {
			p.list = append(p.list, Problem{Code: CodeLimitProblems, Expected: "fewer problems", Found: "more than are listed"})
		}
		return
	}
	p.list = append(p.list, Problem{Code: code, Path: path, Expected: clip(expected), Found: clip(found)})
}

// full reports that further problems would not be listed, so that a hopeless
// record is not gone through to its end.
func (p *problems) full() bool { return len(p.list) > MaxProblems }
