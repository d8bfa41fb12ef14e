package export

import (
	"io"

	"github.com/emospan/emospan/dataset"
)

// gliner writes GLiNER's training data
// (https://urchade.github.io/GLiNER/training.html): an array of objects with
// tokens and [start, end, label], token indices with an inclusive end.
type gliner struct {
	notes
	out   elements
	names Names
}

type glinerExample struct {
	TokenizedText []string `json:"tokenized_text"`
	NER           [][3]any `json:"ner"`
}

func newGLiNER(w io.Writer, o Options) (Writer, error) {
	return &gliner{out: elements{w: w, array: true}, names: o.Names}, nil
}

func (g *gliner) Write(r *dataset.Record) error {
	example := glinerExample{TokenizedText: r.Data.Tokens}
	for i := range r.Data.Spans {
		s := &r.Data.Spans[i]
		example.NER = append(example.NER, [3]any{s.Start, s.End, g.names.of(s)})
	}
	return g.out.add(example)
}

func (g *gliner) Close() error { return g.out.close() }
