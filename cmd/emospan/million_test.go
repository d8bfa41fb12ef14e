//go:build reliability

package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/tagger"
	"github.com/spf13/pflag"
)

var memoryTexts = flag.Int("memory.texts", 1_000_000, "how many texts TestTagMemory tags")

// A stubModel answers every text alike and at once. Its tokens are bytes, and two that control the chat.
type stubModel struct {
	turns  [9]int32 // where the last turn of each sequence begins
	wanted []int32  // of the rows of the last Decode
	logits [stubTokens][stubTokens]float32
}

const (
	stubTurn = 256 + iota
	stubEnd
	stubTokens

	stubAnswer = `["So glad"," joy high asserted present self 90"]`
)

func newStubModel() *stubModel {
	m := new(stubModel)
	for id := range m.logits {
		m.logits[id][id] = 1
	}
	return m
}

func (*stubModel) VocabSize() int      { return stubTokens }
func (*stubModel) IsEOG(id int32) bool { return id == stubEnd }
func (*stubModel) Piece(id int32) []byte {
	if id >= stubTurn {
		return nil
	}
	return []byte{byte(id)}
}

func (*stubModel) Tokenize(text string) ([]int32, error) {
	ids := make([]int32, len(text))
	for i := range len(text) {
		ids[i] = int32(text[i])
	}
	return ids, nil
}

func (m *stubModel) Chat(turns []tagger.Turn, _, answer bool) (ids []int32, err error) {
	for _, t := range turns {
		text, _ := m.Tokenize(t.Text)
		ids = append(append(ids, stubTurn), text...)
	}
	if answer {
		ids = append(ids, stubTurn)
	}
	return ids, nil
}

func (m *stubModel) Sequences() int { return len(m.turns) }
func (*stubModel) ContextSize() int { return 1 << 14 }
func (*stubModel) CacheSize() int   { return 1 << 16 }
func (*stubModel) BatchSize() int   { return 512 }

func (m *stubModel) Decode(rows []tagger.Row) error {
	m.wanted = m.wanted[:0]
	for _, row := range rows {
		if row.Token == stubTurn {
			m.turns[row.Sequence] = row.Position
		}
		next := int32(stubEnd)
		if written := int(row.Position - m.turns[row.Sequence]); row.Logits && written < len(stubAnswer) {
			next = int32(stubAnswer[written])
		}
		m.wanted = append(m.wanted, next)
	}
	return nil
}

func (m *stubModel) Logits(row int) []float32 { return m.logits[m.wanted[row]][:] }

func (m *stubModel) CopyKV(source, destination int32) error {
	m.turns[destination] = m.turns[source]
	return nil
}

func (*stubModel) RemoveKV(int32, int32) error { return nil }

// tagWithStub is a run of tag but for the model. Every hundredth text is rejected.
func tagWithStub(t *testing.T, texts int) dataset.Manifest {
	t.Helper()
	dir := t.TempDir()
	in := filepath.Join(dir, "in.jsonl")
	f, err := os.Create(in)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	for i := range texts {
		if i%100 == 99 {
			fmt.Fprintf(w, `{"id":"text-%d"}`+"\n", i)
			continue
		}
		fmt.Fprintf(w, `{"id":"text-%d","text":"So glad that the ferry takes bicycles, all %d of ours."}`+"\n", i, i)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	f.Close()

	o := tagOptions{files: []string{in}, digest: new(dataset.TextsDigest)}
	flags := pflag.NewFlagSet("tag", pflag.PanicOnError)
	o.addFlags(flags)
	flags.Parse([]string{"-q", "-o", filepath.Join(dir, "out.jsonl"), "--no-sandbox", "--parallel", "8"})
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	prompt, err := o.prompt.load()
	if err != nil {
		t.Fatal(err)
	}
	j := &job{opts: o, stderr: io.Discard, taxonomy: dataset.Default()}
	if err := j.create(); err != nil {
		t.Fatal(err)
	}
	j.tagger, err = tagger.New(newStubModel(), tagger.Options{ModelName: "stub", Prompt: prompt, Taxonomy: j.taxonomy, Decode: tagger.Compact})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.describe(prompt); err != nil {
		t.Fatal(err)
	}
	if err := j.finish(j.run(t.Context())); err != nil {
		t.Fatal(err)
	}
	return j.manifest
}

// TestTagMemory tags a tenth of the texts and then all: of each more nothing is kept but its id.
func TestTagMemory(t *testing.T) {
	const (
		perText = 24
		slack   = 24 << 20 // of Go's heap, whose peak depends on when it is collected
	)
	var peaks [2]int
	counts := [2]int{*memoryTexts / 10, *memoryTexts}
	for i, n := range counts {
		resetPeakRSS()
		m := tagWithStub(t, n)
		peak, err := peakRSS()
		if err != nil {
			t.Fatal(err)
		}
		peaks[i] = int(peak)
		t.Logf("%d texts: %d records and %d rejects in %.0f s, at most %d MiB", n, m.Accepted, m.Rejected, m.Seconds, peaks[i]>>20)
		if m.Rejected != n/100 || m.Accepted != n-n/100 {
			t.Errorf("%d texts: %d records and %d rejects", n, m.Accepted, m.Rejected)
		}
	}
	more := counts[1] - counts[0]
	t.Logf("%.1f bytes a text more", float64(peaks[1]-peaks[0])/float64(more))
	if peaks[1]-peaks[0] > perText*more+slack {
		t.Errorf("%d bytes more for %d texts more", peaks[1]-peaks[0], more)
	}
}
