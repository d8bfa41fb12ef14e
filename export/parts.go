package export

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
)

// A Folder is a format's output of several files: a file for each part of a
// split, or brat's many, and beside them what the tool must be told.
type Folder struct {
	folder *folder
	splits Splits
	parts  []Writer
	files  []partFile // of a format that is a stream, one for each part
	counts []int
	notes  notes
}

// partFile is a stream in a file of the folder.
type partFile struct {
	file *os.File
	buf  *bufio.Writer
}

// CreateFolder opens a folder for a format other than [HuggingFace], which
// [CreateHub] writes. One that is there already and holds something is
// [dataset.ErrExists]; force replaces it if all it holds is what an export of
// this format writes.
func CreateFolder(path string, force bool, f Format, o Options) (*Folder, error) {
	if o.Names == "" {
		o.Names = f.Names()
	}
	name := f.CompanionName()
	companion, err := f.Companion(o)
	if err != nil {
		return nil, err
	}
	owns := func(file string, dir bool) bool {
		if f.openFolder != nil {
			return file == name || bratOwns(file, dir)
		}
		return !dir && (file == name || strings.HasSuffix(file, f.ext) && splitName.MatchString(strings.TrimSuffix(file, f.ext)))
	}
	dir, err := newFolder(path, force, f.Name, owns)
	if err != nil {
		return nil, err
	}
	out := &Folder{folder: dir, splits: o.Splits, counts: make([]int, max(1, len(o.Splits.Parts)))}
	if name != "" {
		err = dir.put(name, companion)
	}
	for i := range out.counts {
		if err == nil {
			err = out.open(i, f, o)
		}
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("output: %w", err), out.Discard())
	}
	return out, nil
}

func (f *Folder) open(part int, format Format, o Options) error {
	name := ""
	if len(f.splits.Parts) > 0 {
		name = f.splits.Parts[part].Name
	}
	var w Writer
	var err error
	if format.openFolder != nil {
		w, err = format.openFolder(f.folder, name, o)
	} else {
		var file *os.File
		if file, err = f.folder.create(name + format.ext); err != nil {
			return err
		}
		buf := bufio.NewWriterSize(file, 256<<10)
		f.files = append(f.files, partFile{file, buf})
		w, err = format.open(buf, o)
	}
	if err == nil {
		f.parts = append(f.parts, w)
	}
	return err
}

// Write adds a record to the part that its id belongs to.
func (f *Folder) Write(r *dataset.Record) error {
	part := f.splits.of(r.SrcID)
	f.counts[part]++
	return f.parts[part].Write(r)
}

// Commit completes the files and puts the folder in its place. Where it fails,
// nothing is left but what was there before.
func (f *Folder) Commit() error {
	if err := f.splits.check(f.counts); err != nil {
		return errors.Join(err, f.Discard())
	}
	var errs []error
	f.notes = f.splits.dealt(f.counts)
	for i, w := range f.parts {
		errs = append(errs, w.Close())
		for _, note := range w.Notes() {
			if len(f.parts) > 1 {
				note = f.splits.Parts[i].Name + ": " + note
			}
			f.notes = append(f.notes, note)
		}
	}
	f.parts = nil
	for _, p := range f.files {
		errs = append(errs, p.buf.Flush(), p.file.Sync(), p.file.Close())
	}
	f.files = nil
	if err := errors.Join(errs...); err != nil {
		return errors.Join(err, f.Discard())
	}
	if err := f.folder.commit(); err != nil {
		return errors.Join(err, f.Discard())
	}
	return nil
}

// Discard gives the folder up; what was there before stays.
func (f *Folder) Discard() error {
	var errs []error
	for _, w := range f.parts {
		w.Close() // lets go of temporary files; what it writes is thrown away
	}
	for _, p := range f.files {
		if err := p.file.Close(); !errors.Is(err, fs.ErrClosed) {
			errs = append(errs, err)
		}
	}
	f.parts, f.files = nil, nil
	return errors.Join(append(errs, f.folder.discard())...)
}

// Notes are what each part has to say. They are complete after Commit.
func (f *Folder) Notes() []string { return slices.Clone(f.notes) }
