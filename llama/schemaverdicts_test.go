//go:build cgo

package llama

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/emospan/emospan/grammar"
)

// TestSchemaVerdicts replays the schemas of llama.cpp's test of its grammars. Ours allow no blanks between tokens of JSON, so that
// accepted texts are matched without.
func TestSchemaVerdicts(t *testing.T) {
	refused := map[string]string{
		"required props": "uniqueItems, which llama.cpp does not look at",
	}
	longIntegers := []string{"1234567890000000", "1234567890123456"} // ours end at 15 digits, which a float64 holds
	schemas := readVerdicts(t).schemas
	texts, blanks := 0, 0
	for _, c := range schemas {
		gbnf, err := grammar.FromJSONSchema([]byte(c.src))
		var schemaError *grammar.SchemaError
		if errors.As(err, &schemaError) && refused[c.name] != "" {
			delete(refused, c.name)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		constraint := schemaGrammar(t, gbnf)
		for _, s := range c.accept {
			texts++
			var compact bytes.Buffer
			if err := json.Compact(&compact, []byte(s)); err != nil {
				t.Fatalf("%s: %q: %v", c.name, s, err)
			}
			if text := compact.String(); text != s {
				if schemaAccepts(constraint, s) {
					t.Errorf("%s: %q is accepted with its blanks", c.name, s)
				}
				blanks++
				s = text
			}
			want := true
			if i := slices.Index(longIntegers, s); i >= 0 {
				want = false
				longIntegers = slices.Delete(longIntegers, i, i+1)
			}
			if schemaAccepts(constraint, s) != want {
				t.Errorf("%s: %q is accepted: %v\n%s", c.name, s, !want, gbnf)
			}
		}
		for _, s := range c.reject {
			texts++
			if schemaAccepts(constraint, s) {
				t.Errorf("%s: %q is accepted\n%s", c.name, s, gbnf)
			}
		}
	}
	if len(refused)+len(longIntegers) > 0 {
		t.Errorf("no longer exceptions: %q %q", refused, longIntegers)
	}
	t.Logf("%d schemas, %d texts, %d of them without their blanks", len(schemas), texts, blanks)
}
