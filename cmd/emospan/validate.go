package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/validate"
	"github.com/spf13/cobra"
)

func newValidate() *cobra.Command {
	var (
		asJSON   bool
		quiet    bool
		force    bool
		codes    bool
		taxonomy string
		rejects  string
	)
	cmd := &cobra.Command{
		Use:   "validate FILE...",
		Short: "Check a JSONL dataset: schema, alignment, spans, vocabularies, emotions, confidence",
		Long: `Check each line of a JSONL dataset and say what is wrong with which record: the reason's code, the
record's id, where, what was expected and what was found. "-" reads standard input; .gz and .zst are
read as they are. Exit code 1 where a record is invalid or there is none.`,
		Example: "  emospan validate tagged.jsonl\n  emospan validate --json tagged.jsonl\n  emospan validate --codes",
		RunE: func(cmd *cobra.Command, files []string) error {
			if codes {
				return printCodes(cmd.OutOrStdout())
			}
			if len(files) == 0 {
				return usageError("no file to validate; name a JSONL file, or - for standard input")
			}
			for _, file := range files {
				if err := checkInput(file); err != nil {
					return err
				}
				if rejects != "" && sameFile(file, rejects) {
					return usageError("--rejects %s is also an input; name another file", rejects)
				}
			}
			tax, err := loadTaxonomy(taxonomy)
			if err != nil {
				return err
			}
			v := validation{tax: tax, out: cmd.OutOrStdout(), quiet: quiet || asJSON}
			if rejects != "" {
				if v.rejects, err = createOutput(rejects, force); err != nil {
					return err
				}
				defer v.rejects.Close()
			}
			total := validate.Summary{Codes: map[string]int{}, Samples: map[string][]string{}}
			ids := new(dataset.IDSet)
			for _, file := range files {
				sum, err := v.file(file, ids)
				merge(&total, sum)
				if err != nil {
					return err
				}
			}
			if v.rejects != nil {
				if err := v.rejects.Close(); err != nil {
					return err
				}
			}
			if asJSON {
				if err := printJSON(v.out, total); err != nil {
					return err
				}
			} else {
				printValidation(v.out, total)
			}
			switch {
			case total.Invalid > 0:
				return dataError("%d of %d records are invalid; the codes above say why", total.Invalid, total.Records)
			case total.Records == 0:
				return dataError("%s: no records; name a JSONL file that holds some", strings.Join(files, ", "))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "print the summary as JSON")
	f.BoolVarP(&quiet, "quiet", "q", false, "print the summary alone, not each problem")
	f.StringVar(&taxonomy, "taxonomy", "", "`FILE` of emotions and vocabularies in place of the built-in ones")
	f.StringVar(&rejects, "rejects", "", "write invalid records with their reasons to `FILE`")
	f.BoolVar(&codes, "codes", false, "list every reason code, those of tag's rejects too, and exit")
	f.BoolVar(&force, "force", false, "replace an existing reject log")
	return cmd
}

type validation struct {
	tax     *dataset.Taxonomy
	out     io.Writer
	quiet   bool
	rejects *dataset.Writer
}

func (v *validation) file(path string, ids *dataset.IDSet) (validate.Summary, error) {
	src, err := dataset.OpenStream(path)
	if err != nil {
		return validate.Summary{}, err
	}
	defer src.Close()
	return validate.Stream(src, v.tax, validate.StreamOptions{Name: path, IDs: ids, Each: func(r validate.Result) error {
		if len(r.Problems) == 0 {
			return nil
		}
		id := fmt.Sprintf("line %d", r.Line)
		if r.Record != nil && r.Record.SrcID != "" {
			id = r.Record.SrcID
		}
		if !v.quiet {
			for _, p := range r.Problems {
				fmt.Fprintf(v.out, "%s:%d: %s: %s: %s: expected %s, found %s\n", printable(path), r.Line, p.Code, printable(id), printable(cmp.Or(p.Path, "/")), printable(p.Expected), printable(p.Found))
			}
		}
		if v.rejects == nil {
			return nil
		}
		reject := &dataset.Reject{SrcID: id, Line: r.Line, Reasons: r.Problems, Raw: strings.ToValidUTF8(string(r.Raw), "\ufffd")}
		if r.Record != nil {
			reject.Model, reject.Prompt, reject.Text = r.Record.Model, r.Record.Prompt, r.Record.Text
		}
		return v.rejects.Write(reject)
	}})
}

func merge(total *validate.Summary, s validate.Summary) {
	total.Records += s.Records
	total.Valid += s.Valid
	total.Invalid += s.Invalid
	total.Changes += s.Changes
	for code, n := range s.Codes {
		total.Codes[code] += n
		total.Samples[code] = append(total.Samples[code], s.Samples[code]...)
		total.Samples[code] = total.Samples[code][:min(5, len(total.Samples[code]))]
	}
}

func printValidation(out io.Writer, s validate.Summary) {
	fmt.Fprintf(out, "%s, %d valid, %d invalid\n", plural(s.Records, "record"), s.Valid, s.Invalid)
	_ = table(out, func(w io.Writer) {
		for _, code := range slices.Sorted(maps.Keys(s.Codes)) {
			fmt.Fprintf(w, "  %s\t%d\t%s\n", code, s.Codes[code], printable(strings.Join(s.Samples[code], ", ")))
		}
	})
}

// loadTaxonomy reads the file that --taxonomy names, or gives the built-in one.
func loadTaxonomy(path string) (*dataset.Taxonomy, error) {
	if path == "" {
		return dataset.Default(), nil
	}
	tax, err := dataset.LoadTaxonomy(path)
	if err != nil {
		return nil, fmt.Errorf("--taxonomy: %w; name a JSON file of the built-in taxonomy's shape", err)
	}
	return tax, nil
}
