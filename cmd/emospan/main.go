// Emospan tags emotions in texts with a language model on this machine: texts in, a checked JSONL dataset out.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func main() {
	restartable = true
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := interruptible(stderr)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
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
		Args:              cobra.NoArgs,
		PersistentPreRunE: checkOwnBundle,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		var bad *pflag.InvalidValueError
		if errors.As(err, &bad) {
			return usageError("--%s %s: it must be %s; see %s --help", bad.GetFlag().Name, bad.GetValue(), valueKind(bad.GetFlag()), cmd.CommandPath())
		}
		return usageError("%w; see %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(newTag(), newValidate(), newCalibrate(), newGrammar(), newPrompt(), newBench(), newDevices(), newModels(), newRetryRejects(), newMerge(), newExport(), newCompare(), newReport(), newTaxonomy(), newBundle(), newVersion())
	wrapArgs(root)
	return root
}

// valueKind says what a flag takes.
func valueKind(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "int64", "uint64":
		return "a whole number"
	case "intSlice":
		return "whole numbers with commas between"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	}
	return f.Value.Type()
}

// wrapArgs gives wrong arguments and unknown commands the exit code and the hint of wrong usage.
func wrapArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError("%w; see %s --help", err, cmd.CommandPath())
			}
			return nil
		}
	}
	for _, c := range cmd.Commands() {
		wrapArgs(c)
	}
}

// interruptible returns a context that the first SIGINT or SIGTERM cancels, which lets the records in flight be finished. A
// second one ends the program at once.
func interruptible(stderr io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-signals:
				if n > 0 {
					fmt.Fprintln(stderr, "emospan: stopped at once; what was flushed before is whole")
					os.Exit(130)
				}
				cancel(errInterrupted)
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(errors.New("done"))
	}
}
