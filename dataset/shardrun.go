package dataset

import (
	"maps"
	"time"
)

// ShardRun is the account of one shard of a merged output: what may differ from
// shard to shard, and what came of each.
type ShardRun struct {
	Shard        string `json:"shard"`
	BinarySHA256 string `json:"binary_sha256"`

	Parallel   int    `json:"parallel"`
	Threads    int    `json:"threads"`
	Sizes      string `json:"sizes"`
	Device     string `json:"device"`
	GPULayers  int    `json:"gpu_layers,omitzero"`
	CPUVariant string `json:"cpu_variant"`

	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`
	Records  int       `json:"records"`
	Accepted int       `json:"accepted"`
	Rejected int       `json:"rejected"`
	Seconds  float64   `json:"seconds"`
}

// MergeShards returns the manifest of the output that shards are merged into.
// Counts and seconds are sums, so that records_per_second is what a machine did
// on the average; the mask's quantiles are the largest of the shards'. Where a
// shard differs from the others in its machine, threads or executable the field
// is empty, and Shards has each. The manifests are those of one input, one at
// least, and are not changed.
func MergeShards(shards []*Manifest) *Manifest {
	total := *shards[0]
	total.Shard, total.Parts, total.Retries, total.Shards = "", nil, nil, nil
	total.Records, total.Accepted, total.Rejected, total.Spans, total.Synced = 0, 0, 0, 0, 0
	total.PromptTokens, total.ForcedTokens, total.SampledTokens, total.Seconds = 0, 0, 0, 0
	total.Emotions, total.RejectCodes = map[string]int{}, map[string]int{}
	total.Flags = maps.Clone(total.Flags)
	for _, own := range []string{"shard", "out", "rejects", "manifest", "sentences", "force", "resume"} {
		delete(total.Flags, own)
	}
	for _, m := range shards {
		total.Shards = append(total.Shards, ShardRun{
			Shard: m.Shard, BinarySHA256: m.BinarySHA256, Parallel: m.Parallel, Threads: m.Threads, Sizes: m.Sizes, Device: m.Device, GPULayers: m.GPULayers, CPUVariant: m.CPUVariant,
			Started: m.Started, Finished: m.Finished, Records: m.Records, Accepted: m.Accepted, Rejected: m.Rejected, Seconds: m.Seconds,
		})
		total.Parts = append(total.Parts, m.Parts...)
		total.Retries = append(total.Retries, m.Retries...)
		common(&total.BinarySHA256, m.BinarySHA256)
		common(&total.Parallel, m.Parallel)
		common(&total.Threads, m.Threads)
		common(&total.Sizes, m.Sizes)
		common(&total.Device, m.Device)
		common(&total.GPULayers, m.GPULayers)
		common(&total.CPUVariant, m.CPUVariant)
		if m.Started.Before(total.Started) {
			total.Started = m.Started
		}
		if m.Finished.After(total.Finished) {
			total.Finished = m.Finished
		}
		total.Records += m.Records
		total.Accepted += m.Accepted
		total.Rejected += m.Rejected
		total.Seconds += m.Seconds
		total.PromptTokens += m.PromptTokens
		total.ForcedTokens += m.ForcedTokens
		total.SampledTokens += m.SampledTokens
		total.MaskMicrosP50 = max(total.MaskMicrosP50, m.MaskMicrosP50)
		total.MaskMicrosP99 = max(total.MaskMicrosP99, m.MaskMicrosP99)
		total.Spans += m.Spans
		total.Synced += m.Synced
		for name, n := range m.Emotions {
			total.Emotions[name] += n
		}
		for code, n := range m.RejectCodes {
			total.RejectCodes[code] += n
		}
	}
	total.RecordsPerSecond, total.TokensPerSecond = 0, 0
	if total.Seconds > 0 {
		total.RecordsPerSecond = float64(total.Records) / total.Seconds
		total.TokensPerSecond = float64(total.PromptTokens+total.ForcedTokens+total.SampledTokens) / total.Seconds
	}
	return &total
}

// common empties a value that is not the same everywhere.
func common[T comparable](value *T, other T) {
	if *value != other {
		var none T
		*value = none
	}
}
