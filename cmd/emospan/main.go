// Emospan tags emotions in texts with a language model on this machine: texts in, a checked JSONL dataset out.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

func main() {
	restartable = true
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if f, ok := stderr.(*os.File); ok {
		stderr = newConsole(f)
	}
	ctx, stop := interruptible(stderr)
	defer stop()
	root := newRoot()
	root.SetArgs(joinValues(root, args))
	root.SetIn(stdin)
	if f, ok := stdout.(*os.File); ok && isTerminal(f) {
		stdout = &terminal{File: f}
	}
	out := &checkedOutput{w: stdout}
	root.SetOut(out)
	root.SetErr(stderr)
	err := out.failure(root.ExecuteContext(ctx))
	if err != nil {
		fmt.Fprintln(stderr, "emospan:", oneLine(err.Error()))
	}
	return exitCode(err)
}

func newRoot() *cobra.Command {
	var wantVersion bool
	root := &cobra.Command{
		Use:   "emospan",
		Short: "Tag emotions in texts with a language model on this machine",
		Long: `Emospan tags emotions in texts with a language model on this machine. For each text it writes
tokens, BIO labels and emotion spans with attributes as one line of JSON, each checked before it is
written; what fails a check goes to a reject log with the reason. Nothing leaves the machine: the
network is used by "emospan models pull" alone.

Exit codes: 0 done, 1 the data is at fault, 2 wrong usage, 3 the model, device or a file cannot be
used, 130 interrupted.`,
		Example: `  emospan models pull
  emospan tag texts.txt -o tagged.jsonl
  emospan validate tagged.jsonl`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              takesCommand,
		PersistentPreRunE: checkOwnBundle,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if wantVersion {
				return printVersion(cmd.OutOrStdout())
			}
			return cmd.Help()
		},
	}
	root.Flags().BoolVar(&wantVersion, "version", false, "print the version, as emospan version does")
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(newTag(), newValidate(), newCalibrate(), newRead(), newGrammar(), newPrompt(), newBench(), newDevices(), newModels(), newRetryRejects(), newMerge(), newExport(), newCompare(), newReport(), newTaxonomy(), newBundle(), newVersion())
	root.SetHelpCommand(newHelp())
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	finishCompletion(root)
	guardValues(root)
	return root
}

// finishCompletion gives cobra's own commands what ours have.
func finishCompletion(root *cobra.Command) {
	for _, c := range root.Commands() {
		if c.Name() != "completion" {
			continue
		}
		c.Args, c.Example = takesCommand, "  emospan completion bash"
		c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		for _, shell := range c.Commands() {
			shell.Args, shell.Example = takesNothing, "  "+shell.CommandPath()
		}
	}
}
