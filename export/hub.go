package export

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/emospan/emospan/dataset"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The files of a folder, by their slash-separated names.
const (
	hubCard     = "README.md"
	hubLines    = "records.jsonl"
	hubFeatures = "features.json"
	hubRecords  = "data/train-00000-of-00001.parquet"
	hubTokens   = "tokens/train-00000-of-00001.parquet"
)

var hubFiles = []string{hubCard, hubLines, hubFeatures, hubRecords, hubTokens}

// A Hub is a folder for the Hugging Face Hub, which datasets.load_dataset also
// loads from disk: every record in Parquet (configuration "records", the
// default) and in JSON Lines, tokens and tags in Parquet (configuration
// "tokens"), and a README. Until Commit it lies beside its place under another
// name. The JSON Lines belong to no configuration, because datasets reads all
// of a folder's with one reader; features.json has the types of their columns.
type Hub struct {
	path, tmp string
	force     bool
	opts      Options
	card      CardOptions

	lines   *dataset.Writer
	files   []*os.File
	records Writer
	tokens  *tokenView
	tally   *tally
	stray   bool // the manifest is another file's
}

// CreateHub opens a folder. One that is there already and holds something is
// [dataset.ErrExists]; force replaces it if all it holds is what a Hub writes.
func CreateHub(path string, force bool, o Options, card CardOptions) (*Hub, error) {
	o.Names = cmp.Or(o.Names, ByType)
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	h := &Hub{path: path, tmp: temporary(path), force: force, opts: o, card: card, tally: newTally(o.Taxonomy)}
	if err := h.checkPlace(); err != nil {
		return nil, err
	}
	if err := h.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("output: %w", err), h.Discard())
	}
	return h, nil
}

// checkPlace refuses what Commit would not replace.
func (h *Hub) checkPlace() error {
	info, err := os.Stat(h.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("output: %w", err)
	case !info.IsDir():
		return fmt.Errorf("output: %s is not a folder, which %s is: name another", h.path, HuggingFace)
	}
	return filepath.WalkDir(h.path, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == h.path || d.IsDir() && (d.Name() == "data" || d.Name() == "tokens") {
			return err
		}
		if !h.force {
			return fmt.Errorf("%w: %s", dataset.ErrExists, h.path)
		}
		if name, err := filepath.Rel(h.path, path); err != nil || !slices.Contains(hubFiles, filepath.ToSlash(name)) {
			return fmt.Errorf("output: the folder %s holds %s, which an export does not write: name another folder, or remove it", h.path, name)
		}
		return nil
	})
}

func (h *Hub) open() error {
	for _, name := range []string{"", "data", "tokens"} {
		if err := os.Mkdir(filepath.Join(h.tmp, name), 0o777); err != nil {
			return err
		}
	}
	for _, name := range []string{hubRecords, hubTokens} {
		f, err := os.Create(filepath.Join(h.tmp, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		h.files = append(h.files, f)
	}
	var err error
	if h.records, err = newParquet(h.files[0], h.opts); err != nil {
		return err
	}
	h.tokens = newTokenView(h.files[1], h.opts)
	h.lines, err = dataset.Create(filepath.Join(h.tmp, hubLines), false)
	return err
}

// Write adds a record to every file.
func (h *Hub) Write(r *dataset.Record) error {
	h.tally.add(r)
	return errors.Join(h.lines.Write(r), h.records.Write(r), h.tokens.write(r))
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
	if err := errors.Join(h.records.Close(), h.tokens.close(), h.lines.Sync(), h.lines.Close()); err != nil {
		return err
	}
	c := newCard(h.path, h.tally, h.opts, h.card, left)
	h.stray = c.Stray != nil
	for i, size := range []*int64{&c.RecordsSize, &c.TokensSize} {
		info, err := h.files[i].Stat()
		if err != nil {
			return err
		}
		*size = info.Size()
		if err := errors.Join(h.files[i].Sync(), h.files[i].Close()); err != nil {
			return err
		}
	}
	h.files = nil
	features, err := json.Marshal(recordFeatures(h.opts.Taxonomy), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	var card bytes.Buffer
	if err := c.write(&card); err != nil {
		return err
	}
	if err := errors.Join(h.put(hubFeatures, append(features, '\n')), h.put(hubCard, card.Bytes())); err != nil {
		return err
	}
	return h.move()
}

// put writes a file of the folder.
func (h *Hub) put(name string, data []byte) error {
	f, err := os.Create(filepath.Join(h.tmp, name))
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// move puts the folder in its place. An old one is moved away first, since a
// folder that is not empty cannot be renamed over, and moved back where that
// fails.
func (h *Hub) move() error {
	if err := h.checkPlace(); err != nil { // something may have come there meanwhile
		return err
	}
	old := h.path + fmt.Sprintf(".%d.old", os.Getpid())
	err := os.Rename(h.path, old)
	moved := err == nil
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(h.tmp, h.path); err != nil {
		if moved {
			err = errors.Join(err, os.Rename(old, h.path))
		}
		return err
	}
	if moved {
		return os.RemoveAll(old)
	}
	return nil
}

// Discard gives the folder up; what was there before stays.
func (h *Hub) Discard() error {
	for _, f := range h.files {
		f.Close()
	}
	if h.lines != nil {
		h.lines.Close()
	}
	return os.RemoveAll(h.tmp)
}

// Notes say that the manifest was of no use. They are complete after Commit.
func (h *Hub) Notes() []string {
	if !h.stray {
		return nil
	}
	return []string{"the manifest counts other records than the file holds, so the README does not use it"}
}
