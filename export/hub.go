package export

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/emospan/emospan/dataset"
)

// The files of a folder, by their slash-separated names.
const (
	hubCard     = "README.md"
	hubLines    = "records.jsonl"
	hubFeatures = "features.json"
)

// hubTable is a table of a part: "data" for records, "tokens" for tokens.
func hubTable(table, part string) string { return table + "/" + part + "-00000-of-00001.parquet" }

var hubParquet = regexp.MustCompile(`^(data|tokens)/\w+-00000-of-00001\.parquet$`)

func hubOwns(name string, dir bool) bool {
	if dir {
		return name == "data" || name == "tokens"
	}
	return name == hubCard || name == hubLines || name == hubFeatures || hubParquet.MatchString(name)
}

// A Hub is a folder for the Hugging Face Hub, which datasets.load_dataset also
// loads from disk: every record in Parquet (configuration "records", the
// default) and in JSON Lines, tokens and tags in Parquet (configuration
// "tokens"), and a README. Until Commit it lies beside its place under another
// name. The JSON Lines belong to no configuration, because datasets reads all
// of a folder's with one reader; features.json has the types of their columns.
type Hub struct {
	folder *folder
	opts   Options
	card   CardOptions

	lines *dataset.Writer
	parts []*hubPart
	tally *tally
	stray bool // the manifest is another file's
}

// hubPart is one part of a split: a file of each table, and what the README
// says of them.
type hubPart struct {
	Name              string
	Records           int
	Bytes, TokenBytes int64 // of the two tables in Arrow's memory format

	recordsFile, tokensFile *os.File
	records                 Writer
	tokens                  *tokenView
}

// CreateHub opens a folder. One that is there already and holds something is
// [dataset.ErrExists]; force replaces it if all it holds is what a Hub writes.
func CreateHub(path string, force bool, o Options, card CardOptions) (*Hub, error) {
	o.Names = cmp.Or(o.Names, ByType)
	if len(o.Splits.Parts) == 0 {
		o.Splits.Parts = []Split{{"train", 1}}
	}
	dir, err := newFolder(path, force, HuggingFace, hubOwns)
	if err != nil {
		return nil, err
	}
	h := &Hub{folder: dir, opts: o, card: card, tally: newTally(o.Taxonomy)}
	if err := h.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("output: %w", err), h.Discard())
	}
	return h, nil
}

func (h *Hub) open() error {
	for _, split := range h.opts.Splits.Parts {
		p := &hubPart{Name: split.Name}
		h.parts = append(h.parts, p)
		var err error
		if p.recordsFile, err = h.folder.create(hubTable("data", p.Name)); err != nil {
			return err
		}
		if p.tokensFile, err = h.folder.create(hubTable("tokens", p.Name)); err != nil {
			return err
		}
		if p.records, err = newParquet(p.recordsFile, h.opts); err != nil {
			return err
		}
		p.tokens = newTokenView(p.tokensFile, h.opts)
	}
	var err error
	h.lines, err = dataset.Create(filepath.Join(h.folder.tmp, hubLines), false)
	return err
}

// Write adds a record to the lines, and to the part that its id belongs to.
func (h *Hub) Write(r *dataset.Record) error {
	p := h.parts[h.opts.Splits.of(r.SrcID)]
	bytes, tokenBytes := h.tally.add(r)
	p.Records++
	p.Bytes += bytes
	p.TokenBytes += tokenBytes
	return errors.Join(h.lines.Write(r), p.records.Write(r), p.tokens.write(r))
}

// Commit completes the files, writes the README and puts the folder in its
// place. Left is how many lines of the input were not valid records and were
// left out. Where it fails, nothing is left but what was there before.
func (h *Hub) Commit(left int) error {
	if err := h.complete(left); err != nil {
		return errors.Join(err, h.Discard())
	}
	return nil
}

func (h *Hub) complete(left int) error {
	if err := h.opts.Splits.check(h.counts()); err != nil {
		return err
	}
	errs := []error{h.lines.Sync(), h.lines.Close()}
	c := newCard(h.folder.path, h.tally, h.opts, h.card, left)
	h.stray = c.Stray != nil
	for _, p := range h.parts {
		errs = append(errs, p.records.Close(), p.tokens.close())
		for file, size := range map[*os.File]*int64{p.recordsFile: &c.RecordsSize, p.tokensFile: &c.TokensSize} {
			info, err := file.Stat()
			if err == nil {
				*size += info.Size()
			}
			errs = append(errs, err, file.Sync(), file.Close())
		}
		c.Parts = append(c.Parts, p)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	features, err := indented(recordFeatures(h.opts.Taxonomy))
	if err != nil {
		return err
	}
	var card bytes.Buffer
	if err := c.write(&card); err != nil {
		return err
	}
	if err := errors.Join(h.folder.put(hubFeatures, features), h.folder.put(hubCard, card.Bytes())); err != nil {
		return err
	}
	return h.folder.commit()
}

// counts are how many records each part has.
func (h *Hub) counts() (counts []int) {
	for _, p := range h.parts {
		counts = append(counts, p.Records)
	}
	return counts
}

// Discard gives the folder up; what was there before stays.
func (h *Hub) Discard() error {
	for _, p := range h.parts {
		p.recordsFile.Close() // a file that was not opened, or is closed, only says so
		p.tokensFile.Close()
	}
	if h.lines != nil {
		h.lines.Close()
	}
	return h.folder.discard()
}

// Notes say how records were dealt, and that the manifest was of no use. They
// are complete after Commit.
func (h *Hub) Notes() []string {
	n := h.opts.Splits.dealt(h.counts())
	if h.stray {
		n = append(n, "the manifest counts other records than the file holds, so the README does not use it")
	}
	return n
}
