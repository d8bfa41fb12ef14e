package grammar

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

var byteVocab = sync.OnceValue(NewByteVocab)

// accepter compiles a grammar and returns whether it accepts a text.
func accepter(t testing.TB, gbnf string) func(text string) bool {
	t.Helper()
	g, err := Compile(gbnf)
	if err != nil {
		t.Fatalf("Compile: %v\n%s", err, gbnf)
	}
	c, err := NewConstraint(g, byteVocab())
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) bool {
		m := c.NewMatcher()
		return m.AcceptBytes([]byte(text)) == nil && m.Done()
	}
}

func mustSchema(t testing.TB, schema string) string {
	t.Helper()
	gbnf, err := FromJSONSchema([]byte(schema))
	if err != nil {
		t.Fatalf("%s: %v", schema, err)
	}
	return gbnf
}

var schemaTests = []struct {
	name   string
	schema string
	accept []string
	reject []string
}{
	{"boolean", `{"type":"boolean"}`, []string{"true", "false"}, []string{"null", `"true"`, " true", "1", ""}},
	{"null", `{"type":"null"}`, []string{"null"}, []string{"false", ""}},
	{"integer", `{"type":"integer"}`, []string{"0", "7", "-7", "120", "999999999999999", "-999999999999999"},
		[]string{"-0", "00", "01", "+1", "1.0", "1e2", "1000000000000000", "", "-"}},
	{"number", `{"type":"number"}`,
		[]string{"0", "-1", "3.25", "0.000001", "-0.000001", "999999999.999999", "-999999999999999.999999", "1.50", "1643723400", "1e5", "-2.5E-05", "1e+289", "0.1e2", "0.30000000000000004"},
		[]string{"-0", "-0.0", ".5", "1.", "1e", "1e290", "00.1", "1000000000000000"}},
	{"string", `{"type":"string"}`, []string{`""`, `"a"`, `"é😀/'"`, "\"\x7f\u2028\"", `"\"\\\b\f\n\r\t\u0000\u001f\u000b"`},
		[]string{`"`, `"a`, "\"\n\"", `"\/"`, `"\u0041"`, `"\u001F"`, `"\u000a"`, `"\"`, `"a""`, "\"\xff\""}},
	{"type list", `{"type":["string","null","integer"]}`, []string{`"x"`, "null", "3"}, []string{"true", "1.5", "[]"}},
	{"type list with number and integer", `{"type":["number","integer"]}`, []string{"3", "1.5"}, []string{"null"}},
	{"keywords of other types say nothing", `{"type":"integer","minLength":3,"required":["a"],"pattern":"("}`, []string{"3"}, []string{`"abc"`, "{}"}},
	{"types that keywords imply", `{"minLength":1,"minimum":5}`, []string{`"a"`, "5"}, []string{`""`, "4", "null"}},
	{"nullable", `{"type":"string","maxLength":1,"nullable":true}`, []string{`"a"`, "null"}, []string{`"ab"`, "1"}},
	{"not nullable", `{"type":"string","nullable":false}`, []string{`"a"`}, []string{"null"}},

	{"enum", `{"enum":["a","b\n\"é",1,1.50,-2e3,null,true,[1,{"x":"y","a":[]}]]}`,
		[]string{`"a"`, `"b\n\"é"`, "1", "1.50", "-2e3", "null", "true", `[1,{"x":"y","a":[]}]`}, []string{`"b"`, "1.5", "false", `[1, {"x":"y","a":[]}]`}},
	{"enum with type", `{"type":["string","integer"],"enum":["a",1,1.5,2.0,null]}`, []string{`"a"`, "1", "2.0"}, []string{"1.5", "null"}},
	{"enum with const", `{"enum":["a","b"],"const":"b"}`, []string{`"b"`}, []string{`"a"`}},
	{"const object", `{"const":{"b":[],"a":{}}}`, []string{`{"b":[],"a":{}}`}, []string{`{"a":{},"b":[]}`}},
	{"enum beside keywords of other types", `{"enum":["a",1],"minItems":2}`, []string{`"a"`, "1"}, nil},

	{"object", `{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"boolean"},"c":{"type":"null"}},"required":["b"],"additionalProperties":false}`,
		[]string{`{"b":true}`, `{"a":1,"b":true}`, `{"b":false,"c":null}`, `{"a":1,"b":true,"c":null}`},
		[]string{"{}", `{"a":1}`, `{"b":true,}`, `{,"b":true}`, `{"b":true,"a":1}`, `{"b":true,"d":1}`, `{"b": true}`, `{"a":1"b":true}`, `{"b":true"c":null}`}},
	{"object without required", `{"properties":{"a":{"type":"integer"},"b":{"type":"boolean"},"c":{"type":"null"}}}`,
		[]string{"{}", `{"a":1}`, `{"b":true}`, `{"c":null}`, `{"a":1,"b":true}`, `{"a":1,"c":null}`, `{"b":true,"c":null}`, `{"a":1,"b":true,"c":null}`},
		[]string{`{,"a":1}`, `{"a":1,}`, `{"b":true,"a":1}`, `{"c":null,"c":null}`, `{"a":1"c":null}`}},
	{"all required", `{"properties":{"b":{"type":"null"},"a":{"type":"null"}},"required":["a","b"]}`, []string{`{"b":null,"a":null}`}, []string{`{"a":null,"b":null}`, `{"a":null}`, "{}"}},
	{"empty object", `{"type":"object","additionalProperties":false}`, []string{"{}"}, []string{`{"a":1}`, "{ }"}},
	{"property names are escaped", `{"properties":{"a\"\\\n":{"type":"null"},"":{"type":"null"},"é":{"type":"null"}},"required":["","é","a\"\\\n"]}`,
		[]string{`{"a\"\\\n":null,"":null,"é":null}`}, []string{`{"a":null,"":null,"é":null}`}},
	{"property that cannot be", `{"properties":{"a":false,"b":{"type":"null"},"c":{"anyOf":[false]}}}`, []string{"{}", `{"b":null}`}, []string{`{"a":null}`, `{"c":null}`}},

	{"array", `{"type":"array","items":{"type":"boolean"}}`, []string{"[]", "[true]", "[true,false,true]"}, []string{"[true,]", "[,true]", "[1]", "[ ]", "[true, true]"}},
	{"array of one at least", `{"items":{"type":"null"},"minItems":1}`, []string{"[null]", "[null,null]"}, []string{"[]"}},
	{"array of two to three", `{"items":{"type":"null"},"minItems":2,"maxItems":3}`, []string{"[null,null]", "[null,null,null]"}, []string{"[]", "[null]", "[null,null,null,null]"}},
	{"array of up to two", `{"items":{"type":"null"},"maxItems":2}`, []string{"[]", "[null]", "[null,null]"}, []string{"[null,null,null]"}},
	{"array of none", `{"type":"array","maxItems":0}`, []string{"[]"}, []string{"[null]"}},
	{"array whose items cannot be", `{"items":false}`, []string{"[]"}, []string{"[null]"}},
	{"tuple", `{"prefixItems":[{"const":1},{"const":2}]}`, []string{"[]", "[1]", "[1,2]"}, []string{"[2]", "[1,2,3]", "[,2]"}},
	{"tuple of two", `{"prefixItems":[{"const":1},{"const":2}],"minItems":2,"items":false}`, []string{"[1,2]"}, []string{"[]", "[1]", "[1,2,3]"}},
	{"tuple with a rest", `{"prefixItems":[{"const":1},{"const":2}],"minItems":1,"items":{"const":3},"maxItems":4}`,
		[]string{"[1]", "[1,2]", "[1,2,3]", "[1,2,3,3]"}, []string{"[]", "[1,3]", "[1,2,3,3,3]"}},
	{"tuple with a long rest", `{"prefixItems":[{"const":1}],"minItems":3,"items":{"const":3}}`, []string{"[1,3,3]", "[1,3,3,3]"}, []string{"[1]", "[1,3]"}},
	{"tuple cut short", `{"prefixItems":[{"const":1},false,{"const":2}],"maxItems":3}`, []string{"[]", "[1]"}, []string{"[1,2]", "[1,,2]"}},
	{"tuple of drafts up to 2019", `{"items":[{"const":1}],"additionalItems":{"const":2}}`, []string{"[]", "[1]", "[1,2,2]"}, []string{"[2]"}},

	{"anyOf", `{"anyOf":[{"type":"integer"},{"type":"string","maxLength":1},false,{"type":"integer"}]}`, []string{"3", `"a"`}, []string{`"ab"`, "true"}},
	{"anyOf with conditions beside it", `{"type":["integer","null"],"minimum":3,"anyOf":[{"maximum":5},{"const":null},{"minimum":100,"maximum":101}]}`,
		[]string{"3", "5", "null", "100"}, []string{"2", "6", "102"}},
	{"anyOf of required", `{"type":"object","properties":{"a":{"type":"null"},"b":{"type":"null"}},"anyOf":[{"required":["a"]},{"required":["b"]}]}`,
		[]string{`{"a":null}`, `{"b":null}`, `{"a":null,"b":null}`}, []string{"{}"}},
	{"allOf", `{"allOf":[{"type":"integer","minimum":3},{"maximum":5},true]}`, []string{"3", "5"}, []string{"2", "6"}},
	{"allOf of enums", `{"allOf":[{"enum":["a","b","c"]},{"enum":["d","c","b",1.0]},{"type":"string"}]}`, []string{`"b"`, `"c"`}, []string{`"a"`, `"d"`, "1.0"}},
	{"allOf of three enums", `{"allOf":[{"enum":["a","b"]},{"enum":["b","c"]},{"enum":["a","b"]}]}`, []string{`"b"`}, []string{`"a"`, `"c"`}},
	{"allOf of objects", `{"allOf":[{"properties":{"a":{"type":"integer","minimum":2}}},{"properties":{"b":{"type":"null"},"a":{"maximum":3}},"required":["a"]}]}`,
		[]string{`{"a":2}`, `{"a":3,"b":null}`}, []string{`{"a":1}`, `{"a":4}`, `{"b":null}`, "{}"}},
	{"allOf where one forbids", `{"allOf":[{"properties":{"a":{"type":"null"}},"additionalProperties":false},{"properties":{"b":{"type":"null"}}}]}`,
		[]string{"{}", `{"a":null}`}, []string{`{"b":null}`}},
	{"allOf of arrays", `{"allOf":[{"prefixItems":[{"minimum":1}],"items":{"maximum":5}},{"items":{"type":"integer","maximum":9}},{"maxItems":3}]}`,
		[]string{"[]", "[9]", "[9,5,-1]"}, []string{"[0]", "[10]", "[9,6]", "[9,5,5,5]"}},
	{"oneOf of types", `{"oneOf":[{"type":"integer"},{"type":"string"},{"enum":[null,true]}]}`, []string{"1", `""`, "null", "true"}, []string{"false"}},
	{"oneOf of values", `{"oneOf":[{"enum":["a","b"]},{"const":"c"}]}`, []string{`"a"`, `"c"`}, []string{`"d"`}},
	{"oneOf told apart by a property", `{"type":"object","oneOf":[
		{"properties":{"k":{"const":"a"},"x":{"type":"null"}},"required":["k"]},
		{"properties":{"k":{"enum":["b","c"]}},"required":["k"]},
		{"properties":{"x":{"type":"null"}},"required":["x"],"additionalProperties":false}]}`,
		[]string{`{"k":"a"}`, `{"k":"a","x":null}`, `{"k":"b"}`, `{"x":null}`}, []string{"{}", `{"k":"b","x":null}`}},

	{"$ref", `{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/definitions/b~1c%20~0"}},"definitions":{"b/c ~":{"type":"null"}}}`, []string{"null"}, []string{"1"}},
	{"$ref with conditions beside it", `{"$ref":"#/$defs/a","maximum":3,"$defs":{"a":{"type":"integer","minimum":2}}}`, []string{"2", "3"}, []string{"1", "4"}},
	{"$ref to the whole", `{"properties":{"x":{"$ref":"#"}}}`, []string{"{}", `{"x":{}}`, `{"x":{"x":{"x":{}}}}`}, []string{`{"x":null}`, `{"x":{}`}},
	{"$ref to any place", `{"properties":{"a":{"anyOf":[{"const":1},{"const":2}]},"b":{"$ref":"#/properties/a/anyOf/1"}},"required":["b"]}`,
		[]string{`{"b":2}`, `{"a":1,"b":2}`}, []string{`{"b":1}`}},
	{"recursion through two", `{"$ref":"#/$defs/a","$defs":{"a":{"items":{"$ref":"#/$defs/b"}},"b":{"anyOf":[{"type":"null"},{"properties":{"a":{"$ref":"#/$defs/a"}},"required":["a"]}]}}}`,
		[]string{"[]", "[null]", `[null,{"a":[]}]`, `[{"a":[{"a":[null]}]}]`}, []string{"[{}]", "[[]]", "null"}},
	{"names that rules have", `{"properties":{"root":{"type":"integer","minimum":1,"maximum":2},"string":{"type":"string"},"char":{"type":"string","maxLength":1},"char!":{"enum":[1,2]},"":{"enum":[3,4]}},"required":["root","string","char","char!",""]}`,
		[]string{`{"root":1,"string":"abc","char":"x","char!":2,"":3}`}, []string{`{"root":"a","string":"abc","char":"x","char!":2,"":3}`}},

	{"length", `{"type":"string","minLength":1,"maxLength":2}`, []string{`"a"`, `"é😀"`, `"\n\""`, `"\u0000\\"`}, []string{`""`, `"abc"`, `"\n\n\n"`}},
	{"length from 0.0 to 2e0", `{"type":"string","minLength":0.0,"maxLength":2e0}`, []string{`""`, `"ab"`}, []string{`"abc"`}},
	{"at least", `{"type":"string","minLength":3}`, []string{`"abc"`, `"abcd"`}, []string{`"ab"`}},
	{"the longest", `{"type":"string","minLength":2,"maxLength":1000000000}`, []string{`"ab"`, `"` + strings.Repeat(`a\n`, 3000) + `"`}, []string{`"a"`}},
	{"the longest array", `{"items":{"const":1},"minItems":2,"maxItems":1e9}`, []string{"[1,1]", "[" + strings.Repeat("1,", 3000) + "1]"}, []string{"[1]"}},
	{"empty", `{"type":"string","maxLength":0}`, []string{`""`}, []string{`"a"`}},
	{"date", `{"format":"date"}`, []string{`"2024-02-29"`, `"2000-02-29"`, `"2023-12-31"`, `"0004-02-29"`, `"0400-02-29"`, `"0001-01-01"`, `"1999-11-30"`, `"2023-02-28"`},
		[]string{`"2023-02-29"`, `"1900-02-29"`, `"2023-02-30"`, `"2023-04-31"`, `"2023-13-01"`, `"2023-00-10"`, `"2023-01-00"`, `"2023-01-32"`, `"23-01-01"`, `"0000-02-29"`, `"0000-01-01"`, `"0100-02-29"`}},
	{"time", `{"type":"string","format":"time"}`, []string{`"00:00:00Z"`, `"23:59:59.123+01:30"`, `"12:00:00.5-23:59"`, `"12:00:00.123456789012z"`},
		[]string{`"24:00:00Z"`, `"12:60:00Z"`, `"12:00:60Z"`, `"12:00:00"`, `"12:00Z"`, `"12:00:00.Z"`, `"12:00:00+24:00"`}},
	{"date-time", `{"format":"date-time"}`, []string{`"2024-02-29T23:59:59Z"`, `"2024-02-29t23:59:59.1234567890z"`}, []string{`"2024-02-30T23:59:59Z"`, `"2024-02-29 23:59:59Z"`}},
	{"uuid", `{"format":"uuid"}`, []string{`"123e4567-e89b-12d3-a456-42661417400F"`}, []string{`"123e4567e89b12d3a45642661417400F"`, `"123e4567-e89b-12d3-a456-42661417400g"`}},

	{"annotations", `{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"x","$comment":"","title":"","description":"","default":3,"examples":[],"deprecated":true,"readOnly":true,"writeOnly":true,"$anchor":"a","type":"null"}`,
		[]string{"null"}, []string{"3"}},
}

func TestFromJSONSchema(t *testing.T) {
	for _, test := range schemaTests {
		t.Run(test.name, func(t *testing.T) {
			gbnf := mustSchema(t, test.schema)
			accepts := accepter(t, gbnf)
			for _, text := range test.accept {
				if !accepts(text) {
					t.Errorf("rejects %.200s\n%s", text, gbnf)
				}
			}
			for _, text := range test.reject {
				if accepts(text) {
					t.Errorf("accepts %.200s\n%s", text, gbnf)
				}
			}
		})
	}
}

func TestFromJSONSchemaText(t *testing.T) {
	const schema = `{
		"type": "object",
		"properties": {
			"note": {"type": "string", "maxLength": 200},
			"spans": {"type": "array", "items": {"$ref": "#/$defs/span"}, "maxItems": 5},
			"confidence": {"type": "number", "minimum": 0, "maximum": 1},
			"language": {"type": "string", "pattern": "^[a-z]{2}$"}
		},
		"required": ["spans", "confidence"],
		"additionalProperties": false,
		"$defs": {
			"span": {
				"type": "object",
				"properties": {
					"emotion": {"enum": ["joy", "grief"]},
					"start": {"type": "integer", "minimum": 0, "maximum": 255}
				},
				"additionalProperties": false
			}
		}
	}`
	const want = `root ::= "{" ("\"note\":" note ",")? "\"spans\":" spans ",\"confidence\":" confidence (",\"language\":" language)? "}"
note ::= "\"" char{0,200} "\""
spans ::= "[" (span ("," span){0,4})? "]"
span ::= "{" ("\"emotion\":" emotion span-after-emotion | "\"start\":" start)? "}"
emotion ::= "\"joy\"" | "\"grief\""
start ::= "0" | [1-9] [0-9]? | "1" [0-9]{2} | "2" ([0-4] [0-9] | "5" [0-5])
span-after-emotion ::= (",\"start\":" start)?
confidence ::= "0" ("." [0-9]{1,6})? | "1" ("." "0"{1,6})?
language ::= "\"" [a-z]{2} "\""
char ::= [^\x00-\x1F"\\] | "\\" ["\\bfnrt] | "\\u00" ("0" [0-7be-f] | "1" [0-9a-f])
`
	if got := mustSchema(t, schema); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSchemaError(t *testing.T) {
	deep := strings.Repeat(`{"items":`, 600) + "false" + strings.Repeat("}", 600)
	var branches []string
	for i := range 60 {
		branches = append(branches, fmt.Sprintf(`{"minLength":%d}`, i))
	}
	anyOf := `{"anyOf":[` + strings.Join(branches, ",") + `]}`
	product := `{"allOf":[` + strings.Repeat(anyOf+",", 4) + anyOf + `]}`

	tests := []struct{ schema, path, reason string }{
		{"", "", "unexpected EOF"},
		{`{"type":`, "/type", "unexpected EOF"},
		{`{"type":"null"} x`, "", "invalid character"},
		{`{"type":"null"} {}`, "", "text after the schema"},
		{`{"type":"null","type":"null"}`, "/type", "duplicate"},
		{"{\"title\":\"\xff\"}", "/title", "invalid UTF-8"},
		{`{"const":"\ud800"}`, "/const", "surrogate"},
		{"[]", "", "a schema is an object, true or false"},
		{"false", "", "no value satisfies it"},
		{`{"anyOf":[false]}`, "", "no value satisfies it"},
		{`{"items":{"uniqueItems":true}}`, "/items/uniqueItems", "check them afterwards"},
		{`{"type":"number","multipleOf":0.5}`, "/multipleOf", "a whole number from 1 to 1000"},
		{`{"properties":{"a":{"$id":"x","items":{"$ref":"#/d"}}},"d":{"type":"null"}}`, "/properties/a/$id", "leave it out"},
		{`{"$ref":"#/$defs/A/$defs/B","$defs":{"A":{"$id":"http://x.test/a","$defs":{"B":{"$ref":"#/$defs/C"},"C":{"type":"string"}}},"C":{"type":"integer"}}}`,
			"/$defs/A/$id", "the $ref at #/$ref passes through it"},
		{`{"$ref":"#/$defs/A/$defs/B","$defs":{"A":{"id":"http://x.test/a","$defs":{"B":{"type":"null"}}}}}`, "/$defs/A/id", "passes through it"},
		{`{"$ref":"#/$defs/A","$defs":{"A":{"$id":"x","$ref":"#/$defs/B"},"B":{"type":"null"}}}`, "/$defs/A/$id", "it changes what the $ref at #/$defs/A/$ref means"},
		{`{"$ref":"#a","$defs":{"A":{"$id":"x","$defs":{"B":{"$anchor":"a"}}}}}`, "/$defs/A/$id", "passes through it"},
		{`{"$ref":"#a","$defs":{"A":{"$anchor":"a"},"B":{"$anchor":"a"}}}`, "/$ref", "2 schemas have the anchor `a`"},
		{`{"type":"kaboom"}`, "/type", "unknown type `kaboom`"},
		{`{"type":123}`, "/type", "unknown type"},
		{`{"type":["null","x"]}`, "/type/1", "unknown type"},
		{`{"type":[]}`, "/type", "no type"},
		{`{"nullable":true}`, "/nullable", "there is none"},
		{`{"type":"null","nullable":1}`, "/nullable", "true or false"},

		{`{"enum":[]}`, "/enum", "1 to 16384 values"},
		{`{"enum":[` + strings.Repeat("1,", 1<<14) + `1]}`, "/enum", "1 to 16384 values"},
		{`{"enum":["a"],"type":"integer"}`, "", "no value of its enum or const is left"},
		{`{"enum":["a"],"const":"b"}`, "", "no value of its enum or const is left"},
		{`{"const":{},"required":["a"]}`, "/required", "beside enum or const"},

		{`{"properties":{"a":false},"required":["a"]}`, "/required/0", "no value of the property"},
		{`{"properties":[]}`, "/properties", "want an object"},
		{`{"properties":{"a":3}}`, "/properties/a", "a schema is an object"},
		{`{"properties":{},"required":true}`, "/required", "want a list of names"},
		{`{"properties":{},"required":[1]}`, "/required/0", "want a name"},

		{`{"items":{"type":"null"},"minItems":3,"maxItems":2}`, "/maxItems", "no array has at least 3 and at most 2 items"},
		{`{"items":false,"minItems":1}`, "/minItems", "no array"},
		{`{"prefixItems":{"type":"null"}}`, "/prefixItems", "want a list of schemas"},
		{`{"prefixItems":[{"type":"null"}],"minItems":2}`, "/minItems", "no array"},
		{`{"prefixItems":[` + strings.Repeat("false,", 256) + `false]}`, "", "more than 256 items"},
		{`{"prefixItems":[false],"items":[false]}`, "/items", "write a schema for the rest"},
		{`{"minItems":-1}`, "/minItems", "whole number"},
		{`{"minItems":1.5}`, "/minItems", "whole number"},
		{`{"minItems":"1"}`, "/minItems", "whole number"},
		{`{"maxItems":1000000001}`, "/maxItems", "at most 1000000000"},
		{`{"maxItems":1e999999999999}`, "/maxItems", "at most 1000000000"},

		{`{"anyOf":[]}`, "/anyOf", "want a list of schemas"},
		{`{"allOf":{}}`, "/allOf", "want a list of schemas"},
		{`{"allOf":[{"type":"null"},{"type":"string"}]}`, "/allOf/1", "no type is left"},
		{`{"oneOf":[{"type":"integer"},{"type":"number"}]}`, "/oneOf/1", "may satisfy #/oneOf/0 too"},
		{product, "", "too much to combine"},

		{`{"$ref":"other.json#/a"}`, "/$ref", "another document"},
		{`{"$ref":"#a"}`, "/$ref", "0 schemas have the anchor"},
		{`{"$ref":"#/%zz"}`, "/$ref", "no JSON pointer"},
		{`{"$ref":"#/$defs/a"}`, "/$ref", "nothing is at `#/$defs/a`"},
		{`{"$ref":"#/allOf/00","allOf":[{"type":"null"}]}`, "/$ref", "nothing is at"},
		{`{"$ref":3}`, "/$ref", "want a string"},
		{`{"$ref":"#/title","title":"x"}`, "/title", "a schema is an object"},
		{`{"$ref":"#"}`, "", "before any value begins"},
		{`{"$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"type":"null"},{"allOf":[{"$ref":"#/$defs/a"}]}]}}}`, "/$defs/a", "before any value begins"},
		{`{"type":"object","not":{"$ref":"#"}}`, "", "before any value begins"},
		{`{"type":"object","if":{"$ref":"#"},"then":{"required":["a"]}}`, "", "before any value begins"},
		{`{"properties":{"a":{"$ref":"#"}},"required":["a"]}`, "", "no end"},
		{`{"$ref":"#/$defs/a","$defs":{"a":{"items":{"$ref":"#/$defs/b"},"minItems":1},"b":{"items":{"$ref":"#/$defs/a"},"minItems":2}}}`, "/$defs/a", "no end"},

		{`{"minLength":3,"maxLength":2}`, "/maxLength", "no string has at least 3 and at most 2"},
		{`{"format":"regex"}`, "/format", "the format `regex` is not supported"},
		{`{"allOf":[{"format":"date"},{"format":"time"}]}`, "/allOf/1/format", "no string satisfies it"},
		{`{"pattern":3}`, "/pattern", "want a string"},

		{`{"type":"integer","minimum":5,"maximum":4}`, "/maximum", "no number is within the bounds"},
		{`{"type":"integer","exclusiveMinimum":4,"exclusiveMaximum":5}`, "/exclusiveMaximum", "no number"},
		{`{"type":"number","exclusiveMinimum":4,"maximum":4}`, "/maximum", "no number"},
		{`{"type":"integer","minimum":"5"}`, "/minimum", "want a number"},
		{`{"type":"integer","minimum":1e40}`, "/minimum", "more than 40 digits"},
		{`{"type":"integer","minimum":1e-999999999999999999999}`, "/minimum", "more than 40 digits"},

		{strings.Repeat(" ", maxSchema+1), "", "bytes, more than"},
		{deep, strings.Repeat("/items", 500), "nests more than 500 levels"},
		{`{"enum":["` + strings.Repeat(`\u0001`, 170000) + `"]}`, "", "its grammar has"},
	}
	for _, test := range tests {
		gbnf, err := FromJSONSchema([]byte(test.schema))
		var schema *SchemaError
		if !errors.As(err, &schema) || gbnf != "" {
			t.Errorf("%.100s: got %q and error %v, want a *SchemaError", test.schema, gbnf, err)
			continue
		}
		if schema.Path != test.path || !strings.Contains(schema.Reason, test.reason) {
			t.Errorf("%.100s: got %.200q at %.100q, want %q at %.100q", test.schema, schema.Reason, schema.Path, test.reason, test.path)
		}
		if want := "JSON schema at #" + schema.Path + ": " + schema.Reason; err.Error() != want {
			t.Errorf("got error %q, want %q", err, want)
		}
	}
}

// TestJSONSchemaSize takes schemas that are large or grow when they are combined.
func TestJSONSchemaSize(t *testing.T) {
	many := func(n int, format string) string {
		var items []string
		for i := range n {
			items = append(items, strings.NewReplacer("N", fmt.Sprint(i), "M", fmt.Sprint(i+1)).Replace(format))
		}
		return strings.Join(items, ",")
	}
	tests := []struct{ name, schema, reason string }{
		{"chain of properties", `{"$ref":"#/$defs/0","$defs":{` + many(4000, `"N":{"properties":{"a":{"$ref":"#/$defs/M"}}}`) + `,"4000":{"type":"null"}}}`, ""},
		{"chain of items that go back", `{"$ref":"#/$defs/4000","$defs":{"0":{"type":"null"},` + many(4000, `"M":{"minItems":1,"items":{"$ref":"#/$defs/N"}}`) + `}}`, ""},
		{"chain of references", `{"$ref":"#/$defs/0","$defs":{` + many(8000, `"N":{"$ref":"#/$defs/M"}`) + `,"8000":{"type":"null"}}}`, ""},
		{"a long enum", `{"enum":[` + many(1<<14, "N") + `]}`, ""},
		{"many branches", `{"anyOf":[` + many(4000, `{"minLength":N}`) + `]}`, ""},
		{"many exclusive branches", `{"type":"object","oneOf":[` + many(200, `{"properties":{"k":{"const":N}},"required":["k"]}`) + `]}`, ""},
		{"a choice in many places", `{"properties":{` + many(1000, `"N":{"$ref":"#/$defs/a"}`) + `},"$defs":{"a":{"anyOf":[` + many(100, `{"minLength":N}`) + `]}}}`, ""},
		{"long property names", `{"properties":{"` + strings.Repeat("x", 1e5) + `":{"enum":[1,2]},"` + strings.Repeat("x", 1e5) + `y":{"enum":[1,2]}}}`, ""},
		{"conjunctions that grow", `{"$ref":"#/$defs/a","$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}],"properties":{"x":{"$ref":"#/$defs/a"}}},"b":{"properties":{"x":{"$ref":"#/$defs/c"}}},"c":{"properties":{"x":{"allOf":[{"$ref":"#/$defs/b"},{"$ref":"#/$defs/d"}]}}},"d":{"properties":{"x":{"$ref":"#/$defs/b"},"y":{"$ref":"#/$defs/a"}}}}}`, ""},
		{"oneOf in a property that tells oneOf apart", `{"oneOf":[{"properties":{"a":{"$ref":"#"}}},{"properties":{"a":{"const":"x"}},"required":["a"]}],"type":"object"}`, ""},
		{"many conditions", `{"allOf":[` + many(3000, `{"minLength":N}`) + `]}`, "too much to combine"},
		{"a product of choices", `{"anyOf":[` + many(2000, `{"minLength":N}`) + `],"allOf":[{"anyOf":[` + many(2000, `{"maxLength":N}`) + `]}]}`, "too much to combine"},
		{"many names beside others", `{"properties":{` + many(3000, `"propertyN":{}`) + `},"patternProperties":{"^a":{},"b":{}}}`, ""},
		{"a long value that is excluded", `{"type":"string","not":{"const":"` + strings.Repeat("xy", 4000) + `"}}`, ""},
		{"exclusive requirements", `{"type":"object","properties":{` + many(30, `"N":{"type":"null"}`) + `},"oneOf":[` + many(30, `{"required":["N"]}`) + `]}`, ""},
		{"many patterns", `{"patternProperties":{` + many(60, `"aN.*b":{}`) + `}}`, "too much to tell apart"},
		{"a pattern with counts in counts", `{"pattern":"(a{1,100}){1,100}","maxLength":2000}`, "too much to combine"},
		{"many dependencies", `{"type":"object","dependentRequired":{` + many(15, `"N":["aN"]`) + `}}`, "too much to combine"},
		{"many conditions on properties", `{"type":"object","properties":{` + many(12, `"N":{"enum":["a","b"]}`) + `},"allOf":[` + many(12, `{"if":{"properties":{"N":{"const":"a"}}},"then":{"required":["N"]}}`) + `]}`, "too much to combine"},
		{"a long pattern", `{"pattern":"` + strings.Repeat("[^a]", 40000) + `"}`, "its grammar has"},
	}
	for _, test := range tests {
		gbnf, err := FromJSONSchema([]byte(test.schema))
		if test.reason != "" {
			if err == nil || !strings.Contains(err.Error(), test.reason) {
				t.Errorf("%s: got error %v, want one that says %q", test.name, err, test.reason)
			}
			continue
		}
		if err == nil {
			_, err = Parse(gbnf)
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
