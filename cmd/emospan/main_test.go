package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/emospan/emospan/models"
	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// fixtures are the files that the tests share, made once: a synthetic model of a vocabulary of 32000 tokens, which loads
// faster, one of Llama 3's, where the chat's markers are tokens, llama.cpp's folder of vocabularies and the user's store.
var fixtures struct{ tiny, llama3, vocabularies, store string }

// raceOptions keep a program built with the race detector from sleeping a second before it exits.
const raceOptions = "atexit_sleep_ms=0"

func TestMain(m *testing.M) {
	testscript.Main(withFixtures{m}, map[string]func(){"emospan": main, "load-mutants": loadMutants})
}

type withFixtures struct{ m *testing.M }

func (w withFixtures) Run() int {
	dir, err := os.MkdirTemp("", "emospan-test")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := makeFixtures(dir); err != nil {
		panic(err)
	}
	// Programs inherit the signals that nohup, or a shell's &, has ignored here. One that is taken here they have as it is by default.
	taken := make(chan os.Signal, 1)
	for _, s := range endingSignals {
		if signal.Ignored(s) {
			signal.Notify(taken, s)
		}
	}
	code := w.m.Run()
	signal.Stop(taken)
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// long marks a test that takes the model or another program long and has nothing at once that other tests have not: the race
// detector's run, which is -short, leaves it out.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short")
	}
}

func makeFixtures(dir string) error {
	source, err := exec.Command("../../llama/native/build.sh", "source").Output()
	if err != nil {
		return fmt.Errorf("llama.cpp's tree: %w", err)
	}
	if fixtures.store, err = models.DefaultDir(); err != nil {
		return err
	}
	fixtures.vocabularies = filepath.Join(strings.TrimSpace(string(source)), "models")
	fixtures.tiny, fixtures.llama3 = filepath.Join(dir, "tiny.gguf"), filepath.Join(dir, "llama3.gguf")
	if err := writeTiny(fixtures.tiny, "ggml-vocab-llama-spm.gguf"); err != nil {
		return err
	}
	return writeTiny(fixtures.llama3, "ggml-vocab-llama-bpe.gguf")
}

func writeTiny(path, vocabulary string) error {
	vocab, err := models.OpenGGUF(filepath.Join(fixtures.vocabularies, vocabulary))
	if err != nil {
		return err
	}
	defer vocab.Close()
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return models.WriteSynthetic(f, vocab, models.TinyShape, 1)
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("TINY", fixtures.tiny)
			env.Setenv("LLAMA3", fixtures.llama3)
			env.Setenv("GORACE", raceOptions)
			env.Setenv("VOCABULARIES", fixtures.vocabularies)
			env.Setenv("EMOSPAN_MODELS", filepath.Join(env.WorkDir, ".store"))
			env.Setenv("OLLAMA_MODELS", filepath.Join(env.WorkDir, ".ollama"))
			env.Setenv("USER_STORE", fixtures.store)
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exitcode": cmdExitcode, "oneline": cmdOneline, "lines": cmdLines, "jsonval": cmdJSONVal, "keys": cmdKeys,
			"bytes": cmdBytes, "repeat": cmdRepeat, "patch": cmdPatch, "cut": cmdCut, "noescapes": cmdNoEscapes,
			"cmpfield": cmdCmpField, "ollama": cmdOllama, "serve": cmdServe, "sha256": cmdSHA256,
		},
	})
}

// exitcode N PROGRAM ARG… runs a program that must exit with N.
func cmdExitcode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode N program args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d; stderr: %s", got, want, ts.ReadFile("stderr"))
	}
}

// oneline [REGEXP] checks that the standard error of the last program is one line that begins with the program's name and
// says, behind a semicolon or a colon, what to do.
func cmdOneline(ts *testscript.TestScript, neg bool, args []string) {
	got := ts.ReadFile("stderr")
	if strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "emospan: ") || !strings.ContainsAny(got[len("emospan: "):], ";:") {
		ts.Fatalf("not one line of what is wrong and what to do: %q", got)
	}
	for _, pattern := range args {
		if !regexp.MustCompile(pattern).MatchString(got) {
			ts.Fatalf("%q does not match %s", got, pattern)
		}
	}
}

// lines FILE N checks that a file is N whole lines of JSON.
func cmdLines(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	if n := strconv.Itoa(strings.Count(text, "\n")); n != args[1] || text != "" && !strings.HasSuffix(text, "\n") {
		ts.Fatalf("%s has %s lines, want %s: %.200q", args[0], n, args[1], text)
	}
	for line := range strings.Lines(text) {
		if !json.Valid([]byte(line)) {
			ts.Fatalf("%s: not JSON: %s", args[0], line)
		}
	}
}

// jsonval FILE[@LINE] PATH VALUE checks one value: PATH is names and indices joined by dots, VALUE its JSON. A VALUE of
// "/…/" is a regular expression, one of ">N" a lower bound.
func cmdJSONVal(ts *testscript.TestScript, neg bool, args []string) {
	name, number, isLine := strings.Cut(args[0], "@")
	text := ts.ReadFile(name)
	if isLine {
		n, err := strconv.Atoi(number)
		ts.Check(err)
		lines := strings.Split(text, "\n")
		if n > len(lines) {
			ts.Fatalf("%s has no line %d", name, n)
		}
		text = lines[n-1]
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	ts.Check(d.Decode(&v))
	if args[1] != "." {
		for part := range strings.SplitSeq(args[1], ".") {
			switch c := v.(type) {
			case map[string]any:
				member, ok := c[part]
				if !ok {
					ts.Fatalf("%s has no %s", args[0], args[1])
				}
				v = member
			case []any:
				i, err := strconv.Atoi(part)
				ts.Check(err)
				if i >= len(c) {
					ts.Fatalf("%s: %s: there are %d", args[0], args[1], len(c))
				}
				v = c[i]
			default:
				ts.Fatalf("%s: nothing at %s", args[0], args[1])
			}
		}
	}
	var got bytes.Buffer
	e := json.NewEncoder(&got)
	e.SetEscapeHTML(false)
	ts.Check(e.Encode(v))
	value, want := strings.TrimSpace(got.String()), args[2]
	ok := value == want
	switch {
	case len(want) > 1 && want[0] == '/' && want[len(want)-1] == '/':
		ok = regexp.MustCompile(want[1 : len(want)-1]).MatchString(value)
	case want[0] == '>':
		bound, err := strconv.ParseFloat(want[1:], 64)
		ts.Check(err)
		number, err := strconv.ParseFloat(value, 64)
		ok = err == nil && number > bound
	}
	if ok == neg {
		ts.Fatalf("%s: %s is %s, want %s", args[0], args[1], value, want)
	}
}

// cmpfield FILE KEY LINES checks that the records have these lines, in order, under a key.
func cmdCmpField(ts *testscript.TestScript, neg bool, args []string) {
	var got strings.Builder
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var record map[string]any
		ts.Check(json.Unmarshal([]byte(line), &record))
		fmt.Fprintln(&got, record[args[1]])
	}
	if want := ts.ReadFile(args[2]); got.String() != want {
		ts.Fatalf("%s of %s is %q, want %q", args[1], args[0], got.String(), want)
	}
}

// keys FILE KEY… checks that each record has these keys in this order, those from type on once for each span.
func cmdKeys(ts *testscript.TestScript, neg bool, args []string) {
	first := slices.Index(args, "type")
	record := strings.Join(args[1:first], `":.*?"`)
	span := strings.Join(args[first:], `":[^{\[]*?\{?"`)
	want := regexp.MustCompile(`^\{"` + record + `":\[(\{"` + span + `":[^{]*?\}\},?)*\]\}\}\n$`)
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		if !want.MatchString(line) {
			ts.Fatalf("the keys of %s are not %v", line, args[1:])
		}
	}
}

// bytes FILE TEXT writes a file from a Go string's inside, with its escapes.
func cmdBytes(ts *testscript.TestScript, neg bool, args []string) {
	text, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o666))
}

// repeat FILE N TEXT appends TEXT, escaped as for bytes, N times; %d in it is the count.
func cmdRepeat(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	text, err := strconv.Unquote(`"` + args[2] + `"`)
	ts.Check(err)
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	ts.Check(err)
	defer f.Close()
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(text, "%d", strconv.Itoa(i)))
	}
	_, err = f.WriteString(b.String())
	ts.Check(err)
}

// patch SRC DST OLD NEW copies a file with every OLD made a NEW of the same length.
func cmdPatch(ts *testscript.TestScript, neg bool, args []string) {
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(args[2]) != len(args[3]) || !bytes.Contains(data, []byte(args[2])) {
		ts.Fatalf("%s cannot be patched: %q to %q", args[0], args[2], args[3])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), bytes.ReplaceAll(data, []byte(args[2]), []byte(args[3])), 0o666))
}

// cut SRC DST N copies a file's first N bytes.
func cmdCut(ts *testscript.TestScript, neg bool, args []string) {
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data[:n], 0o666))
}

// noescapes FILE… checks that files, or stdout and stderr, hold nothing that steers a terminal.
func cmdNoEscapes(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		if i := strings.IndexAny(ts.ReadFile(name), "\x1b\a\b\r\u009b\u202e"); i >= 0 {
			ts.Fatalf("%s has a control character at byte %d", name, i)
		}
	}
}
