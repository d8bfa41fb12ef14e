package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/export"
)

const exportRecords = root + "/export/testdata/records.jsonl"

// runExport runs the program and returns the path of what it wrote.
func runExport(t *testing.T, records, format string, flags ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	output, code := combined(t, exec.Command("emospan", append([]string{"export", records, "--to", format, "-o", out}, flags...)...))
	if code != 0 {
		t.Fatalf("emospan export --to %s: exit code %d\n%s", format, code, output)
	}
	return out
}

// TestExportReaders reads each export with the tool's own reader, or against its published schema, and compares it with the
// records: awkward ones, and what tag made.
func TestExportReaders(t *testing.T) {
	long(t)
	if os.Getenv("EMOSPAN_TEST_PYTHONPATH") == "" {
		t.Fatal("EMOSPAN_TEST_PYTHONPATH is not set: run make test")
	}
	tagged := writeLines(t, strings.TrimSuffix(string(defaultTagging(t).output), "\n"))
	further, taxonomy := furtherExport(t)
	for _, format := range export.Formats() {
		t.Run(format.Name, func(t *testing.T) {
			other := export.ByType
			if format.Names() == other {
				other = export.ByEmotion
			}
			args := []string{filepath.Join(root, "scripts/check_export.py"), format.Name}
			want := 0
			for _, in := range []struct {
				records string
				flags   []string
			}{{exportRecords, nil}, {tagged, nil}, {further, []string{"--taxonomy", taxonomy}}} {
				args = append(args, string(format.Names()), in.records, runExport(t, in.records, format.Name, in.flags...))
				want++
				if format.TakesNames() {
					args = append(args, string(other), in.records, runExport(t, in.records, format.Name, append(in.flags, "--names", string(other))...))
					want++
				}
			}
			output, code := python(t, args...)
			same := regexp.MustCompile(`(?m)^` + format.Name + `: [1-9][0-9]* records compared, 0 differences$`)
			if found := len(same.FindAllString(output, -1)); found != want || code != 0 {
				t.Errorf("%d of %d exports are as the records, exit code %d\n%s", found, want, code, output)
			}
		})
	}
}

// furtherExport are the awkward records under a taxonomy that has one span type and two attributes more.
func furtherExport(t *testing.T) (records, taxonomy string) {
	t.Helper()
	lines, err := os.ReadFile(exportRecords)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	attrs := regexp.MustCompile(`"target_relation":"[a-z]+"`).ReplaceAllStringFunc(string(lines), func(last string) string {
		n++
		return last + []string{`,"politeness":"plain","said_how":"aloud"`, `,"politeness":"rude","said_how":"in silence"`}[n%2]
	})
	if n < 4 {
		t.Fatalf("%d spans", n)
	}
	changed := strings.NewReplacer(`["EMO"]`, `["EMO", "CUE"]`, `"attributes": [`, `"attributes": [`+
		`{"name": "politeness", "default": "plain", "values": [{"name": "plain"}, {"name": "rude"}]},`+
		`{"name": "said_how", "values": [{"name": "aloud"}, {"name": "in silence"}]},`).Replace(string(dataset.TaxonomyJSON()))
	taxonomy = filepath.Join(t.TempDir(), "taxonomy.json")
	if err := os.WriteFile(taxonomy, []byte(changed), 0o666); err != nil {
		t.Fatal(err)
	}
	return writeLines(t, strings.TrimSuffix(attrs, "\n")), taxonomy
}

// TestExportFlagsReaders reads what flags change with the same readers.
func TestExportFlagsReaders(t *testing.T) {
	long(t)
	for _, tt := range []struct {
		format, checker string
		flags           []string
	}{
		{export.CoNLL, "conll-bioes", []string{"--scheme", "bioes"}},
		{export.CSV, "csv", []string{"--bom"}},
		{export.CSVSpans, "csv-spans", []string{"--bom"}},
		{export.HuggingFace, "hf", []string{"--split", "train=0.5,dev=0.5", "--language", "en,pt-BR"}},
	} {
		format, _ := export.Lookup(tt.format)
		out := runExport(t, exportRecords, tt.format, tt.flags...)
		output, code := python(t, filepath.Join(root, "scripts/check_export.py"), tt.checker, string(format.Names()), exportRecords, out)
		if code != 0 || !strings.Contains(output, tt.checker+": 12 records compared, 0 differences") {
			t.Errorf("%s %q: exit code %d\n%s", tt.format, tt.flags, code, output)
		}
	}
}

// TestExportCheckerSees spoils exports: a checker that finds nothing would prove nothing.
func TestExportCheckerSees(t *testing.T) {
	long(t)
	for _, tt := range []struct{ format, old, new string }{
		{export.CoNLL, "again\tI-EMO", "again\tB-EMO"},
		{export.CSV, "hahaha", "hahaha "},
		{export.CSVSpans, ",15,27,", ",15,28,"},
		{export.Brat, "T1\tAnnoyance 15 27", "T1\tAnnoyance 14 27"},
		{export.Doccano, `[43,45,"Amusement"]`, `[36,37,"Amusement"]`}, // in code points
		{export.LabelStudio, `"start":15,`, `"start":14,`},
		{export.Doccano, `[15,27,"Annoyance"]`, `[15,28,"Annoyance"]`},
		{export.Prodigy, `"token_end":4`, `"token_end":5`},
		{export.Argilla, `"score":[0.82]`, `"score":[0.28]`},
		{export.GLiNER, `[3,4,"Annoyance"]`, `[3,5,"Annoyance"]`},
		{export.Doccano, `"label":`, `"labels":`},
		{export.Prodigy, `"ws":true`, `"ws":1`},
	} {
		format, _ := export.Lookup(tt.format)
		out := runExport(t, exportRecords, tt.format)
		file := out
		if tt.format == export.Brat {
			file = filepath.Join(out, "000/000000.ann")
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		spoilt := strings.Replace(string(data), tt.old, tt.new, 1)
		if spoilt == string(data) {
			t.Errorf("%s holds no %s", tt.format, tt.old)
			continue
		}
		if err := os.WriteFile(file, []byte(spoilt), 0o666); err != nil {
			t.Fatal(err)
		}
		if output, code := python(t, filepath.Join(root, "scripts/check_export.py"), tt.format, string(format.Names()), exportRecords, out); code == 0 {
			t.Errorf("%s with %s for %s passes: %s", tt.format, tt.new, tt.old, output)
		}
	}
}

// TestSpacySymbols holds the table of package export against spaCy's own.
func TestSpacySymbols(t *testing.T) {
	long(t)
	output, code := python(t, "-c", `
import sys
from spacy.symbols import IDS
for name, number in sorted(IDS.items(), key=lambda item: item[1]):
    if name:
        print(number, name)
`)
	if want := string(files(t)["export/spacysymbols.txt"]); code != 0 || output != want {
		t.Errorf("exit code %d; spaCy's symbols are\n%s", code, output)
	}
}

// TestSpacyConvert has spaCy's own converter read the CoNLL file.
func TestSpacyConvert(t *testing.T) {
	long(t)
	conll := runExport(t, exportRecords, export.CoNLL)
	named := conll + ".conll"
	if err := os.Rename(conll, named); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if output, code := python(t, "-m", "spacy", "convert", named, dir, "-c", "conll", "-n", "1"); code != 0 {
		t.Fatalf("exit code %d\n%s", code, output)
	}
	output, code := python(t, "-c", `
import json, sys, spacy
from spacy.tokens import DocBin
docs = list(DocBin().from_disk(sys.argv[1]).get_docs(spacy.blank("xx").vocab))
records = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8", newline="\n")]
assert len(docs) == len(records), (len(docs), len(records))
for doc, record in zip(docs, records):
    spans = [(e.start, e.end - 1, e.label_) for e in doc.ents]
    assert spans == [(s["start"], s["end"], s["type"]) for s in record["data"]["spans"]], (spans, record)
`, filepath.Join(dir, "out.spacy"), exportRecords)
	if code != 0 {
		t.Errorf("exit code %d\n%s", code, output)
	}
}
