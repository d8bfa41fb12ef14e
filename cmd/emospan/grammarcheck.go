package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/emospan/emospan/grammar"
	"github.com/spf13/cobra"
)

// maxCheckLine is the longest string that `grammar check` reads, in bytes.
const maxCheckLine = 16 << 20

// A verdict is what a grammar makes of a string.
type verdict struct {
	Text    string `json:"text"`
	Verdict string `json:"verdict"`          // accepted, unfinished or rejected
	At      *int   `json:"at,omitempty"`     // byte at which it is rejected
	Reason  string `json:"reason,omitempty"` // why, or how it could go on
}

const (
	accepted   = "accepted"
	unfinished = "unfinished"
	rejected   = "rejected"
)

func newGrammarCheck() *cobra.Command {
	var asJSON, whole, schema bool
	cmd := &cobra.Command{
		Use:   "check FILE [STRING...]",
		Short: "Say which strings a GBNF grammar accepts",
		Long: `Check strings against a GBNF grammar: those given, or each line of standard input. A string is
accepted, unfinished (it could go on to one that is accepted) or rejected, and then at which byte.
Exit code 1 where a string is not accepted.`,
		Example: `  emospan grammar check list.gbnf '[1,2]' '[1,'
  emospan grammar check --whole json.gbnf <answer.json
  emospan grammar check --schema schema.json '{"label":"joy"}'`,
		Args: takes(1, -1, "file", "emospan grammar check FILE STRING"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := checkingConstraint(args[0], schema)
			if err != nil {
				return err
			}
			k := &checking{matcher: c.NewMatcher(), out: cmd.OutOrStdout(), asJSON: asJSON}
			switch {
			case len(args) > 1:
				for _, s := range args[1:] {
					if err := k.check([]byte(s)); err != nil {
						return err
					}
				}
			case isTerminal(cmd.InOrStdin()):
				return usageError("no strings: name them or pipe them in; see %s --help", cmd.CommandPath())
			default:
				if err := k.read(cmd.InOrStdin(), whole); err != nil {
					return err
				}
			}
			if k.bad > 0 {
				return dataError("%d of %s not accepted by %s", k.bad, plural(k.all, "string"), args[0])
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&whole, "whole", false, "take all of standard input as one string")
	cmd.Flags().BoolVar(&schema, "schema", false, "the file is a JSON Schema; its texts have no optional white space")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object for each string")
	return cmd
}

// checkingConstraint compiles a grammar for a vocabulary of bytes.
func checkingConstraint(file string, schema bool) (*grammar.Constraint, error) {
	src, err := readGrammar(file, schema)
	if err != nil {
		return nil, err
	}
	g, err := grammar.Compile(src)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	c, err := grammar.NewConstraint(g, grammar.NewByteVocab())
	var unknown *grammar.Error
	if errors.As(err, &unknown) && unknown.Code == grammar.ErrUnknownToken {
		return nil, fmt.Errorf("%s: %w; strings can only be checked against grammars without tokens such as <think>", file, err)
	}
	return c, err
}

// readGrammar reads a GBNF file, or a JSON Schema as GBNF.
func readGrammar(file string, schema bool) (string, error) {
	if schema {
		return readSchema(file, grammar.SchemaOptions{})
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%w; name a GBNF file", err)
	}
	return string(src), nil
}

// readSchema reads a JSON Schema as GBNF.
func readSchema(file string, options grammar.SchemaOptions) (string, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%w; name a file with a JSON Schema", err)
	}
	gbnf, err := options.FromJSONSchema(src)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return gbnf, nil
}

// checking prints verdicts as it comes to them.
type checking struct {
	matcher  *grammar.Matcher
	out      io.Writer
	asJSON   bool
	all, bad int
}

func (k *checking) read(in io.Reader, whole bool) error {
	if whole {
		text, err := io.ReadAll(io.LimitReader(in, maxCheckLine+1))
		if err != nil {
			return err
		}
		if len(text) > maxCheckLine {
			return dataError("standard input has more than %s; give a shorter string", bytesText(maxCheckLine))
		}
		return k.check(bytes.TrimSuffix(text, []byte("\n")))
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxCheckLine)
	for lines.Scan() {
		if err := k.check(lines.Bytes()); err != nil {
			return err
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return dataError("line %d has more than %s; give a shorter string", k.all+1, bytesText(maxCheckLine))
	}
	return lines.Err()
}

func (k *checking) check(text []byte) error {
	v, err := k.verdict(text)
	if err != nil {
		return err
	}
	k.all++
	if v.Verdict != accepted {
		k.bad++
	}
	if k.asJSON {
		return printJSONLine(k.out, v)
	}
	line := fmt.Sprintf("%-10s  %s", v.Verdict, strconv.Quote(v.Text))
	if v.Reason != "" {
		line += "  " + printable(v.Reason)
	}
	_, err = fmt.Fprintln(k.out, line)
	return err
}

func (k *checking) verdict(text []byte) (verdict, error) {
	v := verdict{Text: strings.ToValidUTF8(string(text), "\uFFFD"), Verdict: accepted}
	k.matcher.Reset()
	err := k.matcher.AcceptBytes(text)
	var at *grammar.MatchError
	switch {
	case errors.As(err, &at) && at.Code == grammar.ErrByteNotAllowed:
		v.Verdict, v.At = rejected, &at.Offset
		v.Reason = strings.TrimPrefix(err.Error(), "grammar: ")
	case err != nil:
		return v, err
	case !k.matcher.Done():
		v.Verdict = unfinished
		rest, ok, err := k.matcher.Shortest()
		if err != nil {
			return v, err
		}
		if v.Reason = "no text completes it"; ok {
			v.Reason = "could end with " + strconv.Quote(head(string(rest), 60))
		}
	}
	return v, nil
}

// head is the beginning of s, marked where there is more.
func head(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
