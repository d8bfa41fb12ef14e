package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/emospan/emospan/bundle"
	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// promptOptions are the flags that say what is asked of the model.
type promptOptions struct {
	name, file string
	flags      *pflag.FlagSet // that name is one of
}

func (o *promptOptions) addFlags(f *pflag.FlagSet) {
	o.flags = f
	f.StringVar(&o.name, "prompt", "level_2", "what is asked of the model: "+strings.Join(tagger.BuiltinPrompts, ", "))
	f.StringVar(&o.file, "prompt-file", "", "a prompt `FILE` of your own; --prompt is then only its name in the records")
}

// load gives the built-in prompt, or the user's under the name that --prompt gives. Without a name it is the bundle's, if there is one.
func (o *promptOptions) load() (*tagger.Prompt, error) {
	if name, data, ok := content(bundle.Prompt); ok && o.file == "" && (o.name == name || o.flags != nil && !o.flags.Changed("prompt")) {
		return tagger.ParsePrompt(name, string(data))
	}
	if o.file == "" {
		p, err := tagger.BuiltinPrompt(o.name)
		if err != nil {
			return nil, usageError("--prompt: %w", err)
		}
		return p, nil
	}
	src, err := os.ReadFile(o.file)
	if err != nil {
		return nil, fmt.Errorf("--prompt-file: %w; name a prompt template", err)
	}
	p, err := tagger.ParsePrompt(o.name, string(src))
	if err != nil {
		return nil, fmt.Errorf("--prompt-file %s: %w", o.file, err)
	}
	return p, nil
}

// labelsFlag are the labels of the one text that a command is about.
type labelsFlag string

func (l *labelsFlag) addFlag(f *pflag.FlagSet) {
	f.StringVar((*string)(l), "labels", "", "the text's `LABELS`, with commas between, for a prompt that has them given")
}

// parse gives the labels' names in the taxonomy.
func (l labelsFlag) parse(tax *dataset.Taxonomy, p *tagger.Prompt) ([]string, error) {
	switch {
	case l == "" && p.Task == tagger.Projected:
		return nil, usageError("--prompt %s asks about a text's labels: give them by --labels, as --labels joy,love", p.Name)
	case l == "":
		return nil, nil
	case p.Task != tagger.Projected:
		return nil, usageError("--labels: --prompt %s has none given; use --prompt %s", p.Name, tagger.Level2Projected)
	}
	var names []string
	for _, name := range strings.Split(string(l), ",") {
		e, ok := tax.CanonicalEmotion(name)
		if !ok {
			return nil, usageError("--labels: %q is no emotion of the taxonomy", name)
		}
		names = append(names, e.Name)
	}
	return names, nil
}

func newPrompt() *cobra.Command {
	var (
		prompt                  promptOptions
		labels                  labelsFlag
		model, decode, taxonomy string
		asJSON                  bool
	)
	cmd := &cobra.Command{
		Use:   "prompt [TEXT]",
		Short: "Print the prompt for a text, as the model sees it",
		Long: `Print what the model reads before it answers about a text, which is named or the first line of
standard input: the system turn, the examples and the text, in the chat template of the model, up to
where the answer begins. Nothing is added, not even a line end. With --json the turns are printed
before the template is put around them.`,
		Example: "  emospan prompt \"I can't wait for Friday!\"\n  emospan prompt --decode schema --json \"Well, that's over.\"",
		Args:    takes(0, 1, "text", `emospan prompt "I can't wait for Friday!"`),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("decode", decode, decodeNames()...); err != nil {
				return err
			}
			text, err := oneText(cmd.InOrStdin(), args)
			if err != nil {
				return err
			}
			p, err := prompt.load()
			if err != nil {
				return err
			}
			tax, err := loadTaxonomy(taxonomy)
			if err != nil {
				return err
			}
			given, err := labels.parse(tax, p)
			if err != nil {
				return err
			}
			turns, err := p.Turns(tagger.Decode(decode), tax, text, given)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), turns)
			}
			rendered, err := renderFor(model, turns)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), rendered)
			return err
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVarP(&model, "model", "m", "", "`NAME` or path of the model whose chat template is used (default: "+defaultModelName+")")
	f.StringVar(&decode, "decode", string(tagger.Compact), "what the model is to write: compact, aligned or schema")
	prompt.addFlags(f)
	labels.addFlag(f)
	f.StringVar(&taxonomy, "taxonomy", "", "`FILE` of emotions and vocabularies in place of the built-in ones")
	f.BoolVar(&asJSON, "json", false, "print the turns as JSON")
	return cmd
}

// renderFor puts turns into a model's chat template.
func renderFor(name string, turns []tagger.Turn) (string, error) {
	store := models.OpenDefault()
	m, err := resolveModel(store, name)
	if err != nil {
		return "", err
	}
	template, err := checkModel(m)
	if err != nil {
		return "", err
	}
	vocab, err := loadModel(m, llama.LoadOptions{VocabOnly: true})
	if err != nil {
		return "", err
	}
	defer vocab.Close()
	var b strings.Builder
	if bos, ok := vocab.BOS(); ok {
		b.WriteString(vocab.MarkerText(bos))
	}
	for _, part := range template.Render(llamaTurns(turns), true) {
		b.WriteString(part.Text)
	}
	return b.String(), nil
}

func llamaTurns(turns []tagger.Turn) []llama.Turn {
	list := make([]llama.Turn, len(turns))
	for i, t := range turns {
		list[i] = llama.Turn{Role: llama.Role(t.Role), Text: t.Text}
	}
	return list
}
