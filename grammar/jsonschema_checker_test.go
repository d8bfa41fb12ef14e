package grammar

import (
	"encoding/json"
	"errors"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// schemaChecker validates values against the schemas that a schemaWriter writes, as the
// specification has it and with nothing in common with the code under test.
type schemaChecker struct {
	document any
	depth    *int // of schemas that are being checked
}

// satisfied reports whether the value is valid. It is not known where a schema refers to
// itself without end.
func (c schemaChecker) satisfied(value any) (valid, known bool) {
	defer func() {
		if err := recover(); err != nil && err != errEndless {
			panic(err)
		}
	}()
	c.depth = new(int)
	return c.valid(c.document, value), true
}

var errEndless = errors.New("a schema refers to itself without end")

func decodeJSON(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func (c schemaChecker) valid(schema, value any) bool {
	if b, ok := schema.(bool); ok {
		return b
	}
	if *c.depth++; *c.depth > 1000 {
		panic(errEndless)
	}
	defer func() { *c.depth-- }()
	s := schema.(map[string]any)
	for keyword, arg := range s {
		if !c.holds(s, keyword, arg, value) {
			return false
		}
	}
	return true
}

func (c schemaChecker) holds(s map[string]any, keyword string, arg, value any) bool {
	all := func(schemas any) (valid int) {
		for _, sub := range schemas.([]any) {
			if c.valid(sub, value) {
				valid++
			}
		}
		return valid
	}
	switch keyword {
	case "type":
		names, ok := arg.([]any)
		if !ok {
			names = []any{arg}
		}
		for _, name := range names {
			if hasType(name.(string), value) {
				return true
			}
		}
		return false
	case "enum":
		for _, v := range arg.([]any) {
			if equalJSON(v, value) {
				return true
			}
		}
		return false
	case "const":
		return equalJSON(arg, value)
	case "$ref":
		target := c.document
		if name, ok := strings.CutPrefix(arg.(string), "#/$defs/"); ok {
			target = target.(map[string]any)["$defs"].(map[string]any)[name]
		}
		return c.valid(target, value)
	case "anyOf":
		return all(arg) > 0
	case "allOf":
		return all(arg) == len(arg.([]any))
	case "oneOf":
		return all(arg) == 1
	case "not":
		return !c.valid(arg, value)
	case "if":
		next := "else"
		if c.valid(arg, value) {
			next = "then"
		}
		sub, ok := s[next]
		return !ok || c.valid(sub, value)
	}
	switch value := value.(type) {
	case string:
		n := utf8.RuneCountInString(value)
		switch keyword {
		case "minLength":
			return n >= toInt(arg)
		case "maxLength":
			return n <= toInt(arg)
		case "pattern":
			return regexp.MustCompile(arg.(string)).MatchString(value)
		case "format":
			return map[string]*regexp.Regexp{
				"date":      regexp.MustCompile(`^\d{4}-\d\d-\d\d$`),
				"time":      regexp.MustCompile(`^\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$`),
				"date-time": regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$`),
				"ipv4":      regexp.MustCompile(`^(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$`),
				"email":     regexp.MustCompile(`^[^@\s]{1,64}@[a-zA-Z0-9.-]{1,253}$`),
				"uuid":      regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`),
			}[arg.(string)].MatchString(value)
		}
	case json.Number:
		switch n := rat(value.String()); keyword {
		case "multipleOf":
			return new(big.Rat).Quo(n, rat(arg.(json.Number).String())).IsInt()
		case "minimum":
			return n.Cmp(rat(arg.(json.Number).String())) >= 0
		case "exclusiveMinimum":
			return n.Cmp(rat(arg.(json.Number).String())) > 0
		case "maximum":
			return n.Cmp(rat(arg.(json.Number).String())) <= 0
		case "exclusiveMaximum":
			return n.Cmp(rat(arg.(json.Number).String())) < 0
		}
	case map[string]any:
		properties, _ := s["properties"].(map[string]any)
		patterns, _ := s["patternProperties"].(map[string]any)
		switch keyword {
		case "properties":
			for name, sub := range properties {
				if v, ok := value[name]; ok && !c.valid(sub, v) {
					return false
				}
			}
		case "additionalProperties":
			for name, v := range value {
				_, listed := properties[name]
				for pattern := range patterns {
					listed = listed || regexp.MustCompile(pattern).MatchString(name)
				}
				if !listed && !c.valid(arg, v) {
					return false
				}
			}
		case "patternProperties":
			for pattern, sub := range patterns {
				for name, v := range value {
					if regexp.MustCompile(pattern).MatchString(name) && !c.valid(sub, v) {
						return false
					}
				}
			}
		case "propertyNames":
			for name := range value {
				if !c.valid(arg, name) {
					return false
				}
			}
		case "minProperties":
			return len(value) >= toInt(arg)
		case "maxProperties":
			return len(value) <= toInt(arg)
		case "dependentRequired":
			for name, asked := range arg.(map[string]any) {
				if _, ok := value[name]; ok && !c.holds(s, "required", asked, value) {
					return false
				}
			}
		case "required":
			for _, name := range arg.([]any) {
				if _, ok := value[name.(string)]; !ok {
					return false
				}
			}
		}
	case []any:
		prefix, _ := s["prefixItems"].([]any)
		switch keyword {
		case "minItems":
			return len(value) >= toInt(arg)
		case "maxItems":
			return len(value) <= toInt(arg)
		case "uniqueItems":
			for i := range value {
				for j := range i {
					if equalJSON(value[i], value[j]) {
						return false
					}
				}
			}
		case "prefixItems":
			for i, sub := range prefix[:min(len(prefix), len(value))] {
				if !c.valid(sub, value[i]) {
					return false
				}
			}
		case "items":
			for _, v := range value[min(len(prefix), len(value)):] {
				if !c.valid(arg, v) {
					return false
				}
			}
		}
	}
	return true
}

func toInt(arg any) int {
	n, err := strconv.Atoi(arg.(json.Number).String())
	if err != nil {
		panic(err)
	}
	return n
}

func hasType(name string, value any) bool {
	switch value := value.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case json.Number:
		return name == "number" || name == "integer" && rat(value.String()).IsInt()
	case []any:
		return name == "array"
	}
	return name == "object"
}

func equalJSON(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && new(big.Rat).Sub(rat(a.String()), rat(b.String())).Sign() == 0
	case []any:
		b, ok := b.([]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !equalJSON(a[i], b[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for name := range a {
			if v, ok := b[name]; !ok || !equalJSON(a[name], v) {
				return false
			}
		}
		return true
	}
	return a == b
}
