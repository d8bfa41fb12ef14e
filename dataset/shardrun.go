package dataset

import (
	"fmt"
	"maps"
	"strings"
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

// Difference is something that two runs must have in common for their records
// to belong to one dataset, and have not.
type Difference struct{ What, Mine, Other string }

// Difference compares what a run's records follow from with that of another:
// the program's and llama.cpp's version, model, prompt, grammar, taxonomy,
// sampling and the texts of the whole input. It returns the first difference,
// nil where there is none. Machines, threads and sizes may differ.
func (m *Manifest) Difference(other *Manifest) *Difference {
	mine, others := m.identity(), other.identity()
	for i := range mine {
		if mine[i].value != others[i].value {
			return &Difference{mine[i].what, mine[i].value, others[i].value}
		}
	}
	return nil
}

type identityField struct{ what, value string }

func (m *Manifest) identity() []identityField {
	calibration := "none"
	if c := m.Calibration; c != nil {
		calibration = c.SHA256
	}
	flag := func(name, usual string) string {
		if value, ok := m.Flags[name]; ok {
			return value
		}
		return usual
	}
	return []identityField{
		{"emospan's version", m.Emospan}, {"llama.cpp's revision", m.LlamaCPP},
		{"the model's name", m.Model}, {"the model's SHA-256", m.ModelSHA256},
		{"the prompt", m.Prompt}, {"the prompt's SHA-256", m.PromptSHA256},
		{"the grammar's SHA-256", m.GrammarSHA256}, {"the taxonomy's SHA-256", m.TaxonomySHA256},
		{"--decode", m.Decode}, {"--confidence", m.Confidence}, {"the calibration", calibration},
		{"--temperature", fmt.Sprint(m.Temperature)}, {"--top-p", fmt.Sprint(m.TopP)}, {"--seed", fmt.Sprint(m.Seed)},
		{"--deterministic", flag("deterministic", "false")}, {"--split", flag("split", "none")},
		{"the number of texts in the whole input", fmt.Sprint(m.Texts)}, {"the texts' SHA-256", m.TextsSHA256},
	}
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

// String says what differs.
func (d *Difference) String() string {
	brief := func(s string) string { // a hash is told from another by its beginning
		if len(s) == 64 && strings.Trim(s, "0123456789abcdef") == "" {
			return s[:12] + "…"
		}
		return s
	}
	return fmt.Sprintf("%s: %s and %s", d.What, brief(d.Mine), brief(d.Other))
}
