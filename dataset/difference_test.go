package dataset

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestDifferences changes each thing that a record follows from: it is named. What else a manifest says may be another.
func TestDifferences(t *testing.T) {
	made := func() *Manifest {
		return &Manifest{
			Model: "m", ModelSHA256: strings.Repeat("1a", 32), Prompt: "p", PromptSHA256: "2", GrammarSHA256: "3", TaxonomySHA256: "4", Decode: "compact", Confidence: "self",
			Calibration: &Calibration{Name: "c", SHA256: "5"}, Temperature: 0.5, TopP: 0.9, Seed: 3, Flags: map[string]string{"split": "none"}, Sizes: "cache=one,kv=f16",
		}
	}
	for want, change := range map[string]func(m *Manifest){
		"[model: m and n]": func(m *Manifest) { m.Model = "n" },
		"[model: m with SHA-256 1a1a1a1a1a1a… and m with SHA-256 1b]": func(m *Manifest) { m.ModelSHA256 = "1b" },
		"[prompt: p and q]": func(m *Manifest) { m.Prompt, m.PromptSHA256 = "q", "9" },
		"[prompt: p with SHA-256 2 and p with SHA-256 9]":              func(m *Manifest) { m.PromptSHA256 = "9" },
		"[taxonomy: SHA-256 4 and SHA-256 9]":                          func(m *Manifest) { m.TaxonomySHA256, m.GrammarSHA256 = "9", "9" },
		"[grammar: compact with SHA-256 3 and compact with SHA-256 9]": func(m *Manifest) { m.GrammarSHA256 = "9" },
		"[--decode: compact and schema]":                               func(m *Manifest) { m.Decode, m.GrammarSHA256 = "schema", "9" },
		"[calibration: c and none]":                                    func(m *Manifest) { m.Calibration = nil },
		"[calibration: c with SHA-256 5 and c with SHA-256 9]":         func(m *Manifest) { m.Calibration.SHA256 = "9" },
		"[--confidence: self and model]":                               func(m *Manifest) { m.Confidence = "model" },
		"[--temperature: 0.5 and 0]":                                   func(m *Manifest) { m.Temperature = 0 },
		"[--top-p: 0.9 and 1]":                                         func(m *Manifest) { m.TopP = 1 },
		"[--seed: 3 and 4]":                                            func(m *Manifest) { m.Seed = 4 },
		"[--split: none and sentence]":                                 func(m *Manifest) { m.Flags["split"] = "sentence" },
		"[--labels-field:  and gold]":                                  func(m *Manifest) { m.Flags["labels-field"] = "gold" },
		"[--deterministic: false and true]":                            func(m *Manifest) { m.Flags["deterministic"] = "true" },
		"[--sizes kv=: f16 and f32]":                                   func(m *Manifest) { m.Sizes = "batch=3,kv=f32" },
		"[model: m and n --top-p: 0.9 and 0.1]":                        func(m *Manifest) { m.Model, m.TopP = "n", 0.1 },
		"[]":                                                           func(m *Manifest) { m.Flags, m.Sizes = map[string]string{"threads": "9", "limit": "9"}, "batch=9" },
	} {
		now := made()
		change(now)
		if got := fmt.Sprint(made().Differences(now)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestShardDifference changes each field of a manifest: it is a difference of two shards, or free to be another.
func TestShardDifference(t *testing.T) {
	whole := func() *Manifest { return &Manifest{Model: "m", TextsSHA256: strings.Repeat("a", 64)} }
	free := map[string]bool{ // of the machine or of this run alone
		"BinarySHA256": true, "Input": true, "Shard": true, "Output": true, "Flags": true, "Calibration": true, "Parallel": true, "Threads": true,
		"Sizes": true, "Device": true, "GPULayers": true, "CPUVariant": true, "Started": true, "Finished": true, "Interrupted": true, "Records": true, "Accepted": true,
		"Rejected": true, "Seconds": true, "RecordsPerSecond": true, "PromptTokens": true, "ForcedTokens": true, "SampledTokens": true,
		"TokensPerSecond": true, "MaskMicrosP50": true, "MaskMicrosP99": true, "Spans": true, "Emotions": true, "RejectCodes": true, "Retries": true, "Shards": true,
		"Parts": true, "Synced": true, "Sandbox": true,
	}
	for i := range reflect.TypeFor[Manifest]().NumField() {
		name := reflect.TypeFor[Manifest]().Field(i).Name
		other := whole()
		switch f := reflect.ValueOf(other).Elem().Field(i); f.Kind() {
		case reflect.String:
			f.SetString(strings.Repeat("b", 64))
		case reflect.Int, reflect.Int64:
			f.SetInt(7)
		case reflect.Float64:
			f.SetFloat(0.5)
		case reflect.Bool:
			f.SetBool(true)
		default: // TestDifferences tries Calibration and Flags
			if !free[name] {
				t.Errorf("%s is not tried", name)
			}
			continue
		}
		if d := whole().ShardDifference(other); (d == nil) != free[name] {
			t.Errorf("%s: %v", name, d)
		}
	}
	other := whole()
	other.TextsSHA256 = strings.Repeat("b", 64)
	if d := whole().ShardDifference(other); d.String() != "the texts: SHA-256 aaaaaaaaaaaa… and SHA-256 bbbbbbbbbbbb…" {
		t.Error(d)
	}
}
