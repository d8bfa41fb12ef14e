package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonRows are the rows of an input of JSON objects.
type jsonRows struct {
	values jsonSource
	limit  int // bytes of a value
	parser objectParser
}

func (j *jsonRows) next() (row, *Reason, error) {
	value, err := j.values.next()
	r := row{line: j.values.place()}
	switch {
	case err == ErrLineTooLong:
		return r, tooLong("line", j.limit), nil
	case err != nil:
		return r, nil, err
	case !utf8.Valid(value):
		return r, invalidUTF8(value), nil
	}
	reason := j.parser.parse(value, &r)
	return r, reason, nil
}

func (j *jsonRows) count() (n int, err error) {
	for ; ; n++ {
		if _, err := j.values.next(); err == io.EOF {
			return n, nil
		} else if err != nil && err != ErrLineTooLong {
			return n, err
		}
	}
}

func (j *jsonRows) blank() int { return j.values.blank() }

// An objectParser takes what is read of a row from one JSON object, and
// passes over every other member.
type objectParser struct {
	fieldNames
	tax  *Taxonomy // nil where labels are not read
	json jsontext.Decoder
}

func (p *objectParser) parse(line []byte, r *row) *Reason {
	// Repeated names in fields nobody reads are none of our business; those
	// that are read are caught below.
	p.json.Reset(bytes.NewReader(line), jsontext.AllowDuplicateNames(true))
	if kind := p.json.PeekKind(); kind != '{' && kind != 0 {
		return &Reason{Code: CodeInputType, Expected: "an object", Found: KindName(kind, "no JSON")}
	}
	if _, err := p.json.ReadToken(); err != nil {
		return syntaxReason(err)
	}
	o := object{idFrom: len(p.ids), labelsFrom: len(p.labels)}
	seen := make(map[string]bool, 3)
	for {
		tok, err := p.json.ReadToken()
		if err != nil {
			return syntaxReason(err)
		}
		if tok.Kind() == '}' {
			break
		}
		name := tok.String()
		if read := p.reads(name); !read && !tellsGenerated(name) {
			if err := p.json.SkipValue(); err != nil {
				return syntaxReason(err)
			}
			continue
		} else if read && seen[name] {
			return &Reason{Code: CodeInputRepeated, Path: pointer(name), Expected: "one", Found: "another"}
		}
		seen[name] = true
		kind := p.json.PeekKind()
		value, err := p.json.ReadValue()
		if err != nil {
			return syntaxReason(err)
		}
		if bad := p.take(&o, r, name, kind, value); bad != nil {
			return bad
		}
	}
	r.generated = o.provider || o.model && o.predictions
	if rest := line[p.json.InputOffset():]; !isBlankLine(rest) {
		return &Reason{Code: CodeInputSyntax, Expected: "one object", Found: "more behind it"}
	}
	if !seen[p.text] {
		return &Reason{Code: CodeInputMissingText, Path: pointer(p.text), Expected: "a text", Found: "nothing"}
	}
	if o.labelsFrom == len(p.labels) {
		return nil
	}
	var bad *Reason
	r.labels, bad = canonicalLabels(o.labels, p.tax, pointer(p.labels[o.labelsFrom]))
	return bad
}

// An object is what was seen of a line so far, beside what went into its row.
type object struct {
	idFrom, labelsFrom           int // which of the names they came from, past the last where from none
	labels                       []string
	provider, model, predictions bool
}

// take puts one member's value where it belongs; a member may serve several ends.
func (p *objectParser) take(o *object, r *row, name string, kind jsontext.Kind, value jsontext.Value) (bad *Reason) {
	if name == p.text {
		if r.text, bad = textValue(name, kind, value); bad != nil {
			return bad
		}
	}
	if from := slices.Index(p.ids, name); from >= 0 {
		id, bad := idValue(name, value)
		if bad != nil {
			return bad
		}
		if id != "" && from < o.idFrom {
			r.id, o.idFrom = id, from
		}
	}
	if from := slices.Index(p.labels, name); from >= 0 && from < o.labelsFrom && kind != 'n' {
		if o.labels, bad = labelsValue(name, kind, value); bad != nil {
			return bad
		}
		o.labelsFrom = from
	}
	switch named := kind == '"' && len(value) > len(`""`); name {
	case "provider":
		o.provider = named
	case "model":
		o.model = named
	case "predictions":
		o.predictions = kind == '['
	}
	return nil
}

func (p *objectParser) reads(name string) bool {
	return name == p.text || slices.Contains(p.ids, name) || slices.Contains(p.labels, name)
}

// tellsGenerated reports whether a field of that name may say that a model has written the row.
func tellsGenerated(name string) bool {
	return name == "provider" || name == "model" || name == "predictions"
}

func textValue(name string, kind jsontext.Kind, value jsontext.Value) (string, *Reason) {
	if kind != '"' {
		return "", &Reason{Code: CodeInputType, Path: pointer(name), Expected: "a string", Found: KindName(kind, "no JSON")}
	}
	text := unquote(value)
	if IsBlank(text) {
		return "", &Reason{Code: CodeInputEmpty, Path: pointer(name), Expected: "a text", Found: "none but white space"}
	}
	return text, nil
}

func idValue(name string, value jsontext.Value) (string, *Reason) {
	id, ok := jsonID(value)
	if !ok {
		return "", &Reason{Code: CodeInputType, Path: pointer(name), Expected: IDTypes, Found: KindName(value.Kind(), "no JSON")}
	}
	return id, nil
}

// unquote is for strings that the decoder has found sound.
func unquote(value jsontext.Value) string {
	b, _ := jsontext.AppendUnquote(nil, value)
	return string(b)
}

// pointer is the RFC 6901 path of a top-level member.
func pointer(name string) string { return string(jsontext.Pointer("").AppendToken(name)) }

func syntaxReason(err error) *Reason {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return &Reason{
			Code: CodeInputSyntax, Path: string(syntax.JSONPointer), Expected: "JSON",
			Found: fmt.Sprintf("%v at column %d", syntax.Err, syntax.ByteOffset+1),
		}
	}
	return &Reason{Code: CodeInputSyntax, Expected: "JSON", Found: err.Error()}
}
