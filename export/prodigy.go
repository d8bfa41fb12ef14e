package export

import (
	"io"

	"github.com/emospan/emospan/dataset"
)

// prodigy writes JSON Lines for Prodigy's ner_manual interface
// (https://prodi.gy/docs/api-interfaces#ner_manual): tokens as spaCy would have
// them, so white space that is more than one space is a token too; a span ends
// before its character end and with its token_end.
type prodigy struct {
	notes
	out   elements
	names Names
	at    layout
	index []int // of each token of the record among those of the task
}

type prodigyTask struct {
	Text   string         `json:"text"`
	Tokens []prodigyToken `json:"tokens"`
	Spans  []prodigySpan  `json:"spans"`
	Meta   prodigyMeta    `json:"meta"`
}

type prodigyToken struct {
	Text  string `json:"text"`
	Start int    `json:"start"`
	End   int    `json:"end"`
	ID    int    `json:"id"`
	WS    bool   `json:"ws"`
}

type prodigySpan struct {
	Start      int    `json:"start"`
	End        int    `json:"end"`
	TokenStart int    `json:"token_start"`
	TokenEnd   int    `json:"token_end"`
	Label      string `json:"label"`
}

type prodigyMeta struct {
	SrcID   string   `json:"src_id"`
	Emotion []string `json:"emotion"`
	Model   string   `json:"model"`
}

func newProdigy(w io.Writer, o Options) (Writer, error) {
	return &prodigy{out: elements{w: w}, names: o.Names}, nil
}

func (p *prodigy) Write(r *dataset.Record) error {
	if err := p.at.set(r); err != nil {
		return err
	}
	task := prodigyTask{Text: r.Text, Meta: prodigyMeta{r.SrcID, r.Predictions, r.Model}}
	p.index = p.index[:0]
	for i, t := range p.at.split() {
		task.Tokens = append(task.Tokens, prodigyToken{r.Text[t.start:t.end], t.from, t.to, i, t.space})
		if t.token >= 0 {
			p.index = append(p.index, i)
		}
	}
	for i := range r.Data.Spans {
		s := &r.Data.Spans[i]
		at := p.at.span(s)
		task.Spans = append(task.Spans, prodigySpan{at.from, at.to, p.index[s.Start], p.index[s.End], p.names.of(s)})
	}
	return p.out.add(task)
}

func (p *prodigy) Close() error { return p.out.close() }
