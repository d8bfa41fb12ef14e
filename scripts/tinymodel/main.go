// Tinymodel writes a small model of Llama's shape with random weights and a real vocabulary, for tests that need a model to
// run but not to mean anything: tinymodel VOCABULARY.gguf OUT.gguf. Its weights are Q8_0, with F32 behind it F32, in which
// two devices compute nearly the same: to Q8_0 some of them round what they multiply it with.
package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/emospan/emospan/models"
)

func main() {
	shape := models.TinyShape
	switch {
	case len(os.Args) == 4 && os.Args[3] == "F32":
		shape.WeightType = models.F32
	case len(os.Args) != 3:
		fmt.Fprintln(os.Stderr, "usage: tinymodel VOCABULARY.gguf OUT.gguf [F32]")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2], shape); err != nil {
		fmt.Fprintln(os.Stderr, "tinymodel:", err)
		os.Exit(1)
	}
}

func write(vocabulary, out string, shape models.Shape) error {
	vocab, err := models.OpenGGUF(vocabulary)
	if err != nil {
		return err
	}
	defer vocab.Close()
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	return errors.Join(models.WriteSynthetic(f, vocab, shape, 1), f.Close())
}
