package grammar

import (
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

	excluded []*jsonValue // the value is none of them

	ref                 *jsonValue
	allOf, anyOf, oneOf []*jsonValue
	not                 *jsonValue
	cond, then, orElse  *jsonValue // if, then and else

	properties                   *jsonValue
	patterns                     []patternProperty
	additional                   *jsonValue // of properties
	propertyNames                *jsonValue
	required                     []*jsonValue
	minProperties, maxProperties int
	dependencies                 []*jsonValue // schemas that say the same
	sealed                       bool         // unevaluatedProperties is false
	absent                       []string     // properties that there are not
	scope                        []*schema    // a property is of one that one of these speaks of, if not nil

	prefixItems        []*jsonValue
	items              *jsonValue
	additionalItems    *jsonValue
	minItems, maxItems int
	unique             *jsonValue // uniqueItems, where it is true

	minLength, maxLength int
	pattern, format      *jsonValue
	unlike               *jsonValue // a pattern that does not match

	multiple       *jsonValue // multipleOf
	bounds         []bound
	openLo, openHi bool // of a draft 4 schema: minimum, maximum are exclusive
}

// patternProperty is a member of patternProperties.
type patternProperty struct {
	pattern *jsonValue // a string
	schema  *jsonValue
}

// annotations are keywords that are no conditions, or hold schemas to refer to.
var annotations = map[string]bool{
	"title": true, "description": true, "default": true, "example": true, "examples": true, "deprecated": true,
	"readOnly": true, "writeOnly": true, "$comment": true, "$schema": true, "$anchor": true, "$dynamicAnchor": true,
	"$vocabulary": true, "$defs": true, "definitions": true, "minContains": true, "maxContains": true,
}

const (
	useAnyOf = "write the cases as anyOf"
	justJSON = "what a string encodes cannot be checked; leave it out"
	onlyRefs = "use $ref with a JSON pointer, #/$defs/name"
)

// refused are keywords that are known, and what to do without them.
var refused = map[string]string{
	"unevaluatedItems": "say it in prefixItems and items",
	"contains":         "say where the item stands with prefixItems",
	"contentEncoding":  justJSON, "contentMediaType": justJSON, "contentSchema": justJSON,
	"$dynamicRef": onlyRefs, "$recursiveRef": onlyRefs, "$recursiveAnchor": onlyRefs,
	"extends": "write allOf", "disallow": "write not",
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
	"not":   {0, func(s *schema, v *jsonValue) error { s.not = v; return nil }},
	"if":    {0, func(s *schema, v *jsonValue) error { s.cond = v; return nil }},
	"then":  {0, func(s *schema, v *jsonValue) error { s.then = v; return nil }},
	"else":  {0, func(s *schema, v *jsonValue) error { s.orElse = v; return nil }},
	"$id":   {0, func(s *schema, v *jsonValue) error { return v.want('"', "a string") }},

	"properties":            {typeObject, func(s *schema, v *jsonValue) error { s.properties = v; return v.want('{', "an object") }},
	"required":              {typeObject, (*schema).readRequired},
	"additionalProperties":  {typeObject, func(s *schema, v *jsonValue) error { s.additional = v; return nil }},
	"patternProperties":     {typeObject, (*schema).readPatternProperties},
	"propertyNames":         {typeObject, func(s *schema, v *jsonValue) error { s.propertyNames = v; return nil }},
	"minProperties":         {typeObject, func(s *schema, v *jsonValue) error { return v.count(&s.minProperties) }},
	"maxProperties":         {typeObject, func(s *schema, v *jsonValue) error { return v.count(&s.maxProperties) }},
	"unevaluatedProperties": {typeObject, (*schema).readUnevaluated},

	"prefixItems":     {typeArray, func(s *schema, v *jsonValue) error { return v.schemaList(&s.prefixItems) }},
	"items":           {typeArray, func(s *schema, v *jsonValue) error { s.items = v; return nil }},
	"additionalItems": {typeArray, func(s *schema, v *jsonValue) error { s.additionalItems = v; return nil }},
	"minItems":        {typeArray, func(s *schema, v *jsonValue) error { return v.count(&s.minItems) }},
	"maxItems":        {typeArray, func(s *schema, v *jsonValue) error { return v.count(&s.maxItems) }},
	"uniqueItems":     {typeArray, (*schema).readUnique},

	"minLength": {typeString, func(s *schema, v *jsonValue) error { return v.count(&s.minLength) }},
	"maxLength": {typeString, func(s *schema, v *jsonValue) error { return v.count(&s.maxLength) }},
	"pattern":   {typeString, func(s *schema, v *jsonValue) error { s.pattern = v; return v.want('"', "a string") }},
	"format":    {typeString, func(s *schema, v *jsonValue) error { s.format = v; return v.want('"', "a string") }},

	"multipleOf":       {typeNumber, (*schema).readMultiple},
	"divisibleBy":      {typeNumber, (*schema).readMultiple},
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
	s := b.newSchema(v)
	if list, ok := b.exclusions[v]; ok {
		s.typed, s.excluded, s.speaks = true, list, typesOf(list)
	}
	if pattern, ok := b.unlike[v]; ok {
		s.typed, s.types, s.unlike, s.speaks = true, typeString, pattern, typeString
	}
	if name, ok := b.absences[v]; ok {
		s.typed, s.types, s.absent, s.speaks = true, typeObject, []string{name}, typeObject
	}
	switch v.kind {
	case 't':
	case 'f':
		s.never = true
	case '{':
		for i, name := range v.names {
			if err := b.readKeyword(s, name, v.elems[i]); err != nil {
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

func (b *schemaBuilder) newSchema(at *jsonValue) *schema {
	b.ids++
	return &schema{
		id: b.ids, at: at, types: typeAny,
		maxItems: Unbounded, maxLength: Unbounded, maxProperties: Unbounded,
	}
}

func (b *schemaBuilder) readKeyword(s *schema, name string, v *jsonValue) error {
	if annotations[name] {
		return nil
	}
	if instead, ok := refused[name]; ok {
		return v.errorf("the keyword is not supported: %s", instead)
	}
	if _, ok := dependencies[name]; ok {
		s.speaks |= typeObject
		return b.readDependencies(s, name, v)
	}
	keyword, ok := keywords[name]
	if !ok {
		if b.options.Strict {
			return v.errorf("unknown keyword %s", quoteSnippet(name))
		}
		return nil
	}
	s.speaks |= keyword.speaks
	return keyword.read(s, v)
}

// dependencies are keywords that ask for more where a property is there.
var dependencies = map[string]bool{"dependencies": true, "dependentRequired": true, "dependentSchemas": true}

// readDependencies makes a choice of each dependency: the property is missing, or it is
// there and so is what it asks for. Both are objects: what other values satisfy is lost.
func (b *schemaBuilder) readDependencies(s *schema, name string, v *jsonValue) error {
	if err := v.want('{', "an object"); err != nil {
		return err
	}
	for i, property := range v.names {
		asked := v.elems[i]
		missing := v.made()
		b.absences[missing] = property
		there := []*jsonValue{v.madeString(property)}
		if asked.kind == '[' && name != "dependentSchemas" {
			there = append(there, asked.elems...)
			asked = v.madeBool(true)
		}
		both := v.made("type", v.madeString("object"), "required", v.madeList(there), "allOf", v.madeList([]*jsonValue{asked}))
		choices := []*jsonValue{missing, both}
		s.dependencies = append(s.dependencies, v.made("anyOf", v.madeList(choices)))
	}
	return nil
}

// finish looks at keywords that depend on each other.
func (s *schema) finish() error {
	if s.nullable {
		if !s.typed {
			return s.at.member("nullable").errorf("nullable adds to type, and there is none")
		}
		s.types |= typeNull
	}
	if s.additionalItems != nil && s.prefixItems != nil {
		return s.additionalItems.errorf("prefixItems is there: write items instead")
	}
	if s.items != nil && s.items.kind == '[' {
		if s.prefixItems != nil {
			return s.items.errorf("it is a list, and so is prefixItems: write a schema for the rest")
		}
		s.prefixItems, s.items = s.items.elems, s.additionalItems
	}
	if s.additional != nil && s.additional.kind == '{' && len(s.additional.elems) == 0 {
		s.additional = &jsonValue{kind: 't', parent: s.at, token: s.additional.token}
	}
	for i := range s.bounds {
		b := &s.bounds[i]
		b.exclusive = b.exclusive || b.upper && s.openHi || !b.upper && s.openLo
	}
	if name, ok := numberFormats[s.formatName()]; ok {
		name(s)
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

func (s *schema) readPatternProperties(v *jsonValue) error {
	if err := v.want('{', "an object"); err != nil {
		return err
	}
	for i, pattern := range v.names {
		at := &jsonValue{kind: '"', text: pattern, parent: v, token: pattern}
		s.patterns = append(s.patterns, patternProperty{at, v.elems[i]})
	}
	return nil
}

func (s *schema) readUnevaluated(v *jsonValue) error {
	s.sealed = v.kind == 'f'
	if v.kind != 'f' && v.kind != 't' {
		return v.errorf("only true and false are supported: say it in properties and additionalProperties")
	}
	return nil
}

func (s *schema) readUnique(v *jsonValue) error {
	unique := false
	if err := v.boolean(&unique); err != nil || !unique {
		return err
	}
	s.unique = v
	return nil
}

func (s *schema) readMultiple(v *jsonValue) error {
	n := 0
	if err := v.count(&n); err != nil || n == 0 || n > maxMultiple {
		return v.errorf("want a whole number from 1 to %d: list the values with enum, or check them afterwards", maxMultiple)
	}
	s.multiple = v
	return nil
}

func (s *schema) readBound(v *jsonValue, upper, exclusive bool) error {
	if exclusive && (v.kind == 't' || v.kind == 'f') { // draft 4
		if upper {
			s.openHi = v.kind == 't'
		} else {
			s.openLo = v.kind == 't'
		}
		return nil
	}
	if err := v.want('0', "a number"); err != nil {
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
