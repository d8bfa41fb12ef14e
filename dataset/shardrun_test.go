package dataset

import (
	"reflect"
	"testing"
)

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
