package grammar

import (
	"fmt"
	"slices"
	"strings"
)

// FromJSONSchema returns a grammar, as GBNF text, whose texts are JSON values that satisfy
// a JSON Schema (draft 2020-12, and what earlier drafts write alike). The error is a
// *SchemaError: a keyword that it cannot express is an error, as is one that it does not
// know, so that no condition is dropped.
//
// Every text of the grammar satisfies the schema. The other way round, each value has one
// spelling or few, and some choices are made, so that a model has less to say and cannot
// run on:
//
//   - There is no white space. Strings are spelled as in RFC 8785: \" \\ \b \f \n \r \t,
//     \u00xx for the other control characters, and all else as itself.
//   - The members of an object come in the order of properties. Those not required may be
//     left out. Nothing else is added: where additionalProperties is absent it counts as
//     false, and anything but false is an error, as a grammar cannot keep arbitrary names
//     distinct. An object schema without properties has to say additionalProperties false.
//   - An array may end after any item from minItems on, also within prefixItems. Nothing
//     follows prefixItems where items is absent, and one of the two is needed.
//   - Numbers have no exponent, no leading zero and no -0; an integer has no fraction.
//     Where a bound is missing, an integer has up to 15 digits, another number up to 9
//     before the point, or as many as its other bound. After the point there are up to 6,
//     fewer if they would be more than 15 with those before (a float64 tells as many
//     apart), but always one more than the bounds have.
//   - A schema without type, enum or const has the types of which its other keywords speak.
//     One that says nothing, {} or true, is an error: any value would have any names.
//
// The keywords are:
//
//   - type, also as a list; nullable beside it (OpenAPI's: null is a type too); enum and
//     const with any values, numbers as the schema spells them. Beside enum or const there
//     can be no other condition on values of their types.
//   - properties, required, additionalProperties false; items, prefixItems, minItems,
//     maxItems, also items as a list with additionalItems.
//   - minLength and maxLength in code points, up to 1e9 as all counts; pattern; format,
//     which stands alone: date, time (without leap seconds), date-time, uuid.
//   - minimum, maximum, exclusiveMinimum and exclusiveMaximum of integer and number, with
//     up to 40 digits on either side of the point.
//   - $ref to a JSON pointer into the same schema, #/$defs/x, also recursively; conditions
//     beside it hold too. $defs and definitions. $id at the top.
//   - allOf and anyOf, anywhere and with conditions beside them; oneOf if its branches
//     exclude each other by type, by enum or const, or by those of a required property.
//   - title, description, default, examples, deprecated, readOnly, writeOnly, $comment,
//     $schema and $anchor say nothing about values and are ignored.
//
// # Patterns
//
// A pattern is a regular expression of ECMA-262 with the u flag and matches anywhere if it
// is not anchored. It may have alternatives, groups, * + ? {m} {m,} {m,n}, lazy or not, .
// and classes, the escapes \d \D \w \W \s \S \t \n \v \f \r \0 \cX \xHH \uHHHH \u{H} and
// \ before punctuation; ^ and $ only where an alternative of the whole pattern begins or
// ends. Word boundaries, references to groups, look-around and \p are errors. minLength
// and maxLength beside a pattern must follow from it, or only one of its parts may vary
// in length and be a repeated character or class, as in ^[A-Z][a-z]*$.
//
// # Limits
//
// The schema and the grammar have at most 1 MiB each; the schema nests 500 levels, an
// enum has 16,384 values, prefixItems 256 items; and combining allOf with anyOf and $ref
// must stay within a million steps. The grammar always parses, but counts in counts can
// make a program that is too large for Compile. A schema of which a value can have no end,
// as each holds another, is an error.
func FromJSONSchema(schema []byte) (gbnf string, err error) {
	root, err := readJSON(schema)
	if err != nil {
		return "", err
	}
	b := newSchemaBuilder(root)
	if err := b.root(); err != nil {
		return "", err
	}
	if err := b.checkFinite(); err != nil {
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

	rules   []*Rule
	library []*Rule              // shared rules that are needed
	origin  map[*Rule]*jsonValue // the schema that a rule was made for
	known   map[string]*Rule     // by what the rule stands for
	taken   map[string]bool      // rule names
	serial  map[string]int       // the last number given to a rule of that name
	work    int
}

func newSchemaBuilder(document *jsonValue) *schemaBuilder {
	b := &schemaBuilder{
		document: document,
		schemas:  map[*jsonValue]*schema{},
		origin:   map[*Rule]*jsonValue{},
		known:    map[string]*Rule{},
		taken:    map[string]bool{},
		serial:   map[string]int{},
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

// checkFinite reports a rule that no finite text satisfies, as its every text holds another.
func (b *schemaBuilder) checkFinite() error {
	finite := map[string]bool{}
	var ends func(e *Expr) bool
	ends = func(e *Expr) bool {
		b.work++
		switch e.Op {
		case OpRule:
			return finite[e.Text]
		case OpAlternate:
			for _, sub := range e.Sub {
				if ends(sub) {
					return true
				}
			}
			return false
		case OpRepeat:
			return e.Min == 0 || ends(e.Sub[0])
		}
		for _, sub := range e.Sub {
			if !ends(sub) {
				return false
			}
		}
		return true
	}
	// Rules mostly refer to later ones: from the last to the first, few passes are needed.
	for more := true; more; {
		more = false
		for i := len(b.rules) - 1; i >= 0; i-- {
			if r := b.rules[i]; !finite[r.Name] && ends(r.Expr) {
				finite[r.Name] = true
				more = true
			}
		}
		if err := b.spend(b.document, 0); err != nil {
			return err
		}
	}
	for _, r := range b.rules {
		if at := b.origin[r]; !finite[r.Name] && at != nil {
			return at.errorf("a value of it has no end, as each holds another")
		}
	}
	return nil
}
