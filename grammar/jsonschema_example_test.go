package grammar_test

import (
	"fmt"
	"log"

	"github.com/emospan/emospan/grammar"
)

func ExampleFromJSONSchema() {
	gbnf, err := grammar.FromJSONSchema([]byte(`{
		"type": "object",
		"properties": {
			"emotion": {"enum": ["joy", "grief"]},
			"word": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 20},
			"confidence": {"type": "number", "minimum": 0, "maximum": 1}
		},
		"required": ["emotion", "confidence"],
		"additionalProperties": false
	}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(gbnf)
	// Output:
	// root ::= "{\"emotion\":" emotion (",\"word\":" word)? ",\"confidence\":" confidence "}"
	// emotion ::= "\"joy\"" | "\"grief\""
	// word ::= "\"" [a-z]{1,20} "\""
	// confidence ::= "0" ("." [0-9]{1,6})? | "1" ("." "0"{1,6})?
}
