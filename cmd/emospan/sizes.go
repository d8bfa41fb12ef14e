package main

import (
	"strconv"

	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
)

// bestSizes are those of the forms of answers where nothing has been measured: the fastest on two cores (DESIGN.md).
var bestSizes = map[tagger.Decode]engineSizes{tagger.Compact: {16, false}, tagger.Aligned: {1, false}, tagger.Schema: {16, true}}

// sizesFor are the sizes in which so many records are decoded at a time. The forms in which every token is chosen, and which
// are long, have caches of their own.
func sizesFor(decode tagger.Decode, parallel int) engineSizes {
	return engineSizes{parallel, parallel > 1 && bestSizes[decode].split}
}

// A sizesFile is what `bench` found to be fastest for a model on this machine, in one form and with so many threads.
type sizesFile struct {
	machine
	ModelSHA256 string  `json:"model_sha256"`
	Decode      string  `json:"decode"`
	Threads     int     `json:"threads"`
	Parallel    int     `json:"parallel"`
	Rate        float64 `json:"records_per_second"`
}

func (f sizesFile) file() string {
	return f.machine.file("sizes", f.ModelSHA256, f.Decode, strconv.Itoa(f.Threads))
}

// keepSizes notes the fastest of a report's runs of its first form, where it compares some.
func keepSizes(r *benchReport) error {
	best := sizesFile{ModelSHA256: r.ModelSHA256, Threads: r.Threads}
	compared := 0
	for _, run := range r.Runs {
		if run.Decode != r.Runs[0].Decode {
			continue
		}
		if compared++; run.RecordsPerSecond > best.Rate {
			best.Decode, best.Parallel, best.Rate = run.Decode, run.Parallel, run.RecordsPerSecond
		}
	}
	if compared < 2 || best.Parallel == 0 {
		return nil
	}
	var err error
	if best.machine, err = thisMachine(); err != nil {
		return err
	}
	return remember(best.file(), best)
}

// knownParallel is what keepSizes kept; ok is false where nothing was measured, or the model's hash is not known.
func knownParallel(m models.Model, decode string, threads int) (parallel int, ok bool) {
	here, err := thisMachine()
	if err != nil || m.SHA256 == "" {
		return 0, false
	}
	want := sizesFile{machine: here, ModelSHA256: m.SHA256, Decode: decode, Threads: threads}
	var got sizesFile
	if !recall(want.file(), &got) || got.Parallel < 1 || got.Parallel > maxParallel {
		return 0, false
	}
	want.Parallel, want.Rate = got.Parallel, got.Rate
	return got.Parallel, got == want
}

// chooseParallel is how many records to decode at a time where nobody said so, and why: what was measured or else
// is in bestParallel, but no more than the memory that is available allows, and one at least.
func chooseParallel(m models.Model, decode string, threads int) (parallel int, why string, err error) {
	g, err := openGGUF(m.Path)
	if err != nil {
		return 0, "", err
	}
	defer g.Close()
	parallel, why = bestSizes[tagger.Decode(decode)].parallel, "not measured here: emospan bench --parallel 1,8,16,24 would"
	if n, ok := knownParallel(m, decode, threads); ok {
		parallel, why = n, "the fastest that emospan bench measured here"
	}
	if n := fitting(g, sizesFor(tagger.Decode(decode), parallel), availableMemory()); n < parallel {
		parallel, why = n, "as many as the memory allows"
	}
	return parallel, why, nil
}

// fitting is how many records at a time, as many as sizes has at most and one at least, fit the bytes available.
func fitting(g *models.GGUF, sizes engineSizes, available int64) int {
	for sizes.parallel > 1 && estimateMemory(g, contextOptions(g.ContextLength(), 1, sizes)).Total > available {
		sizes.parallel--
		sizes.split = sizes.split && sizes.parallel > 1
	}
	return sizes.parallel
}
