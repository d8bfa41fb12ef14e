package grammar

import (
	"slices"
	"strings"
	"testing"
)

// openSchemaTests are about objects with members that are not listed, values of any kind,
// and conditions that exclude something.
var openSchemaTests = []struct {
	name           string
	schema         string
	accept, reject []string
}{
	{"any value", `{}`, []string{"1", `"a"`, "null", "[]", `{"a":[{"":1e5}],"b":false}`}, []string{"", "tru", `{"a"}`, "[1,]", `{1:2}`}},
	{"true", `true`, []string{"1", "{}"}, nil},
	{"unknown keywords", `{"type":"null","x-order":3,"minimun":3,"enumDescriptions":["a"]}`, []string{"null"}, []string{"3"}},
	{"a property of any value", `{"properties":{"a":{"description":"x"},"b":true}}`, []string{`{"a":[],"b":{}}`, "{}"}, []string{`{"c":1}`}},
	{"free-form object", `{"type":"object"}`, []string{"{}", `{"a":1,"":{"b":[]}}`}, []string{"[]", `{"a":}`, "{,}"}},
	{"array of any items", `{"type":"array","maxItems":2}`, []string{"[]", `[{},"a"]`}, []string{"[1,2,3]", "{}"}},
	{"additionalProperties true", `{"properties":{"ab":{"type":"null"},"a":{"type":"null"}},"additionalProperties":true}`,
		[]string{"{}", `{"ab":null}`, `{"ab":null,"a":null,"b":3,"":1,"abc":2,"aB":[]}`, `{"x":{}}`, `{"a\n":1}`},
		[]string{`{"ab":1}`, `{"a":1}`, `{"x":1,"a":null}`, `{"a":null,"ab":1}`, `{"x":1,"ab":3}`}},
	{"additionalProperties with a schema", `{"properties":{"é\"":{"type":"null"}},"required":["é\"","n"],"additionalProperties":{"type":"integer"}}`,
		[]string{`{"é\"":null,"n":1}`, `{"é\"":null,"n":1,"é":2,"é\"\"":3}`}, []string{`{"é\"":null}`, `{"é\"":null,"n":"a"}`, `{"é\"":null,"n":1,"m":null}`, `{"é\"":null,"n":1,"n":2}`}},
	{"no property is required, others may come", `{"properties":{"a":{"const":1},"b":{"const":2}},"additionalProperties":{"const":3}}`,
		[]string{"{}", `{"a":1}`, `{"b":2,"c":3}`, `{"c":3,"d":3}`, `{"a":1,"b":2,"c":3}`}, []string{`{"c":3,"a":1}`, `{"a":3}`, `{"c":1}`}},
	{"a required property that is not listed", `{"properties":{"a":{"type":"null"}},"required":["b"]}`, []string{`{"b":[1]}`, `{"a":null,"b":1}`}, []string{"{}", `{"a":null}`, `{"b":1,"c":1}`}},
	{"patternProperties", `{"properties":{"x-a":{"maximum":3},"b":{"type":"null"}},"patternProperties":{"^x-":{"type":"integer"},"9$":{"minimum":5}}}`,
		[]string{"{}", `{"x-a":3,"b":null,"x-":4}`, `{"x-9":7,"9":5.5}`},
		[]string{`{"x-a":2.5}`, `{"x-a":4}`, `{"x-9":4}`, `{"x-9":7.5}`, `{"9":4}`, `{"c":1}`, `{"x-b":"a"}`}},
	{"patternProperties and additionalProperties", `{"patternProperties":{"^a":{"const":1}},"additionalProperties":{"const":2}}`,
		[]string{`{"a":1,"b":2,"":2,"ab":1}`}, []string{`{"a":2}`, `{"b":1}`}},
	{"patternProperties and no others", `{"type":"object","patternProperties":{"^[a-z]{1,3}$":{"type":"null"}},"additionalProperties":false}`,
		[]string{"{}", `{"abc":null,"a":null}`}, []string{`{"abcd":null}`, `{"":null}`, `{"A":null}`}},
	{"patternProperties of several schemas", `{"allOf":[{"patternProperties":{"^a":{"type":"integer"}}},{"patternProperties":{"b$":{"minimum":3}}}]}`,
		[]string{`{"a":1,"b":3.5,"ab":3}`}, []string{`{"ab":2}`, `{"ab":3.5}`, `{"c":1}`}},
	{"patternProperties empty", `{"patternProperties":{},"properties":{"a":{"type":"null"}}}`, []string{`{"a":null}`}, []string{`{"a":1}`}},
	{"propertyNames", `{"type":"object","propertyNames":{"pattern":"^[a-z]*$","maxLength":2},"properties":{"abc":{"type":"null"},"ab":{"const":1}},"additionalProperties":{"const":2}}`,
		[]string{"{}", `{"ab":1}`, `{"ab":1,"a":2,"":2}`}, []string{`{"abc":null}`, `{"A":2}`, `{"xyz":2}`}},
	{"minProperties 0", `{"properties":{"a":{"type":"null"}},"minProperties":0}`, []string{"{}", `{"a":null}`}, nil},
	{"minProperties", `{"properties":{"a":{"const":1},"b":{"const":2},"c":{"const":3}},"required":["b"],"minProperties":2}`,
		[]string{`{"a":1,"b":2}`, `{"b":2,"c":3}`, `{"a":1,"b":2,"c":3}`}, []string{"{}", `{"b":2}`, `{"a":1,"c":3}`, `{"a":1,}`}},
	{"minProperties of others", `{"minProperties":1,"maxProperties":2,"additionalProperties":{"const":1}}`, []string{`{"a":1}`, `{"a":1,"b":1}`}, []string{"{}", `{"a":1,"b":1,"c":1}`}},
	{"maxProperties", `{"properties":{"a":{"const":1},"b":{"const":2},"c":{"const":3}},"maxProperties":1}`, []string{"{}", `{"a":1}`, `{"c":3}`}, []string{`{"a":1,"b":2}`}},
	{"unevaluatedProperties", `{"allOf":[{"properties":{"a":{"const":1}}}],"properties":{"b":{"const":2}},"unevaluatedProperties":false}`, []string{"{}", `{"b":2,"a":1}`}, []string{`{"c":1}`}},
	{"unevaluatedProperties and others beside it", `{"allOf":[{"properties":{"a":{"const":1}},"unevaluatedProperties":false},{"properties":{"b":{"const":2}}}]}`,
		[]string{"{}", `{"a":1}`}, []string{`{"b":2}`, `{"a":1,"b":2}`}},
	{"dependentRequired", `{"properties":{"a":{"const":1},"b":{"const":2}},"dependentRequired":{"a":["b"]}}`, []string{"{}", `{"b":2}`, `{"a":1,"b":2}`}, []string{`{"a":1}`}},
	{"dependencies", `{"type":"object","properties":{"a":{"const":1},"b":{"type":"integer"}},"dependencies":{"a":{"properties":{"b":{"minimum":3}}}}}`,
		[]string{"{}", `{"b":2}`, `{"a":1,"b":3}`, `{"a":1}`}, []string{`{"a":1,"b":2}`}},

	{"uniqueItems false", `{"items":{"const":1},"uniqueItems":false}`, []string{"[1,1]"}, nil},
	{"uniqueItems of one", `{"type":"array","uniqueItems":true,"maxItems":1}`, []string{"[]", `["a"]`}, []string{"[1,1]"}},
	{"uniqueItems of an enum", `{"uniqueItems":true,"items":{"enum":["a","b","c"]}}`, []string{"[]", `["a","c"]`, `["b"]`, `["a","b","c"]`}, []string{`["a","a"]`, `["b","a"]`}},
	{"uniqueItems with counts", `{"uniqueItems":true,"minItems":2,"items":{"anyOf":[{"enum":[1,2]},{"const":1.0},{"type":"boolean"}]}}`,
		[]string{"[1,2]", "[2,true]", "[true,false]"}, []string{"[1]", "[1,1.0]", "[1.0,1]", "[]"}},
	{"additionalItems without a list", `{"items":{"const":1},"additionalItems":false}`, []string{"[1,1]"}, []string{"[2]"}},

	{"not", `{"type":["string","integer","null"],"not":{"type":"integer"}}`, []string{`"a"`, "null"}, []string{"1"}},
	{"not enum", `{"type":"string","not":{"enum":["ab","b\n",1]}}`, []string{`""`, `"a"`, `"abc"`, `"b"`, `"1"`}, []string{`"ab"`, `"b\n"`}},
	{"not integers", `{"type":"integer","minimum":-2,"maximum":30,"not":{"enum":[0,7,1.0,2e1,1.5,1e999999999999,"3"]}}`, []string{"-1", "2", "3", "21", "30"}, []string{"0", "7", "1", "20", "31"}},
	{"not const of any type", `{"not":{"const":null}}`, []string{"1", `"null"`, "[null]"}, []string{"null"}},
	{"not required", `{"type":"object","properties":{"a":{"const":1},"b":{"const":2}},"not":{"required":["a","b"]}}`, []string{"{}", `{"a":1}`, `{"b":2}`}, []string{`{"a":1,"b":2}`}},
	{"not what would not be written", `{"type":"object","properties":{"a":{"const":1}},"not":{"required":["b"]}}`, []string{"{}", `{"a":1}`}, []string{`{"b":1}`}},
	{"not a pattern", `{"type":"string","maxLength":2,"not":{"pattern":"^a"}}`, []string{`""`, `"b"`, `"ba"`}, []string{`"a"`, `"ab"`, `"bab"`}},
	{"oneOf of patterns that meet", `{"oneOf":[{"pattern":"^a"},{"pattern":"b$"}]}`, []string{`"a"`, `"b"`, `"abc"`}, []string{`"ab"`, `""`, `"c"`}},
	{"oneOf of arrays", `{"oneOf":[{"type":"array","items":{"type":"string"}},{"type":"array","items":{"type":"integer"}}]}`, []string{`["a"]`, "[1,2]"}, []string{"[]", `["a",1]`}},
	{"not a bound", `{"type":"integer","not":{"minimum":5}}`, []string{"4", "-1"}, []string{"5", "6"}},
	{"not a choice", `{"type":"string","not":{"anyOf":[{"minLength":3},{"const":"a"}]}}`, []string{`""`, `"b"`, `"ab"`}, []string{`"a"`, `"abc"`}},
	{"not not", `{"not":{"not":{"type":"null"}}}`, []string{"null"}, []string{"1"}},
	{"if then else", `{"type":"object","properties":{"k":{"enum":["a","b"]},"x":{"const":1},"y":{"const":2}},"required":["k"],"if":{"properties":{"k":{"const":"a"}}},"then":{"required":["x"]},"else":{"required":["y"]}}`,
		[]string{`{"k":"a","x":1}`, `{"k":"b","y":2}`, `{"k":"a","x":1,"y":2}`}, []string{`{"k":"a"}`, `{"k":"a","y":2}`, `{"k":"b","x":1}`, `{"x":1}`}},
	{"if without then", `{"type":"null","if":{"type":"null"}}`, []string{"null"}, nil},
	{"oneOf of required", `{"type":"object","properties":{"a":{"const":1},"b":{"const":2}},"oneOf":[{"required":["a"]},{"required":["b"]}]}`, []string{`{"a":1}`, `{"b":2}`}, []string{"{}", `{"a":1,"b":2}`}},
	{"oneOf of required, one of which requires what is not listed",
		`{"type":"object","properties":{"a":{"required":["n"],"properties":{}},"b":{"const":2}},"oneOf":[{"required":["a"]},{"required":["b"]}]}`,
		[]string{`{"a":{"n":1}}`, `{"b":2}`}, []string{`{"a":{"n":1},"b":2}`, "{}"}},
	{"what a property excludes adds to what is written for it",
		`{"type":"object","properties":{"p":{"type":"object","properties":{"a":{"const":1}},"not":{"properties":{"q":{"type":"string"}}}}},"required":["p"],"not":{"properties":{"p":{"required":["q","a"]}}}}`,
		[]string{`{"p":{"q":3}}`}, []string{`{"p":{"a":1,"q":3}}`, `{"p":{"q":"a"}}`, `{"p":{}}`}},
	{"what one branch excludes adds to what is written for another",
		`{"oneOf":[{"anyOf":[{"type":"boolean"},{"type":"object","properties":{"a":{"maxLength":1}}}]},{"properties":{"a":{"const":"x"}},"required":["a"]}]}`,
		[]string{`{"a":""}`, `{"a":"y"}`, "{}"}, []string{"true", "false", "null", `{"a":"x"}`}},
	{"what is excluded second adds to what is written",
		`{"type":"object","properties":{"a":{"const":1}},"allOf":[{"not":{"required":["q"],"properties":{"q":{"type":"string"}}}},{"not":{"properties":{"q":{"type":"null"}}}}]}`,
		[]string{`{"q":1}`, `{"a":1,"q":[]}`}, []string{`{"q":"a"}`, `{"q":null}`, "{}"}},
	{"a condition of a property adds to what is written for it",
		`{"type":"object","properties":{"p":{"type":"object","properties":{"a":{"enum":[1,2]}},"if":{"required":["a"]},"then":{"properties":{"q":{"const":2}}}}},"required":["p"],"not":{"properties":{"p":{"required":["q"]}}}}`,
		[]string{`{"p":{"a":1}}`, `{"p":{}}`}, []string{`{"p":{"a":1,"q":2}}`, `{"p":{"q":2}}`}},
	{"oneOf of lists and bounds that meet", `{"oneOf":[{"enum":[1,2]},{"enum":[2.0,3]}]}`, []string{"1", "3"}, []string{"2", "2.0"}},
	{"oneOf with a value beside conditions of other types", `{"type":"object","properties":{"a":{"const":0.5,"maxItems":2},"b":{"const":2}},"oneOf":[{"required":["a"]},{"required":["b"]}]}`,
		[]string{`{"a":0.5}`, `{"b":2}`}, []string{`{"a":0.5,"b":2}`}},
	{"a part that has no values", `{"properties":{"a":{"type":"null","enum":[1]},"b":{"const":1}},"anyOf":[{"required":["a"]},{"required":["b"]}]}`, []string{`{"b":1}`}, []string{"{}", `{"a":1}`, `{"a":null}`}},

	{"enum with conditions", `{"enum":["a","abc",1,7,"b1"],"pattern":"^[a-z]+$","maxLength":2,"minimum":3}`, []string{`"a"`, "7"}, []string{`"abc"`, `"b1"`, "1"}},
	{"$anchor", `{"$ref":"#x","$defs":{"a":{"$anchor":"x","type":"null"}}}`, []string{"null"}, []string{"1"}},
	{"$ref by the root's own $id", `{"$id":"http://x.test/s","$ref":"http://x.test/s#/$defs/a","$defs":{"a":{"type":"null"}}}`, []string{"null"}, []string{"1"}},
	{"nested $id without references", `{"properties":{"a":{"$id":"x","type":"null"}}}`, []string{`{"a":null}`}, []string{`{"a":1}`}},
	{"exclusive bounds of draft 4", `{"type":"integer","minimum":5,"exclusiveMinimum":true,"maximum":7,"exclusiveMaximum":false}`, []string{"6", "7"}, []string{"5", "8"}},

	{"email", `{"format":"email"}`, []string{`"a.b+c@x.org"`, `"joe@example-host.co.uk"`, `"o'x@local.host"`}, []string{`"a"`, `"@x"`, `".a@x"`, `"a..b@x"`, `"a@"`, `"a@-x"`, `"a b@x"`, `"a@x."`}},
	{"hostname", `{"format":"hostname"}`, []string{`"localhost"`, `"www.example.com"`, `"4you.a-b.org"`}, []string{`""`, `"-a"`, `"a-"`, `"a..b"`, `"a_b"`, `"127.0.0.1"`, `"xn--a"`}},
	{"ipv4", `{"format":"ipv4"}`, []string{`"127.0.0.1"`, `"255.255.255.255"`, `"0.0.0.0"`}, []string{`"256.0.0.1"`, `"1.2.3"`, `"01.2.3.4"`, `"1.2.3.4.5"`}},
	{"ipv6", `{"format":"ipv6"}`, []string{`"::"`, `"::1"`, `"2001:db8::8:800:200C:417A"`, `"1:2:3:4:5:6:7:8"`, `"::ffff:192.168.0.1"`, `"1::8"`, `"1:2:3:4:5:6:7::"`},
		[]string{`"1:2:3:4:5:6:7"`, `":1"`, `"1::2::3"`, `"12345::"`, `"1:2:3:4:5:6:7:8:9"`, `"::g"`, `"1:2:3:4:5:6:7::8"`, `"::256.1.1.1"`}},
	{"uri", `{"format":"uri"}`, []string{`"http://a.test/x?y=1#z"`, `"mailto:a@b"`, `"urn:x:y"`, `"http://[::1]:80/"`, `"a:/"`}, []string{`"a"`, `"//a"`, `"http://a b"`, `"1a:b"`, `"http://a/%zz"`, `"a:"`}},
	{"uri-reference", `{"format":"uri-reference"}`, []string{`""`, `"/a"`, `"../a?b"`, `"#x"`, `"http://a"`}, []string{`"a b"`, `"%"`, `"\\a"`}},
	{"url", `{"format":"url"}`, []string{`"https://a.example/"`, `"ftp://a-b.example:8080/x/?y#z"`, `"http://x.org"`}, []string{`"mailto:a"`, `"http://a"`, `"a.example"`, `"http://a.example?b"`, `"https://a.example:99999/"`}},
	{"duration", `{"format":"duration"}`, []string{`"P1Y2M3D"`, `"PT1H"`, `"P4W"`, `"P1DT12H30M5S"`}, []string{`"P"`, `"PT"`, `"1D"`, `"P1D2H"`, `"P1Y2D"`, `"P1W1D"`, `"P1DT"`}},
	{"json-pointer", `{"format":"json-pointer"}`, []string{`""`, `"/a/b~0c"`}, []string{`"a"`, `"/~2"`}},
	{"format that no one knows", `{"type":"string","format":"password"}`, []string{`"a"`}, []string{"1"}},
	{"format with a length", `{"format":"date","minLength":3,"maxLength":10}`, []string{`"2024-01-01"`}, []string{`"2024"`}},
	{"format cut by a length", `{"format":"ipv4","maxLength":8}`, []string{`"1.1.1.1"`, `"12.1.1.1"`}, []string{`"127.0.0.1"`}},
	{"multipleOf", `{"type":"integer","multipleOf":12}`, []string{"0", "12", "-24", "120", "1200"}, []string{"6", "1", "-13", "12.0", "-0", "012"}},
	{"multipleOf with bounds", `{"type":"number","multipleOf":5,"minimum":7,"maximum":31,"allOf":[{"multipleOf":2}]}`, []string{"10", "20", "30"}, []string{"0", "15", "40", "5", "10.5"}},
	{"multipleOf beside enum", `{"enum":[3,4,6,7.5],"multipleOf":3}`, []string{"3", "6"}, []string{"4", "7.5"}},
	{"int32", `{"type":"integer","format":"int32"}`, []string{"2147483647", "-2147483648"}, []string{"2147483648"}},
}

func TestOpenSchema(t *testing.T) {
	for _, test := range openSchemaTests {
		t.Run(test.name, func(t *testing.T) {
			gbnf := mustSchema(t, test.schema)
			accepts := accepter(t, gbnf)
			for _, text := range test.accept {
				if !accepts(text) {
					t.Errorf("rejects %s\n%s", text, gbnf)
				}
			}
			for _, text := range test.reject {
				if accepts(text) {
					t.Errorf("accepts %s\n%s", text, gbnf)
				}
			}
		})
	}
}

func TestSchemaStrict(t *testing.T) {
	strict := SchemaOptions{Strict: true}
	for _, test := range []struct{ schema, path, reason string }{
		{`{"type":"null","minimun":3}`, "/minimun", "unknown keyword `minimun`"},
		{`{"x-` + strings.Repeat("x", 5000) + `":3}`, "/x-" + strings.Repeat("x", 5000), "unknown keyword `x-xxx"},
		{`{"type":"string","format":"password"}`, "/format", "the format `password` is not supported"},
	} {
		if _, err := FromJSONSchema([]byte(test.schema)); err != nil {
			t.Errorf("%.50s: %v", test.schema, err)
		}
		_, err := strict.FromJSONSchema([]byte(test.schema))
		if schema, ok := err.(*SchemaError); !ok || schema.Path != test.path || !strings.Contains(schema.Reason, test.reason) {
			t.Errorf("%.50s: got error %v, want one that says %q", test.schema, err, test.reason)
		}
	}
	if gbnf, err := strict.FromJSONSchema([]byte(`{"type":"null","title":"x","format":"int32"}`)); err != nil || gbnf != "root ::= \"null\"\n" {
		t.Errorf("got %q, %v", gbnf, err)
	}
}

// TestRuneAutomaton compares what automata accept with what their machines do.
func TestRuneAutomaton(t *testing.T) {
	b := newSchemaBuilder(&jsonValue{kind: '{'}, SchemaOptions{})
	v := &jsonValue{kind: '{'}
	var machines []*runeMachine
	for _, pattern := range []string{"^a", "b$", "(a|^)b{1,2}(c|$)", "^$", "^(ab?)*$"} {
		m, err := b.machine(&jsonValue{kind: '"', text: pattern, parent: v})
		if err != nil {
			t.Fatal(err)
		}
		machines = append(machines, m)
	}
	machines = append(machines, machineOfStrings([]string{"ab", "a", "bcb", "ab"}))
	a, err := b.determine(v, machines)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{""}
	for i := 0; i < len(texts) && len(texts[i]) < 6; i++ {
		for _, c := range "abc" {
			texts = append(texts, texts[i]+string(c))
		}
	}
	for _, text := range texts {
		at := 0
		for _, r := range text {
			i := slices.IndexFunc(a.states[at].edges, func(e runeEdge) bool { return e.Lo <= r && r <= e.Hi })
			at = a.states[at].edges[i].to
		}
		for i, m := range machines {
			if got, want := a.states[at].accepts>>i&1 != 0, m.matches(text); got != want {
				t.Fatalf("machine %d: %q is accepted: %v, want %v", i, text, got, want)
			}
		}
	}
}
