package dataset

import (
	"reflect"
	"strings"
	"testing"
)

// TestDifference changes each field that Difference names, and each that it does not.
func TestDifference(t *testing.T) {
	whole := func() *Manifest {
		return &Manifest{Model: "m", TextsSHA256: strings.Repeat("a", 64), Flags: map[string]string{}}
	}
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
		default:
			if !free[name] {
				t.Errorf("%s is not tried", name)
			}
			continue
		}
		if d := whole().Difference(other); (d == nil) != free[name] {
			t.Errorf("%s: %v", name, d)
		}
	}
	other := whole()
	other.TextsSHA256 = strings.Repeat("b", 64)
	if d := whole().Difference(other); d.String() != "the texts' SHA-256: aaaaaaaaaaaa… and bbbbbbbbbbbb…" {
		t.Error(d)
	}
	other = whole()
	other.Calibration = &Calibration{SHA256: "x"}
	if d := whole().Difference(other); d == nil || d.String() != "the calibration: none and x" {
		t.Error(d)
	}
	other = whole()
	other.Flags = map[string]string{"split": "sentence", "threads": "2"}
	if d := whole().Difference(other); d == nil || d.String() != "--split: none and sentence" {
		t.Error(d)
	}
	other.Flags = map[string]string{"split": "none", "deterministic": "false", "threads": "2"}
	if d := whole().Difference(other); d != nil {
		t.Error(d)
	}
}

func TestMergeShards(t *testing.T) {
	a := &Manifest{Shard: "0/2", Threads: 2, Device: "cpu", Records: 3, Accepted: 2, Rejected: 1, Seconds: 2, PromptTokens: 10, SampledTokens: 4, MaskMicrosP99: 5, Synced: 3, Parts: []Part{{Records: 1}, {Records: 2}},
		Spans: 2, Emotions: map[string]int{"joy": 2}, RejectCodes: map[string]int{"x": 1}, Flags: map[string]string{"shard": "0/2", "out": "a", "seed": "1"}}
	b := &Manifest{Shard: "1/2", Threads: 4, Device: "cpu", Records: 1, Accepted: 1, Seconds: 2, PromptTokens: 2, MaskMicrosP99: 7, Synced: 1, Parts: []Part{{Records: 1}},
		Emotions: map[string]int{"joy": 1, "fear": 1}, Retries: []Retry{{Records: 1}}, Flags: map[string]string{"shard": "1/2"}}
	got := MergeShards([]*Manifest{a, b})
	want := &Manifest{Device: "cpu", Records: 4, Accepted: 3, Rejected: 1, Seconds: 4, RecordsPerSecond: 1, TokensPerSecond: 4, PromptTokens: 12, SampledTokens: 4,
		MaskMicrosP99: 7, Synced: 4, Parts: []Part{{Records: 1}, {Records: 2}, {Records: 1}}, Spans: 2, Emotions: map[string]int{"joy": 3, "fear": 1}, RejectCodes: map[string]int{"x": 1}, Flags: map[string]string{"seed": "1"}, Retries: []Retry{{Records: 1}},
		Shards: []ShardRun{{Shard: "0/2", Threads: 2, Device: "cpu", Records: 3, Accepted: 2, Rejected: 1, Seconds: 2}, {Shard: "1/2", Threads: 4, Device: "cpu", Records: 1, Accepted: 1, Seconds: 2}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
	if a.Shard != "0/2" || a.Flags["shard"] != "0/2" || len(a.Emotions) != 1 {
		t.Errorf("a shard's manifest was changed: %+v", a)
	}
}
