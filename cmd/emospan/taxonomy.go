package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/spf13/cobra"
)

func newTaxonomy() *cobra.Command {
	return &cobra.Command{
		Use:   "taxonomy [FILE]",
		Short: "Print the built-in taxonomy, or check one of your own",
		Long: `Print the built-in taxonomy, a JSON file of emotions, span types and attribute vocabularies, to begin one
of your own with; --taxonomy FILE of the other commands then takes that. With FILE, check one and
say what it holds. docs/taxonomy.md says what each part means.`,
		Example: "  emospan taxonomy >mine.json\n  emospan taxonomy mine.json\n  emospan tag --taxonomy mine.json texts.txt -o tagged.jsonl",
		Args:    takes(0, 1, "file", "emospan taxonomy FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := cmd.OutOrStdout().Write(dataset.TaxonomyJSON())
				return err
			}
			tax, err := dataset.LoadTaxonomy(args[0])
			if err != nil {
				return fmt.Errorf("%w; emospan taxonomy prints one to begin with", err)
			}
			return describeTaxonomy(cmd.OutOrStdout(), tax)
		},
	}
}

func describeTaxonomy(w io.Writer, tax *dataset.Taxonomy) error {
	further := ""
	for _, v := range tax.Further() {
		further += ", " + v.Name
	}
	if further != "" {
		further = ", of its own: " + further[2:]
	}
	_, err := fmt.Fprintf(w, "%s: %s, %s (%s), %s%s\nSHA-256 %s\n", printable(tax.Name()),
		plural(len(tax.Emotions()), "emotion"), plural(len(tax.SpanTypes()), "span type"), strings.Join(tax.SpanTypes(), ", "),
		plural(len(tax.AttrKeys()), "attribute"), further, tax.SHA256())
	return err
}
