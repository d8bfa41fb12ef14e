package main

// Wrong usage: what is said of a command line that cannot be meant. Cobra and pflag parse it; none of their messages is passed on.

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// takes checks that a command is given min to max arguments, max below 0 being any number. What they are is a noun, as in "file";
// the example shows a command line that has them.
func takes(min, max int, noun, example string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch n := len(args); {
		case n < min:
			return usageError("name a %s: %s", noun, example)
		case max < 0 || n <= max:
			return nil
		case noun == "text":
			return usageError("%s takes one text and was given %d arguments; put the text in quotes: %s", cmd.CommandPath(), n, example)
		}
		return usageError("%s takes one %s; leave out %q; see %s --help", cmd.CommandPath(), noun, args[max], cmd.CommandPath())
	}
}

// takesNothing checks that a command is given no arguments.
func takesNothing(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError("%s takes no arguments; leave out %q; see %s --help", cmd.CommandPath(), args[0], cmd.CommandPath())
}

// takesCommand refuses the arguments of a command that is only the parent of others: the first of them is none of these.
func takesCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	path := cmd.CommandPath()
	if info, err := os.Stat(args[0]); err == nil && info.Mode().IsRegular() && !cmd.HasParent() {
		return usageError("%s is a file and no command; to tag its texts: %s tag %s", args[0], path, args[0])
	}
	whose := "there is"
	if cmd.HasParent() {
		whose = path + " has"
	}
	return usageError("%s no command %q; %ssee %s --help", whose, args[0], meant(cmd, args[0], ""), path)
}

// meant asks whether one of a command's subcommands was meant, where one is spelt alike.
func meant(cmd *cobra.Command, name, dashes string) string {
	cmd.SuggestionsMinimumDistance = 2
	if len(name) <= 4 { // nearly any short word is two letters from another
		cmd.SuggestionsMinimumDistance = 1
	}
	alike := cmd.SuggestionsFor(name)
	if len(alike) == 0 {
		return ""
	}
	for i, name := range alike {
		alike[i] = dashes + name
	}
	return "did you mean " + strings.Join(alike, " or ") + "? "
}

// newHelp is cobra's help command with an error for what there is no help about.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:              "help [COMMAND...]",
		Short:            "Print the help of a command",
		Example:          "  emospan help tag\n  emospan help models pull",
		PersistentPreRun: func(*cobra.Command, []string) {}, // a damaged bundle helps too
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return takesCommand(about, rest)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// flagError says what is wrong with a flag.
func flagError(cmd *cobra.Command, err error) error {
	see := "see " + cmd.CommandPath() + " --help"
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
		syntax  *pflag.InvalidSyntaxError
	)
	switch {
	case errors.As(err, &unknown):
		if group := unknown.GetSpecifiedShortnames(); group != "" {
			return usageError("there is no flag -%s; %s%s", unknown.GetSpecifiedName(), meantLong(cmd, group), see)
		}
		return usageError("there is no flag --%s; %s%s", unknown.GetSpecifiedName(), meantFlag(cmd, unknown.GetSpecifiedName()), see)
	case errors.As(err, &missing):
		return usageError("--%s needs a value, as in --%s %s; %s", missing.GetFlag().Name, missing.GetFlag().Name, exampleValue(missing.GetFlag()), see)
	case errors.Is(err, errFlagForValue) && errors.As(err, &invalid):
		f := invalid.GetFlag()
		return usageError("--%s needs a value, as in --%s %s, and %s is a flag; %s", f.Name, f.Name, exampleValue(f), invalid.GetValue(), see)
	case errors.As(err, &invalid):
		return usageError("--%s %s: it must be %s; %s", invalid.GetFlag().Name, invalid.GetValue(), valueKind(invalid.GetFlag()), see)
	case errors.As(err, &syntax):
		return usageError("%s is no flag: they are written --NAME or --NAME VALUE; %s", syntax.GetSpecifiedFlag(), see)
	}
	return usageError("%w; %s", err, see)
}

// meantFlag is meant for a command's flags.
func meantFlag(cmd *cobra.Command, name string) string {
	flags := &cobra.Command{}
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			flags.AddCommand(&cobra.Command{Use: f.Name, Run: func(*cobra.Command, []string) {}})
		}
	})
	return meant(flags, name, "--")
}

// meantLong asks whether letters after one dash were meant as a flag's name, which follows two.
func meantLong(cmd *cobra.Command, letters string) string {
	name, _, _ := strings.Cut(letters, "=")
	if cmd.Flags().Lookup(name) == nil {
		return ""
	}
	return "did you mean --" + letters + "? "
}

// exampleValue is a value to show for a flag: the first of the words that its help names, else what that calls it.
func exampleValue(f *pflag.Flag) string {
	name, _ := pflag.UnquoteUsage(f)
	first, _, _ := strings.Cut(name, "|")
	if first == "" || first == "string" {
		return "VALUE"
	}
	return first
}

// valueKind says what a flag takes.
func valueKind(f *pflag.Flag) string {
	switch f.Value.Type() {
	case "int", "int64":
		return "a whole number"
	case "uint64":
		return "a whole number that is not negative"
	case "intSlice":
		return "whole numbers with commas between"
	case "stringSlice":
		return "values with commas between"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	}
	return f.Value.Type()
}

// errFlagForValue says that the word in the place of a flag's value is itself a flag.
var errFlagForValue = errors.New("a flag in the place of a value")

// A guardedValue is the value of a flag of text. Pflag takes whatever follows such a flag; a guarded one refuses a word that is a flag of
// the same command, so that a forgotten value neither swallows that nor shifts what follows.
type guardedValue struct {
	pflag.Value
	flags *pflag.FlagSet
}

var flagWord = regexp.MustCompile(`^--?([A-Za-z][A-Za-z0-9-]*)`)

func (v *guardedValue) Set(s string) error {
	if m := flagWord.FindStringSubmatch(s); m != nil {
		name := m[1]
		if strings.HasPrefix(s, "--") && v.flags.Lookup(name) != nil || s == "-"+name && len(name) == 1 && v.flags.ShorthandLookup(name) != nil {
			return errFlagForValue
		}
	}
	return v.Value.Set(s)
}

// guardValues guards the flags of a command and of those below it.
func guardValues(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		switch f.Value.Type() {
		case "stringSlice":
			if f.DefValue == "[]" { // which help would print of a type that is not pflag's own
				f.DefValue = ""
			}
		case "string":
		default:
			return
		}
		f.Value = &guardedValue{f.Value, cmd.Flags()}
	})
	for _, c := range cmd.Commands() {
		guardValues(c)
	}
}

var wholeNumber = regexp.MustCompile(`^[0-9]+$`)

// joinValues puts an equals sign between a flag whose value may be left out and a number that follows it, which pflag would take for an
// argument.
func joinValues(root *cobra.Command, args []string) []string {
	cmd, _, err := root.Find(args)
	if err != nil {
		return args
	}
	var joined []string
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			return append(joined, args[i:]...)
		}
		joined = append(joined, args[i])
		name, long := strings.CutPrefix(args[i], "--")
		if f := cmd.Flags().Lookup(name); long && f != nil && f.NoOptDefVal != "" && f.Value.Type() != "bool" && i+1 < len(args) &&
			(args[i+1] == f.NoOptDefVal || wholeNumber.MatchString(args[i+1])) {
			i++
			joined[len(joined)-1] += "=" + args[i]
		}
	}
	return joined
}

// showCount is the value of --show: how many records are shown, or all.
type showCount int

const showAll = "all"

func (n *showCount) Type() string { return "a whole number that is not negative, or " + showAll }

func (n *showCount) String() string {
	if *n < 0 {
		return showAll
	}
	return fmt.Sprint(int(*n))
}

func (n *showCount) Set(s string) error {
	if s == showAll {
		*n = -1
		return nil
	}
	if !wholeNumber.MatchString(s) {
		return errors.New("not a number")
	}
	_, err := fmt.Sscan(s, (*int)(n))
	return err
}
