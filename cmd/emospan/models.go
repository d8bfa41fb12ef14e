package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
	"github.com/spf13/cobra"
)

func newModels() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "Fetch, import, list, describe, convert, verify and remove models",
		Long: `The model store is the folder EMOSPAN_MODELS, else $XDG_DATA_HOME/emospan/models, else
~/.local/share/emospan/models. Without a name each command means the default model, ` + models.DefaultModel + `.

A model that Ollama has pulled is used where it lies, by the name that Ollama has for it (-m llama3:instruct). Its store is
OLLAMA_MODELS, else ~/.ollama/models and /usr/share/ollama/.ollama/models.`,
		Example: "  emospan models pull\n  emospan models list\n  emospan models show smollm2-135m --speed\n  emospan models convert smollm2-135m --to F16",
		Args:    takesCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newModelsPull(), newModelsImport(), newModelsList(), newModelsShow(), newModelsConvert(), newModelsSynthetic(), newModelsVerify(), newModelsRemove())
	return cmd
}

// nameArg is the optional model name of a command.
func nameArg(args []string) string {
	if len(args) == 0 {
		return models.DefaultModel
	}
	return args[0]
}

// modelArg is the same where the executable's own model serves too.
func modelArg(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func newModelsList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the models in the store, and those of Ollama on this machine",
		Example: "  emospan models list --json",
		Args:    takesNothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store := models.OpenDefault()
			entries, damaged, err := store.List()
			if err != nil {
				return err
			}
			theirs, unusable := store.OllamaModels()
			entries, damaged = append(entries, theirs...), append(damaged, unusable...)
			for _, d := range damaged {
				fmt.Fprintln(cmd.ErrOrStderr(), "emospan: warning:", oneLine(d.Error()))
			}
			list := make([]listedModel, len(entries))
			for i, e := range entries {
				list[i] = listedModel{e, calibrationOf(store, e)}
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), list)
			}
			if len(entries) == 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "no models in %s; emospan models pull fetches %s\n", printable(store.Dir()), models.DefaultModel)
				return nil
			}
			return table(cmd.OutOrStdout(), func(w io.Writer) {
				fmt.Fprintln(w, "NAME\tSIZE\tLICENCE\tCALIBRATION\tSOURCE\tSHA256")
				for _, e := range list {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%.12s\n", printable(e.Name), bytesText(e.Size), printable(e.License), e.Calibration, printable(e.Source), e.SHA256)
				}
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// A listedModel is a model with what calibration it has: "own", "built in" or "none".
type listedModel struct {
	models.Entry
	Calibration string `json:"calibration"`
}

// calibrationOf tells which calibration tag finds for a model, without reading it.
func calibrationOf(store *models.Store, e models.Entry) string {
	if path, err := store.CalibrationPath(models.Model{Name: e.Name, Path: e.Path, Entry: &e}); err == nil {
		if _, err := os.Lstat(path); err == nil {
			return "own"
		}
	}
	if tagger.BuiltinCalibration(withSource(e.SHA256, &e)...) != nil {
		return "built in"
	}
	return "none"
}

func newModelsVerify() *cobra.Command {
	return &cobra.Command{
		Use:     "verify [NAME]",
		Short:   "Check a model's file against the hash noted when it was added",
		Example: "  emospan models verify smollm2-135m",
		Args:    takes(0, 1, "model", "emospan models verify NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			store := models.OpenDefault()
			if err := store.Verify(cmd.Context(), nameArg(args)); err != nil {
				return err
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: sha256 verified\n", nameArg(args))
			return err
		},
	}
}

func newModelsRemove() *cobra.Command {
	return &cobra.Command{
		Use:     "rm NAME",
		Short:   "Remove a model from the store",
		Example: "  emospan models rm gemma3-270m",
		Args:    takes(1, 1, "model", "emospan models rm NAME; emospan models list has the names"),
		RunE: func(cmd *cobra.Command, args []string) error {
			store := models.OpenDefault()
			return store.Remove(cmd.Context(), args[0])
		},
	}
}

// table writes tab-separated rows in columns.
func table(out io.Writer, rows func(io.Writer)) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	rows(w)
	return w.Flush()
}
