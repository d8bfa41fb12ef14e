package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/emospan/emospan/dataset"
	"golang.org/x/sys/unix"
)

// A join reads the outputs of all shards in step and writes one.
//
// A record does not hold its number, so its place follows from what a shard has: one outcome for each of its texts, or one for
// each sentence. A reject does hold its text's number; what no reject accounts for is a record.
type join struct {
	opts     *mergeOptions
	texts    int
	tax      *dataset.Taxonomy // the shards'
	shards   []*shardStreams
	manifest string
	outputs  []output // records, rejects and, where there are any, sentences
}

// shardStreams are the files of one shard, each at the first line that is not yet copied.
type shardStreams struct {
	shardOutput
	split     bool
	records   *lineStream[*dataset.Record]
	rejects   *lineStream[*dataset.Reject]
	sentences *lineStream[*dataset.Sentence] // nil without --split sentence

	cut, placed int // sentences copied, and lines that say where one stands
}

// open opens all that is read and written.
func (m *join) open(shards []shardOutput) error {
	split := false
	for _, out := range shards {
		s := &shardStreams{shardOutput: out, split: out.manifest.Flags["split"] == splitSentence}
		m.shards = append(m.shards, s)
		split = split || s.split
		var err error
		parse := func(path string, line int, raw []byte) (*dataset.Record, error) {
			return parseRecord(path, line, raw, m.tax)
		}
		if s.records, err = openLines(s.path, parse); err != nil {
			return err
		}
		if s.rejects, err = openLines(s.path+rejectsSuffix, parseRejectLine); err != nil {
			if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if s.manifest.Rejected > 0 {
				return fmt.Errorf("%s has no reject log %s; put it beside the output, or run shard %s again", s.path, s.path+rejectsSuffix, s.shard)
			}
			s.rejects = &lineStream[*dataset.Reject]{}
		}
		if s.split {
			if s.sentences, err = openLines(s.path+sentencesSuffix, parseSentenceLine); errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%s has no file of sentences %s; put it beside the output, or run shard %s again", s.path, s.path+sentencesSuffix, s.shard)
			} else if err != nil {
				return err
			}
		}
	}
	paths := []string{m.opts.out, m.opts.out + rejectsSuffix}
	if split {
		paths = append(paths, m.opts.out+sentencesSuffix)
	}
	m.manifest = m.opts.out + manifestSuffix
	if err := followLinks(&m.manifest); err != nil {
		return err
	}
	if err := checkManifest(m.manifest, true); err != nil {
		return err
	}
	for _, path := range paths {
		w, err := newOutput(path)
		if err != nil {
			return err
		}
		m.outputs = append(m.outputs, w)
	}
	return nil
}

// text copies what became of one text.
func (m *join) text(s *shardStreams, number int) error {
	if s.rejects.ok && s.rejects.value.Index < number {
		return dataError("%s:%d: the reject has the number %d, which is not shard %s's or not in order; run that shard again", s.rejects.path, s.rejects.lines.Line(), s.rejects.value.Index, s.shard)
	}
	rejected := s.rejects.ok && s.rejects.value.Index == number
	switch {
	case !rejected && !s.records.ok:
		return s.notWhole()
	case !s.split && rejected, rejected && isBadRow(s.rejects.value):
		return copyLine(s.rejects, m.outputs[1])
	case !s.split:
		return copyLine(s.records, m.outputs[0])
	}
	var id string
	before := s.taken()
	if rejected {
		id = dataset.SentenceTextID(s.rejects.value.SrcID)
	} else {
		id = dataset.SentenceTextID(s.records.value.SrcID)
	}
	for s.rejects.ok && s.rejects.value.Index == number {
		if err := copyLine(s.rejects, m.outputs[1]); err != nil {
			return err
		}
	}
	for s.records.ok && dataset.SentenceTextID(s.records.value.SrcID) == id {
		if err := copyLine(s.records, m.outputs[0]); err != nil {
			return err
		}
	}
	for s.sentences.ok && s.sentences.value.TextID == id {
		if err := copyLine(s.sentences, m.outputs[2]); err != nil {
			return err
		}
		s.placed++
	}
	s.cut += s.taken() - before
	if s.placed != s.cut {
		return dataError("shard %s, %s, has another number of records for the text %s than of lines in %s; run that shard again, and retry its rejects after merging", s.shard, s.path, id, s.sentences.path)
	}
	return nil
}

// taken is the number of records and rejects copied so far.
func (s *shardStreams) taken() int { return s.records.taken() + s.rejects.taken() }

// isBadRow reports whether a reject is of a row that held no text to cut into sentences.
func isBadRow(r *dataset.Reject) bool {
	return len(r.Reasons) > 0 && strings.HasPrefix(r.Reasons[0].Code, "input.")
}

// checkEnd checks, once every text is copied, that the shard held what its manifest counts.
func (s *shardStreams) checkEnd() error {
	if s.records.ok || s.rejects.ok || s.split && s.sentences.ok || s.records.n != s.manifest.Accepted || s.rejects.n != s.manifest.Rejected {
		return s.notWhole()
	}
	return nil
}

func (s *shardStreams) notWhole() error {
	for _, rest := range []func() error{s.records.rest, s.rejects.rest} { // to count them
		if err := rest(); err != nil {
			return err
		}
	}
	return dataError("shard %s, %s, has %s and %s where its manifest counts %d and %d; run its emospan tag again with --resume, or with --force",
		s.shard, s.path, plural(s.records.n, "record"), plural(s.rejects.n, "reject"), s.manifest.Accepted, s.manifest.Rejected)
}

// manifests are those of the shards, in their order.
func (m *join) manifests() []*dataset.Manifest {
	var list []*dataset.Manifest
	for _, s := range m.shards {
		list = append(list, s.manifest)
	}
	return list
}

// finish puts what was written into place, the manifest last: where the machine stops in between, it does not yet speak of the
// new output.
func (m *join) finish(total *dataset.Manifest) error {
	for _, w := range m.outputs {
		if err := w.Sync(); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
	}
	for i := range m.outputs {
		w := &m.outputs[len(m.outputs)-1-i] // the records behind what stands beside them
		if err := os.Rename(w.temp, w.path); err != nil {
			return fmt.Errorf("%w; merge again", err)
		}
		w.temp = ""
	}
	return total.WriteFile(m.manifest)
}

// discard closes what is open and removes what finish has not put into place.
func (m *join) discard() {
	for _, s := range m.shards {
		s.records.close()
		s.rejects.close()
		s.sentences.close()
	}
	for _, w := range m.outputs {
		w.Close()
		if w.temp != "" {
			os.Remove(w.temp)
		}
	}
}

// A lineStream reads a file of JSON values, which are called lines however they lie, with one in hand.
type lineStream[T any] struct {
	path  string
	src   io.ReadCloser
	lines *dataset.JSONReader
	parse func(path string, line int, raw []byte) (T, error)

	ok    bool   // a line is in hand
	raw   []byte // it; valid until the next
	value T
	n     int // lines that were in hand
}

func openLines[T any](path string, parse func(string, int, []byte) (T, error)) (*lineStream[T], error) {
	src, err := dataset.OpenStream(path)
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) {
		return nil, fmt.Errorf("%w; allow more with ulimit -n", err)
	}
	if err != nil {
		return nil, err
	}
	s := &lineStream[T]{path: path, src: src, lines: dataset.NewJSONReader(src, 0), parse: parse}
	if err := s.next(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// next takes the next line into the hand, if there is one.
func (s *lineStream[T]) next() (err error) {
	s.ok = false
	if s.lines == nil {
		return nil
	}
	if s.raw, err = s.lines.Next(); err == io.EOF {
		return nil
	} else if err != nil {
		return dataError("%s: %w; run that shard again", s.lines.At(s.path), err)
	}
	if s.value, err = s.parse(s.path, s.lines.Line(), s.raw); err != nil {
		return err
	}
	s.ok = true
	s.n++
	return nil
}

// taken is the number of lines that were in hand and no longer are.
func (s *lineStream[T]) taken() int {
	if s.ok {
		return s.n - 1
	}
	return s.n
}

// rest reads to the end.
func (s *lineStream[T]) rest() error {
	for s.ok {
		if err := s.next(); err != nil {
			return err
		}
	}
	return nil
}

func (s *lineStream[T]) close() {
	if s != nil && s.src != nil {
		s.src.Close()
	}
}

// copyLine writes the line in hand and takes the next.
func copyLine[T any](s *lineStream[T], out output) error {
	if err := out.Write(rawLine(s.raw)); err != nil {
		return err
	}
	return s.next()
}

func parseRejectLine(path string, line int, raw []byte) (*dataset.Reject, error) {
	r, err := dataset.ParseReject(raw)
	if err != nil {
		return nil, dataError("%s:%d: %w; run that shard again", path, line, err)
	}
	return r, nil
}

func parseSentenceLine(path string, line int, raw []byte) (*dataset.Sentence, error) {
	s, err := dataset.ParseSentence(raw)
	if err != nil {
		return nil, dataError("%s:%d: %w; run that shard again", path, line, err)
	}
	return s, nil
}
