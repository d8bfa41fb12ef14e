package validate_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

// Two lines of a file: the second says of its token that it is an emotion's, but has no span for it.
const lines = `{"src_id":"a","model":"m","provider":"p","prompt":"level_2","level":"level2","predictions":["neutral"],"text":"It rains.","data":{"tokens":["It","rains","."],"labels":["O","O","O"],"spans":[]}}
{"src_id":"b","model":"m","provider":"p","prompt":"level_2","level":"level2","predictions":["joy"],"text":"Hooray!","data":{"tokens":["Hooray","!"],"labels":["B-EMO","O"],"spans":[]}}
`

// Validate a JSONL file, a line at a time, whatever its length.
func ExampleStream() {
	summary, err := validate.Stream(strings.NewReader(lines), dataset.Default(), validate.StreamOptions{
		Name: "tagged.jsonl",
		Each: func(r validate.Result) error {
			for _, p := range r.Problems {
				fmt.Printf("line %d: %s at %s: want %s, found %s\n", r.Line, p.Code, p.Path, p.Expected, p.Found)
			}
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d records, %d valid\n", summary.Records, summary.Valid)
	// Output:
	// line 2: span.missing at /data/spans: want a span, because an emotion is predicted, found none
	// line 2: span.labels at /data/labels/0: want O, as the spans have it, found "B-EMO"
	// 2 records, 1 valid
}

// Check one record that is in memory already.
func ExampleRecord() {
	r, problems := validate.Decode([]byte(strings.SplitAfter(lines, "\n")[0]), dataset.Default())
	if len(problems) > 0 {
		log.Fatal(problems)
	}
	fmt.Println("as it was:", len(validate.Record(r, dataset.Default())), "problems")
	r.Predictions = []string{"bliss"}
	for _, p := range validate.Record(r, dataset.Default()) {
		fmt.Println(p.Code, p.Path)
	}
	// Output:
	// as it was: 0 problems
	// emotion.unknown /predictions/0
	// span.missing /data/spans
}
