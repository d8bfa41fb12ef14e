package grammar

import (
	"encoding/json"
	"flag"
	"hash/fnv"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var (
	schemaFolder = flag.String("schemas.folder", "testdata/schemas", "folder of JSON schemas, with tests or without")
	schemaTexts  = flag.Int("schemas.texts", 20, "random texts of each schema's grammar")
	schemaReport = flag.String("schemas.report", "", "file for what was found out, a JSON line for each schema")
)

// schemaFile is a schema and values that are or are not valid under it, as MaskBench writes
// them.
type schemaFile struct {
	Schema json.RawMessage
	Tests  []struct {
		Description string
		Valid       *bool
		Data        json.RawMessage
	}
}

// schemaFinding is what the tests found out about a schema.
type schemaFinding struct {
	File    string          `json:"file"`
	Schema  json.RawMessage `json:"schema"`
	Refused string          `json:"refused,omitempty"` // why it does not become a grammar
	At      string          `json:"at,omitempty"`      // the keyword at which it is refused
	Failed  string          `json:"failed,omitempty"`  // why its grammar cannot be used
	Bytes   int             `json:"bytes"`             // of the grammar

	Valid, Accepted   int      // values that are valid, and those of them that the grammar spells
	Invalid           int      // values that are not
	Unsound, Needless []string // descriptions of the invalid ones that it spells, of the valid ones that it does not
	Texts             []string // of the grammar, at random
}

// TestSchemaFolder holds the grammars of a folder of schemas against the values that come
// with them. With -schemas.report it leaves texts of the grammars for another validator.
func TestSchemaFolder(t *testing.T) {
	var report *json.Encoder
	if *schemaReport != "" {
		f, err := os.Create(*schemaReport)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		report = json.NewEncoder(f)
	}
	files := 0
	err := filepath.WalkDir(*schemaFolder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		finding := findOut(t, text)
		if finding.File, err = filepath.Rel(*schemaFolder, path); err != nil {
			return err
		}
		if report != nil {
			return report.Encode(finding)
		}
		for _, description := range finding.Unsound {
			t.Errorf("%s: the grammar has an invalid value: %s", path, description)
		}
		if finding.Refused != "" || finding.Failed != "" {
			t.Errorf("%s: %s%s", path, finding.Refused, finding.Failed)
		}
		for _, description := range finding.Needless {
			t.Errorf("%s: the grammar lacks a valid value: %s", path, description)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatalf("no *.json in %s", *schemaFolder)
	}
}

// findOut takes the text of a file: a schema, or one with tests.
func findOut(t *testing.T, text []byte) schemaFinding {
	file := schemaFile{}
	finding := schemaFinding{Schema: text}
	if json.Unmarshal(text, &file) != nil || file.Schema == nil || len(file.Tests) == 0 || file.Tests[0].Valid == nil {
		file = schemaFile{Schema: text}
	}
	if !json.Valid(text) {
		finding.Schema = json.RawMessage("null")
		finding.Refused = "invalid JSON"
		return finding
	}
	finding.Schema = file.Schema
	gbnf, err := FromJSONSchema(file.Schema)
	if err != nil {
		schema := err.(*SchemaError)
		finding.Refused = schema.Reason
		finding.At = schema.Path[strings.LastIndexByte(schema.Path, '/')+1:]
		return finding
	}
	finding.Bytes = len(gbnf)
	syntax, err := Parse(gbnf)
	if err != nil {
		t.Errorf("%v\n%s", err, gbnf)
		finding.Failed = err.Error()
		return finding
	}
	g, err := Compile(gbnf)
	if err != nil {
		finding.Failed = err.Error()
		return finding
	}
	c, err := NewConstraint(g, byteVocab())
	if err != nil {
		finding.Failed = err.Error()
		return finding
	}
	seed := fnv.New64a()
	seed.Write(file.Schema)
	sampler := newSampler(syntax, rand.New(rand.NewPCG(seed.Sum64(), 0)))
	for range *schemaTexts {
		if text, whole := sampler.text(); whole && !slices.Contains(finding.Texts, text) {
			finding.Texts = append(finding.Texts, text)
			m := c.NewMatcher()
			if err := m.AcceptBytes([]byte(text)); err != nil && !isLimit(err) || err == nil && !m.Done() {
				t.Errorf("%q was walked and is not accepted: %v", text, err)
			}
		}
	}
	for _, test := range file.Tests {
		if test.Valid == nil {
			continue
		}
		value, err := readJSON(test.Data)
		if err != nil {
			continue // a surrogate that stands alone, or the like
		}
		s := &speller{budget: 20000, shorten: *test.Valid}
		spelled := s.spell(c.NewMatcher(), value, func(m *Matcher) bool { return m.Done() })
		switch {
		case !*test.Valid:
			finding.Invalid++
			if spelled {
				finding.Unsound = append(finding.Unsound, test.Description+": "+string(test.Data))
			}
		default:
			finding.Valid++
			if spelled {
				finding.Accepted++
			} else {
				finding.Needless = append(finding.Needless, test.Description)
			}
		}
	}
	return finding
}

// speller looks for a spelling of a value that a grammar accepts: the members of objects in
// whatever order, numbers as they are or shortened.
type speller struct {
	budget  int  // values that may be tried still
	shorten bool // 1.0 may be spelled 1
}

// spell spells v from where m stands, and reports whether what then follows is accepted.
func (s *speller) spell(m *Matcher, v *jsonValue, then func(m *Matcher) bool) bool {
	if s.budget--; s.budget < 0 {
		return false
	}
	switch v.kind {
	case '{':
		return s.accept(m, "{", func(m *Matcher) bool { return s.members(m, v, make([]bool, len(v.names)), 0, then) })
	case '[':
		return s.accept(m, "[", func(m *Matcher) bool { return s.items(m, v.elems, then) })
	}
	var text strings.Builder
	v.write(&text)
	if s.accept(m, text.String(), then) {
		return true
	}
	short := v.text
	if v.kind == '0' && strings.Contains(short, ".") && !strings.ContainsAny(short, "eE") {
		short = strings.TrimSuffix(strings.TrimRight(short, "0"), ".")
	}
	return s.shorten && v.kind == '0' && short != v.text && s.accept(m, short, then)
}

func (s *speller) accept(m *Matcher, text string, then func(m *Matcher) bool) bool {
	m = m.Clone()
	return m.AcceptBytes([]byte(text)) == nil && then(m)
}

func (s *speller) items(m *Matcher, items []*jsonValue, then func(m *Matcher) bool) bool {
	if len(items) == 0 {
		return s.accept(m, "]", then)
	}
	return s.spell(m, items[0], func(m *Matcher) bool {
		if len(items) == 1 {
			return s.items(m, nil, then)
		}
		return s.accept(m, ",", func(m *Matcher) bool { return s.items(m, items[1:], then) })
	})
}

// members spells the members of an object that are not done, n of which are.
func (s *speller) members(m *Matcher, v *jsonValue, done []bool, n int, then func(m *Matcher) bool) bool {
	if n == len(v.names) {
		return s.accept(m, "}", then)
	}
	for i, name := range v.names {
		if done[i] {
			continue
		}
		before := quoteJSON(name) + ":"
		if n > 0 {
			before = "," + before
		}
		done[i] = true
		if s.accept(m, before, func(m *Matcher) bool {
			return s.spell(m, v.elems[i], func(m *Matcher) bool { return s.members(m, v, done, n+1, then) })
		}) {
			return true
		}
		done[i] = false
	}
	return false
}
