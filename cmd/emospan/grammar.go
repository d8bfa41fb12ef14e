package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/grammar"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
	"github.com/spf13/cobra"
)

// grammarOptions are the flags of `grammar`.
type grammarOptions struct {
	decode, model, taxonomy string
	prompt                  promptOptions
	labels                  labelsFlag
	threads                 int
	asJSON                  bool
}

func newGrammar() *cobra.Command {
	var o grammarOptions
	cmd := &cobra.Command{
		Use:   "grammar [TEXT]",
		Short: "Print the grammar of the answers about a text, as GBNF",
		Long: `Print the GBNF grammar of the answers that the model may give about a text, which is named or the
first line of standard input. llama.cpp takes it as it is. Where an answer is decoded in stages
(--decode aligned), each stage's grammar is made from what was written before: the model tags the
text, and the grammar of each stage is printed with what was written under it.`,
		Example: `  emospan grammar "I can't wait for Friday!"
  emospan grammar --decode aligned "I can't wait for Friday!"
  emospan grammar check list.gbnf '[1,2]'`,
		Args: takes(0, 1, "text", `emospan grammar "I can't wait for Friday!"`),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := oneText(cmd.InOrStdin(), args)
			if err != nil {
				return err
			}
			return o.run(cmd.OutOrStdout(), text)
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.StringVar(&o.decode, "decode", string(tagger.Compact), "what the model writes: compact, aligned or schema")
	f.StringVarP(&o.model, "model", "m", "", "`NAME` or path of the model that goes through the stages (default: "+defaultModelName+")")
	o.prompt.addFlags(f)
	o.labels.addFlag(f)
	f.StringVar(&o.taxonomy, "taxonomy", "", "`FILE` of emotions and vocabularies in place of the built-in ones")
	f.IntVar(&o.threads, "threads", 0, "compute threads (default: the cores that this process may use)")
	f.BoolVar(&o.asJSON, "json", false, "print JSON")
	cmd.AddCommand(newGrammarCheck(), newGrammarSchema())
	return cmd
}

// oneText is the argument or the first line of standard input.
func oneText(in io.Reader, args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	if isTerminal(in) {
		return "", usageError("no text: name one or pipe it in; see emospan grammar --help")
	}
	line, err := bufio.NewReader(io.LimitReader(in, maxCheckLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// A printedStage is a stage as --json gives it.
type printedStage struct {
	Stage string  `json:"stage"`
	Wrote *string `json:"wrote,omitempty"` // under the stage's grammar, where a model went through it
	GBNF  string  `json:"gbnf"`
}

func (o *grammarOptions) run(out io.Writer, text string) error {
	if err := oneOf("decode", o.decode, decodeNames()...); err != nil {
		return err
	}
	tax, err := loadTaxonomy(o.taxonomy)
	if err != nil {
		return err
	}
	prompt, err := o.prompt.load()
	if err != nil {
		return err
	}
	labels, err := o.labels.parse(tax, prompt)
	if err != nil {
		return err
	}
	stages, err := tagger.Stages(tagger.Decode(o.decode), prompt.Task, tax, text, labels...)
	if err != nil {
		return dataError("%w; give a text with words", err)
	}
	wrote := len(stages) > 1
	if wrote {
		if stages, err = o.tag(prompt, tax, text, labels); err != nil {
			return err
		}
	}
	var list []printedStage
	for _, s := range stages {
		p := printedStage{Stage: s.Name, GBNF: s.GBNF()}
		if wrote {
			p.Wrote = &s.Text
		}
		list = append(list, p)
	}
	if o.asJSON {
		return printJSON(out, list)
	}
	for i, p := range list {
		head := fmt.Sprintf("# %s, stage %d of %d: %s\n", o.decode, i+1, len(list), p.Stage)
		if p.Wrote != nil {
			head += "# written: " + strconv.Quote(*p.Wrote) + "\n"
		}
		if i > 0 {
			head = "\n" + head
		}
		if _, err := io.WriteString(out, head+p.GBNF); err != nil {
			return err
		}
	}
	return nil
}

// tag has the model go through the stages of an answer about a text.
func (o *grammarOptions) tag(prompt *tagger.Prompt, tax *dataset.Taxonomy, text string, labels []string) ([]tagger.Stage, error) {
	store := models.OpenDefault()
	model, err := resolveModel(store, o.model)
	if err != nil {
		return nil, err
	}
	e, err := openEngine(model, oneRecord(mostThreads(o.threads)))
	if err != nil {
		return nil, err
	}
	defer e.Close()
	t, err := tagger.New(e, tagger.Options{ModelName: model.Name, Prompt: prompt, Taxonomy: tax, Decode: tagger.Decode(o.decode), Priors: true})
	if err != nil {
		return nil, err
	}
	res, err := t.Tag(dataset.Input{ID: dataset.DefaultID(0), Text: text, Labels: labels})
	if err != nil {
		return nil, err
	}
	if len(res.Answer.Stages) == 0 {
		return nil, dataError("the text was not put to the model: %s, expected %s, found %s", res.Reject.Reasons[0].Code, res.Reject.Reasons[0].Expected, res.Reject.Reasons[0].Found)
	}
	return res.Answer.Stages, nil
}

func newGrammarSchema() *cobra.Command {
	var options grammar.SchemaOptions
	cmd := &cobra.Command{
		Use:   "schema FILE",
		Short: "Print a JSON Schema as GBNF",
		Long: `Print the GBNF grammar of the JSON texts that a schema describes, written without optional white
space and with the properties in the schema's order. Every text of the grammar satisfies the schema.
What a grammar cannot express is an error. Keywords that no draft of JSON Schema has say nothing
about values; with --strict they are errors, which finds a keyword that is misspelled.`,
		Example: "  emospan grammar schema annotation.schema.json >annotation.gbnf",
		Args:    takes(1, 1, "file", "emospan grammar schema FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			src, err := readSchema(args[0], options)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), src)
			return err
		},
	}
	cmd.Flags().BoolVar(&options.Strict, "strict", false, "refuse keywords and formats that are not known")
	return cmd
}
