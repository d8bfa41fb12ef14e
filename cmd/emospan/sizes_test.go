package main

import (
	"os"
	"testing"

	"github.com/emospan/emospan/models"
)

func TestFitting(t *testing.T) {
	g, total := llama3Memory(t)
	for available, want := range map[int64]int{
		total(16) + 1: 16, total(16): 16, total(16) - 1: 15, total(2): 2, 0: 1,
	} {
		if got := fitting(g, engineSizes{parallel: 16}, available); got != want {
			t.Errorf("%d bytes: %d at a time, want %d", available, got, want)
		}
	}
	split := estimateMemory(g, contextOptions(g.ContextLength(), 1, engineSizes{3, true})).Total
	if got := fitting(g, engineSizes{16, true}, split); got != 3 {
		t.Errorf("%d at a time with caches of their own, want 3", got)
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
	run := func(decode string, parallel int, rate float64) benchRun {
		return benchRun{Decode: decode, Parallel: parallel, RecordsPerSecond: rate}
	}
	for _, r := range []*benchReport{report(), report(run("compact", 8, 9)), report(run("compact", 8, 9), run("schema", 4, 1)), report(run("compact", 8, 0), run("compact", 4, 0))} {
		if err := keepSizes(r); err != nil {
			t.Fatal(err)
		}
		if n, ok := knownParallel(m, "compact", 2); ok {
			t.Fatalf("%d after %v, which compares nothing", n, r.Runs)
		}
	}
	if err := keepSizes(report(run("compact", 1, 3), run("compact", 24, 7), run("compact", 8, 5), run("schema", 1, 99))); err != nil {
		t.Fatal(err)
	}
	if n, ok := knownParallel(m, "compact", 2); !ok || n != 24 {
		t.Errorf("%d, %v", n, ok)
	}
	for _, other := range []struct {
		m       models.Model
		decode  string
		threads int
	}{{models.Model{SHA256: "cd"}, "compact", 2}, {models.Model{}, "compact", 2}, {m, "schema", 2}, {m, "compact", 1}} {
		if n, ok := knownParallel(other.m, other.decode, other.threads); ok {
			t.Errorf("%v: %d", other, n)
		}
	}
	here, err := thisMachine()
	if err != nil {
		t.Fatal(err)
	}
	name := sizesFile{machine: here, ModelSHA256: m.SHA256, Decode: "compact", Threads: 2}.file()
	for _, damaged := range []string{"", "{", `{"parallel": 9}`} {
		if err := os.WriteFile(os.Getenv("XDG_CACHE_HOME")+"/emospan/"+name, []byte(damaged), 0o644); err != nil {
			t.Fatal(err)
		}
		if n, ok := knownParallel(m, "compact", 2); ok {
			t.Errorf("%q gives %d", damaged, n)
		}
	}
}
