package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// refusal runs a command line that is wrong usage, and returns the line that says so.
func refusal(t *testing.T, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := run(args, strings.NewReader(""), &stdout, &stderr)
	said := stderr.String()
	if code != exitUsage || stdout.Len() > 0 || strings.Count(said, "\n") != 1 {
		t.Fatalf("%q: exit code %d, standard output %q, standard error %q", args, code, stdout.String(), said)
	}
	return strings.TrimSuffix(strings.TrimPrefix(said, "emospan: "), "\n")
}

func TestWrongUsage(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("texts.txt", []byte("What a morning.\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ line, want string }{
		// commands
		{"tagg texts.txt", `there is no command "tagg"; did you mean tag? see emospan --help`},
		{"nonsense", `there is no command "nonsense"; see emospan --help`},
		{"texts.txt", "texts.txt is a file and no command; to tag its texts: emospan tag texts.txt"},
		{"models pul", `emospan models has no command "pul"; did you mean pull? see emospan models --help`},
		{"help nonsense", `there is no command "nonsense"; see emospan --help`},
		{"help models nonsense", `emospan models has no command "nonsense"; see emospan models --help`},
		{"completion nonsense", `emospan completion has no command "nonsense"; see emospan completion --help`},
		// arguments
		{"report", "name a file: emospan report FILE -o report.html"},
		{"merge", "name a file: emospan merge FILE FILE -o tagged.jsonl"},
		{"export", "name a file: emospan export FILE --to FORMAT"},
		{"retry-rejects", "name a file: emospan retry-rejects tagged.jsonl.rejects.jsonl"},
		{"grammar check", "name a file: emospan grammar check FILE STRING"},
		{"grammar schema", "name a file: emospan grammar schema FILE"},
		{"models rm", "name a model: emospan models rm NAME; emospan models list has the names"},
		{"models convert", "name a model: emospan models convert NAME --to FORMAT"},
		{"models import", "name a file: emospan models import FILE --name NAME"},
		{"compare", "name a reference and a file to compare with it: emospan compare REFERENCE FILE"},
		{"validate", "name a file: emospan validate FILE, or - for standard input"},
		{"report a.jsonl b.jsonl", `emospan report takes one file; leave out "b.jsonl"; see emospan report --help`},
		{"devices all", `emospan devices takes no arguments; leave out "all"; see emospan devices --help`},
		{"models list all", `emospan models list takes no arguments; leave out "all"; see emospan models list --help`},
		{"prompt I am glad", `emospan prompt takes one text and was given 3 arguments; put the text in quotes: emospan prompt "I can't wait for Friday!"`},
		// flags
		{"tag --rejcts x", "there is no flag --rejcts; did you mean --rejects? see emospan tag --help"},
		{"tag -x", "there is no flag -x; see emospan tag --help"},
		{"tag -show texts.txt", "there is no flag -s; did you mean --show? see emospan tag --help"},
		{"tag --=x", "--=x is no flag: they are written --NAME or --NAME VALUE; see emospan tag --help"},
		{"tag texts.txt -o", "--out needs a value, as in --out FILE; see emospan tag --help"},
		{"tag -o --force texts.txt", "--out needs a value, as in --out FILE, and --force is a flag; see emospan tag --help"},
		{"tag --taxonomy -q texts.txt", "--taxonomy needs a value, as in --taxonomy FILE, and -q is a flag; see emospan tag --help"},
		{"models pull --sha256 --name x", "--sha256 needs a value, as in --sha256 HEX, and --name is a flag; see emospan models pull --help"},
		{"tag texts.txt --calibrate", "--calibrate needs a value, as in --calibrate auto; see emospan tag --help"},
		{"tag --calibrate -q texts.txt", "--calibrate needs a value, as in --calibrate auto, and -q is a flag; see emospan tag --help"},
		{"tag --show=some texts.txt", "--show some: it must be a whole number that is not negative, or all; see emospan tag --help"},
		{"tag --show=-2 texts.txt", "--show -2: it must be a whole number that is not negative, or all; see emospan tag --help"},
		{"tag --show=99999999999999999999 texts.txt", "--show 99999999999999999999: it must be a whole number that is not negative, or all; see emospan tag --help"},
	} {
		if got := refusal(t, strings.Fields(c.line)...); got != c.want {
			t.Errorf("emospan %s\n got %s\nwant %s", c.line, got, c.want)
		}
	}
}

// TestUsageOfAll has every command and every flag used wrongly in each way that it can be, and no message of the libraries come of it.
func TestUsageOfAll(t *testing.T) {
	t.Chdir(t.TempDir())
	theirs := regexp.MustCompile(`arg\(s\)|flag needs|unknown (flag|shorthand|command)|invalid argument|strconv|parsing|bad flag|required flag|parse error|Error:|Usage`)
	commands, refused := 0, 0
	refuse := func(args ...string) {
		t.Helper()
		refused++
		if got := refusal(t, args...); theirs.MatchString(got) || !strings.ContainsAny(got, ";:") {
			t.Errorf("%q: %s", args, got)
		}
	}
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		commands++
		path := strings.Fields(cmd.CommandPath())[1:]
		with := func(more ...string) []string { return append(append([]string{}, path...), more...) }
		refuse(with("--no-such-flag")...)
		refuse(with("--=")...)
		refuse(with("-,")...)
		refuse(with("--help=maybe")...)
		use := strings.TrimPrefix(cmd.Use, cmd.Name())
		if regexp.MustCompile(`^ [A-Z]`).MatchString(use) {
			refuse(path...)
		}
		if !strings.Contains(use, "...") || cmd.HasSubCommands() {
			refuse(with("nowhere", "nowhere", "nowhere")...)
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			switch f.Value.Type() {
			case "bool":
				refuse(with("--" + f.Name + "=maybe")...)
				return
			case "string":
				refuse(with("--"+f.Name, "--"+f.Name)...)
			case "stringSlice":
				refuse(with("--"+f.Name, "--"+f.Name)...)
				refuse(with("--"+f.Name, `a"b`)...)
			default:
				refuse(with("--" + f.Name + "=maybe")...)
			}
			if f.NoOptDefVal == "" {
				refuse(with("--" + f.Name)...)
			}
			if f.Shorthand != "" {
				refuse(with("-" + f.Shorthand)...)
			}
		})
		for _, c := range cmd.Commands() {
			visit(c)
		}
	}
	visit(newRoot())
	if commands < 30 || refused < 400 {
		t.Errorf("%d commands, %d wrong uses", commands, refused)
	}
}

// TestOptionalValues: a number after --show is its value, and nothing else is.
func TestOptionalValues(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"tag --show 5 texts.txt", "tag --show=5 texts.txt"},
		{"tag --show all texts.txt", "tag --show=all texts.txt"},
		{"tag --show texts.txt", "tag --show texts.txt"},
		{"tag texts.txt --show", "tag texts.txt --show"},
		{"tag --show=2 5", "tag --show=2 5"},
		{"tag --show ./5", "tag --show ./5"},
		{"tag --show -q 5", "tag --show -q 5"},
		{"tag -q 5", "tag -q 5"},
		{"tag --force 5", "tag --force 5"},
		{"tag -- --show 5", "tag -- --show 5"},
		{"prompt --show 5", "prompt --show 5"},
	} {
		if got := strings.Join(joinValues(newRoot(), strings.Fields(c.line)), " "); got != c.want {
			t.Errorf("%s becomes %s, want %s", c.line, got, c.want)
		}
	}
}
