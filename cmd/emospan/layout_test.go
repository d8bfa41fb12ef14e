package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

const (
	root   = "../.."
	module = "github.com/emospan/emospan"
)

// mayImport names the packages of ours that each package may depend on, through others too. The commands may import any.
var mayImport = map[string][]string{
	"dataset":             nil,
	"grammar":             nil,
	"models":              nil,
	"examples":            nil,
	"llama":               nil,
	"bundle":              {"models"},
	"sandbox":             nil,
	"validate":            {"dataset"},
	"export":              {"dataset"},
	"tagger":              {"dataset", "grammar", "internal/bagofwords", "internal/linear", "validate"},
	"agreement":           {"dataset", "validate"},
	"report":              {"dataset", "validate"},
	"internal/linear":     nil,
	"internal/bagofwords": {"internal/linear"},
	"calibrate":           {"dataset", "grammar", "internal/bagofwords", "internal/linear", "tagger", "validate"},
	"calibrate/corpus":    {"dataset", "grammar", "internal/bagofwords", "internal/linear", "tagger", "validate"},
}

func TestImports(t *testing.T) {
	type goPackage struct {
		ImportPath, Name                string
		Deps, TestImports, XTestImports []string
	}
	packages := map[string]goPackage{}
	for dec := json.NewDecoder(strings.NewReader(command(t, "go", "list", "-json=ImportPath,Name,Deps,TestImports,XTestImports", module+"/..."))); ; {
		var p goPackage
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages[strings.TrimPrefix(p.ImportPath, module+"/")] = p
	}
	for dir, p := range packages {
		for _, vague := range []string{"util", "utils", "common", "pkg", "helper", "helpers", "misc"} {
			if p.Name == vague || slices.Contains(strings.Split(dir, "/"), vague) {
				t.Errorf("package %s, in %s: the name says nothing", p.Name, dir)
			}
		}
		allowed, library := mayImport[dir]
		if !library {
			if p.Name != "main" {
				t.Errorf("package %s has no rule here", dir)
			}
			continue
		}
		for _, dep := range p.Deps {
			if ours, ok := strings.CutPrefix(dep, module+"/"); ok && !slices.Contains(allowed, ours) {
				t.Errorf("%s depends on %s", dir, ours)
			}
		}
		for _, dep := range slices.Concat(p.TestImports, p.XTestImports) {
			if ours, ok := strings.CutPrefix(dep, module+"/"); ok && dir != "llama" && (ours == "llama" || strings.HasPrefix(ours, "cmd/")) {
				t.Errorf("a test of %s imports %s, so it needs cgo", dir, ours)
			}
		}
	}
	for dir := range mayImport {
		if _, ok := packages[dir]; !ok {
			t.Errorf("there is no package %s", dir)
		}
	}
}

func TestFiles(t *testing.T) {
	code := []string{".go", ".cpp", ".h", ".sh", ".py", ".js", ".css", ".html"}
	hosts := regexp.MustCompile(`pypi\.org|pythonhosted\.org|(proxy|sum)\.golang\.org|npmjs\.org|crates\.io|deb\.debian\.org|anaconda\.org|rubygems\.org`)
	machine := regexp.MustCompile(`(^|[^\w.~$})\]])/(home|root|Users|work)/\w`)
	fset := token.NewFileSet()
	sources, cgo := 0, 0
	for name, data := range files(t) {
		if path.Dir(name) == "docs" && path.Ext(name) == ".png" {
			if len(data) > 300<<10 {
				t.Errorf("%s has %d bytes", name, len(data))
			}
			continue
		}
		if bytes.IndexByte(data, 0) >= 0 {
			t.Errorf("%s is not text", name)
			continue
		}
		lines := strings.Split(string(data), "\n")
		if slices.Contains(code, path.Ext(name)) {
			sources++
			if len(lines) > 501 { // the last newline ends line 500
				t.Errorf("%s has %d lines", name, len(lines)-1)
			}
		}
		for i, line := range lines {
			if found := hosts.FindString(line); found != "" {
				t.Errorf("%s:%d names the registry's host %s", name, i+1, found)
			}
			if found := machine.FindString(line); found != "" {
				t.Errorf("%s:%d holds a path of one machine, %q", name, i+1, found)
			}
		}
		if path.Ext(name) != ".go" {
			continue
		}
		f, err := parser.ParseFile(fset, name, data, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, spec := range f.Imports {
			if spec.Path.Value != `"C"` {
				continue
			}
			cgo++
			if path.Dir(name) != "llama" {
				t.Errorf("%s uses cgo", name)
			}
		}
	}
	if sources < 50 || cgo == 0 {
		t.Errorf("saw %d source files, %d of them with cgo", sources, cgo)
	}
}

// TestDocuments holds what the documents tell a reader to type against what there is.
func TestDocuments(t *testing.T) {
	var documents []string
	for name := range files(t) {
		if path.Ext(name) == ".md" {
			documents = append(documents, name)
		}
	}
	slices.Sort(documents)
	if !slices.Contains(documents, "README.md") {
		t.Fatalf("no README.md among %q", documents)
	}
	makefile := read(t, "Makefile")
	flags := helpFlags(t, newRoot())
	for _, name := range documents {
		text := read(t, name)
		for _, link := range regexp.MustCompile(`\]\(([^)#:]+)\)`).FindAllStringSubmatch(withoutCode(text), -1) {
			if _, err := os.Stat(filepath.Join(root, path.Dir(name), link[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", name, link[1])
			}
		}
		if name == "DESIGN.md" || name == "CHANGELOG.md" {
			continue // they may name what is no more, or not yet
		}
		for _, span := range codeSpans(text) {
			span = strings.ReplaceAll(span, `\|`, "|") // as tables have it
			words := strings.Fields(span)
			for i, word := range words {
				switch {
				case path.Base(word) == "emospan" && words[0] != "go" && !strings.Contains(word, "://"):
					checkCommand(t, name, span, words[i+1:], flags)
				case word == "make" && i == 0 && len(words) > 1 && regexp.MustCompile(`^[a-z-]+$`).MatchString(words[1]):
					if !regexp.MustCompile(`(?m)^` + words[1] + `:`).MatchString(makefile) {
						t.Errorf("%s: %q: the Makefile has no such target", name, span)
					}
				case strings.HasPrefix(word, "--") && i == 0 && flags[""][flagName(word)] == 0:
					t.Errorf("%s: no command has the flag of %q", name, span)
				}
			}
		}
	}

	opening := regexp.MustCompile("^# emospan\n\n```sh\nmake demo +#[^\n]*\nmake test +#[^\n]*\n```\n")
	if text := read(t, "README.md"); !opening.MatchString(text) {
		t.Errorf("README.md opens with %q", text[:min(len(text), 200)])
	}
}

// checkCommand checks the words that follow emospan in a piece of code: "models pull|list" names two commands.
func checkCommand(t *testing.T, document, span string, words []string, flags map[string]map[string]int) {
	t.Helper()
	cmd := newRoot()
	for len(words) > 0 && cmd.HasSubCommands() {
		var sub *cobra.Command
		for _, name := range strings.Split(words[0], "|") {
			if i := slices.IndexFunc(cmd.Commands(), func(c *cobra.Command) bool { return c.Name() == name }); i >= 0 {
				sub = cmd.Commands()[i]
			} else if regexp.MustCompile(`^[a-z]+$`).MatchString(name) {
				t.Errorf("%s: %q: %s has no command %s", document, span, cmd.CommandPath(), name)
			}
		}
		if sub == nil {
			break
		}
		cmd, words = sub, words[1:]
	}
	for _, word := range words {
		if word == "|" || strings.HasPrefix(word, "#") {
			break
		}
		if name := flagName(word); strings.HasPrefix(word, "-") && word != "-" && flags[cmd.CommandPath()][name] == 0 {
			t.Errorf("%s: %q: %s has no flag %s", document, span, cmd.CommandPath(), name)
		}
	}
}

// flagName cuts a value and punctuation from a flag: --show=5 is --show.
func flagName(word string) string {
	name, _, _ := strings.Cut(word, "=")
	return strings.TrimRight(name, ".,;:)…")
}

// helpFlags asks each command for its help and returns the flags that it names, by the command's path; "" has them all.
func helpFlags(t *testing.T, cmd *cobra.Command) map[string]map[string]int {
	t.Helper()
	flags := map[string]map[string]int{"": {}}
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		var stdout, stderr bytes.Buffer
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		if code := run(args, strings.NewReader(""), &stdout, &stderr); code != 0 || stderr.Len() > 0 {
			t.Errorf("%q: exit code %d, %s", args, code, stderr.String())
		}
		if help := stdout.String(); !strings.Contains(help, "\nExamples:\n") {
			t.Errorf("%q shows no example", args)
		}
		names := map[string]int{}
		for _, m := range regexp.MustCompile(`(?m)^ +(-\w)?,? +(--[a-z0-9-]+)`).FindAllStringSubmatch(stdout.String(), -1) {
			for _, name := range m[1:] {
				if name != "" {
					names[name]++
					flags[""][name]++
				}
			}
		}
		flags[cmd.CommandPath()] = names
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(cmd)
	return flags
}

// withoutCode takes fenced blocks and what stands between backticks out of a Markdown text: a link in code is none.
func withoutCode(text string) string {
	return regexp.MustCompile("(?s:\n```.*?\n```)|`[^`\n]+`").ReplaceAllString(text, "")
}

// codeSpans returns the code of a Markdown text: each line of a fenced block, and what stands between backticks. A block
// marked as text is what a program printed, not what a reader types.
func codeSpans(text string) []string {
	var spans []string
	fenced, typed := false, false
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
			typed = fenced && strings.TrimSpace(line) != "```text"
		case fenced && !typed:
		case fenced:
			spans = append(spans, strings.TrimSpace(line))
		default:
			for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(line, -1) {
				spans = append(spans, m[1])
			}
		}
	}
	return spans
}

// files returns the project's files, tracked or about to be, by their slash-separated path from the root.
func files(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for name := range strings.SplitSeq(command(t, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if name == "" || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		all[name] = data
	}
	return all
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// command runs a program at the root and returns what it prints.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = root
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}
