package corpus

import (
	"embed"
	"sync"

	"github.com/emospan/emospan/dataset"
)

// Registers are the kinds of text in the corpus, each with a file of its own, in the order of [Entries].
var Registers = []string{"chat", "tweet", "review", "fiction", "news", "email", "forum", "speech"}

//go:embed *.txt
var files embed.FS

// Entries returns the entries of the corpus, by register. They must not be modified.
func Entries() []Entry { return entries() }

var entries = sync.OnceValue(func() []Entry {
	var all []Entry
	for _, register := range Registers {
		name := register + ".txt"
		f, err := files.Open(name)
		if err != nil {
			panic("built-in corpus: " + err.Error())
		}
		list, err := Parse(f, name)
		if err != nil {
			panic("built-in corpus: " + err.Error())
		}
		all = append(all, list...)
	}
	return all
})

// Records returns the corpus as records under a taxonomy, as [Build] makes them. It is an error where the taxonomy lacks an emotion
// or value that the corpus has.
func Records(tax *dataset.Taxonomy) ([]dataset.Record, error) { return Build(Entries(), tax) }
