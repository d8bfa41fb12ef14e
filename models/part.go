package models

import (
	"context"
	"fmt"
	"io"
	"os"
)

// A Part is where a GGUF lies in a larger file, in bytes.
type Part struct{ Offset, Size int64 }

// Open opens and checks the model's GGUF, wherever it lies. The caller closes it.
func (m Model) Open() (*GGUF, error) {
	if m.Part == nil {
		return OpenGGUF(m.Path)
	}
	f, err := os.Open(m.Path)
	if err != nil {
		return nil, err
	}
	g, err := ReadGGUF(io.NewSectionReader(f, m.Part.Offset, m.Part.Size), m.Part.Size)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", m.Name, err)
	}
	g.closer = f
	return g, nil
}

// Content reads the whole GGUF, from its first byte.
func (g *GGUF) Content() io.Reader { return io.NewSectionReader(g.file, 0, g.size) }

// ContextReader reads r until ctx is cancelled, which ends a copy of gigabytes.
func ContextReader(ctx context.Context, r io.Reader) io.Reader { return contextReader{ctx, r} }
