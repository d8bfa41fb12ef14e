package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
	"github.com/emospan/emospan/tagger"
)

// loggedBuffers makes a context and adds up what llama.cpp says of each kind of buffer, in MiB.
func loggedBuffers(t *testing.T, m *llama.Model, o llama.ContextOptions) (kv, compute, output float64) {
	t.Helper()
	llama.TakeLog()
	c, err := llama.NewContext(m, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, line := range llama.TakeLog() {
		for what, sum := range map[string]*float64{"KV buffer size =": &kv, "compute buffer size =": &compute, "output buffer size =": &output} {
			if _, number, ok := strings.Cut(line.Text, what); ok {
				var size float64
				if _, err := fmt.Sscanf(number, "%f MiB", &size); err != nil {
					t.Fatalf("%q: %v", line.Text, err)
				}
				*sum += size
			}
		}
	}
	return kv, compute, output
}

// The states that a calibration reads are part of the memory that a run takes.
func TestEstimateStates(t *testing.T) {
	g, err := models.OpenGGUF(fixtures.llama3)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	c := tagger.ReadingContext(g.Dimensions().Layers, g.Dimensions().Embedding, dataset.Default())
	m := models.Model{Name: "llama3", Path: fixtures.llama3}
	without, _, err := chooseSizes(m, g, nil, tagger.Compact, nil, 1, 4, "")
	if err != nil {
		t.Fatal(err)
	}
	with, _, err := chooseSizes(m, g, nil, tagger.Compact, c, 1, 4, "")
	if err != nil {
		t.Fatal(err)
	}
	o := contextOptions(g.ContextLength(), with)
	want := int64(4 * g.Dimensions().Embedding * len(c.Layers) * (o.Size + with.Batch))
	a, b := estimateRun(g, without, 0), estimateRun(g, with, 0)
	if a.States != 0 || b.States != want || b.Total-a.Total != want {
		t.Errorf("states %d and %d, of totals %d and %d, want %d", a.States, b.States, a.Total, b.Total, want)
	}
}

// What is reckoned before a model is loaded is what llama.cpp then allocates, whatever takes most of it.
func TestEstimateMemory(t *testing.T) {
	for _, path := range []string{
		filepath.Join(fixtures.store, "smollm2-135m.gguf"), filepath.Join(fixtures.store, "gemma3-270m.gguf"), fixtures.llama3,
	} {
		g, err := models.OpenGGUF(path)
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		m, err := llama.Load(path, llama.LoadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		options := []llama.ContextOptions{
			{},
			{Size: 100, Sequences: 2, FlashAttention: -1},
			{Size: 512, Batch: 32, FlashAttention: -1},
			{Size: 8192, Batch: 32, Sequences: 2, FlashAttention: -1},
			{Size: 8192, Batch: 32, Sequences: 2, FlashAttention: 1},
			{Size: 8192, Sequences: 2, FlashAttention: -1},
			{Size: 8192, Sequences: 2, FlashAttention: 1},
			{Size: 9 * 2048, Sequences: 9, FlashAttention: -1, SplitKV: true},
			{Size: 9 * 2048, Sequences: 9, FlashAttention: 1, SplitKV: true},
			{Size: 5 * 1000, Sequences: 5, FlashAttention: -1, SplitKV: true},
			{Size: 17 * 2048, Sequences: 17, FlashAttention: -1},
			{Size: 17 * 2048, Sequences: 17, FlashAttention: 1},
			contextOptions(g.ContextLength(), oneRecord(1)),
			contextOptions(g.ContextLength(), oneRecord(1).with(4)),
			contextOptions(g.ContextLength(), defaultSizes(tagger.Schema, 1).with(4)),
			{Size: 1024, FlashAttention: -1, KV: llama.KVF32},
			{Size: 1024, Batch: 4, Sequences: 9, FlashAttention: -1},
		}
		if path != fixtures.llama3 { // whose heads are too small
			options = append(options, llama.ContextOptions{Size: 1024, FlashAttention: 1, KV: llama.KVQ8})
		}
		for _, o := range options {
			if o.FlashAttention == 0 { // as llama.cpp chooses, which is on
				o.FlashAttention = 1
			}
			e := estimateMemory(g, o)
			kv, compute, output := loggedBuffers(t, m, o)
			for _, part := range []struct {
				name             string
				estimate, logged float64
			}{
				{"KV", float64(e.KV), kv}, {"compute", float64(e.Compute), compute}, {"output", float64(e.Output), output},
			} {
				estimate := part.estimate / (1 << 20)
				// The log has two decimals.
				if math.Abs(estimate-part.logged) > 0.05*part.logged+0.01 {
					t.Errorf("%s, %+v: %s of %.2f MiB, llama.cpp has %.2f", filepath.Base(path), o, part.name, estimate, part.logged)
				}
			}
			if e.Weights != g.Size() || e.Total != e.Weights+e.KV+e.Compute+e.Output+e.Scratch {
				t.Errorf("%s: %+v does not add up", filepath.Base(path), e)
			}
		}
	}
}

// llama3Memory opens the small model with Llama 3's vocabulary; total is what so many records at a time take with it.
func llama3Memory(t *testing.T) (g *models.GGUF, total func(parallel int) int64) {
	t.Helper()
	g, err := models.OpenGGUF(fixtures.llama3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g, func(parallel int) int64 {
		return estimateMemory(g, contextOptions(g.ContextLength(), oneRecord(1).with(parallel))).Total
	}
}

func TestCheckMemory(t *testing.T) {
	g, total := llama3Memory(t)
	for _, test := range []struct {
		parallel  int
		available int64
		want      string // "" where it fits
	}{
		{1, total(1), ""},
		{8, total(8), ""},
		{1, 0, "use a smaller model"},
		{1, total(1) - 1, "use a smaller model, or one in a format of fewer bits (emospan models convert)"},
		{8, total(8) - 1, "--parallel 7 fits"},
		{255, total(3), "--parallel 3 fits"},
		{8, 1 << 20, "use a smaller model"},
	} {
		e, err := checkMemory("some model", g, oneRecord(1).with(test.parallel), test.available)
		if e.Total != total(test.parallel) {
			t.Errorf("%d records at a time: an estimate of %d, want %d", test.parallel, e.Total, total(test.parallel))
		}
		if test.want == "" {
			if err != nil {
				t.Errorf("%d records in %d bytes: %v", test.parallel, test.available, err)
			}
			continue
		}
		want := fmt.Sprintf("some model takes %s and %s of memory is available; %s", e, bytesText(test.available), test.want)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%d records in %d bytes: %v, want %q", test.parallel, test.available, err, want)
		}
	}
}

// A header may say anything; the estimate must not wrap around and let it pass.
func TestCheckMemoryAbsurd(t *testing.T) {
	file, err := os.ReadFile(fixtures.llama3)
	if err != nil {
		t.Fatal(err)
	}
	for key, n := range map[string]uint32{
		"llama.attention.head_count_kv": math.MaxUint32, "llama.attention.head_count": math.MaxUint32, "llama.feed_forward_length": math.MaxUint32,
	} {
		damaged := bytes.Clone(file)
		at := bytes.Index(damaged, []byte(key+"\x04\x00\x00\x00"))
		if at < 0 {
			t.Fatalf("the fixture has no number %s", key)
		}
		value := damaged[at+len(key)+4:]
		for i := range 4 {
			value[i] = byte(n >> (8 * i))
		}
		g, err := models.ReadGGUF(bytes.NewReader(damaged), int64(len(damaged)))
		if err != nil {
			t.Fatal(err)
		}
		if e, err := checkMemory("absurd", g, oneRecord(1), 1<<29); err == nil || e.Total < 1<<29 {
			t.Errorf("%s: %+v, %v", key, e, err)
		}
	}
}

func TestAvailableIn(t *testing.T) {
	const info = "MemTotal: 32000000 kB\nMemAvailable: 16000000 kB\n"
	const all = 16000000 << 10
	for name, test := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no groups": {map[string]string{"proc/meminfo": info}, all},
		"version 2, limits of a group and the one around it": {map[string]string{
			"proc/meminfo": info, "proc/self/cgroup": "0::/user/job\n",
			"proc/self/mountinfo":                      "30 20 0:26 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw\n",
			"sys/fs/cgroup/user/job/memory.max":        "3000000000\n",
			"sys/fs/cgroup/user/job/memory.current":    "1000000000\n",
			"sys/fs/cgroup/user/job/memory.stat":       "anon 5\nfile 7\ninactive_file 300000000\nactive_file 100000000\n",
			"sys/fs/cgroup/user/memory.max":            "2500000000\n",
			"sys/fs/cgroup/user/memory.current":        "100000000\n",
			"sys/fs/cgroup/user/unrelated/memory.max":  "1\n",
			"sys/fs/cgroup/user/job/inner/memory.max":  "1\n",
			"sys/fs/cgroup/user/job/inner/memory.stat": "",
		}, 2400000000},
		"version 2, without a limit": {map[string]string{
			"proc/meminfo": info, "proc/self/cgroup": "0::/\n",
			"proc/self/mountinfo":          "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			"sys/fs/cgroup/memory.max":     "max\n",
			"sys/fs/cgroup/memory.current": "1\n",
		}, all},
		"version 1, in a container that sees its own part": {map[string]string{
			"proc/meminfo": info, "proc/self/cgroup": "5:cpu,cpuacct:/docker/7\n4:memory:/docker/7\n0::/\n",
			"proc/self/mountinfo": "31 20 0:27 /docker/7 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n" +
				"32 20 0:28 /docker/7 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes": "2000000000\n",
			"sys/fs/cgroup/memory/memory.usage_in_bytes": "700000000\n",
			"sys/fs/cgroup/memory/memory.stat":           "inactive_file 1\ntotal_inactive_file 200000000\ntotal_active_file 0\n",
			"sys/fs/cgroup/cpu/memory.limit_in_bytes":    "1\n",
		}, 1500000000},
		"a limit on the address space": {map[string]string{
			"proc/meminfo": info, "proc/self/statm": "1000 500 200 50 0 300 0\n",
			"proc/self/limits": "Limit                     Soft Limit           Hard Limit           Units\n" +
				"Max data size             unlimited            unlimited            bytes\n" +
				"Max address space         2000000000           unlimited            bytes\n",
		}, 2000000000 - 1000*int64(os.Getpagesize())},
		"a limit on data that is used up": {map[string]string{
			"proc/meminfo": info, "proc/self/statm": "1000 500 200 50 0 300 0\n",
			"proc/self/limits": "Max data size             4096                 unlimited            bytes\n",
		}, 0},
		"more used than allowed": {map[string]string{
			"proc/meminfo": info, "proc/self/cgroup": "0::/elsewhere\n",
			"proc/self/mountinfo":          "30 20 0:26 /here /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			"sys/fs/cgroup/memory.max":     "100\n",
			"sys/fs/cgroup/memory.current": "200\n",
		}, 0},
	} {
		root := t.TempDir()
		for path, text := range test.files {
			path = filepath.Join(root, path)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if n, ok := availableIn(root); !ok || n != test.want {
			t.Errorf("%s: %d, %v, want %d", name, n, ok, test.want)
		}
	}
	if n, ok := availableIn(t.TempDir()); ok {
		t.Errorf("without /proc: %d", n)
	}
}
