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
	scheme      string
	exact       bool
	bom         bool
	delimiter   string
	split       string
	seed        uint64
	languages   []string
	taxonomy    string
	names       string
	license     string
	manifest    string

	opts export.Options // made of the flags above by check
}

func newExport() *cobra.Command {
	var o exportOptions
	var to string
	cmd := &cobra.Command{
		Use:   "export FILE --to FORMAT",
		Short: "Write a dataset in the format of another tool",
		Long: `Write the records of a dataset, JSON lines, an array or Parquet, in the format of another tool. "-" reads
standard input; .gz and .zst are read as they are, and written where the output is called so. Each record is checked first: one
that is not valid ends the export, or with --skip-invalid is left out and counted. An output takes its name
only when it is whole.

` + formatList() + `
Offsets count Unicode code points, in doccano UTF-16 units as its editor does. A span is called by its
emotion, in hf and conll by its type; --names chooses. Beside an output for label-studio, doccano or argilla
lies what its tool has to be told: PATH.config.xml, PATH.labels.json or PATH.settings.json without PATH's own
ending. --split deals records to parts by their ids; -o is then a folder with a file for each part.
docs/export.md has each format's fields.`,
		Example: `  emospan export tagged.jsonl --to hf -o my-dataset --license cc-by-4.0 --language en
  emospan export tagged.jsonl --to spacy -o corpus --split train=0.8,dev=0.1,test=0.1
  emospan export tagged.jsonl --to csv-spans --bom -o spans.csv
  emospan export tagged.jsonl --to spacy -o train.spacy
  emospan export tagged.jsonl.zst --to conll --names emotion > train.conll`,
		Args: takes(1, 1, "file", "emospan export FILE --to FORMAT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			if cmd.Flags().Changed("seed") && o.split == "" {
				return usageError("--seed is for --split alone; leave it out")
			}
			if err := o.check(to, cmd.OutOrStdout()); err != nil {
				return err
			}
			return o.run(cmd.Context(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "`FORMAT`: "+formatChoice())
	f.StringVarP(&o.out, "out", "o", "", "write to `PATH`, for hf, brat and --split a folder; - is standard output (the default where the format is text)")
	f.BoolVar(&o.force, "force", false, "replace an existing output")
	f.BoolVar(&o.skipInvalid, "skip-invalid", false, "leave out records that are not valid, and count them")
	f.StringVar(&o.names, "names", "", "`WHAT` a span is called: emotion or type (emotion; in hf and conll type)")
	f.StringVar(&o.split, "split", "", "deal records to parts by their ids, a `LIST` as in train=0.8,dev=0.1,test=0.1; the shares make 1")
	f.Uint64Var(&o.seed, "seed", 1, "`NUMBER` that --split deals by; another deals otherwise")
	f.StringSliceVar(&o.languages, "language", nil, "hf, spacy: the texts' language, a `CODE` as in en or pt-BR; hf takes several with commas")
	f.StringVar(&o.scheme, "scheme", "", "conll: tags in `SCHEME` bio or bioes (bio)")
	f.BoolVar(&o.bom, "bom", false, "csv, csv-spans: a byte order mark first, by which Excel knows UTF-8")
	f.StringVar(&o.delimiter, "delimiter", "", "csv, csv-spans: `CHARACTER` between cells: comma, semicolon or tab (comma)")
	f.BoolVar(&o.exact, "exact", false, "csv, csv-spans: no apostrophe in front of a cell that a spreadsheet could take for a formula")
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
	if err := o.checkFlags(); err != nil {
		return err
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
	if sameFile(o.file, o.out) || o.isFolder() && inFolder(o.file, o.out) {
		return usageError("-o %s is also the input; name another file", o.out)
	}
	if companion := o.companionPath(); companion != "" && sameFile(o.file, companion) {
		return usageError("the input %s is the file that -o %s has beside it; name another output", o.file, o.out)
	}
	return nil
}

// checkFormat refuses flags that the format has no use for.
func (o *exportOptions) checkFormat() error {
	hub, conll := o.format.Name == export.HuggingFace, o.format.Name == export.CoNLL
	csv := o.format.Name == export.CSV || o.format.Name == export.CSVSpans
	switch {
	case o.scheme != "" && !conll:
		return usageError("--scheme is for --to %s alone; leave it out", export.CoNLL)
	case o.bom && !csv, o.exact && !csv, o.delimiter != "" && !csv:
		return usageError("--bom, --exact and --delimiter are for --to %s and %s alone; leave them out", export.CSV, export.CSVSpans)
	case len(o.languages) > 0 && !hub && o.format.Name != export.SpaCy:
		return usageError("--language is for --to %s and %s alone; leave it out", export.HuggingFace, export.SpaCy)
	case len(o.languages) > 1 && !hub:
		return usageError("--language: --to %s takes one; name one", o.format.Name)
	case o.ids && !conll:
		return usageError("--ids is for --to %s alone; leave it out", export.CoNLL)
	case o.license != "" && !hub:
		return usageError("--license is for --to %s alone; leave it out", export.HuggingFace)
	case o.manifest != "" && !hub:
		return usageError("--manifest is for --to %s alone; leave it out", export.HuggingFace)
	case o.names != "" && !o.format.TakesNames():
		return usageError("--names: %s has type and emotion both; leave it out", o.format.Name)
	case o.license != "" && !licenceID.MatchString(o.license):
		return usageError("--license %s: it must be an identifier of the Hub's, as in cc-by-4.0, mit or other", o.license)
	}
	return nil
}

func (o *exportOptions) checkOut(stdout io.Writer) error {
	ext := strings.ToLower(filepath.Ext(o.out))
	switch {
	case o.split != "" && (o.out == "" || o.out == "-"):
		return usageError("--split writes a folder; name it with -o")
	case o.isFolder() && (o.out == "" || o.out == "-"):
		return usageError("--to %s writes a folder; name it with -o", o.format.Name)
	case o.isFolder():
	case o.format.Binary && o.out == "":
		return usageError("--to %s writes a binary file; name it with -o", o.format.Name)
	case o.format.Binary && o.out == "-" && isTerminal(stdout):
		return usageError("--to %s is binary and standard output is a terminal; name a file with -o", o.format.Name)
	case o.format.Binary && (ext == ".gz" || ext == ".zst"):
		return usageError("-o %s: %s is compressed in itself; leave %s out of the name", o.out, o.format.Name, ext)
	}
	if o.out = cmp.Or(o.out, "-"); o.isFolder() {
		o.out = filepath.Clean(o.out)
	}
	return followLinks(&o.out)
}

func (o *exportOptions) run(ctx context.Context, stderr io.Writer) error {
	tax, err := loadTaxonomy(o.taxonomy)
	if err != nil {
		return err
	}
	card := export.CardOptions{License: o.license}
	if o.format.Name == export.HuggingFace {
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

// outputError says what to do about an output that cannot be written.
func (o *exportOptions) outputError(err error) error {
	if errors.Is(err, dataset.ErrExists) {
		return errThere(o.out)
	}
	if errors.Is(err, export.ErrEmptyPart) {
		return dataError("--split: %w; give it a larger share, leave it out, or try another --seed", err)
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
		path = beside(o.file, manifestSuffix)
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
	if name := e.format.CompanionName(); name != "" {
		where := printable(e.companionPath())
		switch {
		case e.isFolder():
			where = printable(filepath.Join(e.out, name))
		case where == "":
			where = "not written, since the output has no name (-o): " + name
		}
		fmt.Fprintf(stderr, "%s: %s: %s\n", e.format.Name, where, e.format.CompanionUse())
	}
	for _, note := range e.target.Notes() {
		fmt.Fprintf(stderr, "%s: %s\n", e.format.Name, note)
	}
}
