package agreement

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// object is one line of JSON in any of the three formats. Other members are
// passed over.
type object struct {
	ID          dataset.ID      `json:"id"`
	SrcID       dataset.ID      `json:"src_id"`
	Text        *string         `json:"text"`
	Prompt      jsontext.Value  `json:"prompt"`
	Predictions []string        `json:"predictions"`
	Data        *dataset.Data   `json:"data"`
	Labels      []label         `json:"labels"`
	Spans       []characterSpan `json:"spans"`
}

// characterSpan is a span with character offsets, as the JSON form of REMAN has
// them (Kim and Klinger 2018). Kinds other than emotion are passed over.
type characterSpan struct {
	Kind  *string `json:"kind"`
	Label string  `json:"label"`
	Start int     `json:"start"`
	End   int     `json:"end"`
	Text  *string `json:"text"`
}

// wrongValue is a value of a kind that a member does not have.
type wrongValue struct{ expected, found string }

func (e *wrongValue) Error() string { return "want " + e.expected + ", found " + e.found }

func wrong(expected string, tok jsontext.Token) error {
	if tok.Kind() == '0' {
		return &wrongValue{expected, tok.String()}
	}
	return &wrongValue{expected, dataset.KindName(tok.Kind(), "something else")}
}

// label is an emotion's name, or GoEmotions' number for it.
type label struct {
	name string
	id   int // -1 where the label is a name
}

func (l *label) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	tok, err := d.ReadToken()
	if err != nil {
		return err
	}
	switch tok.Kind() {
	case '"':
		*l = label{tok.String(), -1}
		return nil
	case '0':
		if id, err := strconv.Atoi(tok.String()); err == nil && id >= 0 {
			*l = label{id: id}
			return nil
		}
	}
	return wrong("an emotion's name or GoEmotions' number for it", tok)
}

func (r *Reader) parseObject(line []byte, a *Annotation) error {
	var o object
	if err := json.Unmarshal(line, &o); err != nil {
		return r.jsonFault(err)
	}
	if r.format == "" {
		switch {
		case o.Predictions != nil || o.Data != nil:
			r.setFormat(FormatRecords)
		case o.Spans != nil:
			r.setFormat(FormatOffsets)
		case o.Labels != nil:
			r.setFormat(FormatLabels)
		default:
			return r.fault(dataset.CodeInputType, "", "predictions, labels or spans", "none of them")
		}
	}
	if a.ID = string(o.ID); a.ID == "" {
		a.ID = string(o.SrcID)
	}
	if o.Text != nil {
		r.setText(a, *o.Text)
	}
	switch {
	case r.format == FormatRecords && o.Predictions == nil:
		return r.fault(dataset.CodeInputType, "/predictions", "a list of emotions", "nothing")
	case r.format == FormatRecords:
		for _, name := range o.Predictions {
			r.addLabel(a, name, true)
		}
		if o.Data == nil || len(o.Data.Tokens) == 0 || string(o.Prompt) == `"`+validate.PromptSimple+`"` {
			return nil
		}
		return r.parseData(o.Data, o.Text != nil, a)
	case r.format == FormatOffsets && o.Spans == nil:
		return r.fault(dataset.CodeInputType, "/spans", "a list of spans", "nothing")
	case r.format == FormatOffsets && o.Text == nil:
		return r.fault(dataset.CodeInputMissingText, "/text", "the text that the spans lie in", "nothing")
	case r.format == FormatOffsets:
		return r.parseOffsets(&o, a)
	case o.Labels == nil:
		return r.fault(dataset.CodeInputType, "/labels", "a list of labels", "nothing")
	}
	for i, l := range o.Labels {
		if l.id >= 0 {
			name, err := r.labelName(l.id, fmt.Sprintf("/labels/%d", i))
			if err != nil {
				return err
			}
			l.name = name
		}
		r.addLabel(a, l.name, true)
	}
	return nil
}

// labelName returns what GoEmotions' label id means.
func (r *Reader) labelName(id int, path string) (string, error) {
	if !r.book.labelIDs {
		return "", r.fault(dataset.CodeInputType, path, "names: label ids are those of the built-in taxonomy, and "+r.book.tax.Name()+" has another order", strconv.Itoa(id))
	}
	name, ok := labelID(id)
	if !ok {
		return "", r.fault(dataset.CodeInputType, path, fmt.Sprintf("a label id from 0 to %d", len(dataset.Default().Emotions())-1), strconv.Itoa(id))
	}
	return name, nil
}

// parseData reads tokens, labels and spans. Whatever a comparison would stumble
// over is an error here; the rest is for validate to find.
func (r *Reader) parseData(d *dataset.Data, hasText bool, a *Annotation) error {
	r.words = r.words[:0]
	for i, tok := range d.Tokens {
		before := len(r.words)
		if r.words = squeeze(r.words, tok); len(r.words) == before {
			return r.fault(validate.CodeAlignEmptyToken, fmt.Sprintf("/data/tokens/%d", i), "a token", strconv.Quote(tok))
		}
		a.ends = append(a.ends, int32(len(r.words)))
	}
	switch {
	case !hasText:
		r.text = append(r.text[:0], r.words...)
		a.text = hash(r.text)
	case !bytes.Equal(r.words, r.text):
		return r.fault(validate.CodeAlignTokenText, "/data/tokens", "the text's tokens", "others")
	}
	a.Spanned = true
	after := 0
	for i := range d.Spans {
		s := &d.Spans[i]
		path := fmt.Sprintf("/data/spans/%d", i)
		if s.Start < after || s.End < s.Start || s.End >= len(d.Tokens) {
			return r.fault(validate.CodeSpanRange, path, fmt.Sprintf("%d ≤ start ≤ end < %d", after, len(d.Tokens)), fmt.Sprintf("start %d, end %d", s.Start, s.End))
		}
		after = s.End + 1
		kind, ok := r.book.kinds[s.Type]
		if !ok {
			return r.fault(validate.CodeSpanType, path+"/type", "one of "+strings.Join(r.book.tax.SpanTypes(), ", "), strconv.Quote(s.Type))
		}
		a.Spans = append(a.Spans, Span{
			Start: a.place(s.Start), End: a.ends[s.End],
			class: r.book.class(r.level, s.Subtype, true), kind: kind, attrs: r.attrs(a, &s.Attrs),
		})
	}
	if d.Labels == nil {
		return nil
	}
	if len(d.Labels) != len(d.Tokens) {
		return r.fault(validate.CodeAlignLength, "/data/labels", fmt.Sprintf("%d labels", len(d.Tokens)), strconv.Itoa(len(d.Labels)))
	}
	r.tags = r.tags[:0]
	for i, l := range d.Labels {
		t, ok := r.book.tag(l)
		if !ok {
			return r.fault(validate.CodeLabelValue, fmt.Sprintf("/data/labels/%d", i), "O, B-TYPE or I-TYPE, TYPE one of "+strings.Join(r.book.tax.SpanTypes(), ", "), strconv.Quote(l))
		}
		r.tags = append(r.tags, t)
	}
	r.setTags(a)
	return nil
}

// attrs notes a span's attributes, the codes of their values beside the annotation's spans.
func (r *Reader) attrs(to *Annotation, at *dataset.Attrs) attrs {
	a := attrs{
		values:   uint32(len(to.values)) + 1,
		sentence: clamp16(at.SentenceIndex), clause: clamp16(at.ClauseIndex), confidence: float32(at.Confidence),
	}
	for i, v := range r.book.attributes {
		code := uint8(0)
		if value := at.Field(v.Name); value != nil {
			code = r.book.value(i, *value)
		}
		to.values = append(to.values, code)
	}
	if at.TargetText != "" {
		r.words = squeeze(r.words[:0], strings.ToLower(at.TargetText))
		a.target = uint32(hash(r.words))
	}
	return a
}

func clamp16(n int) uint16 { return uint16(min(max(n, 0), math.MaxUint16)) }

// parseOffsets reads spans whose start and end count characters (Unicode code
// points, as Python's strings do), the end exclusive. The text's labels are
// those of its spans; a text without a span of kind emotion is neutral.
func (r *Reader) parseOffsets(o *object, a *Annotation) error {
	a.Spanned = true
	r.bytes, r.places = r.bytes[:0], r.places[:0]
	place := int32(0)
	for i, c := range *o.Text {
		r.bytes, r.places = append(r.bytes, int32(i)), append(r.places, place)
		if !dataset.IsSpace(c) {
			place += int32(utf8.RuneLen(c))
		}
	}
	r.bytes, r.places = append(r.bytes, int32(len(*o.Text))), append(r.places, place)
	for i, s := range o.Spans {
		if s.Kind != nil && *s.Kind != "emotion" {
			continue
		}
		path := fmt.Sprintf("/spans/%d", i)
		if last := len(r.bytes) - 1; s.Start < 0 || s.End <= s.Start || s.End > last {
			return r.fault(validate.CodeSpanRange, path, fmt.Sprintf("0 ≤ start < end ≤ %d", last), fmt.Sprintf("start %d, end %d", s.Start, s.End))
		}
		if text := (*o.Text)[r.bytes[s.Start]:r.bytes[s.End]]; s.Text != nil && *s.Text != text {
			return r.fault(validate.CodeSpanText, path+"/text", strconv.Quote(text)+", which its offsets give", strconv.Quote(*s.Text))
		}
		span := Span{Start: r.places[s.Start], End: r.places[s.End], class: r.addLabel(a, s.Label, false)}
		if span.Start == span.End {
			return r.fault(validate.CodeSpanRange, path, "more than white space", "none")
		}
		a.Spans = append(a.Spans, span)
	}
	slices.SortStableFunc(a.Spans, func(s, t Span) int { return compareEntities(entity{0, s.Start, s.End}, entity{0, t.Start, t.End}) })
	if len(a.Spans) == 0 {
		r.addLabel(a, r.book.tax.Neutral(), false)
	}
	return nil
}

// jsonFault says what is wrong with a line that is not the JSON it should be.
func (r *Reader) jsonFault(err error) error {
	var (
		syntax   *jsontext.SyntacticError
		semantic *json.SemanticError
		value    *wrongValue
		id       *dataset.IDTypeError
	)
	switch {
	case errors.As(err, &semantic):
		if errors.As(err, &value) {
			return r.fault(dataset.CodeInputType, string(semantic.JSONPointer), value.expected, value.found)
		}
		if errors.As(err, &id) {
			return r.fault(dataset.CodeInputType, string(semantic.JSONPointer), dataset.IDTypes, id.Found)
		}
		want := "another type"
		if semantic.GoType != nil {
			want = typeName(semantic.GoType)
		}
		found := dataset.KindName(semantic.JSONKind, "something else")
		if len(semantic.JSONValue) > 0 && len(semantic.JSONValue) < 40 {
			found = string(semantic.JSONValue)
		}
		return r.fault(dataset.CodeInputType, string(semantic.JSONPointer), want, found)
	case errors.As(err, &syntax):
		return r.fault(dataset.CodeInputSyntax, string(syntax.JSONPointer), "JSON", fmt.Sprintf("%v at column %d", syntax.Err, syntax.ByteOffset+1))
	}
	return r.fault(dataset.CodeInputSyntax, "", "JSON", err.Error())
}

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Int:
		return "an integer"
	case reflect.Float64:
		return "a number"
	case reflect.Slice:
		return "an array"
	case reflect.Struct:
		return "an object"
	case reflect.Pointer:
		return typeName(t.Elem())
	}
	return "another type"
}
