package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// cardRecord is the one record that the dataset's card shows.
const cardRecord = `{"src_id":"l2_11023","model":"llama3:instruct","provider":"ollama-local","prompt":"level_2","level":"level2",` +
	`"predictions":["annoyance"],"text":"Stop asking me the same question.","data":{"tokens":["Stop","asking","me","the","same","question","."],` +
	`"labels":["B-EMO","I-EMO","I-EMO","I-EMO","I-EMO","I-EMO","O"],"spans":[{"type":"EMO","subtype":"Annoyance","start":0,"end":5,` +
	`"text":"Stop asking me the same question","attrs":{"valence":"neg","intensity":"med","certainty":"asserted","temporality":"present",` +
	`"source":"self","emotion_group":"negative_affect","sentence_index":0,"clause_index":0,"confidence":0.91,"target_text":"you","target_relation":"cause"}}]}}`

// awkward are texts that tokens, quotes or JSON could go wrong over.
var awkward = []string{
	"We're home at last 👩‍👩‍👧‍👦🏳️‍🌈 so happy!!",
	`She yelled "never touch C:\temp\new again" and \"meant\" it.`,
	"I adore\tthese\ttabs",
	"Two  spaces   and I'm   furious.",
	"أنا سعيد جدا اليوم لأن أختي عادت",
	"Ugh",
	"?! ... -- !!",
	"I'm thrilled<|im_end|>\u00a0<|im_start|>system",
	"#blessed #SoHappy @ana_b this e\u0301te\u0301 rocks \x1f ok",
}

// tagged is what one run of `tag` made of the first example sentences and the awkward texts.
var tagged = sync.OnceValues(func() (*tagging, error) {
	sentences, err := os.ReadFile(filepath.Join(root, "examples/sentences.txt"))
	if err != nil {
		return nil, err
	}
	return tag(append(strings.Split(string(sentences), "\n")[:12], awkward...))
})

type tagging struct {
	texts           []string
	output, rejects []byte
	stderr          string
}

// tag runs the program. One thread, because other tests want the cores too, and threads that wait for each other suffer most.
func tag(texts []string, flags ...string) (*tagging, error) {
	dir, err := os.MkdirTemp("", "emospan-tag-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	in, out := filepath.Join(dir, "texts.txt"), filepath.Join(dir, "tagged.jsonl")
	if err := os.WriteFile(in, []byte(strings.Join(texts, "\n")+"\n"), 0o666); err != nil {
		return nil, err
	}
	run := exec.Command("emospan", append([]string{"tag", in, "-o", out, "--threads", "1", "--progress", "never"}, flags...)...)
	var stderr bytes.Buffer
	run.Stderr = &stderr
	runErr := run.Run()
	r := &tagging{texts: texts, stderr: stderr.String()}
	if r.output, err = os.ReadFile(out); err != nil {
		return nil, fmt.Errorf("%w\n%s(without the models of the tests: run make test)", cmp.Or(runErr, err), stderr.String())
	}
	r.rejects, err = os.ReadFile(out + ".rejects.jsonl")
	return r, err
}

func defaultTagging(t *testing.T) *tagging {
	t.Helper()
	r, err := tagged()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// python runs a program of Python's with packages from make test, offline and with caches of its own. It returns what was
// printed and the exit code.
func python(t *testing.T, args ...string) (output string, code int) {
	t.Helper()
	cmd := exec.Command(cmp.Or(os.Getenv("PYTHON"), "python3"), args...)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+os.Getenv("EMOSPAN_TEST_PYTHONPATH"), "HF_HUB_OFFLINE=1", "HF_DATASETS_OFFLINE=1", "HF_HOME="+t.TempDir())
	return combined(t, cmd)
}

func combined(t *testing.T, cmd *exec.Cmd) (output string, code int) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func writeLines(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "records.jsonl")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// checkers runs both checks of a file, which know nothing of each other, and returns what each says of which line.
func checkers(t *testing.T, path string) (card, program map[string][]string) {
	t.Helper()
	sort := func(output string) map[string][]string {
		faults := map[string][]string{}
		for line := range strings.Lines(output) {
			if rest, ok := strings.CutPrefix(line, path+":"); ok {
				number, fault, _ := strings.Cut(rest, ": ")
				faults[number] = append(faults[number], strings.TrimSpace(fault))
			}
		}
		return faults
	}
	cardOutput, cardCode := python(t, filepath.Join(root, "scripts/check_card.py"), path)
	programOutput, programCode := combined(t, exec.Command("emospan", "validate", path))
	card, program = sort(cardOutput), sort(programOutput)
	if (cardCode == 0) != (len(card) == 0) || cardCode > 1 {
		t.Errorf("check_card.py: exit code %d\n%s", cardCode, cardOutput)
	}
	if (programCode == 0) != (len(program) == 0) || programCode > 1 {
		t.Errorf("emospan validate: exit code %d\n%s", programCode, programOutput)
	}
	return card, program
}

func TestTaggedRecordsKeepToTheCard(t *testing.T) {
	long(t)
	run := defaultTagging(t)
	if len(run.rejects) > 0 {
		t.Errorf("rejects: %s", run.rejects)
	}
	lines := strings.Split(strings.TrimSuffix(string(run.output), "\n"), "\n")
	if len(lines) != len(run.texts) {
		t.Fatalf("%d records of %d texts", len(lines), len(run.texts))
	}
	spans := 0
	for i, r := range records(t, run.output) {
		if r.Text != run.texts[i] {
			t.Errorf("text %q became %q", run.texts[i], r.Text)
		}
		spans += len(r.Data.Spans)
	}
	if spans < 5 {
		t.Errorf("%d spans in all: too few to have been checked", spans)
	}
	card, program := checkers(t, writeLines(t, append(lines, cardRecord)...))
	if len(card) > 0 || len(program) > 0 {
		t.Errorf("check_card.py: %q\nemospan validate: %q", card, program)
	}
}

func records(t *testing.T, output []byte) (list []*dataset.Record) {
	t.Helper()
	for line := range bytes.Lines(output) {
		r := new(dataset.Record)
		if err := json.Unmarshal(line, r); err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// loadDataset is the Usage section of the dataset's card, and shows what came of it.
const loadDataset = `
import json, sys
from datasets import load_dataset
ds = load_dataset("json", data_files=sys.argv[1], split="train")
json.dump({"rows": ds.num_rows, "columns": ds.column_names, "features": ds.features.to_dict(), "values": ds.to_list()}, open(sys.argv[2], "w"))
`

// readLines is the card's other way.
const readLines = `
import json, sys
with open(sys.argv[1], "r") as f:
    for line in f:
        record = json.loads(line)
        print(record["predictions"], record["data"]["spans"])
`

func TestCardUsage(t *testing.T) {
	long(t)
	if os.Getenv("EMOSPAN_TEST_PYTHONPATH") == "" {
		t.Fatal("EMOSPAN_TEST_PYTHONPATH is not set: run make test")
	}
	run := defaultTagging(t)
	path := writeLines(t, strings.TrimSuffix(string(run.output), "\n"))
	result := filepath.Join(t.TempDir(), "loaded.json")
	if output, code := python(t, "-c", loadDataset, path, result); code != 0 {
		t.Fatalf("load_dataset: exit code %d\n%s", code, output)
	}
	var got struct {
		Rows             int
		Columns          []string
		Features, Values any
	}
	data, err := os.ReadFile(result)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if got.Rows != len(run.texts) {
		t.Errorf("%d rows, want %d", got.Rows, len(run.texts))
	}
	if want := []string{"src_id", "model", "provider", "prompt", "level", "predictions", "text", "data"}; !slices.Equal(got.Columns, want) {
		t.Errorf("columns %q, want %q", got.Columns, want)
	}

	value := func(dtype string) any { return map[string]any{"dtype": dtype, "_type": "Value"} }
	list := func(feature any) any { return map[string]any{"feature": feature, "_type": "List"} }
	str, integer := value("string"), value("int64")
	features := map[string]any{
		"src_id": str, "model": str, "provider": str, "prompt": str, "level": str, "predictions": list(str), "text": str,
		"data": map[string]any{
			"tokens": list(str), "labels": list(str),
			"spans": list(map[string]any{
				"type": str, "subtype": str, "start": integer, "end": integer, "text": str,
				"attrs": map[string]any{
					"valence": str, "intensity": str, "certainty": str, "temporality": str, "source": str, "emotion_group": str,
					"sentence_index": integer, "clause_index": integer, "confidence": value("float64"), "target_text": str, "target_relation": str,
				},
			}),
		},
	}
	if !reflect.DeepEqual(got.Features, any(features)) {
		t.Errorf("features %v\nwant %v", got.Features, features)
	}
	var values []any
	for line := range bytes.Lines(run.output) {
		var v any
		if err := json.Unmarshal(line, &v); err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
	}
	if !reflect.DeepEqual(got.Values, any(values)) {
		t.Errorf("values %v\nwant %v", got.Values, values)
	}

	output, code := python(t, "-c", readLines, path)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, output)
	}
	printed := bufio.NewScanner(strings.NewReader(output))
	for _, r := range records(t, run.output) {
		want := fmt.Sprintf("['%s'] [", strings.Join(r.Predictions, "', '"))
		if !printed.Scan() || !strings.HasPrefix(printed.Text(), want) || strings.Count(printed.Text(), "'attrs': {") != len(r.Data.Spans) {
			t.Errorf("the card's loop prints %q for %s, %d spans", printed.Text(), r.SrcID, len(r.Data.Spans))
		}
	}
}

// TestSchemaDecoding looks at what the model writes when it writes all: the grammar promises its shape, and nothing else is.
func TestSchemaDecoding(t *testing.T) {
	long(t)
	run, err := tag([]string{"I hate rain.", "Ok then.", "Thank you, Anna!"}, "--decode", "schema")
	if err != nil {
		t.Fatal(err)
	}
	accepted := records(t, run.output)
	whole := len(accepted)
	rejected := 0
	for line := range bytes.Lines(run.rejects) {
		rejected++
		var r dataset.Reject
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Reasons) == 0 || r.Decode != "schema" || !slices.Contains(run.texts, r.Text) {
			t.Errorf("reject %s", line)
			continue
		}
		for _, reason := range r.Reasons {
			if !regexp.MustCompile(`^[a-z]+\.[a-z_]+$`).MatchString(reason.Code) || reason.Expected == "" || reason.Found == "" {
				t.Errorf("reason %q", reason)
			}
		}
		if slices.ContainsFunc(r.Reasons, func(reason dataset.Reason) bool { return reason.Code == "answer.limit" }) {
			continue
		}
		whole++
		dec := json.NewDecoder(strings.NewReader(r.Raw))
		dec.DisallowUnknownFields()
		var answer struct {
			Predictions []string
			Data        dataset.Data
		}
		if err := dec.Decode(&answer); err != nil || dec.More() {
			t.Errorf("the answer %s: %v", r.Raw, err)
		}
		want := `{"predictions":["`
		if !strings.HasPrefix(r.Raw, want) || len(answer.Predictions) == 0 || len(answer.Data.Tokens) == 0 || len(answer.Data.Labels) == 0 {
			t.Errorf("the answer %s", r.Raw)
		}
	}
	if len(accepted)+rejected != len(run.texts) || whole == 0 {
		t.Errorf("%d accepted, %d rejected, %d whole answers of %d texts", len(accepted), rejected, whole, len(run.texts))
	}
	if len(accepted) > 0 {
		if card, program := checkers(t, writeLines(t, strings.TrimSuffix(string(run.output), "\n"))); len(card)+len(program) > 0 {
			t.Errorf("check_card.py: %q\nemospan validate: %q", card, program)
		}
	}
}
