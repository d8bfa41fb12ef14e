package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// writeEmotions writes Parquet as the Hub has GoEmotions: text, label ids and id, by the library that writes it there.
const writeEmotions = `
import sys
import pyarrow as pa, pyarrow.parquet as pq
table = pa.table({
    "text": pa.array(["A fine morning.", "“Well” then… 😀", "Rain again, and again."], pa.string()),
    "labels": pa.array([[17, 0], [], [27]], pa.list_(pa.int64())),
    "id": pa.array(["a", "b", "c"], pa.large_string())})
pq.write_table(table, sys.argv[1], row_group_size=2)
`

func TestParquetInput(t *testing.T) {
	long(t)
	if os.Getenv("EMOSPAN_TEST_PYTHONPATH") == "" {
		t.Fatal("EMOSPAN_TEST_PYTHONPATH is not set: run make test")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "emotions.parquet")
	if output, code := python(t, "-c", writeEmotions, path); code != 0 {
		t.Fatalf("exit code %d\n%s", code, output)
	}

	r, err := dataset.OpenInput(path, dataset.ReaderOptions{Labels: dataset.Default()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, want := range []string{"a [joy admiration]", "b []", "c [neutral]"} {
		if in, err := r.Next(); err != nil || fmt.Sprint(in.ID, " ", in.Labels) != want {
			t.Errorf("%s %v, %v; want %s", in.ID, in.Labels, err, want)
		}
	}

	emospan := func(stdin *os.File, args ...string) (stdout, stderr string, code int) {
		cmd := exec.Command("emospan", append([]string{"tag", "-m", fixtures.tiny, "--threads", "1", "-q"}, args...)...)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		if stdin != nil {
			cmd.Stdin = stdin
		}
		cmd.Run()
		return out.String(), errs.String(), cmd.ProcessState.ExitCode()
	}
	fromFile, stderr, code := emospan(nil, path)
	if code != 0 || strings.Count(fromFile, "\n") != 3 || !strings.Contains(fromFile, `{"src_id":"b",`) || !strings.Contains(fromFile, `"text":"“Well” then… 😀"`) {
		t.Errorf("exit code %d, %s%s", code, fromFile, stderr)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if redirected, stderr, code := emospan(f); code != 0 || redirected != fromFile {
		t.Errorf("standard input that is a file: exit code %d, %s%s", code, redirected, stderr)
	}

	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(dir, "cut.parquet")
	if err := os.WriteFile(cut, whole[:len(whole)-20], 0o666); err != nil {
		t.Fatal(err)
	}
	pipe, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	go func() { // which nobody need read to its end
		w.Write(whole)
		w.Close()
	}()
	for _, tt := range []struct {
		stdin *os.File
		args  []string
		want  string
		code  int
	}{
		{pipe, nil, "emospan: standard input: a pipe or a compressed stream cannot be read as Parquet; unpack it, or save it, and name the file\n", exitUnusable},
		{nil, []string{cut}, "emospan: input: " + cut + ": not a Parquet file, or one that was cut short: it does not end in PAR1; mend or replace the file\n", exitUnusable},
		{nil, []string{path, "--text-field", "body"}, "emospan: input: " + path + `: no column "body" among text, labels, id; name it with --text-field` + "\n", exitUsage},
		{nil, []string{path, "--text-field", "labels"}, "emospan: input: " + path + `: the column "labels" does not hold strings; name it with --text-field` + "\n", exitUsage},
	} {
		if stdout, stderr, code := emospan(tt.stdin, tt.args...); stdout != "" || stderr != tt.want || code != tt.code {
			t.Errorf("%q: exit code %d, %s%s, want %s", tt.args, code, stdout, stderr, tt.want)
		}
	}
}
