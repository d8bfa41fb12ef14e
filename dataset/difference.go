package dataset

import (
	"fmt"
	"strings"
)

// Difference is something that two runs must have in common for their records
// to belong to one dataset, and have not.
type Difference struct{ What, Mine, Other string }

// String says what differs.
func (d Difference) String() string {
	return fmt.Sprintf("%s: %s and %s", d.What, d.Mine, d.Other)
}

// ownFlags are the flags of tag that records follow from and that no other
// field of a manifest tells, with their defaults.
var ownFlags = []struct{ name, usual string }{{"split", "none"}, {"labels-field", ""}, {"deterministic", "false"}}

// usualCache is the format of the cache where a list of sizes names none.
const usualCache = "f16"

// Differences compares what a run's records follow from with that of another:
// model, prompt, taxonomy, form and grammar, calibration, sampling, and the
// flags that change a record. Versions, machines, threads and sizes but for
// the cache's format may differ. It is nil where nothing does.
func (m *Manifest) Differences(other *Manifest) []Difference {
	var list []Difference
	differ := func(what string, mine, others any) {
		if mine != others {
			list = append(list, Difference{what, fmt.Sprint(mine), fmt.Sprint(others)})
		}
	}
	named := func(what, mine, hash, others, otherHash string) {
		if mine == others && hash != otherHash {
			mine, others = withHash(mine, hash), withHash(others, otherHash)
		}
		differ(what, mine, others)
	}
	named("model", m.Model, m.ModelSHA256, other.Model, other.ModelSHA256)
	named("prompt", m.Prompt, m.PromptSHA256, other.Prompt, other.PromptSHA256)
	named("taxonomy", "", m.TaxonomySHA256, "", other.TaxonomySHA256)
	differ("--decode", m.Decode, other.Decode)
	if m.Decode == other.Decode && m.PromptSHA256 == other.PromptSHA256 && m.TaxonomySHA256 == other.TaxonomySHA256 {
		named("grammar", m.Decode, m.GrammarSHA256, other.Decode, other.GrammarSHA256) // otherwise it follows from these
	}
	a, b := m.calibration(), other.calibration()
	named("calibration", a.Name, a.SHA256, b.Name, b.SHA256)
	differ("--confidence", m.Confidence, other.Confidence)
	differ("--temperature", m.Temperature, other.Temperature)
	differ("--top-p", m.TopP, other.TopP)
	differ("--seed", m.Seed, other.Seed)
	for _, f := range ownFlags {
		differ("--"+f.name, m.flag(f.name, f.usual), other.flag(f.name, f.usual))
	}
	differ("--sizes kv=", m.cacheFormat(), other.cacheFormat())
	return list
}

// ShardDifference returns the first thing that two shards of one run must have
// in common, and have not: a version of the program or of llama.cpp, one of
// Differences, or the texts of the whole input. It is nil where there is none.
func (m *Manifest) ShardDifference(other *Manifest) *Difference {
	switch {
	case m.Emospan != other.Emospan:
		return &Difference{"emospan's version", m.Emospan, other.Emospan}
	case m.LlamaCPP != other.LlamaCPP:
		return &Difference{"llama.cpp's revision", m.LlamaCPP, other.LlamaCPP}
	}
	if list := m.Differences(other); list != nil {
		return &list[0]
	}
	switch {
	case m.Texts != other.Texts:
		return &Difference{"the number of texts in the whole input", fmt.Sprint(m.Texts), fmt.Sprint(other.Texts)}
	case m.TextsSHA256 != other.TextsSHA256:
		return &Difference{"the texts", withHash("", m.TextsSHA256), withHash("", other.TextsSHA256)}
	}
	return nil
}

func (m *Manifest) calibration() Calibration {
	if m.Calibration == nil {
		return Calibration{Name: "none"}
	}
	return *m.Calibration
}

func (m *Manifest) flag(name, usual string) string {
	if value, ok := m.Flags[name]; ok {
		return value
	}
	return usual
}

// cacheFormat is the one among the sizes that changes what is computed.
func (m *Manifest) cacheFormat() string {
	for item := range strings.SplitSeq(m.Sizes, ",") {
		if format, ok := strings.CutPrefix(item, "kv="); ok {
			return format
		}
	}
	return usualCache
}

// withHash tells a content from another of the same name by its hash's beginning.
func withHash(name, hash string) string {
	if len(hash) > 12 {
		hash = hash[:12] + "…"
	}
	return strings.TrimPrefix(fmt.Sprintf("%s with SHA-256 %s", name, hash), " with ")
}
