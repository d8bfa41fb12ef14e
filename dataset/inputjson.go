package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// parseObject takes the text and the id from one line of JSON and passes over
// every other member. The id comes back with a reason too, where it was read
// before the line proved bad.
func (r *Reader) parseObject(line []byte) (id, text string, bad *Reason) {
	// Repeated names in fields nobody reads are none of our business; those of
	// the text and the id are caught below.
	r.json.Reset(bytes.NewReader(line), jsontext.AllowDuplicateNames(true))
	if kind := r.json.PeekKind(); kind != '{' && kind != 0 {
		return "", "", &Reason{Code: CodeInputType, Expected: "an object", Found: describeKind(kind)}
	}
	if _, err := r.json.ReadToken(); err != nil {
		return "", "", syntaxReason(err)
	}
	var fallback string // src_id, which id overrules
	seen := make(map[string]bool, 3)
	for {
		tok, err := r.json.ReadToken()
		if err != nil {
			return id, "", syntaxReason(err)
		}
		if tok.Kind() == '}' {
			break
		}
		name := tok.String()
		isText := name == r.opts.TextField
		isID := name == r.opts.IDField || r.opts.IDField == "" && (name == "id" || name == "src_id")
		if !isText && !isID {
			if err := r.json.SkipValue(); err != nil {
				return id, "", syntaxReason(err)
			}
			continue
		}
		if seen[name] {
			return id, "", &Reason{Code: CodeInputRepeated, Path: pointer(name), Expected: "one", Found: "another"}
		}
		seen[name] = true
		kind := r.json.PeekKind()
		value, err := r.json.ReadValue()
		if err != nil {
			return id, "", syntaxReason(err)
		}
		if isText {
			if text, bad = textValue(name, kind, value); bad != nil {
				return id, "", bad
			}
		}
		if isID {
			s, reason := idValue(name, kind, value)
			switch {
			case reason != nil:
				return id, "", reason
			case name == "src_id" && r.opts.IDField == "":
				fallback = s
			default:
				id = s
			}
		}
	}
	if id == "" {
		id = fallback
	}
	if rest := line[r.json.InputOffset():]; len(bytes.TrimSpace(rest)) > 0 {
		return id, "", &Reason{Code: CodeInputSyntax, Expected: "one object", Found: "more behind it"}
	}
	if !seen[r.opts.TextField] {
		return id, "", &Reason{Code: CodeInputMissingText, Path: pointer(r.opts.TextField), Expected: "a text", Found: "nothing"}
	}
	return id, text, nil
}

func textValue(name string, kind jsontext.Kind, value jsontext.Value) (string, *Reason) {
	if kind != '"' {
		return "", &Reason{Code: CodeInputType, Path: pointer(name), Expected: "a string", Found: describeKind(kind)}
	}
	text := unquote(value)
	if strings.TrimSpace(text) == "" {
		return "", &Reason{Code: CodeInputEmpty, Path: pointer(name), Expected: "a text", Found: "none but white space"}
	}
	return text, nil
}

// idValue takes strings and whole numbers; null is no id, as table exports
// write it.
func idValue(name string, kind jsontext.Kind, value jsontext.Value) (string, *Reason) {
	switch {
	case kind == 'n':
		return "", nil
	case kind == '0' && !bytes.ContainsAny(value, ".eE"):
		return string(value), nil
	case kind != '"':
		return "", &Reason{Code: CodeInputType, Path: pointer(name), Expected: "a string or a whole number", Found: describeKind(kind)}
	}
	id := unquote(value)
	if id == "" {
		return "", &Reason{Code: CodeInputEmpty, Path: pointer(name), Expected: "an id", Found: "an empty string"}
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

func describeKind(kind jsontext.Kind) string {
	switch kind {
	case 'n':
		return "null"
	case 't', 'f':
		return "a boolean"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "an array"
	}
	return "no JSON"
}
