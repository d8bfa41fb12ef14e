// Tinymodel writes a small model of Llama's shape with random weights and a real vocabulary, for tests that need a model to
// run but not to mean anything: tinymodel VOCABULARY.gguf OUT.gguf
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/emospan/emospan/models"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: tinymodel VOCABULARY.gguf OUT.gguf")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "tinymodel:", err)
		os.Exit(1)
	}
}

func write(vocabulary, out string) error {
	vocab, err := models.OpenGGUF(vocabulary)
	if err != nil {
		return err
	}
	defer vocab.Close()
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	return errors.Join(models.WriteSynthetic(f, vocab, models.TinyShape, 1), f.Close())
}
