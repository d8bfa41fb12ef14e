package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/emospan/emospan/models"
	"github.com/spf13/cobra"
)

// syntheticFormat is the weights' unless another is asked for: what larger models mostly come in, or near it.
const syntheticFormat = models.Format("Q4_0")

func newModelsSynthetic() *cobra.Command {
	var to string
	var remove bool
	cmd := &cobra.Command{
		Use:   "synthetic [NAME]",
		Short: "Write a model of random weights in a public model's size, to measure speed",
		Long: `Write a model with the layers, widths and vocabulary of a public Llama model and random weights, and print
its path: what it tags means nothing, but it takes the time and the memory that the real one takes. It is
kept in the user's cache folder and written once; --rm removes all of them. Without a name, list what can be
written, what it takes to tag one record at a time, and what is there.`,
		Example: "  emospan models synthetic\n  emospan tag -m \"$(emospan models synthetic llama3.2-1b)\" texts.txt -o nothing.jsonl\n  emospan models synthetic --rm",
		Args:    takes(0, 1, "model", "emospan models synthetic NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := models.SyntheticDir()
			if err != nil {
				return err
			}
			switch {
			case remove && len(args) > 0:
				return usageError("--rm removes all synthetic models; leave out %s", args[0])
			case remove:
				removed, err := models.RemoveSynthetic(cmd.Context(), dir)
				for _, name := range removed {
					fmt.Fprintln(cmd.ErrOrStderr(), "removed", name)
				}
				return err
			case len(args) == 0:
				return listSynthetic(cmd.OutOrStdout(), dir)
			}
			format, err := models.ParseFormat(to)
			if err != nil {
				return usageError("--to %w; see emospan models synthetic --help", err)
			}
			m, err := syntheticModel(cmd.Context(), cmd.ErrOrStderr(), args[0], format, oneRecord(1))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), m.Path)
			return err
		},
	}
	var names []string
	for _, f := range models.SyntheticFormats() {
		names = append(names, string(f))
	}
	cmd.Flags().StringVar(&to, "to", string(syntheticFormat), "`FORMAT` of the weights: "+strings.Join(names, ", "))
	cmd.Flags().BoolVar(&remove, "rm", false, "remove the synthetic models from the cache folder")
	return cmd
}

// syntheticModel makes sure that the synthetic model is in the user's cache folder. It refuses one that would not fit the
// memory that is available, decoding in these sizes, or the disk.
func syntheticModel(ctx context.Context, stderr io.Writer, shape string, f models.Format, sizes engineSizes) (models.Model, error) {
	s, err := models.NewSyntheticModel(shape, f)
	switch {
	case errors.Is(err, models.ErrNoVocabulary):
		return models.Model{}, err
	case err != nil:
		return models.Model{}, usageError("%w; see emospan models synthetic --help", err)
	}
	dir, err := models.SyntheticDir()
	if err != nil {
		return models.Model{}, err
	}
	if _, err := checkMemory(s.Name, s.Header(), sizes, availableMemory()); err != nil {
		return models.Model{}, err
	}
	bar := newByteProgress(stderr, "writing "+s.Name)
	err = s.Write(ctx, dir, bar.set)
	bar.end()
	if err != nil {
		return models.Model{}, err
	}
	return models.Model{Name: s.Name, Path: s.Path(dir)}, nil
}

func listSynthetic(out io.Writer, dir string) error {
	return table(out, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tFORMAT\tSIZE\tMEMORY\tFILE")
		for _, shape := range models.SyntheticShapes() {
			for _, f := range models.SyntheticFormats() {
				s, err := models.NewSyntheticModel(shape, f)
				if err != nil {
					fmt.Fprintf(w, "%s\t%s\t\t\t%s\n", shape, f, oneLine(err.Error()))
					continue
				}
				path := "-"
				if s.Whole(dir) {
					path = s.Path(dir)
				}
				e := estimateMemory(s.Header(), contextOptions(s.Header().ContextLength(), oneRecord(1)))
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", shape, f, bytesText(s.Header().Size()), bytesText(e.Total), path)
			}
		}
	})
}
