package main

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
	"golang.org/x/sys/unix"
)

// Of go test: how many mutants, from which on, drawn from what. make test-gguf takes ten thousand.
var (
	mutantCount = flag.Int("mutants", 1000, "GGUF files with faults to load")
	mutantFirst = flag.Int("mutants.first", 0, "number of the first of them")
	mutantSeed  = flag.Uint64("mutants.seed", 1, "what they are drawn from")
)

// How a mutant ended.
const (
	mutantLoaded  = "loaded"  // and computed with
	mutantChecked = "checked" // refused before llama.cpp saw it
	mutantRefused = "refused" // by llama.cpp, or for its memory
)

// TestMutants has the program's own way to a model, from the check to a token's logits, take GGUF files with faults, in a
// process of its own: each is loaded or refused with a message, and nothing ends or hangs that process.
func TestMutants(t *testing.T) {
	long(t)
	bases, err := smallModels()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var paths []string
	for i, base := range bases {
		path := filepath.Join(dir, fmt.Sprintf("base%d.gguf", i))
		if err := os.WriteFile(path, base.bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
		if how, err := tryModel(path); err != nil {
			t.Fatalf("the sound model %d is %s: %v", i, how, err)
		}
	}
	count := map[string]int{}
	failed := 0
	for next, end := *mutantFirst, *mutantFirst+*mutantCount; next < end; {
		at, err := runMutants(paths, next, min(next+1000, end), count)
		if err == nil {
			next = at
			continue
		}
		failed++
		t.Errorf("mutant %d: %v", at, err)
		next = at + 1
		if failed == 20 {
			t.Fatal("and perhaps more")
		}
	}
	fmt.Printf("GGUF files with faults: %d loaded, %d refused by the check, %d refused behind it; %d passed, %d failed\n",
		count[mutantLoaded], count[mutantChecked], count[mutantRefused], count[mutantLoaded]+count[mutantChecked]+count[mutantRefused], failed)
	if *mutantCount >= 1000 && (count[mutantLoaded] == 0 || count[mutantChecked] == 0 || count[mutantRefused] == 0) {
		t.Error("the mutants are too much alike: none ended in one of the three ways")
	}
}

// runMutants has a process load the mutants from first up to end. It returns the number of the one that follows, or of the
// one at which the process ended or said nothing more, and how.
func runMutants(bases []string, first, end int, count map[string]int) (at int, err error) {
	const patience = 2 * time.Minute // for one file: what takes so long takes forever
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	cmd := exec.CommandContext(ctx, "load-mutants", append([]string{strconv.FormatUint(*mutantSeed, 10), strconv.Itoa(first), strconv.Itoa(end)}, bases...)...)
	cmd.Env = append(os.Environ(), "GGML_NO_BACKTRACE=1") // a debugger's words would mix with its own
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return first, err
	}
	if err := cmd.Start(); err != nil {
		return first, err
	}
	hung := time.AfterFunc(patience, cancel)
	at = first
	for lines := bufio.NewScanner(out); lines.Scan(); at++ {
		hung.Reset(patience)
		how, message, _ := strings.Cut(lines.Text(), " ")
		if how != mutantLoaded && (len(message) < 20 || len(message) > 4000) {
			err = fmt.Errorf("refused with an error that says little, or too much: %.100q", message)
			cancel()
			break
		}
		count[how]++
	}
	wasHung := !hung.Stop()
	io.Copy(io.Discard, out)
	werr := cmd.Wait()
	switch {
	case err != nil:
		return at, err
	case wasHung:
		return at, fmt.Errorf("nothing happened for %v", patience)
	case at < end:
		return at, fmt.Errorf("the process ended (%v): %.2000s", werr, stderr.String())
	}
	return at, nil
}

// loadMutants is the program of that process: SEED FIRST END BASE… It writes a line for each mutant.
func loadMutants() {
	fail := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	// What a header has llama.cpp allocate is to fail, not to have the machine give up.
	fail(unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: 16 << 30, Max: 16 << 30}))
	seed, err := strconv.ParseUint(os.Args[1], 10, 64)
	fail(err)
	first, err := strconv.Atoi(os.Args[2])
	fail(err)
	end, err := strconv.Atoi(os.Args[3])
	fail(err)
	var bases []*ggufFile
	for _, path := range os.Args[4:] {
		file, err := os.ReadFile(path)
		fail(err)
		base, err := parseGGUF(file)
		fail(err)
		bases = append(bases, base)
	}
	path := filepath.Join(filepath.Dir(os.Args[4]), "mutant.gguf")
	for i := first; i < end; i++ {
		fail(os.WriteFile(path, mutant(bases, seed, uint64(i)), 0o600))
		how, err := tryModel(path)
		if err != nil {
			fmt.Println(how, oneLine(err.Error()))
		} else {
			fmt.Println(how)
		}
	}
}

// tryModel goes the program's way with a file: check, memory, load, context, a chat's tokens, their logits.
func tryModel(path string) (how string, err error) {
	m := models.Model{Name: filepath.Base(path), Path: path}
	if _, err := checkModel(m); err != nil {
		return mutantChecked, err
	}
	e, err := openEngine(m, oneRecord(1))
	if err != nil {
		return mutantRefused, err
	}
	defer e.Close()
	if err := useEngine(e); err != nil {
		return mutantRefused, err
	}
	return mutantLoaded, nil
}

// useEngine calls what the tagger calls.
func useEngine(e *engine) error {
	for id := range int32(min(e.VocabSize(), 600)) {
		e.Piece(id)
		e.MarkerText(id)
		e.IsEOG(id)
	}
	ids, err := e.Chat([]tagger.Turn{{Role: "user", Text: "What a day, <|eot_id|> I could sing. Ünïcödé 你好 \x01"}}, true, true)
	if err != nil {
		return err
	}
	ids = ids[:min(len(ids), 24, e.BatchSize(), e.CacheSize())]
	var rows []tagger.Row
	for i, id := range ids {
		rows = append(rows, tagger.Row{Token: id, Position: int32(i), Logits: i == len(ids)-1})
	}
	if len(rows) == 0 {
		return fmt.Errorf("%s makes no tokens of a text", e.template)
	}
	if err := e.Decode(rows); err != nil {
		return err
	}
	if n := len(e.Logits(len(rows) - 1)); n != e.VocabSize() {
		return fmt.Errorf("%d logits for %d tokens", n, e.VocabSize())
	}
	return nil
}
