package export

import (
	"io"

	"github.com/emospan/emospan/dataset"
)

// doccano writes JSON Lines for doccano's sequence labeling
// (https://doccano.github.io/doccano/tutorial/): a text, and a list of
// [start, end, label] with an exclusive end. Keys that it does not know become
// the example's metadata. The server keeps the numbers as they come, and its
// editor cuts the text by them as JavaScript does, so they count UTF-16 units.
type doccano struct {
	notes
	out   elements
	names Names
	at    layout
}

type doccanoExample struct {
	Text    string   `json:"text"`
	Label   [][3]any `json:"label"`
	SrcID   string   `json:"src_id"`
	Emotion []string `json:"emotion"`
}

func newDoccano(w io.Writer, o Options) (Writer, error) {
	return &doccano{out: elements{w: w}, names: o.Names}, nil
}

func (d *doccano) Write(r *dataset.Record) error {
	if err := d.at.set(r); err != nil {
		return err
	}
	example := doccanoExample{Text: r.Text, SrcID: r.SrcID, Emotion: r.Predictions}
	for i := range r.Data.Spans {
		s := &r.Data.Spans[i]
		from, to := d.at.span(s).utf16()
		example.Label = append(example.Label, [3]any{from, to, d.names.of(s)})
	}
	return d.out.add(example)
}

func (d *doccano) Close() error { return d.out.close() }
