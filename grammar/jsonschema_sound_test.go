package grammar

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// schemaWriter writes random schemas of the supported subset.
type schemaWriter struct {
	rng *rand.Rand
}

func (w schemaWriter) pick(choices ...string) string { return choices[w.rng.IntN(len(choices))] }

func (w schemaWriter) document() string {
	s := w.schema(3)
	return fmt.Sprintf(`{"$defs":{"d0":%s,"d1":%s},%s`, w.schema(2), w.schema(2), s[1:])
}

func (w schemaWriter) schema(depth int) string {
	kinds := 9
	if depth > 0 {
		kinds = 22
	}
	var keywords []string
	add := func(format string, args ...any) { keywords = append(keywords, fmt.Sprintf(format, args...)) }
	maybe := func(format string, args ...any) {
		if w.rng.IntN(2) == 0 {
			add(format, args...)
		}
	}
	bound := func() string { return w.pick("-12", "-3", "-0.5", "0", "0.25", "1", "7", "1e1", "120") }
	switch w.rng.IntN(kinds) {
	case 0:
		add(`"type":"string"`)
		maybe(`"minLength":%d`, w.rng.IntN(3))
		maybe(`"maxLength":%d`, w.rng.IntN(6))
	case 1:
		add(`"type":"string","pattern":%s`, w.pick(`"^[a-z]+$"`, `"a|b"`, `"^[^ab]{2,4}"`, `"^(ab|c){1,3}$"`, `"[\"\\\\]$"`))
		maybe(`"minLength":%d`, w.rng.IntN(3))
	case 2, 3:
		add(`"type":%s`, w.pick(`"integer"`, `"number"`, `["number","null"]`))
		maybe(`"%s":%s`, w.pick("minimum", "exclusiveMinimum"), bound())
		maybe(`"%s":%s`, w.pick("maximum", "exclusiveMaximum"), bound())
		if w.rng.IntN(6) == 0 {
			add(`"multipleOf":%s`, w.pick("1", "3", "10"))
		}
	case 4:
		add(`"enum":%s`, w.pick(`["a","b\n"]`, `[1,2.5,"a",null]`, `[{"a":[1,"é"]},[]]`, `[true]`))
		maybe(`"type":%s`, w.pick(`"string"`, `["integer","null"]`, `["object","boolean"]`))
	case 5:
		add(`"const":%s`, w.pick(`"x"`, `{"k":1}`, "0.50", "null"))
	case 6:
		add(`"type":%s`, w.pick(`"boolean"`, `"null"`, `["string","boolean"]`))
	case 7:
		add(`"format":%s`, w.pick(`"date"`, `"time"`, `"date-time"`, `"uuid"`, `"ipv4"`, `"email"`))
		maybe(`"maxLength":%s`, w.pick("10", "12", "300"))
	case 8:
		add(`"$ref":%s`, w.pick(`"#/$defs/d0"`, `"#/$defs/d1"`, `"#"`))
		maybe(`"type":%s`, w.pick(`"object"`, `["array","string","object","null"]`))
	case 9, 10, 11:
		add(`"type":"object"`)
		names := []string{`"a"`, `"b"`, `"c d"`, `"\"\\"`}
		var properties, required []string
		if w.rng.IntN(4) == 0 {
			required = append(required, w.pick(names...))
		}
		for _, name := range names[:w.rng.IntN(len(names)+1)] {
			properties = append(properties, name+":"+w.schema(depth-1))
			if w.rng.IntN(3) == 0 {
				required = append(required, name)
			}
		}
		add(`"properties":{%s}`, strings.Join(properties, ","))
		add(`"required":[%s]`, strings.Join(required, ","))
		maybe(`"additionalProperties":%s`, w.pick("false", "true", "{}", w.schema(depth-1)))
		if w.rng.IntN(3) == 0 {
			add(`"patternProperties":{%s:%s,"b":%s}`, w.pick(`"^a"`, `"^[ab]$"`, `""`), w.schema(depth-1), w.schema(depth-1))
		}
		switch w.rng.IntN(10) {
		case 0:
			add(`"minProperties":%d`, w.rng.IntN(4))
		case 1:
			add(`"maxProperties":%d`, w.rng.IntN(4))
		case 2:
			add(`"propertyNames":%s`, w.pick(`{"pattern":"^[a-c]"}`, `{"maxLength":2}`, `{"enum":["a","b","x"]}`))
		case 3:
			add(`"dependentRequired":{"a":["b"]}`)
		}
	case 12, 13:
		add(`"type":"array"`)
		maybe(`"prefixItems":[%s,%s]`, w.schema(depth-1), w.schema(depth-1))
		maybe(`"items":%s`, w.schema(depth-1))
		maybe(`"minItems":%d`, w.rng.IntN(3))
		maybe(`"maxItems":%d`, w.rng.IntN(4))
	case 17:
		add(`"type":%s`, w.pick(`"object"`, `"array"`, `["object","string"]`))
	case 18:
		add(`"type":"array","uniqueItems":true,"items":%s`, w.pick(`{"enum":[1,"a",1.0,null]}`, `{"type":"boolean"}`, `{"type":"integer"}`))
		maybe(`"minItems":%d`, w.rng.IntN(3))
		maybe(`"maxItems":%d`, w.rng.IntN(3))
	case 19:
		add(`"not":%s`, w.schema(depth-1))
		maybe(`"type":%s`, w.pick(`"string"`, `["object","integer"]`, `["boolean","null","array"]`))
	case 20:
		add(`"if":%s`, w.pick(w.schema(depth-1), `{"properties":{"a":{"const":"x"}}}`, `{"required":["a"]}`))
		maybe(`"then":%s`, w.schema(depth-1))
		maybe(`"else":%s`, w.schema(depth-1))
		maybe(`"type":"object","properties":{"a":{"enum":["x","y"]},"b":%s}`, w.schema(depth-1))
	case 21:
		add(`"type":"object","properties":{"a":%s,"b":%s,"c":{"type":"null"}}`, w.schema(depth-1), w.schema(depth-1))
		add(`"%s":[{"required":["a"]},{"required":["b"]},{"required":["c","a"]}]`, w.pick("oneOf", "anyOf"))
	case 14:
		add(`"anyOf":[%s,%s]`, w.schema(depth-1), w.schema(depth-1))
		maybe(`"type":["object","number","string","array"]`)
	case 15:
		add(`"allOf":[%s,%s]`, w.schema(depth-1), w.pick(w.schema(depth-1), `{"maxLength":4}`, `{"properties":{"a":{"minimum":1}}}`, `{"maxItems":2}`, "true"))
	case 16:
		add(`"oneOf":[%s,%s]`, w.schema(depth-1), w.pick(w.schema(depth-1), `{"type":"null"}`, `{"properties":{"a":{"const":"x"}},"required":["a"]}`))
	}
	w.rng.Shuffle(len(keywords), func(i, j int) { keywords[i], keywords[j] = keywords[j], keywords[i] })
	return "{" + strings.Join(keywords, ",") + "}"
}

// TestJSONSchemaSound checks that texts of the grammars of random schemas, and what is left
// of them after a change that the grammar accepts too, satisfy the schemas.
func TestJSONSchemaSound(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	w := schemaWriter{rng}
	schemas, texts, changed := 0, 0, 0
	for range 1000 {
		schema := w.document()
		gbnf, err := FromJSONSchema([]byte(schema))
		if err != nil {
			continue
		}
		schemas++
		syntax, err := Parse(gbnf)
		if err != nil {
			t.Fatalf("%s: %v\n%s", schema, err, gbnf)
		}
		accepts := accepter(t, gbnf)
		sampler := newSampler(syntax, rng)
		checker := schemaChecker{document: decodeJSON(t, schema)}
		for range 8 {
			text, whole := sampler.text()
			if !whole {
				t.Fatalf("%s: a text has no end\n%s", schema, gbnf)
			}
			if !accepts(text) {
				if overLimit(t, gbnf, text) {
					continue // a choice in a choice, many deep
				}
				t.Fatalf("%s: %q was walked and is not accepted\n%s", schema, text, gbnf)
			}
			checkCompact(t, schema, text)
			if valid, known := checker.satisfied(decodeJSON(t, text)); known && !valid {
				t.Fatalf("%s is not satisfied by %s\n%s", schema, text, gbnf)
			}
			texts++
			for range 20 {
				change := mutate(rng, text)
				if change == text || !accepts(change) {
					continue
				}
				changed++
				checkCompact(t, schema, change)
				if valid, known := checker.satisfied(decodeJSON(t, change)); known && !valid {
					t.Fatalf("%s is not satisfied by %s\n%s", schema, change, gbnf)
				}
			}
		}
	}
	if schemas < 400 || texts < 3000 || changed < 1500 {
		t.Errorf("only %d schemas, %d texts, %d changed texts", schemas, texts, changed)
	}
}

// overLimit reports whether a text takes more of a matcher than it gives.
func overLimit(t *testing.T, gbnf, text string) bool {
	t.Helper()
	g, err := Compile(gbnf)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewConstraint(g, byteVocab())
	if err != nil {
		t.Fatal(err)
	}
	return isLimit(c.NewMatcher().AcceptBytes([]byte(text)))
}

func isLimit(err error) bool {
	e, ok := err.(*MatchError)
	return ok && e.Code != ErrByteNotAllowed
}

// mutate changes a byte of text, cuts some or doubles some.
func mutate(rng *rand.Rand, text string) string {
	i := rng.IntN(len(text))
	j := min(len(text), i+1+rng.IntN(6))
	switch rng.IntN(3) {
	case 0:
		return text[:i] + text[j:]
	case 1:
		return text[:j] + text[i:]
	}
	const bytes = `019-.ab",{}[]:\`
	k := rng.IntN(len(bytes))
	return text[:i] + bytes[k:k+1] + text[i+1:]
}

// checkCompact checks that text is one JSON value without white space. Names that a schema
// does not list may come twice.
func checkCompact(t testing.TB, schema, text string) {
	t.Helper()
	v := jsontext.Value(text)
	if !v.IsValid(jsontext.AllowDuplicateNames(true)) {
		t.Fatalf("%s: %q is no JSON", schema, text)
	}
	compact := v.Clone()
	if err := compact.Compact(jsontext.AllowDuplicateNames(true)); err != nil || !bytes.Equal(compact, v) {
		t.Fatalf("%s: %q is not compact", schema, text)
	}
}

// FuzzJSONSchema checks that whatever the schema, the error is a *SchemaError, or the
// grammar parses and compiles, if it is not too large, and has texts in compact JSON.
func FuzzJSONSchema(f *testing.F) {
	for _, test := range schemaTests {
		f.Add(test.schema, uint64(1))
	}
	w := schemaWriter{rand.New(rand.NewPCG(9, 10))}
	for range 50 {
		f.Add(w.document(), uint64(2))
	}
	f.Fuzz(func(t *testing.T, schema string, seed uint64) {
		if len(schema) > 3000 {
			return
		}
		gbnf, err := FromJSONSchema([]byte(schema))
		if err != nil {
			var schemaErr *SchemaError
			if !errors.As(err, &schemaErr) || schemaErr.Reason == "" || gbnf != "" {
				t.Fatalf("error %v, grammar %q", err, gbnf)
			}
			return
		}
		syntax, err := Parse(gbnf)
		if err != nil {
			t.Fatalf("%v\n%s", err, gbnf)
		}
		if s := syntax.String(); s != gbnf {
			t.Fatalf("%s\nis read as\n%s", gbnf, s)
		}
		g, err := Compile(gbnf)
		var tooLarge *Error
		if errors.As(err, &tooLarge) && tooLarge.Code == ErrProgramSize {
			return
		} else if err != nil {
			t.Fatalf("%v\n%s", err, gbnf)
		}
		c, err := NewConstraint(g, byteVocab())
		if err != nil {
			t.Fatal(err)
		}
		sampler := newSampler(syntax, rand.New(rand.NewPCG(seed, 0)))
		for range 5 {
			text, whole := sampler.text()
			if !whole {
				return // a minLength or the like is that long
			}
			checkCompact(t, schema, text)
			m := c.NewMatcher()
			err := m.AcceptBytes([]byte(text))
			var limit *MatchError
			if errors.As(err, &limit) && limit.Code != ErrByteNotAllowed {
				return
			}
			if err != nil || !m.Done() {
				t.Fatalf("%q was walked and is not accepted: %v\n%s", text, err, gbnf)
			}
		}
	})
}
