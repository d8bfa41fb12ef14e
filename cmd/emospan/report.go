package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/report"
	"github.com/spf13/cobra"
)

// reportOptions are the flags of `report`.
type reportOptions struct {
	file, out, title             string
	reference, manifest, rejects string
	taxonomy                     string
	limit                        int
	force, quiet                 bool
}

func newReport() *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report FILE",
		Short: "Make one HTML page of a dataset: charts, and its records to search",
		Long: `Make one HTML page of a dataset: counts and charts of its emotions, attributes, lengths and
confidence, the throughput and the rejects of the run, and its records to search and filter. With
--reference, labels or spans of the same texts, records stand beside those, and a reliability diagram shows how
far confidence can be trusted. The page needs no network and no other file. "-" reads standard input;
JSON lines, arrays and Parquet, .gz and .zst are read as they are.`,
		Example: `  emospan report tagged.jsonl -o report.html
  emospan report tagged.jsonl.gz --reference labels.jsonl -o report.html`,
		Args: takes(1, 1, "file", "emospan report FILE -o report.html"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			return runReport(cmd, o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.out, "out", "o", "", "the page, an HTML `FILE`, or - for standard output (default: FILE.report.html)")
	f.StringVar(&o.reference, "reference", "", "`FILE` to compare with: records, lines with src_id, text and labels or spans by character, or a table as GoEmotions'")
	f.StringVar(&o.manifest, "manifest", "", "the run's manifest `FILE` (default: FILE.manifest.json, if it is there)")
	f.StringVar(&o.rejects, "rejects", "", "the run's reject log `FILE` (default: FILE.rejects.jsonl, if it is there)")
	f.StringVar(&o.taxonomy, "taxonomy", "", "`FILE` of emotions and vocabularies in place of the built-in ones")
	f.StringVar(&o.title, "title", "", "`TITLE` of the page (default: FILE)")
	f.IntVar(&o.limit, "limit", 100_000, "put the first `N` records into the page's list (0: all); the charts are of all")
	f.BoolVar(&o.force, "force", false, "replace an existing page")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "say nothing but errors")
	return cmd
}

func runReport(cmd *cobra.Command, o reportOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	opts := report.Options{Title: dataset.ShownName(o.title), Name: dataset.ShownName(o.file), Limit: o.limit, Meaning: codeMeaning}
	if o.file == "-" {
		opts.Name = "standard input"
	}
	var err error
	if opts.Taxonomy, err = loadTaxonomy(o.taxonomy); err != nil {
		return err
	}
	if o.reference != "" {
		opts.ReferenceName = dataset.ShownName(o.reference)
		if opts.Reference, err = readReference(o.reference, opts.Taxonomy); err != nil {
			return err
		}
	}
	if opts.Manifest, opts.ManifestNote, err = o.readManifest(); err != nil {
		return err
	}
	if opts.Rejects, opts.RejectsNote, err = o.readRejects(); err != nil {
		return err
	}
	src, err := dataset.OpenStream(o.file)
	if err != nil {
		return fmt.Errorf("%w; name another file", err)
	}
	defer src.Close()
	var made report.Result
	err = writePage(o.out, cmd.OutOrStdout(), func(w io.Writer) error {
		if made, err = report.Write(cmd.Context(), w, src, opts); err != nil {
			return o.failure(err)
		}
		return checkMade(made, &opts)
	})
	if err != nil {
		return err
	}
	if !o.quiet {
		o.say(cmd.ErrOrStderr(), made)
	}
	return nil
}

func (o *reportOptions) check() error {
	if o.limit < 0 {
		return usageError("--limit %d: it must not be negative", o.limit)
	}
	for _, file := range []string{o.file, o.reference, o.manifest, o.rejects} {
		if file == "" {
			continue
		}
		if err := checkInput(file); err != nil {
			return err
		}
	}
	if o.out == "" {
		if o.file == "-" {
			return usageError("no output for standard input; name a page with -o, or - for standard output")
		}
		o.out = o.file + ".report.html"
	}
	if err := followLinks(&o.out); err != nil {
		return err
	}
	for _, in := range []string{o.file, o.reference, o.manifest, o.rejects, beside(o.file, manifestSuffix), beside(o.file, rejectsSuffix)} {
		if in != "" && sameFile(in, o.out) {
			return usageError("--out %s is also an input; name another file", o.out)
		}
	}
	return o.checkOutput()
}

// checkOutput refuses at once what writing the page would come to after all the reading.
func (o *reportOptions) checkOutput() error {
	if o.out == "-" {
		return nil
	}
	info, err := os.Stat(o.out)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("output: %s is a directory: name a file in it", o.out)
	case err == nil && !info.Mode().IsRegular():
		return nil
	case err == nil && !o.force:
		return errThere(o.out)
	}
	return checkFolder(o.out)
}

func readReference(path string, tax *dataset.Taxonomy) (report.Reference, error) {
	if isTable(path) && !holdsRecords(path) {
		in, err := dataset.OpenInput(path, dataset.ReaderOptions{Labels: tax})
		if err != nil {
			return nil, fmt.Errorf("%w; name another file", err)
		}
		defer in.Close()
		ref, err := report.ReadLabels(in)
		if err != nil {
			return nil, fmt.Errorf("%w; --reference takes records, or texts with labels", err)
		}
		return ref, nil
	}
	src, err := dataset.OpenStream(path)
	if err != nil {
		return nil, fmt.Errorf("reference: %w; name another file", err)
	}
	defer src.Close()
	ref, err := report.ReadReference(src, path, tax)
	if err != nil {
		return nil, fmt.Errorf("%w; --reference takes records, or lines with src_id, text and labels or spans", err)
	}
	return ref, nil
}

// holdsRecords reports whether the first row of a Parquet file is a record with its spans.
func holdsRecords(path string) bool {
	if !isRegular(path) || !strings.HasSuffix(strings.ToLower(path), ".parquet") {
		return false
	}
	src, err := dataset.OpenStream(path)
	if err != nil {
		return false
	}
	defer src.Close()
	value, err := dataset.NewJSONReader(src, 0).Next()
	var row struct {
		Data json.RawMessage `json:"data"`
	}
	return err == nil && json.Unmarshal(value, &row) == nil && row.Data != nil
}

// isTable tells by its name whether a file holds rows of columns.
func isTable(path string) bool {
	path = strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(path), ".gz"), ".zst")
	return slices.Contains([]string{".csv", ".tsv", ".tab", ".parquet"}, filepath.Ext(path))
}

// readManifest reads the manifest that is named, or the one beside the file. That one may be missing or another version's:
// then the page has a note in its place.
func (o *reportOptions) readManifest() (*dataset.Manifest, string, error) {
	path, note := o.beside(o.manifest, manifestSuffix, "manifest", "--manifest")
	if note != "" {
		return nil, note, nil
	}
	m, err := dataset.ReadManifest(path)
	switch {
	case err == nil:
		return m, "", nil
	case o.manifest != "":
		return nil, "", fmt.Errorf("%w; name the manifest of the run", err)
	}
	return nil, fmt.Sprintf("The manifest beside the file cannot be used: %s.", withoutFolder(err, path)), nil
}

// readRejects is readManifest for the reject log.
func (o *reportOptions) readRejects() (*report.Rejects, string, error) {
	path, note := o.beside(o.rejects, rejectsSuffix, "reject log", "--rejects")
	if note != "" {
		return nil, note, nil
	}
	src, err := dataset.OpenStream(path)
	var rejects *report.Rejects
	if err == nil {
		rejects, err = report.ReadRejects(src, path)
		src.Close()
	}
	switch {
	case err == nil:
		return rejects, "", nil
	case o.rejects != "":
		return nil, "", fmt.Errorf("%w; name the reject log of the run", err)
	}
	return nil, fmt.Sprintf("The reject log beside the file cannot be used: %s.", withoutFolder(err, path)), nil
}

// beside is the file that a flag names, or the one beside the input; a note says that there is none.
func (o *reportOptions) beside(named, suffix, what, flag string) (path, note string) {
	switch {
	case named != "":
		return named, ""
	case o.file == "-":
		return "", fmt.Sprintf("There is no %s: the records came from standard input; %s FILE names one.", what, flag)
	}
	path = beside(o.file, suffix)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Sprintf("There is no %s beside the file (%s); %s FILE names another.", what, dataset.ShownName(filepath.Base(path)), flag)
	}
	return path, ""
}

// withoutFolder is an error that a page may show: folders are nobody else's business.
func withoutFolder(err error, path string) string {
	return dataset.ShownName(strings.ReplaceAll(err.Error(), path, filepath.Base(path)))
}

// writePage writes to standard output or a device as it is, and a file whole or not at all.
func writePage(path string, stdout io.Writer, write func(io.Writer) error) error {
	buffered := func(w io.Writer) error {
		buf := bufio.NewWriterSize(w, 64<<10)
		return cmp.Or(write(buf), buf.Flush())
	}
	if path == "-" {
		return buffered(stdout)
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return fmt.Errorf("output: %w; name another file", err)
		}
		return cmp.Or(buffered(f), f.Close())
	}
	return dataset.Replace(path, write)
}

// failure says what to do about what ended a report: the output's fault, the input's, or nobody's.
func (o *reportOptions) failure(err error) error {
	var file *fs.PathError
	switch {
	case errors.Is(err, errInterrupted):
		return fmt.Errorf("%w; nothing was written", err)
	case errors.As(err, &file) && strings.HasPrefix(file.Path, o.out):
		return fmt.Errorf("cannot write %s: %w; make room, or name another file", o.out, file.Err)
	}
	return fmt.Errorf("%w; mend or replace the file", err)
}

// checkMade refuses a page about nothing.
func checkMade(made report.Result, opts *report.Options) error {
	switch {
	case made.Records > 0:
		return nil
	case made.Invalid > 0:
		return dataError("%s: none of %s is a valid record; emospan validate says why", opts.Name, plural(made.Invalid, "line"))
	case opts.Rejects == nil && opts.Manifest == nil:
		return dataError("%s: no records; name a JSONL file that holds some", opts.Name)
	}
	return nil
}

func (o *reportOptions) say(stderr io.Writer, made report.Result) {
	left := ""
	if made.Invalid > 0 {
		left = fmt.Sprintf("; %s left out as invalid: emospan validate says why", plural(made.Invalid, "line"))
	}
	listed := ""
	if made.Embedded < made.Records {
		listed = fmt.Sprintf(", the first %d of them in its list (--limit)", made.Embedded)
	}
	if o.reference != "" {
		listed += fmt.Sprintf(", %d in the reference", made.InReference)
	}
	size := ""
	if info, err := os.Stat(o.out); err == nil && info.Mode().IsRegular() {
		size = fmt.Sprintf("%s, %s: ", printable(o.out), bytesText(info.Size()))
	}
	fmt.Fprintf(stderr, "%s%s%s%s\n", size, plural(made.Records, "record"), listed, left)
}
