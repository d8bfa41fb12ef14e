package grammar

import (
	"fmt"
	"slices"
	"strings"
)

// FromJSONSchema returns a grammar, as GBNF text, whose texts are JSON values that satisfy
// a JSON Schema (draft 2020-12, and what earlier drafts write alike). The error is a
// *SchemaError: a keyword of any draft that it cannot express is an error, so that no
// condition is dropped. Keywords that no draft has, such as x-order, say nothing about
// values; SchemaOptions can make them errors.
//
// Every text of the grammar satisfies the schema. The other way round, each value has one
// spelling or few, and some choices are made, so that a model has less to say and cannot
// run on:
//
//   - There is no white space. Strings are spelled as in RFC 8785: \" \\ \b \f \n \r \t,
//     \u00xx for the other control characters, and all else as itself.
//   - The members of an object come in the order of properties. Those not required may be
//     left out. Where neither additionalProperties nor patternProperties says what others
//     there may be, there are none; but any are where the schema lists no properties at
//     all. Others come last, in any order. A grammar cannot keep their names distinct: a
//     name may come twice, and each of its values satisfies the schema.
//   - An array may end after any item from minItems on, also within prefixItems. Nothing
//     follows prefixItems where items is absent.
//   - Numbers have no leading zero and no -0; an integer has no fraction and no exponent.
//     Where a bound is missing, there are up to 15 digits before the point, or as many as
//     the other bound has. A number without bounds may have 17 digits after the point and
//     an exponent up to 289; one with bounds has no exponent and up to 6 digits after the
//     point, fewer if they would be more than 15 with those before (a float64 tells as many
//     apart), but one more than the bounds have, if those have up to 15 before it.
//   - A schema without type, enum or const has the types of which its other keywords speak,
//     and all if they speak of none.
//   - What no value satisfies is left out: an alternative of anyOf, an optional property.
//
// The keywords are:
//
//   - type, also as a list; nullable beside it (OpenAPI's: null is a type too); enum and
//     const with any values, numbers as the schema spells them. Beside them there may be
//     conditions on strings and numbers.
//   - properties, required, additionalProperties, patternProperties, propertyNames with one
//     case, minProperties, maxProperties, unevaluatedProperties true or false,
//     dependentRequired, dependentSchemas, dependencies.
//   - items, prefixItems, minItems, maxItems, also items as a list with additionalItems;
//     uniqueItems if there is at most one item, or the items are of an enum or boolean,
//     which then come in its order.
//   - minLength and maxLength in code points, up to 1e9 as all counts; pattern; format.
//   - multipleOf a whole number up to 1000: integers, of number too.
//   - minimum, maximum, exclusiveMinimum and exclusiveMaximum of integer and number, with
//     up to 40 digits on either side of the point; true for the latter two, as in draft 4.
//   - $ref to a JSON pointer into the same schema, #/$defs/x, also recursively, or to an
//     $anchor; conditions beside it hold too. $defs and definitions. $id, but below the top
//     no $ref may stand within its schema or point into it.
//   - allOf and anyOf, anywhere and with conditions beside them; oneOf, not, and if with then
//     and else, where it can be told what does not satisfy a schema.
//   - title, description, default, examples, deprecated, readOnly, writeOnly, $comment,
//     $schema and the like say nothing about values and are ignored.
//
// # Formats
//
// The formats are date (from the year 1), time (without leap seconds, up to 18 digits after
// the second's point, T and Z in either case), date-time, duration, uuid, ipv4, ipv6,
// hostname (up to 5 labels of 25 letters and digits, no punycode), email (dot-atom, a domain
// with a dot), uri (without a user), uri-reference, json-pointer, and of other vocabularies
// url, byte, int32 and int64. For iri, iri-reference, idn-email and idn-hostname, URIs and
// ASCII are written. Formats that are in the specification but not here are errors, others
// say nothing.
//
// # Patterns
//
// A pattern is a regular expression of ECMA-262 with the u flag and matches anywhere if it
// is not anchored. It may have alternatives, groups, * + ? {m} {m,} {m,n}, lazy or not, .
// and classes, the escapes \d \D \w \W \s \S \t \n \v \f \r \0 \cX \xHH \uHHHH \u{H} and
// \ before punctuation; ^ and $. Word boundaries, references to groups, other look-around than
// (?=…) and (?!…) after a ^ at the beginning, and \p are errors. Several patterns, and formats and lengths beside them, hold together.
//
// # Limits
//
// The schema and the grammar have at most 1 MiB each; the schema nests 500 levels, an
// enum has 16,384 values, prefixItems 256 items, the automaton of what strings have to
// satisfy together 8,192 states; and combining allOf with anyOf, not and $ref must stay
// within a million steps. The grammar always parses, but counts in counts can make a
// program that is too large for Compile. A schema of which a value can have no end, as each
// holds another, is an error.
func FromJSONSchema(schema []byte) (gbnf string, err error) {
	return SchemaOptions{}.FromJSONSchema(schema)
}

// SchemaOptions say how a schema is read.
type SchemaOptions struct {
	Strict bool // a keyword or format that is not known is an error, not an annotation
}

// FromJSONSchema is the function of that name with options.
func (o SchemaOptions) FromJSONSchema(schema []byte) (gbnf string, err error) {
	root, err := readJSON(schema)
	if err != nil {
		return "", err
	}
	b := newSchemaBuilder(root, o)
	if err := b.root(); err != nil {
		return "", err
	}
	if err := b.prune(); err != nil {
		return "", err
	}
	gbnf = (&Syntax{Rules: b.rules}).String()
	if len(gbnf) > maxSource {
		return "", root.errorf("its grammar has %d bytes, more than %d", len(gbnf), maxSource)
	}
	return gbnf, nil
}

const (
	maxSchema      = 1 << 20 // bytes of schema text
	maxSchemaDepth = 500     // levels of arrays and objects in it
	maxSchemaWork  = 1 << 20 // steps of combining schemas and of following rules
	maxEnum        = 1 << 14 // values of an enum
	maxPrefixItems = 256
	maxCount       = 1e9 // of a length or a number of items
)

// SchemaError is what FromJSONSchema returns for a schema it does not take.
type SchemaError struct {
	Path   string // JSON pointer (RFC 6901) to the keyword or schema; empty for the whole
	Reason string // what is wrong and, where it helps, what to write instead
}

func (e *SchemaError) Error() string {
	return "JSON schema at #" + e.Path + ": " + e.Reason
}

// errorf returns an error that names v.
func (v *jsonValue) errorf(format string, args ...any) error {
	return &SchemaError{Path: v.pointer(), Reason: fmt.Sprintf(format, args...)}
}

// quoteSnippet quotes the start of s, for an error.
func quoteSnippet(s string) string { return quote(snippet(s, 0)) }

// schemaBuilder makes the rules of a grammar from a schema.
type schemaBuilder struct {
	document *jsonValue
	schemas  map[*jsonValue]*schema

	options  SchemaOptions
	draft    int // that the schema says it is written for, 0 if it says none
	ids      int // of schemas
	anchors  map[string][]*jsonValue
	machines map[string]*runeMachine // of patterns and formats
	seals    map[string]*schema      // made for unevaluatedProperties
	pins     map[typeSet]*schema     // made to keep types

	denied     map[*jsonValue]int           // numbers of schemas, for keys
	negated    map[*jsonValue]negationCases // what was found out about schemas that are not to hold
	exclusions map[*jsonValue][]*jsonValue  // by made schemas, values that they exclude
	absences   map[*jsonValue]string        // by made schemas, a property that they forbid
	unlike     map[*jsonValue]*jsonValue    // by made schemas, a pattern that their strings do not match
	partial    bool                         // a part has no values,
	empty      error                        // and why not, the first one

	rules   []*Rule
	library []*Rule              // shared rules that are needed
	origin  map[*Rule]*jsonValue // the schema that a rule was made for
	known   map[string]*Rule     // by what the rule stands for
	taken   map[string]bool      // rule names
	serial  map[string]int       // the last number given to a rule of that name
	work    int
}

func newSchemaBuilder(document *jsonValue, options SchemaOptions) *schemaBuilder {
	b := &schemaBuilder{
		options:    options,
		draft:      draftOf(document),
		machines:   map[string]*runeMachine{},
		seals:      map[string]*schema{},
		pins:       map[typeSet]*schema{},
		denied:     map[*jsonValue]int{},
		negated:    map[*jsonValue]negationCases{},
		exclusions: map[*jsonValue][]*jsonValue{},
		absences:   map[*jsonValue]string{},
		unlike:     map[*jsonValue]*jsonValue{},
		document:   document,
		schemas:    map[*jsonValue]*schema{},
		origin:     map[*Rule]*jsonValue{},
		known:      map[string]*Rule{},
		taken:      map[string]bool{},
		serial:     map[string]int{},
	}
	for name := range sharedRules() {
		b.taken[name] = true
	}
	return b
}

// spend accounts for n steps of work at v.
func (b *schemaBuilder) spend(v *jsonValue, n int) error {
	if b.work += n; b.work > maxSchemaWork {
		return v.errorf("too much to combine: more than %d steps so far", maxSchemaWork)
	}
	return nil
}

// root makes the rules, root first.
func (b *schemaBuilder) root() error {
	d, err := b.expand(b.document)
	if err != nil {
		return err
	}
	b.taken[rootRule] = d.title() != ""
	e, err := b.union(d, rootRule, b.document)
	if err != nil {
		return err
	}
	if e == nil {
		return b.document.errorf("no value satisfies it")
	}
	if e.Op != OpRule || e.Text != rootRule {
		b.rules = slices.Insert(b.rules, 0, &Rule{Name: rootRule, Expr: e})
	}
	b.rules = append(b.rules, b.library...)
	return nil
}

// rule returns a reference to the rule known by key. If there is none, build makes it.
func (b *schemaBuilder) rule(key, hint string, at *jsonValue, build func(name string) (*Expr, error)) (*Expr, error) {
	r, ok := b.known[key]
	if !ok {
		r = b.newRule(hint, at)
		b.known[key] = r
		var err error
		if r.Expr, err = build(r.Name); err != nil {
			return nil, err
		}
	}
	return call(r.Name), nil
}

// newRule adds a rule with a name like hint and without an expression.
func (b *schemaBuilder) newRule(hint string, at *jsonValue) *Rule {
	base := ruleName(hint)
	name := base
	for b.taken[name] {
		b.serial[base] = max(b.serial[base], 1) + 1
		name = fmt.Sprintf("%s-%d", base, b.serial[base])
	}
	b.taken[name] = true
	r := &Rule{Name: name}
	b.rules = append(b.rules, r)
	b.origin[r] = at
	return r
}

// ruleName makes a rule name of any text.
func ruleName(s string) string {
	const longest = 40
	var name strings.Builder
	gap := false
	for i := 0; i < len(s) && name.Len() < longest; i++ {
		if !isNameByte(s[i]) || s[i] == '-' {
			gap = name.Len() > 0
			continue
		}
		if gap {
			name.WriteByte('-')
			gap = false
		}
		name.WriteByte(s[i])
	}
	if name.Len() == 0 {
		return "value"
	}
	return name.String()
}
