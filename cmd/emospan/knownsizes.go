package main

import (
	"strconv"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
)

// A sizesFile is what `bench` found to be fastest for a model on this machine, in one form, where so many threads may be used.
type sizesFile struct {
	machine
	ModelSHA256 string        `json:"model_sha256"`
	Decode      tagger.Decode `json:"decode"`
	MostThreads int           `json:"most_threads"`
	GPU         string        `json:"gpu,omitempty"`
	Sizes       engineSizes   `json:"sizes"`
	Rate        float64       `json:"records_per_second"`
}

func (f sizesFile) file() string {
	of := []string{f.ModelSHA256, string(f.Decode), strconv.Itoa(f.MostThreads)}
	if f.GPU != "" {
		of = append(of, f.GPU)
	}
	return f.machine.file("sizes", of...)
}

// keepSizes notes the fastest of the runs of a report's first form, where it compares some.
func keepSizes(r *benchReport) error {
	best := sizesFile{ModelSHA256: r.ModelSHA256, MostThreads: r.Threads}
	if r.GPULayers > 0 {
		best.GPU = r.Device
	}
	compared := 0
	for _, run := range append(r.Runs[:len(r.Runs):len(r.Runs)], r.Tuning...) {
		if run.Decode != r.Runs[0].Decode {
			continue
		}
		if compared++; run.RecordsPerSecond > best.Rate {
			best.Decode, best.Sizes, best.Rate = tagger.Decode(run.Decode), run.sizes, run.RecordsPerSecond
		}
	}
	if compared < 2 || best.Rate == 0 {
		return nil
	}
	var err error
	if best.machine, err = thisMachine(); err != nil {
		return err
	}
	return remember(best.file(), best)
}

// knownSizes are what keepSizes kept; ok is false where nothing was measured, or the model's hash is not known.
func knownSizes(m models.Model, gpu *llama.GPUInfo, decode tagger.Decode, threads int) (s engineSizes, ok bool) {
	here, err := thisMachine()
	if err != nil || m.SHA256 == "" {
		return s, false
	}
	want := sizesFile{machine: here, ModelSHA256: m.SHA256, Decode: decode, MostThreads: threads}
	if gpu != nil {
		want.GPU = gpuName(gpu)
	}
	var got sizesFile
	if !recall(want.file(), &got) {
		return s, false
	}
	s = got.Sizes
	if !s.valid() || s.Threads > threads {
		return s, false
	}
	want.Sizes, want.Rate = s, got.Rate
	return s, got == want
}
