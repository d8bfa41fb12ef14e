package main

import (
	"os"
	"strings"
	"testing"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
)

func TestFitting(t *testing.T) {
	g, total := llama3Memory(t)
	for available, want := range map[int64]int{
		total(16) + 1: 16, total(16): 16, total(16) - 1: 15, total(2): 2, 0: 1,
	} {
		if got := fitting(g, oneRecord(1).with(16), available); got != want {
			t.Errorf("%d bytes: %d at a time, want %d", available, got, want)
		}
	}
	split := defaultSizes(tagger.Schema, 1)
	three := estimateMemory(g, contextOptions(g.ContextLength(), split.with(3))).Total
	if got := fitting(g, split, three); got != 3 {
		t.Errorf("%d at a time with caches of their own, want 3", got)
	}
}

// TestSizesList: --sizes sets what it names and nothing else, and takes what list writes.
func TestSizesList(t *testing.T) {
	before := engineSizes{Parallel: 9, Batch: 100, KV: llama.KVF16, Threads: 3}
	for list, want := range map[string]engineSizes{
		"batch=1":                  {9, false, 1, false, llama.KVF16, 3, nil, nil, false},
		"cache=each,flash=on":      {9, true, 100, true, llama.KVF16, 3, nil, nil, false},
		"kv=f32,cache=one":         {9, false, 100, false, llama.KVF32, 3, nil, nil, false},
		"kv=q8_0,flash=on":         {9, false, 100, true, llama.KVQ8, 3, nil, nil, false},
		"flash=on,flash=off":       {9, false, 100, false, llama.KVF16, 3, nil, nil, false},
		before.with(1).list():      before,
		"cache=each,batch=4096,kv": {},
		"":                         {},
		"cache":                    {},
		"cache=two":                {},
		"flash=yes":                {},
		"batch=0":                  {},
		"batch=4097":               {},
		"batch=":                   {},
		"kv=q4_0":                  {},
		"kv=q8_0":                  {},
		"parallel=3":               {},
		"cache=one,":               {},
	} {
		got, err := before.override(list)
		if want == (engineSizes{}) {
			if err == nil || !strings.Contains(err.Error(), "--sizes") {
				t.Errorf("%q: %v, %v", list, got, err)
			}
			continue
		}
		again, err2 := engineSizes{Parallel: 9, Batch: 7, KV: llama.KVF32, Threads: 3}.override(got.list())
		if err != nil || err2 != nil || got != want || again != want || !got.valid() {
			t.Errorf("%q: %v, %v; again %v, %v; want %v", list, got, err, again, err2, want)
		}
	}
}

// TestSizes: of a report's runs the fastest is what tag uses, for that model, form and number of threads.
func TestSizes(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	m := models.Model{SHA256: "ab12"}
	report := func(runs ...benchRun) *benchReport {
		r := &benchReport{Runs: runs}
		r.ModelSHA256, r.Threads = m.SHA256, 2
		return r
	}
	run := func(decode tagger.Decode, parallel int, rate float64) benchRun {
		return benchRun{Decode: string(decode), Parallel: parallel, sizes: defaultSizes(decode, 2).with(parallel), RecordsPerSecond: rate}
	}
	for _, r := range []*benchReport{report(), report(run("compact", 8, 9)), report(run("compact", 8, 9), run("schema", 4, 1)), report(run("compact", 8, 0), run("compact", 4, 0))} {
		if err := keepSizes(r); err != nil {
			t.Fatal(err)
		}
		if s, ok := knownSizes(m, nil, "compact", 2); ok {
			t.Fatalf("%v after %v, which compares nothing", s, r.Runs)
		}
	}
	r := report(run("compact", 1, 3), run("compact", 24, 7), run("compact", 8, 5), run("schema", 1, 99))
	if err := keepSizes(r); err != nil {
		t.Fatal(err)
	}
	if s, ok := knownSizes(m, nil, "compact", 2); !ok || s != defaultSizes("compact", 2).with(24) {
		t.Errorf("%v, %v", s, ok)
	}
	tuned := run("compact", 24, 8)
	tuned.sizes.Flash, tuned.sizes.Threads = true, 1
	r.Tuning = []benchRun{tuned, run("compact", 24, 7.5)}
	if err := keepSizes(r); err != nil {
		t.Fatal(err)
	}
	if s, ok := knownSizes(m, nil, "compact", 2); !ok || s != tuned.sizes {
		t.Errorf("tuned: %v, %v", s, ok)
	}
	for _, other := range []struct {
		m       models.Model
		decode  tagger.Decode
		threads int
	}{{models.Model{SHA256: "cd"}, "compact", 2}, {models.Model{}, "compact", 2}, {m, "schema", 2}, {m, "compact", 1}} {
		if s, ok := knownSizes(other.m, nil, other.decode, other.threads); ok {
			t.Errorf("%v: %v", other, s)
		}
	}

	// What was measured gives way to flags.
	m.Path = fixtures.llama3
	g := header(t, m.Path)
	for _, test := range []struct {
		threads, parallel int
		list              string
		want              engineSizes
	}{
		{2, 0, "", engineSizes{24, false, 256, true, "f16", 2, nil, nil, false}},
		{2, 5, "", engineSizes{5, false, 256, true, "f16", 2, nil, nil, false}},
		{2, 0, "flash=off,cache=each", engineSizes{24, true, 256, false, "f16", 2, nil, nil, false}},
		{2, 1, "cache=each", engineSizes{1, false, 256, true, "f16", 2, nil, nil, false}},
		{1, 0, "", engineSizes{16, false, 256, false, "f16", 1, nil, nil, false}},
	} {
		s, why, err := chooseSizes(m, g, nil, "compact", nil, test.threads, test.parallel, test.list)
		if err != nil || s != test.want || why == "" {
			t.Errorf("%+v: %v, %q, %v", test, s, why, err)
		}
	}

	here, err := thisMachine()
	if err != nil {
		t.Fatal(err)
	}
	name := sizesFile{machine: here, ModelSHA256: m.SHA256, Decode: "compact", MostThreads: 2}.file()
	for _, damaged := range []string{"", "{", `{"sizes": {"parallel": 9}}`} {
		if err := os.WriteFile(os.Getenv("XDG_CACHE_HOME")+"/emospan/"+name, []byte(damaged), 0o644); err != nil {
			t.Fatal(err)
		}
		if s, ok := knownSizes(m, nil, "compact", 2); ok {
			t.Errorf("%q gives %v", damaged, s)
		}
	}
}
