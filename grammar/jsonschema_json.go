package grammar

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonValue is a value in the text of a schema and its place there.
type jsonValue struct {
	kind   jsontext.Kind
	text   string       // of a string its characters, of a number its spelling
	names  []string     // of an object's members, in order
	elems  []*jsonValue // the values of an object's members, the elements of an array
	parent *jsonValue
	token  string // name or index in parent

	byName map[string]*jsonValue // made when first needed, as is known
	known  string
}

// readJSON reads a JSON text: one value in UTF-8, in whose objects no name comes twice.
func readJSON(text []byte) (*jsonValue, error) {
	if len(text) > maxSchema {
		return nil, (&jsonValue{}).errorf("it has %d bytes, more than %d", len(text), maxSchema)
	}
	d := jsontext.NewDecoder(bytes.NewReader(text))
	v, err := readValue(d, nil, "", 0)
	if err == nil {
		if _, err = d.ReadToken(); err == io.EOF {
			return v, nil
		}
		if err == nil {
			err = errors.New("text after the schema")
		}
	}
	var syntactic *jsontext.SyntacticError
	var schema *SchemaError
	switch {
	case errors.As(err, &schema):
		return nil, err
	case errors.As(err, &syntactic):
		return nil, &SchemaError{
			Path:   string(syntactic.JSONPointer),
			Reason: "invalid JSON at byte " + strconv.FormatInt(syntactic.ByteOffset, 10) + ": " + syntactic.Err.Error(),
		}
	case err == io.EOF:
		err = io.ErrUnexpectedEOF
	}
	return nil, (&jsonValue{}).errorf("invalid JSON: %v", err)
}

func readValue(d *jsontext.Decoder, parent *jsonValue, token string, depth int) (*jsonValue, error) {
	t, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	v := &jsonValue{kind: t.Kind(), parent: parent, token: token}
	switch v.kind {
	case '"', '0':
		v.text = t.String()
		return v, nil
	case '{', '[':
	default:
		return v, nil
	}
	if depth == maxSchemaDepth {
		return nil, v.errorf("it nests more than %d levels", maxSchemaDepth)
	}
	for {
		if k := d.PeekKind(); k == '}' || k == ']' {
			_, err := d.ReadToken()
			return v, err
		}
		token := strconv.Itoa(len(v.elems))
		if v.kind == '{' {
			name, err := d.ReadToken()
			if err != nil {
				return nil, err
			}
			token = name.String()
			v.names = append(v.names, token)
		}
		elem, err := readValue(d, v, token, depth+1)
		if err != nil {
			return nil, err
		}
		v.elems = append(v.elems, elem)
	}
}

// pointer returns the JSON pointer to v.
func (v *jsonValue) pointer() string {
	var tokens []string
	for ; v.parent != nil; v = v.parent {
		tokens = append(tokens, v.token)
	}
	var p jsontext.Pointer
	for _, token := range slices.Backward(tokens) {
		p = p.AppendToken(token)
	}
	return string(p)
}

// member returns the value of an object's member or of an array's element, nil if there is
// none.
func (v *jsonValue) member(token string) *jsonValue {
	if v.kind == '[' {
		i, err := strconv.Atoi(token)
		if err != nil || i < 0 || i >= len(v.elems) || token != strconv.Itoa(i) {
			return nil
		}
		return v.elems[i]
	}
	if v.byName == nil {
		v.byName = make(map[string]*jsonValue, len(v.names))
		for i, name := range v.names {
			v.byName[name] = v.elems[i]
		}
	}
	return v.byName[token]
}

// write appends v as the grammar spells it.
func (v *jsonValue) write(b *strings.Builder) {
	switch v.kind {
	case 'n', 't', 'f':
		b.WriteString(v.kind.String())
	case '0':
		b.WriteString(v.text)
	case '"':
		writeJSONString(b, v.text)
	default:
		b.WriteByte(byte(v.kind))
		for i, elem := range v.elems {
			if i > 0 {
				b.WriteByte(',')
			}
			if v.kind == '{' {
				writeJSONString(b, v.names[i])
				b.WriteByte(':')
			}
			elem.write(b)
		}
		b.WriteByte(byte(v.kind) + 2) // } is { + 2, ] is [ + 2
	}
}

// key returns a text that equal values have in common: 1 and 1.0 are, {"a":1,"b":2} and
// {"b":2,"a":1} are.
func (v *jsonValue) key() string {
	if v.known == "" {
		var b strings.Builder
		v.writeKey(&b)
		v.known = b.String()
	}
	return v.known
}

func (v *jsonValue) writeKey(b *strings.Builder) {
	switch v.kind {
	case '0':
		b.WriteString(parseDecimal(v.text).String())
	case '[':
		b.WriteByte('[')
		for _, elem := range v.elems {
			elem.writeKey(b)
			b.WriteByte(',')
		}
		b.WriteByte(']')
	case '{':
		b.WriteByte('{')
		for _, name := range slices.Sorted(slices.Values(v.names)) {
			writeJSONString(b, name)
			b.WriteByte(':')
			v.member(name).writeKey(b)
			b.WriteByte(',')
		}
		b.WriteByte('}')
	default:
		v.write(b)
	}
}
