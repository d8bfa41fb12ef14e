package dataset_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
)

// Write records and read them back. Package validate decodes a line, since that is where its faults have names.
func Example() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "tagged.jsonl.zst") // compressed, as its name says

	out, err := dataset.Create(path, false)
	if err != nil {
		log.Fatal(err)
	}
	for i, text := range []string{"It rains.", "The bus is late."} {
		r := &dataset.Record{
			SrcID: dataset.DefaultID(i), Model: "by hand", Provider: "me", Prompt: "none", Level: dataset.Level,
			Predictions: []string{"neutral"}, Text: text,
			Data: dataset.Data{Tokens: strings.Fields(text), Labels: make([]string, len(strings.Fields(text)))},
		}
		for n := range r.Data.Labels {
			r.Data.Labels[n] = "O"
		}
		if err := out.Write(r); err != nil {
			log.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		log.Fatal(err)
	}

	in, err := dataset.OpenStream(path)
	if err != nil {
		log.Fatal(err)
	}
	defer in.Close()
	lines := dataset.NewLineReader(in, 0)
	for {
		line, err := lines.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			log.Fatal(err)
		}
		r, problems := validate.Decode(line, dataset.Default())
		if len(problems) > 0 {
			log.Fatal(problems)
		}
		fmt.Printf("%s %q %v\n", r.SrcID, r.Data.Tokens, r.Predictions)
	}
	// Output:
	// l2_0 ["It" "rains."] [neutral]
	// l2_1 ["The" "bus" "is" "late."] [neutral]
}

// Read texts, of whatever format, a row at a time. A bad row is an error of its own, and reading goes on behind it.
func ExampleReader() {
	const table = "id,review,stars\nr1,\"Lovely, truly.\",5\nr2,,1\nr3,Never again,1\n"
	texts, err := dataset.NewReader(strings.NewReader(table), "reviews.csv", dataset.ReaderOptions{TextField: "review"})
	if err != nil {
		log.Fatal(err)
	}
	defer texts.Close()
	for {
		in, err := texts.Next()
		var bad *dataset.LineError
		switch {
		case err == io.EOF:
			return
		case errors.As(err, &bad):
			fmt.Println("bad:", bad)
		case err != nil:
			log.Fatal(err)
		default:
			fmt.Println(in.Index, in.ID, in.Text)
		}
	}
	// Output:
	// 0 r1 Lovely, truly.
	// bad: reviews.csv:3: want a text, found none but white space at /review
	// 2 r3 Never again
}

// Deal ten texts to three machines.
func ExampleShard() {
	for i := range 3 {
		shard := dataset.Shard{Index: i, Count: 3}
		fmt.Print(shard, ":")
		for number := range 10 {
			if shard.Has(number) {
				fmt.Print(" ", number)
			}
		}
		fmt.Println()
	}
	// Output:
	// 0/3: 0 3 6 9
	// 1/3: 1 4 7
	// 2/3: 2 5 8
}
