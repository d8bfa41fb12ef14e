package export

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/emospan/emospan/dataset"
	"github.com/parquet-go/parquet-go"
)

// hub writes a folder of records.
func hub(t *testing.T, path string, o Options, card CardOptions, records []*dataset.Record, left int) *Hub {
	t.Helper()
	o.Taxonomy = cmp.Or(o.Taxonomy, dataset.Default())
	h, err := CreateHub(path, true, o, card)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if err := h.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Commit(left); err != nil {
		t.Fatal(err)
	}
	return h
}

// manifest is the account of a run that made the records.
func manifest(records []*dataset.Record) *dataset.Manifest {
	m := &dataset.Manifest{
		Emospan: "0.1.0", LlamaCPP: "abc", Model: records[0].Model, ModelSHA256: "11", Prompt: records[0].Prompt, PromptSHA256: "22",
		GrammarSHA256: "33", TaxonomySHA256: dataset.Default().SHA256(), Decode: "compact", TopP: 1, Seed: 7, Emotions: map[string]int{},
		Started: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC), Finished: time.Date(2026, 3, 1, 10, 5, 0, 0, time.UTC),
		Records: len(records) + 3, Accepted: len(records), Rejected: 3, RejectCodes: map[string]int{"answer.limit": 2, "span.text": 1},
	}
	for _, r := range records {
		m.Spans += len(r.Data.Spans)
		for _, p := range r.Predictions {
			m.Emotions[p]++
		}
	}
	return m
}

// oneRun are those of the samples that one run could have made.
func oneRun(t *testing.T) []*dataset.Record {
	return slices.DeleteFunc(samples(t), func(r *dataset.Record) bool { return r.Model != "tiny" || r.Prompt != "level_2" })
}

func TestHub(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tiny-emotions")
	records := oneRun(t)
	h := hub(t, path, Options{}, CardOptions{License: "cc-by-4.0", Manifest: manifest(records)}, records, 0)
	if h.Notes() != nil {
		t.Errorf("notes %q", h.Notes())
	}
	golden(t, "with-manifest.md", sizesOut(t, filepath.Join(path, hubCard)))
	var want []byte
	for _, r := range records {
		want, _ = r.AppendJSON(want)
		want = append(want, '\n')
	}
	if got := content(t, filepath.Join(path, hubLines)); got != string(want) {
		t.Errorf("records.jsonl: %s", got)
	}
	rows, err := parquet.ReadFile[parquetTokens](filepath.Join(path, hubTable("tokens", "train")))
	if err != nil || len(rows) != len(records) {
		t.Fatalf("%d rows of tokens, %v", len(rows), err)
	}
	tags := []string{"O", "B-EMO", "I-EMO"}
	for i, r := range records {
		var labels []string
		for _, tag := range rows[i].Tags {
			labels = append(labels, tags[tag])
		}
		if rows[i].ID != r.SrcID || !slices.Equal(rows[i].Tokens, r.Data.Tokens) || !slices.Equal(labels, r.Data.Labels) {
			t.Errorf("%s: %+v", r.SrcID, rows[i])
		}
	}
	whole, err := parquet.ReadFile[parquetRecord[parquetAttrs]](filepath.Join(path, hubTable("data", "train")))
	if err != nil || len(whole) != len(records) {
		t.Errorf("%d rows of records, %v", len(whole), err)
	}
}

// sizesOut reads a README but for the Parquet files' sizes, which are the library's.
func sizesOut(t *testing.T, path string) []byte {
	t.Helper()
	lines := strings.Split(content(t, path), "\n")
	for i, line := range lines {
		if name, _, ok := strings.Cut(line, "download_size: "); ok {
			lines[i] = name + "download_size: N"
		}
	}
	return []byte(strings.Join(lines, "\n"))
}

func TestHubWithoutManifest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mixed")
	hub(t, path, Options{Names: ByEmotion}, CardOptions{}, samples(t), 2)
	golden(t, "without-manifest.md", sizesOut(t, filepath.Join(path, hubCard)))
}

// TestStrayManifest has manifests of other files: nothing in them may get into the README.
func TestStrayManifest(t *testing.T) {
	records := oneRun(t)
	for name, change := range map[string]func(*dataset.Manifest){
		"accepted": func(m *dataset.Manifest) { m.Accepted++ },
		"model":    func(m *dataset.Manifest) { m.Model = "large" },
		"prompt":   func(m *dataset.Manifest) { m.Prompt = "simple" },
		"spans":    func(m *dataset.Manifest) { m.Spans-- },
		"emotions": func(m *dataset.Manifest) { m.Emotions["joy"]-- },
	} {
		m := manifest(records)
		change(m)
		path := filepath.Join(t.TempDir(), "x")
		h := hub(t, path, Options{}, CardOptions{Manifest: m}, records, 0)
		card := content(t, filepath.Join(path, hubCard))
		if len(h.Notes()) != 1 || strings.Contains(card, "rejected |") || !strings.Contains(card, "the manifest beside the source file counts other records") {
			t.Errorf("%s: notes %q\n%s", name, h.Notes(), card)
		}
	}
	// Lines left out were accepted by the run; what they held is not known.
	m := manifest(records)
	m.Accepted, m.Records, m.Spans = m.Accepted+2, m.Records+2, m.Spans+5
	path := filepath.Join(t.TempDir(), "x")
	if h := hub(t, path, Options{}, CardOptions{Manifest: m}, records, 2); h.Notes() != nil || !strings.Contains(content(t, filepath.Join(path, hubCard)), "| rejected | 3 (") {
		t.Errorf("notes %q", h.Notes())
	}
}

func TestHubPlace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "set")
	records := samples(t)[:2]
	hub(t, path, Options{}, CardOptions{}, records, 0)
	opts := Options{Taxonomy: dataset.Default()}
	if _, err := CreateHub(path, false, opts, CardOptions{}); !errors.Is(err, dataset.ErrExists) {
		t.Errorf("an old folder: %v", err)
	}
	hub(t, path, Options{}, CardOptions{}, samples(t), 0) // with force
	if n := bytes.Count([]byte(content(t, filepath.Join(path, hubLines))), []byte("\n")); n != len(samples(t)) {
		t.Errorf("%d records after replacing", n)
	}
	h, err := CreateHub(path, true, opts, CardOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Discard(); err != nil {
		t.Error(err)
	}

	// What an export has not written is not removed for one.
	if err := os.WriteFile(filepath.Join(path, "data", "mine.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := CreateHub(path, true, opts, CardOptions{}); err == nil || !strings.Contains(err.Error(), "mine.txt") {
		t.Errorf("a folder with another file: %v", err)
	}
	if _, err := CreateHub(filepath.Join(path, hubCard), true, opts, CardOptions{}); err == nil {
		t.Error("a file")
	}
	if _, err := CreateHub(filepath.Join(dir, "no", "set"), true, opts, CardOptions{}); err == nil {
		t.Error("in a folder that is not there")
	}
	if got := names(t, dir); !slices.Equal(got, []string{"set"}) {
		t.Errorf("left behind: %q", got)
	}

	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o777); err != nil {
		t.Fatal(err)
	}
	if h, err = CreateHub(empty, false, opts, CardOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := h.Commit(0); err != nil || len(names(t, empty)) != 5 {
		t.Errorf("in an empty folder: %v, %q", err, names(t, empty))
	}
}

func TestSizeCategory(t *testing.T) {
	for n, want := range map[int]string{0: "n<1K", 999: "n<1K", 1000: "1K<n<10K", 100_000: "100K<n<1M", 1_000_000: "1M<n<10M", 2_000_000_000: "1B<n<10B"} {
		if got := (&card{tally: &tally{records: n}}).SizeCategory(); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestCodeSpan(t *testing.T) {
	if got, want := codeSpan("a`b|c\nd"), "`a\ufffdb\ufffdc\ufffdd`"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
