package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/emospan/emospan/agreement"
	"github.com/emospan/emospan/dataset"
	"github.com/spf13/cobra"
)

// compareOptions are the flags of `compare`.
type compareOptions struct {
	taxonomy, by, level string
	bootstrap           int
	seed                uint64
	asJSON, join        bool
}

// maxReplicates bounds the memory of the bootstrap: 8 bytes for each of some 250 figures.
const maxReplicates = 100_000

func newCompare() *cobra.Command {
	var o compareOptions
	cmd := &cobra.Command{
		Use:   "compare REFERENCE FILE...",
		Short: "How far annotations agree with a reference: labels, spans, attributes",
		Long: `Compare files of records with a reference, which people or another model annotated, text by text, and
print for each emotion and over all: precision, recall, F1, over- and under-prediction, Cohen's kappa,
Krippendorff's alpha; the same for Ekman's classes and for sentiment; for spans the scores of seqeval,
of overlaps and of tokens, and in which way spans are off; how the attributes are distributed and agree.
In brackets stand 95 % bootstrap intervals.

The reference, and with it each file, may be records as tag writes them, GoEmotions' TSV, or JSON objects
of src_id, text and labels; the reference also JSON objects of text and spans with character offsets,
whose labels are Ekman's classes unless --level says otherwise. JSON lines, arrays and Parquet are read,
"-" is standard input; .gz and .zst are read as they are. docs/agreement.md defines each figure.

Texts are paired by src_id where the text is the same too, and else by the text, whatever its white
space. Of each record of the reference some 35 bytes are kept in memory, the rest, without the texts,
in a temporary file (in TMPDIR) once it is more than a few MiB, or in memory where none can be written.`,
		Example: `  emospan compare gold.jsonl tagged.jsonl
  emospan compare dev.tsv small.jsonl large.jsonl
  emospan compare --join-sentences gold.jsonl sentences.jsonl
  emospan compare --json --bootstrap 10000 --seed 7 gold.jsonl tagged.jsonl`,
		RunE: func(cmd *cobra.Command, files []string) error {
			if len(files) < 2 {
				return usageError("name a reference and a file to compare with it: emospan compare REFERENCE FILE")
			}
			if err := o.check(files); err != nil {
				return err
			}
			report, err := compareFiles(cmd.Context(), o, files[0], files[1:])
			if err != nil {
				return err
			}
			for _, c := range report.Files {
				if c.Sentences && c.Pairing.Unmatched > 0 {
					fmt.Fprintf(cmd.ErrOrStderr(), "%s seems to hold sentences; --join-sentences compares whole texts\n", printable(c.File))
				}
			}
			if o.asJSON {
				return printJSON(cmd.OutOrStdout(), report)
			}
			report.write(cmd.OutOrStdout())
			return nil
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.BoolVar(&o.asJSON, "json", false, "print every figure as JSON")
	f.StringVar(&o.taxonomy, "taxonomy", "", "`FILE` of emotions and vocabularies in place of the built-in ones")
	f.StringVar(&o.by, "by", string(agreement.ByAuto), "pair texts by auto (src_id, else text), src_id or text alone")
	f.BoolVar(&o.join, "join-sentences", false, "make texts of the files' sentences, as tag --split sentence writes them (ids ID#0, ID#1, ...)")
	f.StringVar(&o.level, "level", "", "take the reference's labels as emotion or ekman (default: emotion; ekman for spans with character offsets)")
	f.IntVar(&o.bootstrap, "bootstrap", 1000, "make intervals of `N` bootstrap samples (0: none)")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the bootstrap")
	return cmd
}

func (o *compareOptions) check(files []string) error {
	if err := oneOf("by", o.by, string(agreement.ByAuto), string(agreement.ByID), string(agreement.ByText)); err != nil {
		return err
	}
	if o.level != "" {
		if err := oneOf("level", o.level, string(agreement.LevelEmotion), string(agreement.LevelEkman)); err != nil {
			return err
		}
	}
	if o.bootstrap < 0 || o.bootstrap > maxReplicates {
		return usageError("--bootstrap %d: it must lie between 0 and %d", o.bootstrap, maxReplicates)
	}
	for i, file := range files {
		if file == "-" && slices.Contains(files[:i], "-") {
			return usageError("standard input can be read once; name a file in place of the second -")
		}
		if err := checkInput(file); err != nil {
			return err
		}
	}
	return nil
}

// compareReport is what `compare` prints.
type compareReport struct {
	Reference referenceReport         `json:"reference"`
	Taxonomy  string                  `json:"taxonomy"`
	Bootstrap bootstrapReport         `json:"bootstrap"`
	Files     []*agreement.Comparison `json:"files"`
}

type referenceReport struct {
	File          string           `json:"file"`
	Format        agreement.Format `json:"format"`
	Level         agreement.Level  `json:"level"`
	Records       int              `json:"records"`
	UnknownLabels map[string]int   `json:"unknown_labels"` // that the taxonomy does not know
}

type bootstrapReport struct {
	Replicates int     `json:"replicates"`
	Seed       uint64  `json:"seed"`
	Confidence float64 `json:"confidence"`
}

func compareFiles(ctx context.Context, o compareOptions, reference string, files []string) (*compareReport, error) {
	tax, err := loadTaxonomy(o.taxonomy)
	if err != nil {
		return nil, err
	}
	book, err := agreement.NewCodebook(tax)
	if err != nil {
		return nil, usageError("%w; name a smaller one with --taxonomy", err)
	}
	ref, err := agreement.OpenReference(ctx, reference, book, agreement.Level(o.level))
	if err != nil {
		return nil, compareError(err)
	}
	defer ref.Close()
	report := &compareReport{
		Reference: referenceReport{dataset.ShownName(reference), ref.Format(), ref.Level(), ref.Len(), ref.UnknownLabels()},
		Taxonomy:  tax.Name(),
		Bootstrap: bootstrapReport{o.bootstrap, o.seed, agreement.Confidence},
	}
	for _, file := range files {
		c, err := compareFile(ctx, o, ref, file)
		if err != nil {
			return nil, compareError(err)
		}
		report.Files = append(report.Files, c)
	}
	return report, nil
}

func compareFile(ctx context.Context, o compareOptions, ref *agreement.Reference, file string) (*agreement.Comparison, error) {
	src, err := dataset.OpenStream(file)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return ref.Compare(ctx, src, dataset.ShownName(file), agreement.Options{
		By: agreement.By(o.by), Bootstrap: agreement.Bootstrap{Replicates: o.bootstrap, Seed: o.seed}, JoinSentences: o.join,
	})
}

// compareError gives what is wrong with the data its exit code and the next step.
func compareError(err error) error {
	var bad *dataset.LineError
	switch {
	case errors.As(err, &bad):
		return dataError("%w; repair or remove that line (emospan validate finds all faults of a file of records)", err)
	case errors.Is(err, agreement.ErrSentences):
		return dataError("%w: give --join-sentences", err)
	case errors.Is(err, agreement.ErrNoMatch):
		return dataError("%w; tag the reference's own texts, so that ids or texts are the same", err)
	case errors.Is(err, agreement.ErrEmpty):
		return dataError("%w; name a file that holds some", err)
	case errors.Is(err, agreement.ErrReadBack):
		return fmt.Errorf("%w; set TMPDIR to a folder on another disk and try again", err)
	}
	return err
}
