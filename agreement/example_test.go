package agreement_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/emospan/emospan/agreement"
	"github.com/emospan/emospan/dataset"
)

// What a page that shows records beside a reference needs: for each record the reference's labels and spans, over its own tokens.
func ExampleMatcher() {
	book, err := agreement.NewCodebook(dataset.Default())
	if err != nil {
		panic(err)
	}
	reference := `{"src_id":"c1","text":"I miss the garden.","spans":[{"kind":"emotion","label":"sadness","start":2,"end":17}]}`
	ref, err := agreement.ReadReference(context.Background(), strings.NewReader(reference), "reference.jsonl", book, "")
	if err != nil {
		panic(err)
	}
	defer ref.Close()
	matcher := ref.Matcher(agreement.ByAuto)
	for _, rec := range []*dataset.Record{
		{SrcID: "c1", Text: "I miss the garden.", Predictions: []string{"grief"}, Data: dataset.Data{Tokens: []string{"I", "miss", "the", "garden", "."}}},
		{SrcID: "c2", Text: "Never mind."},
	} {
		a, err := book.Annotation(rec)
		if err != nil {
			panic(err)
		}
		found, err := matcher.Match(a)
		if err != nil {
			panic(err)
		}
		if found == nil {
			fmt.Println(rec.SrcID, "is not in the reference")
			continue
		}
		names := book.Names(ref.Level())
		for class := range found.Labels.All() {
			fmt.Println(rec.SrcID, "is", names[class])
		}
		for _, s := range found.Spans {
			if class, known := s.Class(); known {
				from, to := a.Tokens(s)
				fmt.Println(names[class], "in", rec.Data.Tokens[from:to])
			}
		}
	}
	// Output:
	// c1 is sadness
	// sadness in [miss the garden]
	// c2 is not in the reference
}
