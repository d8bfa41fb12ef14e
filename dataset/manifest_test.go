package dataset

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

func sampleManifest() *Manifest {
	start := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	return &Manifest{
		Emospan: "v1.2.3", LlamaCPP: "b1234", Model: "tiny", Decode: "compact", Confidence: "self", Calibration: &Calibration{Name: "tiny", SHA256: "ab", Texts: "b.txt"}, TopP: 1, Seed: 42,
		Input: []string{"a.txt", "b.txt"}, Texts: 20, TextsSHA256: "cd", Shard: "1/2", Output: "out.jsonl", Flags: map[string]string{"limit": "10", "decode": "compact"},
		Parallel: 8, Threads: 2, Sizes: "cache=one", Started: start, Finished: start.Add(90 * time.Second),
		Records: 10, Accepted: 9, Rejected: 1, Seconds: 90, RecordsPerSecond: 0.1, MaskMicrosP50: 1.5,
		Spans: 7, Emotions: map[string]int{"joy": 6, "anger": 3}, RejectCodes: map[string]int{"span.text": 1},
		Synced: 10,
		Parts: []Part{{Emospan: "v1.2.2", LlamaCPP: "b1234", Parallel: 8, Threads: 2, Started: start, Seconds: 60, Records: 6, PromptTokens: 90},
			{Emospan: "v1.2.3", LlamaCPP: "b1234", Parallel: 8, Threads: 2, Started: start.Add(time.Hour), Seconds: 30, Records: 4, PromptTokens: 60}},
		Retries: []Retry{{Model: "tiny", Decode: "compact", Temperature: 0.7, TopP: 1, Seed: 43, Flags: map[string]string{}, Started: start.Add(time.Hour),
			Seconds: 9, Records: 2, Accepted: 1, Rejected: 1}},
		Shards: []ShardRun{{Shard: "0/1", BinarySHA256: "ef", Threads: 2, Started: start, Finished: start.Add(time.Minute), Records: 10, Accepted: 9, Rejected: 1, Seconds: 60}},
	}
}

func TestManifest(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.manifest.json")
	want := sampleManifest()
	for range 2 { // the second time it replaces the first
		if err := want.WriteFile(path); err != nil {
			t.Fatal(err)
		}
	}
	got, err := ReadManifest(path)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%d files left", len(entries))
	}
	data, _ := os.ReadFile(path)
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	for _, name := range strings.Fields(`records accepted rejected seconds records_per_second prompt_tokens forced_tokens
		sampled_tokens tokens_per_second mask_us_p50 mask_us_p99 parallel threads sizes device cpu_variant model model_sha256 llama_cpp
		emospan prompt prompt_sha256 grammar_sha256 taxonomy_sha256 binary_sha256 decode confidence calibration temperature top_p seed input output
		started finished flags reject_codes emotions spans interrupted synced parts retries
		texts texts_sha256 shard shards`) {
		if _, ok := fields[name]; !ok {
			t.Errorf("no field %s", name)
		}
		delete(fields, name)
	}
	if len(fields) > 0 {
		t.Errorf("other fields: %v", fields)
	}
	if !strings.Contains(string(data), `"started": "2025-03-01T12:00:00Z"`) {
		t.Errorf("%s", data)
	}
}

func TestManifestErrors(t *testing.T) {
	dir := t.TempDir()
	if err := sampleManifest().WriteFile(filepath.Join(dir, "no", "m.json")); err == nil {
		t.Error("written into a missing folder")
	}
	target := filepath.Join(dir, "folder")
	if err := os.Mkdir(target, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := sampleManifest().WriteFile(target); err == nil {
		t.Error("written over a folder")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("a temporary file is left: %v", entries)
	}
	path := filepath.Join(dir, "m.json")
	for content, want := range map[string]string{
		"": "m.json", `{"records":1,"colour":2}`: "colour", `{"records":"1"}`: "records", `{"records":1,"records":2}`: "records",
		strings.Repeat(" ", maxManifest+1): "limit",
	} {
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadManifest(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %v, want %q", content, err, want)
		}
	}
}
