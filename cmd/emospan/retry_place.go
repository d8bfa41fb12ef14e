package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/emospan/emospan/dataset"
)

// errNoPlace is of a reject that its run's files give no place to.
var errNoPlace = errors.New("the reject has no place")

// placing finds the place of rejects, asked about in the log's order, among all that a run came to: by the text's number, or, where texts
// were cut into sentences, by the file that has a line for each of these.
type placing struct {
	shard     dataset.Shard // that the output is
	split     bool
	sentences *lineStream[*dataset.Sentence] // nil where they are not there
}

func newPlacing(o *retryOptions, m *dataset.Manifest) (*placing, error) {
	p := &placing{shard: dataset.Shard{Count: 1}, split: m.Flags["split"] == splitSentence}
	var err error
	if m.Shard != "" {
		if p.shard, err = dataset.ParseShard(m.Shard); err != nil {
			return nil, dataError("the manifest of %s: %w; mend or remove it", o.into, err)
		}
	}
	if m.Started.IsZero() { // there is no manifest: the file tells
		p.split = isRegular(o.sentences)
	}
	if !p.split {
		return p, nil
	}
	p.sentences, err = openLines(o.sentences, func(path string, line int, raw []byte) (*dataset.Sentence, error) {
		s, err := dataset.ParseSentence(raw)
		if err != nil {
			err = dataError("%s:%d: %w; mend the file, or move it away to have what passes at the end", path, line, err)
		}
		return s, err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return p, err
}

// of is the number of records and rejects before a reject's place. It is -1 for a row that held no text to cut into sentences and so
// has none among them.
func (p *placing) of(r *dataset.Reject) (int, error) {
	switch {
	case !p.split:
		if at := r.Index - p.shard.Index; at >= 0 && at%p.shard.Count == 0 {
			return at / p.shard.Count, nil
		}
		return 0, fmt.Errorf("%w: it is none of shard %s's", errNoPlace, p.shard)
	case isBadRow(r):
		return -1, nil
	case p.sentences == nil:
		return 0, errNoPlace
	}
	for p.sentences.ok {
		if p.sentences.value.SrcID == r.SrcID {
			return p.sentences.n - 1, nil
		}
		if err := p.sentences.next(); err != nil {
			return 0, err
		}
	}
	return 0, errNoPlace
}

func (p *placing) close() { p.sentences.close() }
