package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/emospan/emospan/bundle"
	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
	"github.com/spf13/cobra"
)

// sampleIDs is how many records a summary names for a code.
const sampleIDs = 5

// validateOptions are the flags of `validate`.
type validateOptions struct {
	files                           []string
	taxonomy, out, rejects, changes string
	fix, asJSON, quiet, force       bool
}

func newValidate() *cobra.Command {
	var (
		o     validateOptions
		codes bool
	)
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check a dataset: schema, alignment, spans, vocabularies, emotions, confidence",
		Long: `Check each record of a dataset and say what is wrong with which: the reason's code, the record's id,
where, what was expected and what was found; then how many records came through each of the card's
checks. Records may be JSON lines, a JSON array or the rows of a Parquet file; "-" reads standard input;
.gz and .zst are read as they are. Exit code 1 where a record is invalid or there is none.

Nothing is changed unless --fix is given: then values are brought into the taxonomy's form, what
follows from the rest of a record is recomputed, odd shapes are set right, and each change is
reported. What would be a guess stays as it is and is rejected. --out takes the records that are valid
then, --changes the changes.`,
		Example: `  emospan validate tagged.jsonl
  emospan validate --fix old.jsonl -o fixed.jsonl --rejects bad.jsonl --changes changes.jsonl
  emospan validate --codes`,
		RunE: func(cmd *cobra.Command, files []string) error {
			if codes {
				return printCodes(cmd.OutOrStdout())
			}
			o.files = files
			if err := o.check(); err != nil {
				return err
			}
			return runValidate(cmd, &o)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&o.fix, "fix", false, "mend what can be mended without a guess, and report each change")
	f.StringVarP(&o.out, "out", "o", "", "with --fix: write the valid records to `FILE`; - is standard output")
	f.StringVar(&o.changes, "changes", "", "with --fix: write each change to `FILE`, one a line")
	f.StringVar(&o.rejects, "rejects", "", "write invalid records with their reasons to `FILE`")
	f.StringVar(&o.taxonomy, "taxonomy", "", "`FILE` of emotions and vocabularies in place of the built-in ones")
	f.BoolVar(&o.asJSON, "json", false, "print the summary as JSON")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "print the summary alone, not each problem and change")
	f.BoolVar(&codes, "codes", false, "list every code of a reason or a change, those of tag's rejects too, and exit")
	f.BoolVar(&o.force, "force", false, "replace existing outputs")
	return cmd
}

func (o *validateOptions) check() error {
	if len(o.files) == 0 {
		return usageError("name a file: emospan validate FILE, or - for standard input")
	}
	if !o.fix && (o.out != "" || o.changes != "") {
		return usageError("--out and --changes are for --fix; without it nothing is changed")
	}
	for _, file := range o.files {
		if err := checkInput(file); err != nil {
			return err
		}
	}
	if err := followLinks(&o.out, &o.rejects, &o.changes); err != nil {
		return err
	}
	return checkWritten(o.files, written{"--out", o.out}, written{"--rejects", o.rejects}, written{"--changes", o.changes})
}

// validation is one run of `validate`.
type validation struct {
	*validateOptions
	tax *dataset.Taxonomy
	ids dataset.IDSet
	say *bufio.Writer // problems, changes and the summary
	now bool          // somebody watches, so they are said at once
	sum validate.Summary
	n   int // records of all files so far

	valid, rejected, changed *dataset.Writer // nil where they are not wanted
}

func runValidate(cmd *cobra.Command, o *validateOptions) (err error) {
	v := &validation{validateOptions: o, sum: validate.NewSummary()}
	if v.tax, err = loadTaxonomy(o.taxonomy); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if o.out == "-" {
		out = cmd.ErrOrStderr() // standard output holds the records
	}
	v.say, v.now = bufio.NewWriter(out), isTerminal(out)
	if err := v.create(); err != nil {
		return err
	}
	for _, file := range o.files {
		if err = v.file(cmd.Context(), file); err != nil {
			break
		}
	}
	if err := v.close(err); err != nil {
		return err
	}
	if o.asJSON {
		err = printJSON(v.say, v.sum)
	} else {
		err = v.print()
	}
	if err := errors.Join(err, v.say.Flush()); err != nil {
		return err
	}
	switch {
	case v.sum.Invalid > 0:
		return dataError("%s of %d invalid; the codes above say why", plural(v.sum.Invalid, "record"), v.sum.Records)
	case v.sum.Records == 0:
		return dataError("%s: no records; name a JSONL file that holds some", strings.Join(o.files, ", "))
	}
	return nil
}

func (v *validation) create() error {
	for _, w := range []struct {
		path   string
		writer **dataset.Writer
	}{{v.out, &v.valid}, {v.rejects, &v.rejected}, {v.changes, &v.changed}} {
		if w.path == "" {
			continue
		}
		var err error
		if *w.writer, err = createOutput(w.path, v.force); err != nil {
			return v.close(err)
		}
	}
	return nil
}

// close completes the outputs; after an error it takes back those that nothing was written to.
func (v *validation) close(err error) error {
	var failed error
	for _, w := range []*dataset.Writer{v.valid, v.rejected, v.changed} {
		switch {
		case w == nil:
		case err != nil:
			failed = errors.Join(failed, w.Abort())
		default:
			failed = errors.Join(failed, w.Close())
		}
	}
	if err == nil && failed != nil {
		return writeFailure(failed)
	}
	if err != nil {
		return errors.Join(writeFailure(err), v.say.Flush())
	}
	return nil
}

func (v *validation) file(ctx context.Context, path string) error {
	src, err := dataset.OpenStream(path)
	if err != nil {
		return err
	}
	defer src.Close()
	sum, err := validate.Stream(src, v.tax, validate.StreamOptions{
		Name: path, Samples: sampleIDs, Fix: v.fix, Context: ctx, IDs: &v.ids,
		Each: func(r validate.Result) error { return v.take(path, &r) },
	})
	v.sum.Merge(sum, sampleIDs)
	return err
}

// take reports what became of a line, and puts it where it belongs.
func (v *validation) take(path string, r *validate.Result) error {
	number := v.n
	v.n++
	id := fmt.Sprintf("line %d", r.Line)
	if r.Record != nil && r.Record.SrcID != "" {
		id = r.Record.SrcID
	}
	if !v.quiet && !v.asJSON {
		for _, p := range r.Problems {
			fmt.Fprintf(v.say, "%s:%d: %s: %s: %s: expected %s, found %s\n", printable(path), r.Line, p.Code, printable(id), printable(cmp.Or(p.Path, "/")), printable(p.Expected), printable(p.Found))
		}
		for _, c := range r.Changes {
			fmt.Fprintf(v.say, "%s:%d: %s: %s: %s: %s -> %s\n", printable(path), r.Line, c.Code, printable(id), printable(c.Path), shown(c.From), shown(c.To))
		}
	}
	if v.now && v.say.Buffered() > 0 {
		v.say.Flush()
	}
	if len(r.Problems) > 0 {
		if v.rejected == nil {
			return nil
		}
		reject := &dataset.Reject{SrcID: id, Line: r.Line, Index: number, Reasons: r.Problems, Raw: strings.ToValidUTF8(string(r.Raw), "\ufffd")}
		if len(v.files) > 1 {
			reject.File = path
		}
		if r.Record != nil {
			reject.Model, reject.Prompt, reject.Text = r.Record.Model, r.Record.Prompt, r.Record.Text
		}
		return v.rejected.Write(reject)
	}
	if v.changed != nil {
		for _, c := range r.Changes {
			if err := v.changed.Write(&changeLine{SrcID: id, Line: r.Line, Change: c}); err != nil {
				return err
			}
		}
	}
	if v.valid != nil {
		return v.valid.Write(r.Record)
	}
	return nil
}

// loadTaxonomy reads the file that --taxonomy names, or gives the built-in one.
func loadTaxonomy(path string) (*dataset.Taxonomy, error) {
	if path == "" {
		if _, data, ok := content(bundle.Taxonomy); ok {
			return dataset.ParseTaxonomy(data)
		}
		return dataset.Default(), nil
	}
	tax, err := dataset.LoadTaxonomy(path)
	if err != nil {
		return nil, fmt.Errorf("--taxonomy: %w; name a JSON file of the built-in taxonomy's shape", err)
	}
	return tax, nil
}
