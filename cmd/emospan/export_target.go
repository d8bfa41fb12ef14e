package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/export"
)

// languageCode is what a code of a language looks like (BCP 47).
var languageCode = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// checkFlags reads the flags that are not plain values into the options of package export.
func (o *exportOptions) checkFlags() error {
	o.opts = export.Options{Names: export.Names(o.names), IDs: o.ids, BIOES: o.scheme == "bioes", Exact: o.exact, BOM: o.bom, Languages: o.languages}
	if o.names != "" {
		if err := oneOf("names", o.names, string(export.ByEmotion), string(export.ByType)); err != nil {
			return err
		}
	}
	if o.scheme != "" {
		if err := oneOf("scheme", o.scheme, "bio", "bioes"); err != nil {
			return err
		}
	}
	switch o.delimiter {
	case "", ",", "comma":
	case ";", "semicolon":
		o.opts.Delimiter = ';'
	case "\t", `\t`, "tab":
		o.opts.Delimiter = '\t'
	default:
		return usageError("--delimiter %q: it must be comma, semicolon or tab", o.delimiter)
	}
	for _, code := range o.languages {
		if !languageCode.MatchString(code) {
			return usageError("--language %q: it must be a code as in en, deu or pt-BR", code)
		}
	}
	if o.split != "" {
		parts, err := export.ParseSplits(o.split)
		if err != nil {
			return usageError("--split: %w, as in train=0.8,dev=0.1,test=0.1", err)
		}
		o.opts.Splits = export.Splits{Parts: parts, Seed: o.seed}
	}
	return nil
}

// isFolder reports whether the output is a folder: the format is one, or it has a file for each part of a split.
func (o *exportOptions) isFolder() bool { return o.format.IsFolder() || o.split != "" }

// inFolder reports whether a file lies in a folder.
func inFolder(file, folder string) bool {
	if file == "-" {
		return false
	}
	file, errFile := filepath.EvalSymlinks(file)
	folder, errFolder := filepath.EvalSymlinks(folder)
	if errFile != nil || errFolder != nil {
		return false
	}
	file, errFile = filepath.Abs(file)
	folder, errFolder = filepath.Abs(folder)
	name, err := filepath.Rel(folder, file)
	return errFile == nil && errFolder == nil && err == nil && filepath.IsLocal(name)
}

// companionPath is where what the tool must be told lies: beside the output, under its name without ending. Empty where there is
// no such file, or the output is no regular one; a folder has it inside.
func (o *exportOptions) companionPath() string {
	name := o.format.CompanionName()
	if name == "" || o.out == "-" || o.isFolder() {
		return ""
	}
	if info, err := os.Stat(o.out); err == nil && !info.Mode().IsRegular() {
		return ""
	}
	stem := o.out
	if ext := strings.ToLower(filepath.Ext(stem)); ext == ".gz" || ext == ".zst" {
		stem = strings.TrimSuffix(stem, filepath.Ext(stem))
	}
	return strings.TrimSuffix(stem, filepath.Ext(stem)) + "." + name
}

// exportTarget is where records go: a file or a folder, as a whole or not at all.
type exportTarget interface {
	Write(r *dataset.Record) error
	Commit(left int) error
	Discard() error
	Notes() []string
}

// fileTarget is a format written to a file.
type fileTarget struct {
	export.Writer
	file *export.File
	side *export.File // the companion, nil where there is none
}

// Commit gives the output its name after the companion has its own, so that whoever waits for it finds both.
func (t fileTarget) Commit(int) error {
	if err := t.Close(); err != nil {
		return errors.Join(err, t.Discard())
	}
	if t.side != nil {
		if err := t.side.Commit(); err != nil {
			return errors.Join(err, t.file.Discard())
		}
	}
	return t.file.Commit()
}

func (t fileTarget) Discard() error {
	err := t.file.Discard()
	if t.side != nil {
		err = errors.Join(err, t.side.Discard())
	}
	return err
}

// folderTarget is a format written to several files.
type folderTarget struct{ *export.Folder }

func (t folderTarget) Commit(int) error { return t.Folder.Commit() }

func (o *exportOptions) open(tax *dataset.Taxonomy, card export.CardOptions) (exportTarget, error) {
	opts := o.opts
	opts.Taxonomy = tax
	switch {
	case o.format.Name == export.HuggingFace:
		hub, err := export.CreateHub(o.out, o.force, opts, card)
		if err != nil {
			return nil, o.outputError(err)
		}
		return hub, nil
	case o.isFolder():
		folder, err := export.CreateFolder(o.out, o.force, o.format, opts)
		if err != nil {
			return nil, o.outputError(err)
		}
		return folderTarget{folder}, nil
	}
	return o.openFile(opts)
}

func (o *exportOptions) openFile(opts export.Options) (exportTarget, error) {
	var t fileTarget
	var err error
	if t.file, err = export.CreateFile(o.out, o.force); err != nil {
		return nil, o.outputError(err)
	}
	if path := o.companionPath(); path != "" {
		if t.side, err = o.openCompanion(path, opts); err != nil {
			return nil, errors.Join(err, t.file.Discard())
		}
	}
	if t.Writer, err = o.format.New(t.file, opts); err != nil {
		return nil, errors.Join(err, t.Discard())
	}
	return t, nil
}

func (o *exportOptions) openCompanion(path string, opts export.Options) (*export.File, error) {
	data, err := o.format.Companion(opts)
	if err != nil {
		return nil, err
	}
	side, err := export.CreateFile(path, o.force)
	if errors.Is(err, dataset.ErrExists) {
		return nil, errThere(path)
	}
	if err != nil {
		return nil, o.outputError(err)
	}
	if _, err := side.Write(data); err != nil {
		return nil, errors.Join(o.outputError(err), side.Discard())
	}
	return side, nil
}
