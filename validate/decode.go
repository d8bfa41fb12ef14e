package validate

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/emospan/emospan/dataset"
	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth bounds the nesting of a line; a record's own is 5.
const maxDepth = 32

// Decode reads a record from one line of JSON, strictly: each key exactly once
// and spelt exactly so, no others, each value of its type; which attributes a
// span has the taxonomy says. Nothing but white space may follow. Without
// problems the record is complete, and writing it
// and decoding it again gives the same one; it remains to be checked by
// [Record]. With problems it holds what could be read, and is nil where the
// line is not JSON.
//
// The record's strings may share memory with one copy of the line. Goroutines
// may call Decode at the same time.
func Decode(line []byte, tax *dataset.Taxonomy) (*dataset.Record, []Problem) {
	r := new(dataset.Record)
	ok, problems := decodeInto(r, line, tax)
	if !ok {
		return nil, problems
	}
	return r, problems
}

// decodeInto is Decode with a record whose slices are used again; ok is false
// where Decode returns nil.
func decodeInto(r *dataset.Record, line []byte, tax *dataset.Taxonomy) (ok bool, list []Problem) {
	if scanInto(r, line, tax) {
		return true, nil
	}
	reuse(r)
	if !utf8.Valid(line) {
		var p problems
		p.add(CodeUTF8, "", "UTF-8", "an invalid byte at column "+strconv.Itoa(invalidByte(line)+1))
		return false, p.list
	}
	d := decoders.Get().(*decoder)
	d.tax = tax
	ok = d.decode(string(line), line, r)
	list = d.list
	d.tax, d.src, d.list, d.buf = nil, "", nil, bytes.Buffer{}
	decoders.Put(d)
	return ok, list
}

// reuse empties a record but for the memory of its slices.
func reuse(r *dataset.Record) {
	*r = dataset.Record{
		Predictions: emptied(r.Predictions),
		Data:        dataset.Data{Tokens: emptied(r.Data.Tokens), Labels: emptied(r.Data.Labels), Spans: emptied(r.Data.Spans)},
	}
}

// emptied is never nil, so that a list without elements is the same whether it
// was read or used before.
func emptied[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s[:0]
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

type decoder struct {
	json jsontext.Decoder
	buf  bytes.Buffer
	tax  *dataset.Taxonomy
	src  string // the line, which strings without escapes are cut from
	problems
}

var (
	recordKeys = []string{"src_id", "model", "provider", "prompt", "level", "predictions", "text", "data"}
	dataKeys   = []string{"tokens", "labels", "spans"}
	spanKeys   = []string{"type", "subtype", "start", "end", "text", "attrs"}
)

// further makes room for the attributes that a taxonomy adds, which may be none.
func further(tax *dataset.Taxonomy) []dataset.Attr {
	if len(tax.Further()) == 0 {
		return nil
	}
	list := make([]dataset.Attr, len(tax.Further()))
	for i, v := range tax.Further() {
		list[i].Name = v.Name
	}
	return list
}

const ownAttrs = 11 // attributes that every span has, whatever the taxonomy

var (
	errTooDeep = errors.New("nested too deep")
	errTooMany = errors.New("too many problems")
	errNotOne  = errors.New("more than one value")
)

// decode reads a line of UTF-8, of which src is a copy.
func (d *decoder) decode(src string, line []byte, r *dataset.Record) (ok bool) {
	d.src = src
	d.buf = *bytes.NewBuffer(line)
	d.json.Reset(&d.buf, jsontext.AllowDuplicateNames(true))
	err := d.record(r)
	if err == nil {
		if rest := strings.TrimLeft(d.src[d.json.InputOffset():], " \t\r\n"); rest != "" {
			d.add(CodeSyntax, "", "the end of the line", rest)
			return false
		}
		return true
	}
	var syntax *jsontext.SyntacticError
	switch {
	case err == errTooMany: // the last problem says so
	case err == errTooDeep:
		d.add(CodeTooDeep, "", fmt.Sprintf("at most %d levels", maxDepth), "more")
	case errors.As(err, &syntax):
		d.add(CodeSyntax, string(syntax.JSONPointer), "JSON", fmt.Sprintf("%v at column %d", syntax.Err, syntax.ByteOffset+1))
	default: // the end of the input
		d.add(CodeSyntax, "", "a JSON object", "nothing")
	}
	return false
}

func (d *decoder) record(r *dataset.Record) error {
	return d.object(recordKeys, func(key int) error {
		switch key {
		case 0:
			return d.string(&r.SrcID)
		case 1:
			return d.string(&r.Model)
		case 2:
			return d.string(&r.Provider)
		case 3:
			return d.string(&r.Prompt)
		case 4:
			return d.string(&r.Level)
		case 5:
			return d.strings(&r.Predictions)
		case 6:
			return d.string(&r.Text)
		default:
			return d.data(&r.Data)
		}
	})
}

func (d *decoder) data(data *dataset.Data) error {
	return d.object(dataKeys, func(key int) error {
		switch key {
		case 0:
			return d.strings(&data.Tokens)
		case 1:
			return d.strings(&data.Labels)
		default:
			return d.array(func() error {
				data.Spans = append(data.Spans, dataset.Span{})
				return d.span(&data.Spans[len(data.Spans)-1])
			})
		}
	})
}

func (d *decoder) span(s *dataset.Span) error {
	return d.object(spanKeys, func(key int) error {
		switch key {
		case 0:
			return d.string(&s.Type)
		case 1:
			return d.string(&s.Subtype)
		case 2:
			return d.int(&s.Start)
		case 3:
			return d.int(&s.End)
		case 4:
			return d.string(&s.Text)
		default:
			return d.attrs(&s.Attrs)
		}
	})
}

func (d *decoder) attrs(a *dataset.Attrs) error {
	a.Further = further(d.tax)
	return d.object(d.tax.AttrKeys(), func(key int) error {
		switch key {
		case 0:
			return d.string(&a.Valence)
		case 1:
			return d.string(&a.Intensity)
		case 2:
			return d.string(&a.Certainty)
		case 3:
			return d.string(&a.Temporality)
		case 4:
			return d.string(&a.Source)
		case 5:
			return d.string(&a.EmotionGroup)
		case 6:
			return d.int(&a.SentenceIndex)
		case 7:
			return d.int(&a.ClauseIndex)
		case 8:
			return d.confidence(&a.Confidence)
		case 9:
			return d.string(&a.TargetText)
		case 10:
			return d.string(&a.TargetRelation)
		default:
			return d.string(&a.Further[key-ownAttrs].Value)
		}
	})
}

// object reads an object whose keys are those listed, calling value for each
// with its index. An error is final: the line is not JSON, or too deep.
func (d *decoder) object(keys []string, value func(key int) error) error {
	if ok, err := d.begin('{', "an object"); !ok {
		return err
	}
	next := 0
	var seen uint64 // bit i for keys[i]
	for d.json.PeekKind() == '"' {
		raw, err := d.json.ReadValue()
		if err != nil {
			return err
		}
		name, err := d.unquote(raw)
		if err != nil {
			return err
		}
		key := next // the next one, in a record written by us
		if next == len(keys) || keys[next] != name {
			key = slices.Index(keys, name)
		}
		switch {
		case key < 0:
			if d.full() {
				return errTooMany
			}
			d.add(CodeUnknownKey, d.path(), "one of "+strings.Join(keys, ", "), strconv.Quote(name))
		case seen&(1<<key) != 0:
			d.add(CodeDuplicateKey, d.path(), "one", "another")
		default:
			seen |= 1 << key
			next = key + 1
			if err := value(key); err != nil {
				return err
			}
			continue
		}
		if err := d.skip(); err != nil {
			return err
		}
	}
	if _, err := d.json.ReadToken(); err != nil {
		return err
	}
	if seen != 1<<len(keys)-1 {
		path := d.json.StackPointer()
		for i, name := range keys {
			if seen&(1<<i) == 0 {
				d.add(CodeMissingKey, string(path.AppendToken(name)), "a value", "no key")
			}
		}
	}
	return nil
}

func (d *decoder) array(element func() error) error {
	if ok, err := d.begin('[', "an array"); !ok {
		return err
	}
	for d.json.PeekKind() != ']' {
		if err := element(); err != nil {
			return err
		}
		if d.full() {
			return errTooMany
		}
	}
	_, err := d.json.ReadToken()
	return err
}

func (d *decoder) strings(list *[]string) error {
	return d.array(func() error {
		*list = append(*list, "")
		return d.string(&(*list)[len(*list)-1])
	})
}

func (d *decoder) string(s *string) error {
	raw, err := d.scalar('"', "a string")
	if raw != nil {
		*s, err = d.unquote(raw)
	}
	return err
}

// scalar reads a value of the kind; nil without an error stands for one of
// another kind, which has been reported.
func (d *decoder) scalar(kind jsontext.Kind, want string) (jsontext.Value, error) {
	raw, err := d.json.ReadValue()
	if err != nil {
		return nil, err
	}
	if got := raw.Kind(); got != kind {
		d.add(CodeType, d.path(), want, dataset.KindName(got, "no value"))
		return nil, nil
	}
	return raw, nil
}

// unquote returns the string just read; where it has no escapes it is cut from
// the line and costs no memory.
func (d *decoder) unquote(raw jsontext.Value) (string, error) {
	end := d.json.InputOffset()
	if s := d.src[end-int64(len(raw))+1 : end-1]; strings.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	s, err := jsontext.AppendUnquote(nil, raw)
	return string(s), err
}

// int reads an integer of 32 bits, which is what the card's columns hold.
func (d *decoder) int(n *int) error {
	raw, err := d.scalar('0', "an integer")
	if raw == nil {
		return err
	}
	if bytes.ContainsAny(raw, ".eE") {
		d.add(CodeType, d.path(), "an integer", string(raw))
		return nil
	}
	v, err := strconv.ParseInt(string(raw), 10, 32)
	if err != nil {
		d.add(CodeNumberRange, d.path(), "an integer of 32 bits", string(raw))
		return nil
	}
	*n = int(v)
	return nil
}

func (d *decoder) confidence(f *float64) error {
	raw, err := d.json.ReadValue()
	if err != nil {
		return err
	}
	if kind := raw.Kind(); kind != '0' {
		d.add(CodeType, d.path(), "a number", dataset.KindName(kind, "no value"))
		if kind == '"' && bytes.HasSuffix(bytes.TrimRight(raw, "\" "), []byte("%")) {
			d.add(CodePercent, d.path(), "a number in [0,1]", string(raw))
		}
		return nil
	}
	v, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		d.add(CodeNumberRange, d.path(), "a number of 64 bits", string(raw))
		return nil
	}
	*f = v
	return nil
}

// begin enters an object or array; ok is false where there is none to enter.
func (d *decoder) begin(kind jsontext.Kind, want string) (ok bool, err error) {
	if d.json.PeekKind() != kind {
		return false, d.wrongType(want)
	}
	_, err = d.json.ReadToken()
	return err == nil, err
}

// wrongType passes over a value that is not of the wanted type.
func (d *decoder) wrongType(want string) error {
	kind := d.json.PeekKind()
	if err := d.skip(); err != nil {
		return err
	}
	d.add(CodeType, d.path(), want, dataset.KindName(kind, "no value"))
	return nil
}

// skip passes over a value token by token, which bounds its depth.
func (d *decoder) skip() error {
	base := d.json.StackDepth()
	for {
		if _, err := d.json.ReadToken(); err != nil {
			return err
		}
		switch depth := d.json.StackDepth(); {
		case depth > maxDepth:
			return errTooDeep
		case depth <= base:
			return nil
		}
	}
}

// path points at the value read last.
func (d *decoder) path() string {
	if d.full() {
		return ""
	}
	return string(d.json.StackPointer())
}
