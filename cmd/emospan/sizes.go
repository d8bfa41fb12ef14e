package main

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
)

const (
	maxParallel = 255 // one of llama.cpp's 256 sequences is the prompt's
	maxThreads  = 512
	maxBatch    = 4096
)

var kvTypes = []llama.KVType{llama.KVF16, llama.KVF32, llama.KVQ8}

// mostThreads is how many threads to compute with, at most, where the flag says so many: 0 is what the control group's limit
// and the affinity mask leave.
func mostThreads(flag int) int {
	if flag > 0 {
		return flag
	}
	return runtime.GOMAXPROCS(0)
}

// engineSizes say how records are decoded side by side.
type engineSizes struct {
	Parallel int          `json:"parallel"`        // records at a time
	Split    bool         `json:"split_cache"`     // each with a cache of its own, and so with less room
	Batch    int          `json:"batch"`           // rows of one batch at most; buffers grow with it
	Flash    bool         `json:"flash_attention"` // on the CPU the slower one as soon as rows follow a long prefix (BenchmarkDecode in package llama)
	KV       llama.KVType `json:"kv_type"`
	Threads  int          `json:"threads"`

	reads   *tagger.Calibration // the states of whose layers are kept; nil for none
	gpu     *llama.GPUInfo      // to which as many layers go as fit it; nil for none
	gpuOnly bool                // none is an error
}

// sequences is how many the context has: those of records and the prompt's.
func (s engineSizes) sequences() int { return s.Parallel + 1 }

// defaultSizes are a form's where nothing has been measured: the fastest on two cores (DESIGN.md).
func defaultSizes(decode tagger.Decode, threads int) engineSizes {
	s := engineSizes{Parallel: 16, Batch: 256, KV: llama.KVF16, Threads: threads}
	switch decode {
	case tagger.Aligned: // its forced runs fill a batch by themselves
		s.Parallel = 1
	case tagger.Schema: // its answers are long: in one cache each would attend to all
		s.Split = true
	}
	return s
}

// oneRecord decodes one record at a time.
func oneRecord(threads int) engineSizes { return defaultSizes(tagger.Aligned, threads) }

// with changes the number of records; one has no use for several caches.
func (s engineSizes) with(parallel int) engineSizes {
	s.Parallel = parallel
	s.Split = s.Split && parallel > 1
	return s
}

// valid reports whether the sizes are some that a context can be made with, as those of a file may not be.
func (s engineSizes) valid() bool {
	return s.Parallel >= 1 && s.Parallel <= maxParallel && s.Batch >= 1 && s.Batch <= maxBatch && s.Threads >= 1 && s.Threads <= maxThreads &&
		slices.Contains(kvTypes, s.KV) && (s.KV != llama.KVQ8 || s.Flash)
}

func (s engineSizes) String() string {
	return fmt.Sprintf("%s at a time, %s, %s", plural(s.Parallel, "record"), plural(s.Threads, "thread"), s.list())
}

// list writes the sizes as --sizes takes them.
func (s engineSizes) list() string {
	cache, flash := "one", "off"
	if s.Split {
		cache = "each"
	}
	if s.Flash {
		flash = "on"
	}
	return fmt.Sprintf("cache=%s,batch=%d,flash=%s,kv=%s", cache, s.Batch, flash, s.KV)
}

// override sets what --sizes names.
func (s engineSizes) override(list string) (engineSizes, error) {
	wrong := func(item string) (engineSizes, error) {
		return s, usageError("--sizes %q: it takes cache=one or each, batch=ROWS (1 to %d), flash=on or off, kv=f16, f32 or q8_0, with commas between", item, maxBatch)
	}
	for _, item := range strings.Split(list, ",") {
		name, value, _ := strings.Cut(item, "=")
		switch name {
		case "cache":
			if value != "one" && value != "each" {
				return wrong(item)
			}
			s.Split = value == "each"
		case "flash":
			if value != "on" && value != "off" {
				return wrong(item)
			}
			s.Flash = value == "on"
		case "batch":
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > maxBatch {
				return wrong(item)
			}
			s.Batch = n
		case "kv":
			if s.KV = llama.KVType(value); !slices.Contains(kvTypes, s.KV) {
				return wrong(item)
			}
		default:
			return wrong(item)
		}
	}
	if s.KV == llama.KVQ8 && !s.Flash {
		return s, usageError("--sizes kv=q8_0 takes flash attention: add flash=on")
	}
	return s, nil
}

// chooseSizes are the sizes to decode a form in, and why: what `bench` measured on the GPU, or where that is nil the CPU, or else the
// form's own, changed as the flags --threads, --parallel and --sizes say, each 0 or empty where it was not given. reads is nil where the
// model writes.
func chooseSizes(m models.Model, g *models.GGUF, gpu *llama.GPUInfo, decode tagger.Decode, reads *tagger.Calibration, threads, parallel int, list string) (s engineSizes, why string, err error) {
	most := mostThreads(threads)
	s, why = defaultSizes(decode, most), "not measured here: emospan bench --tune would"
	if known, ok := knownSizes(m, gpu, decode, most); ok {
		s, why = known, "the fastest that emospan bench measured here"
	}
	s.gpu, s.reads = gpu, reads
	if threads > 0 {
		s.Threads = threads
	}
	if list != "" {
		if s, err = s.override(list); err != nil {
			return s, "", err
		}
		why = "as --sizes says"
	}
	if parallel > 0 {
		return s.with(parallel), "as --parallel says", nil
	}
	if n := fitting(g, s, availableMemory()); n < s.Parallel {
		s, why = s.with(n), "as many as the memory allows"
	}
	return s, why, nil
}

// alikeTypes are the formats of weights in which llama.cpp's sums for a token do not depend on how many it computes beside it, as
// long as they are two at least (TestAlike). For those that it repacks it has one way for four tokens and another for the rest.
var alikeTypes = []string{"F32", "F16", "Q4_1", "Q8_0"}

// alikeSizes are those of --deterministic: the same arithmetic for a record whatever else is decoded, however many at a time.
// alike is false where only one record at a time makes that sure.
func alikeSizes(g *models.GGUF, decode tagger.Decode, threads, parallel int, list string) (s engineSizes, alike bool, err error) {
	s = defaultSizes(decode, mostThreads(threads))
	if list != "" {
		if s, err = s.override(list); err != nil {
			return s, false, err
		}
	}
	for _, t := range g.Tensors() {
		if !slices.Contains(alikeTypes, t.Type.String()) {
			return s.with(1), false, nil
		}
	}
	s.Split = true
	if parallel == 0 {
		s.Parallel = 16
		parallel = fitting(g, s, availableMemory())
	}
	return s.with(max(parallel, 2)), true, nil
}

// fitting is how many records at a time, as many as sizes has at most and one at least, fit the bytes available.
func fitting(g *models.GGUF, s engineSizes, available int64) int {
	for s.Parallel > 1 && estimateRun(g, s, available).here() > available {
		s = s.with(s.Parallel - 1)
	}
	return s.Parallel
}
