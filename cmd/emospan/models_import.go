package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/spf13/cobra"
)

func newModelsImport() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "import FILE|OLLAMA-NAME",
		Short: "Copy a GGUF file, or a model of Ollama, into the store under a name",
		Long: `Check a GGUF file and copy it into the store, so that it can be used, and is noted in records, by a
name rather than a path. Of a model that is split into files, name the first; they are joined into one.

What is no file is looked for in Ollama's store on this machine, and its copy is checked against Ollama's digest. A model
of Ollama can be used without a copy as well: emospan tag -m llama3:instruct.`,
		Example: `  emospan models import --name llama3:instruct Meta-Llama-3-8B-Instruct.Q4_0.gguf
  emospan tag -m llama3:instruct texts.txt -o tagged.jsonl
  emospan models import llama3:instruct`,
		Args: takes(1, 1, "file", "emospan models import FILE --name NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			store := models.OpenDefault()
			m, meta, err := importSource(store, args[0])
			if err != nil {
				return err
			}
			if name == "" {
				name = models.FileName(m.Name)
			}
			g, err := openGGUF(m.Path)
			if err != nil {
				return err
			}
			defer g.Close()
			if g.ChatTemplate() == "" && m.Template != "" {
				// What lies beside the file is not copied.
				if t := llama.DetectTemplate(m.Template); t != llama.NoTemplate {
					meta.ChatTemplate = t.String()
				}
			}
			entry, err := store.AddModel(cmd.Context(), name, m, meta)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "added %s (%s, sha256 %s)\n", entry.Name, bytesText(entry.Size), entry.SHA256)
			_, err = fmt.Fprintln(cmd.OutOrStdout(), entry.Path)
			return err
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "`NAME` in the store (default: the file's without .gguf, or Ollama's)")
	return cmd
}

// importSource is the file that is to be imported, or what Ollama calls so.
func importSource(store *models.Store, arg string) (models.Model, models.Meta, error) {
	file := models.Model{Name: filepath.Base(arg), Path: arg}
	if _, err := os.Stat(arg); err == nil || strings.HasSuffix(strings.ToLower(arg), ".gguf") {
		return file, models.Meta{Source: file.Name}, nil
	}
	m, err := store.Ollama(arg)
	if errors.Is(err, models.ErrNotFound) {
		return m, models.Meta{}, fmt.Errorf("%s is neither a file nor a model of Ollama on this machine; name a GGUF file, or a model that ollama list shows", arg)
	}
	meta := models.Meta{Source: "ollama " + m.Name}
	return m, meta, err
}
