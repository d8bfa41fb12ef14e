package grammar

import (
	"net/url"
	"strconv"
	"strings"
)

// typeSet is a set of JSON types. A number is an integer or has a fraction.
type typeSet uint8

const (
	typeObject typeSet = 1 << iota
	typeArray
	typeString
	typeInteger
	typeFraction
	typeBoolean
	typeNull

	typeNumber = typeInteger | typeFraction
	typeAny    = 1<<iota - 1
)

var typeNames = map[string]typeSet{
	"object": typeObject, "array": typeArray, "string": typeString, "integer": typeInteger,
	"number": typeNumber, "boolean": typeBoolean, "null": typeNull,
}

// typeOf returns the type of v.
func typeOf(v *jsonValue) typeSet {
	switch v.kind {
	case '{':
		return typeObject
	case '[':
		return typeArray
	case '"':
		return typeString
	case 't', 'f':
		return typeBoolean
	case '0':
		if parseDecimal(v.text).exp < 0 {
			return typeFraction
		}
		return typeInteger
	}
	return typeNull
}

func typesOf(vs []*jsonValue) typeSet {
	var types typeSet
	for _, v := range vs {
		types |= typeOf(v)
	}
	return types
}

// schema is one schema as it is written, without those it refers to.
type schema struct {
	id      int
	at      *jsonValue
	never   bool    // it is false
	asserts bool    // one of its keywords, those of combination aside, is a condition
	speaks  typeSet // of which types its keywords speak

	typed    bool
	types    typeSet
	nullable bool
	values   [][]*jsonValue // the value is among each of them: enum and const

	ref                 *jsonValue
	allOf, anyOf, oneOf []*jsonValue

	properties *jsonValue
	required   []*jsonValue
	closed     bool // additionalProperties is false

	prefixItems        []*jsonValue
	items              *jsonValue
	additionalItems    *jsonValue
	minItems, maxItems int

	minLength, maxLength int
	pattern, format      *jsonValue

	bounds []bound
}

// annotations are keywords that are no conditions, or hold schemas to refer to.
var annotations = map[string]bool{
	"title": true, "description": true, "default": true, "examples": true, "deprecated": true,
	"readOnly": true, "writeOnly": true, "$comment": true, "$schema": true, "$anchor": true,
	"$defs": true, "definitions": true,
}

const (
	exactCounts = "a grammar cannot count distinct names; make properties required instead"
	useAnyOf    = "write the cases as anyOf"
	spellOut    = "say it in properties, required and additionalProperties false"
	justJSON    = "what a string encodes cannot be checked; leave it out"
	onlyRefs    = "use $ref with a JSON pointer, #/$defs/name"
)

// refused are keywords that are known, and what to do without them.
var refused = map[string]string{
	"not": "list what is allowed with enum, type or pattern", "if": useAnyOf, "then": useAnyOf, "else": useAnyOf,
	"patternProperties": spellOut, "propertyNames": spellOut, "unevaluatedProperties": spellOut,
	"dependentRequired": useAnyOf, "dependentSchemas": useAnyOf, "dependencies": useAnyOf,
	"minProperties": exactCounts, "maxProperties": exactCounts,
	"unevaluatedItems": "say it in prefixItems and items", "uniqueItems": "a grammar cannot compare items; check them afterwards",
	"contains": "say where the item stands with prefixItems", "minContains": "leave it out", "maxContains": "leave it out",
	"multipleOf":      "a grammar cannot divide; list the values with enum or check them afterwards",
	"contentEncoding": justJSON, "contentMediaType": justJSON, "contentSchema": justJSON,
	"$dynamicRef": onlyRefs, "$dynamicAnchor": onlyRefs, "$recursiveRef": onlyRefs, "$recursiveAnchor": onlyRefs,
}

// keywords are those that are understood: the types of which they speak, and how to read
// their value.
var keywords = map[string]struct {
	speaks typeSet
	read   func(s *schema, v *jsonValue) error
}{
	"type":     {0, (*schema).readType},
	"nullable": {0, func(s *schema, v *jsonValue) error { return v.boolean(&s.nullable) }},
	"enum":     {0, (*schema).readEnum},
	"const":    {0, func(s *schema, v *jsonValue) error { s.values = append(s.values, []*jsonValue{v}); return nil }},

	"$ref":  {0, func(s *schema, v *jsonValue) error { s.ref = v; return v.want('"', "a string") }},
	"allOf": {0, func(s *schema, v *jsonValue) error { return v.schemaList(&s.allOf) }},
	"anyOf": {0, func(s *schema, v *jsonValue) error { return v.schemaList(&s.anyOf) }},
	"oneOf": {0, func(s *schema, v *jsonValue) error { return v.schemaList(&s.oneOf) }},
	"$id":   {0, (*schema).readID},

	"properties":           {typeObject, func(s *schema, v *jsonValue) error { s.properties = v; return v.want('{', "an object") }},
	"required":             {typeObject, (*schema).readRequired},
	"additionalProperties": {typeObject, (*schema).readAdditional},

	"prefixItems":     {typeArray, func(s *schema, v *jsonValue) error { return v.schemaList(&s.prefixItems) }},
	"items":           {typeArray, func(s *schema, v *jsonValue) error { s.items = v; return nil }},
	"additionalItems": {typeArray, func(s *schema, v *jsonValue) error { s.additionalItems = v; return nil }},
	"minItems":        {typeArray, func(s *schema, v *jsonValue) error { return v.count(&s.minItems) }},
	"maxItems":        {typeArray, func(s *schema, v *jsonValue) error { return v.count(&s.maxItems) }},

	"minLength": {typeString, func(s *schema, v *jsonValue) error { return v.count(&s.minLength) }},
	"maxLength": {typeString, func(s *schema, v *jsonValue) error { return v.count(&s.maxLength) }},
	"pattern":   {typeString, func(s *schema, v *jsonValue) error { s.pattern = v; return v.want('"', "a string") }},
	"format":    {typeString, func(s *schema, v *jsonValue) error { s.format = v; return v.want('"', "a string") }},

	"minimum":          {typeNumber, func(s *schema, v *jsonValue) error { return s.readBound(v, false, false) }},
	"exclusiveMinimum": {typeNumber, func(s *schema, v *jsonValue) error { return s.readBound(v, false, true) }},
	"maximum":          {typeNumber, func(s *schema, v *jsonValue) error { return s.readBound(v, true, false) }},
	"exclusiveMaximum": {typeNumber, func(s *schema, v *jsonValue) error { return s.readBound(v, true, true) }},
}

// read returns the schema written at v.
func (b *schemaBuilder) read(v *jsonValue) (*schema, error) {
	if s, ok := b.schemas[v]; ok {
		return s, nil
	}
	s := &schema{id: len(b.schemas), at: v, types: typeAny, maxItems: Unbounded, maxLength: Unbounded}
	switch v.kind {
	case 't':
	case 'f':
		s.never = true
	case '{':
		for i, name := range v.names {
			if err := s.readKeyword(name, v.elems[i]); err != nil {
				return nil, err
			}
		}
	default:
		return nil, v.errorf("a schema is an object, true or false")
	}
	if err := s.finish(); err != nil {
		return nil, err
	}
	b.schemas[v] = s
	return s, nil
}

func (s *schema) readKeyword(name string, v *jsonValue) error {
	if annotations[name] {
		return nil
	}
	if instead, ok := refused[name]; ok {
		return v.errorf("the keyword is not supported: %s", instead)
	}
	keyword, ok := keywords[name]
	if !ok {
		return v.errorf("unknown keyword %s", quoteSnippet(name))
	}
	s.speaks |= keyword.speaks
	return keyword.read(s, v)
}

// finish looks at keywords that depend on each other.
func (s *schema) finish() error {
	if s.nullable {
		if !s.typed {
			return s.at.member("nullable").errorf("nullable adds to type, and there is none")
		}
		s.types |= typeNull
	}
	if s.additionalItems != nil {
		if s.items == nil || s.items.kind != '[' {
			return s.additionalItems.errorf("it follows a list of items, and there is none")
		}
		if s.prefixItems != nil {
			return s.additionalItems.errorf("prefixItems is there: write items instead")
		}
	}
	if s.items != nil && s.items.kind == '[' {
		if s.prefixItems != nil {
			return s.items.errorf("it is a list, and so is prefixItems: write a schema for the rest")
		}
		s.prefixItems, s.items = s.items.elems, s.additionalItems
	}
	s.asserts = s.typed || s.values != nil || s.speaks != 0
	return nil
}

func (s *schema) readType(v *jsonValue) error {
	names := []*jsonValue{v}
	if v.kind == '[' {
		names = v.elems
	}
	s.typed, s.types = true, 0
	for _, name := range names {
		t, ok := typeNames[name.text]
		if name.kind != '"' || !ok {
			return name.errorf("unknown type %s: want object, array, string, integer, number, boolean or null", quoteSnippet(name.text))
		}
		s.types |= t
	}
	if s.types == 0 {
		return v.errorf("no type")
	}
	return nil
}

func (s *schema) readEnum(v *jsonValue) error {
	if v.kind != '[' || len(v.elems) == 0 || len(v.elems) > maxEnum {
		return v.errorf("want a list of 1 to %d values", maxEnum)
	}
	s.values = append(s.values, v.elems)
	return nil
}

func (s *schema) readID(v *jsonValue) error {
	if s.at.parent != nil {
		return v.errorf("it would change what $ref means in this part of the schema; leave it out")
	}
	return nil
}

func (s *schema) readRequired(v *jsonValue) error {
	if err := v.want('[', "a list of names"); err != nil {
		return err
	}
	for _, name := range v.elems {
		if err := name.want('"', "a name"); err != nil {
			return err
		}
	}
	s.required = v.elems
	return nil
}

func (s *schema) readAdditional(v *jsonValue) error {
	if v.kind != 'f' {
		return v.errorf("a grammar cannot keep arbitrary names distinct; write false, or leave it out")
	}
	s.closed = true
	return nil
}

func (s *schema) readBound(v *jsonValue, upper, exclusive bool) error {
	if err := v.want('0', "a number (a draft 4 schema says true: write the bound itself)"); err != nil {
		return err
	}
	d := parseDecimal(v.text)
	if len(d.digits)+d.exp > maxBoundDigits || d.exp < -maxBoundDigits {
		return v.errorf("more than %d digits before or after the point", maxBoundDigits)
	}
	s.bounds = append(s.bounds, bound{at: v, value: d, upper: upper, exclusive: exclusive})
	return nil
}

// want reports a value of another kind.
func (v *jsonValue) want(kind byte, what string) error {
	if byte(v.kind) != kind {
		return v.errorf("want %s", what)
	}
	return nil
}

func (v *jsonValue) boolean(b *bool) error {
	*b = v.kind == 't'
	if v.kind != 'f' && v.kind != 't' {
		return v.errorf("want true or false")
	}
	return nil
}

func (v *jsonValue) schemaList(list *[]*jsonValue) error {
	if v.kind != '[' || len(v.elems) == 0 {
		return v.errorf("want a list of schemas")
	}
	*list = v.elems
	return nil
}

// count reads a number of characters or items.
func (v *jsonValue) count(n *int) error {
	d := parseDecimal(v.text)
	if v.kind != '0' || d.neg || d.exp < 0 {
		return v.errorf("want a whole number from 0")
	}
	digits := d.digits
	if len(digits)+d.exp <= len("1000000000") {
		digits += strings.Repeat("0", d.exp)
	}
	i, err := strconv.Atoi("0" + digits)
	if err != nil || len(d.digits)+d.exp > len(digits) || i > maxCount {
		return v.errorf("want at most %d", int(maxCount))
	}
	*n = i
	return nil
}

// resolve returns what the $ref at v points to.
func (b *schemaBuilder) resolve(v *jsonValue) (*jsonValue, error) {
	fragment, ok := strings.CutPrefix(v.text, "#")
	if !ok {
		return nil, v.errorf("%s is another document: copy it into $defs and write #/$defs/name", quoteSnippet(v.text))
	}
	pointer, err := url.PathUnescape(fragment)
	if err != nil || pointer != "" && pointer[0] != '/' {
		return nil, v.errorf("%s is no JSON pointer: %s", quoteSnippet(v.text), onlyRefs)
	}
	to := b.document
	for i, token := range strings.Split(pointer, "/") {
		if i > 0 && to != nil {
			to = to.member(unescapePointer.Replace(token))
		}
	}
	if to == nil {
		return nil, v.errorf("nothing is at %s", quoteSnippet(v.text))
	}
	return to, nil
}

var unescapePointer = strings.NewReplacer("~1", "/", "~0", "~")
