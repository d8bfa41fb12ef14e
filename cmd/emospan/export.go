package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/export"
	"github.com/emospan/emospan/validate"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
)

// exportOptions are the flags of `export`.
type exportOptions struct {
	file        string
	format      export.Format
	out         string
	force       bool
	skipInvalid bool
	quiet       bool
	ids         bool
	taxonomy    string
	names       string
	license     string
	manifest    string
}

func newExport() *cobra.Command {
	var o exportOptions
	var to string
	cmd := &cobra.Command{
		Use:   "export FILE --to FORMAT",
		Short: "Write a dataset in the format of another tool",
		Long: `Write the records of a JSONL dataset in the format of another tool. "-" reads standard input; .gz and
.zst are read as they are, and written where the output is called so. Each record is checked first: one
that is not valid ends the export, or with --skip-invalid is left out and counted. An output takes its name
only when it is whole.

` + formatList() + `
Offsets count Unicode code points in all of them. A span is called by its emotion, in hf and conll by its
type; --names chooses. docs/export.md has each format's fields, and what its tool has to be told.`,
		Example: `  emospan export tagged.jsonl --to hf -o my-dataset --license cc-by-4.0
  emospan export tagged.jsonl --to spacy -o train.spacy
  emospan export tagged.jsonl.zst --to conll --names emotion > train.conll`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			if err := o.check(to, cmd.OutOrStdout()); err != nil {
				return err
			}
			return o.run(cmd.Context(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "`FORMAT`: "+formatChoice())
	f.StringVarP(&o.out, "out", "o", "", "write to `PATH`, for hf a folder; - is standard output (the default where the format is text)")
	f.BoolVar(&o.force, "force", false, "replace an existing output")
	f.BoolVar(&o.skipInvalid, "skip-invalid", false, "leave out records that are not valid, and count them")
	f.StringVar(&o.names, "names", "", "`WHAT` a span is called: emotion or type (emotion; in hf and conll type)")
	f.BoolVar(&o.ids, "ids", false, "conll: a line \"# src_id = ID\" above each record; readers of plain CoNLL take it for a token")
	f.StringVar(&o.license, "license", "", "hf: the data's licence, an `ID` of the Hub's as in cc-by-4.0 (unknown)")
	f.StringVar(&o.manifest, "manifest", "", "hf: the manifest of the run, a `PATH` (FILE.manifest.json, where it is there)")
	f.StringVar(&o.taxonomy, "taxonomy", "", "`FILE` of emotions and vocabularies in place of the built-in ones")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "say nothing but errors")
	return cmd
}

// formatList says for help what each format carries and what it cannot.
func formatList() string {
	var b strings.Builder
	for _, f := range export.Formats() {
		fmt.Fprintf(&b, "  %-13s %s\n", f.Name, f.Carries)
		if left := f.LeftOut(""); left != "" {
			fmt.Fprintf(&b, "  %-13s left out: %s\n", "", left)
		}
	}
	return b.String()
}

func formatChoice() string {
	var names []string
	for _, f := range export.Formats() {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// licenceID is what the Hub's identifiers of licences look like.
var licenceID = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*$`)

// check refuses what cannot be done before anything is read.
func (o *exportOptions) check(to string, stdout io.Writer) error {
	if to == "" {
		return usageError("--to is missing: name a format, one of %s; see emospan export --help", formatChoice())
	}
	var ok bool
	if o.format, ok = export.Lookup(to); !ok {
		return usageError("--to %s: it must be one of %s; see emospan export --help", to, formatChoice())
	}
	if o.names != "" {
		if err := oneOf("names", o.names, string(export.ByEmotion), string(export.ByType)); err != nil {
			return err
		}
	}
	if err := o.checkFormat(); err != nil {
		return err
	}
	if err := o.checkOut(stdout); err != nil {
		return err
	}
	if err := checkInput(o.file); err != nil {
		return err
	}
	if sameFile(o.file, o.out) {
		return usageError("-o %s is also the input; name another file", o.out)
	}
	return nil
}

// checkFormat refuses flags that the format has no use for.
func (o *exportOptions) checkFormat() error {
	hub, conll := o.format.Name == export.HuggingFace, o.format.Name == export.CoNLL
	switch {
	case o.ids && !conll:
		return usageError("--ids is for --to %s alone; leave it out", export.CoNLL)
	case o.license != "" && !hub:
		return usageError("--license is for --to %s alone; leave it out", export.HuggingFace)
	case o.manifest != "" && !hub:
		return usageError("--manifest is for --to %s alone; leave it out", export.HuggingFace)
	case o.names != "" && o.format.Name == export.Parquet:
		return usageError("--names: %s has type and emotion both; leave it out", export.Parquet)
	case o.license != "" && !licenceID.MatchString(o.license):
		return usageError("--license %s: it must be an identifier of the Hub's, as in cc-by-4.0, mit or other", o.license)
	}
	return nil
}

func (o *exportOptions) checkOut(stdout io.Writer) error {
	ext := strings.ToLower(filepath.Ext(o.out))
	switch {
	case o.format.IsFolder() && (o.out == "" || o.out == "-"):
		return usageError("--to %s writes a folder; name it with -o", o.format.Name)
	case o.format.Binary && o.out == "":
		return usageError("--to %s writes a binary file; name it with -o", o.format.Name)
	case o.format.Binary && o.out == "-" && isTerminal(stdout):
		return usageError("--to %s is binary and standard output is a terminal; name a file with -o", o.format.Name)
	case o.format.Binary && (ext == ".gz" || ext == ".zst"):
		return usageError("-o %s: %s is compressed in itself; leave %s out of the name", o.out, o.format.Name, ext)
	}
	if o.out = cmp.Or(o.out, "-"); o.format.IsFolder() {
		o.out = filepath.Clean(o.out)
	}
	return nil
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
}

func (t fileTarget) Commit(int) error {
	if err := t.Close(); err != nil {
		return errors.Join(err, t.file.Discard())
	}
	return t.file.Commit()
}

func (t fileTarget) Discard() error { return t.file.Discard() }

func (o *exportOptions) run(ctx context.Context, stderr io.Writer) error {
	tax, err := loadTaxonomy(o.taxonomy)
	if err != nil {
		return err
	}
	card := export.CardOptions{License: o.license}
	if o.format.IsFolder() {
		if card.Manifest, err = o.readManifest(stderr); err != nil {
			return err
		}
	}
	src, err := dataset.OpenStream(o.file)
	if err != nil {
		return err
	}
	defer src.Close()
	target, err := o.open(tax, card)
	if err != nil {
		return err
	}
	e := exporting{exportOptions: o, target: target}
	if err := e.stream(ctx, src, tax); err != nil {
		return errors.Join(err, target.Discard())
	}
	if err := target.Commit(e.left); err != nil {
		return o.outputError(err)
	}
	if !o.quiet {
		e.report(stderr)
	}
	return nil
}

func (o *exportOptions) open(tax *dataset.Taxonomy, card export.CardOptions) (exportTarget, error) {
	opts := export.Options{Taxonomy: tax, Names: export.Names(o.names), IDs: o.ids}
	if o.format.IsFolder() {
		hub, err := export.CreateHub(o.out, o.force, opts, card)
		if err != nil {
			return nil, o.outputError(err)
		}
		return hub, nil
	}
	file, err := export.CreateFile(o.out, o.force)
	if err != nil {
		return nil, o.outputError(err)
	}
	w, err := o.format.New(file, opts)
	if err != nil {
		return nil, errors.Join(err, file.Discard())
	}
	return fileTarget{w, file}, nil
}

// outputError says what to do about an output that cannot be written.
func (o *exportOptions) outputError(err error) error {
	if errors.Is(err, dataset.ErrExists) {
		return errThere(o.out)
	}
	if o.out != "-" {
		if folder := checkFolder(o.out); folder != nil {
			return folder
		}
	}
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EFBIG) {
		return fmt.Errorf("%w; make room, then run again", err)
	}
	return fmt.Errorf("%w; name another output", err)
}

// readManifest finds the account of the run that made the records. One that nobody named and that cannot be read is none.
func (o *exportOptions) readManifest(stderr io.Writer) (*dataset.Manifest, error) {
	path := o.manifest
	if path == "" {
		if o.file == "-" {
			return nil, nil
		}
		path = o.file + ".manifest.json"
	}
	m, err := dataset.ReadManifest(path)
	switch {
	case err == nil:
		return m, nil
	case o.manifest != "":
		return nil, fmt.Errorf("--manifest: %w; name the manifest that emospan tag wrote", err)
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	}
	fmt.Fprintf(stderr, "emospan: %s: not used: %s\n", printable(path), oneLine(err.Error()))
	return nil, nil
}

// exporting is one run of `export`.
type exporting struct {
	*exportOptions
	target  exportTarget
	records int
	left    int // lines that are not valid records
}

// stream writes every record. A read from a silent pipe cannot be interrupted, so an interruption leaves it behind.
func (e *exporting) stream(ctx context.Context, src io.Reader, tax *dataset.Taxonomy) error {
	done := make(chan error, 1)
	var writing sync.Mutex // held for good once the writing is given up
	go func() {
		_, err := validate.Stream(src, tax, validate.StreamOptions{Name: inputNames([]string{e.file}), Each: func(r validate.Result) error {
			writing.Lock()
			defer writing.Unlock()
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return e.take(r)
		}})
		done <- err
	}()
	var err error
	if isRegular(e.file) {
		err = <-done
	} else {
		select {
		case err = <-done:
		case <-ctx.Done():
			writing.Lock()
			err = context.Cause(ctx)
		}
	}
	switch {
	case errors.Is(err, errInterrupted):
		return fmt.Errorf("%w; nothing was written", err)
	case err != nil:
		return err
	case e.records == 0 && e.left > 0:
		return dataError("%s: none of its %s is valid; emospan validate says why", e.file, plural(e.left, "line"))
	case e.records == 0:
		return dataError("%s: no records; name a JSONL file that holds some", e.file)
	}
	return nil
}

// take writes one line's record.
func (e *exporting) take(r validate.Result) error {
	if len(r.Problems) == 0 {
		e.records++
		if err := e.target.Write(r.Record); err != nil {
			return e.outputError(err)
		}
		return nil
	}
	if e.skipInvalid {
		e.left++
		return nil
	}
	p := r.Problems[0]
	where := ""
	if p.Path != "" {
		where = " at " + p.Path
	}
	return dataError("%s:%d: %s%s: expected %s, found %s; mend it (emospan validate lists all faults), or leave such lines out with --skip-invalid",
		inputNames([]string{e.file}), r.Line, p.Code, where, p.Expected, p.Found)
}

// report says what was done, and what the format could not carry.
func (e *exporting) report(stderr io.Writer) {
	to := ""
	if e.out != "-" {
		to = " to " + printable(e.out)
	}
	left := ""
	if e.left > 0 {
		left = fmt.Sprintf("; %s not valid, left out", plural(e.left, "line"))
	}
	fmt.Fprintf(stderr, "%s written%s%s\n", plural(e.records, "record"), to, left)
	fmt.Fprintf(stderr, "%s carries %s", e.format.Name, e.format.Carries)
	if lost := e.format.LeftOut(export.Names(e.names)); lost != "" {
		fmt.Fprintf(stderr, "; left out: %s", lost)
	}
	fmt.Fprintln(stderr)
	for _, note := range e.target.Notes() {
		fmt.Fprintf(stderr, "%s: %s\n", e.format.Name, note)
	}
}
