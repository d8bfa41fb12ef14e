package grammar_test

import (
	"fmt"
	"log"

	"github.com/emospan/emospan/grammar"
)

// A decoder picks, at each step, the allowed token that its model likes best. Bytes that
// are forced need no model at all.
func Example() {
	g, err := grammar.Compile(`
		root ::= "{\"emotion\":\"" emotion "\"}"
		emotion ::= "joy" | "grief" | "gratitude"
	`)
	if err != nil {
		log.Fatal(err)
	}

	words := []string{`{"`, "emotion", `":"`, "happy", "joy", "g", "rat", "ri", "ef", "itude", `"}`, "</s>"}
	const end = 11
	var pieces [][]byte
	for _, w := range words {
		pieces = append(pieces, []byte(w))
	}
	vocab, err := grammar.NewVocab(pieces, grammar.VocabOptions{EOG: []int32{end}})
	if err != nil {
		log.Fatal(err)
	}
	constraint, err := grammar.NewConstraint(g, vocab)
	if err != nil {
		log.Fatal(err)
	}

	logits := []float32{0, 0, 0, 9, 2, 3, 1, 2, 0, 0, 0, 0} // of a model that wants "happy"
	m := constraint.NewMatcher()
	fmt.Printf("forced: %s\n", m.Forced())
	for {
		mask, err := m.Mask()
		if err != nil {
			log.Fatal(err)
		}
		best := int32(-1)
		for id := range mask.All() {
			if best < 0 || logits[id] > logits[best] {
				best = id
			}
		}
		if err := m.AcceptToken(best); err != nil {
			log.Fatal(err)
		}
		if best == end {
			break
		}
		fmt.Printf("%s of %d\n", words[best], mask.Count())
	}
	// Output:
	// forced: {"emotion":"
	// {" of 1
	// emotion of 1
	// ":" of 1
	// g of 2
	// ri of 2
	// ef of 1
	// "} of 1
}
