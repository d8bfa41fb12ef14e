package main

import (
	"strings"
	"testing"

	"github.com/emospan/emospan/llama"
)

func TestChooseGPU(t *testing.T) {
	const gib = 1 << 30
	card := func(index int, free uint64) llama.GPUInfo {
		return llama.GPUInfo{Index: index, Name: "card", Type: llama.GPU, MemoryFree: free, MemoryTotal: 24 * gib}
	}
	of := func(index int, kind llama.DeviceType) llama.GPUInfo {
		return llama.GPUInfo{Index: index, Name: string(kind), Type: kind, MemoryFree: 16 * gib, MemoryTotal: 16 * gib}
	}
	old := card(0, 8*gib)
	old.Unfit = "its driver has Vulkan 1.1 only, and 1.2 is needed"
	for _, test := range []struct {
		name    string
		gpus    []llama.GPUInfo
		visible string // "-": the variable is not set
		demand  bool
		want    int // index of the one chosen, -1 for none
		reasons []string
		why     string
	}{
		{"none", nil, "-", false, -1, nil, "the driver lists no device"},
		{"one", []llama.GPUInfo{card(0, 8*gib)}, "-", false, 0, []string{""}, ""},
		{"the one with most free memory", []llama.GPUInfo{card(0, 2*gib), card(1, 8*gib)}, "-", false, 1, []string{"one GPU is used, card", ""}, ""},
		{"own memory before the machine's", []llama.GPUInfo{of(0, llama.IntegratedGPU), card(1, 2*gib)}, "-", false, 1, []string{"one GPU is used", ""}, ""},
		{"an integrated one", []llama.GPUInfo{of(0, llama.IntegratedGPU)}, "-", false, 0, []string{""}, ""},
		{"a virtual one", []llama.GPUInfo{of(0, llama.OtherDevice)}, "-", false, 0, []string{""}, ""},
		{"software", []llama.GPUInfo{of(0, llama.SoftwareGPU)}, "-", false, -1, []string{"in software"}, "software: it computes in software"},
		{"software, demanded", []llama.GPUInfo{of(0, llama.SoftwareGPU)}, "-", true, -1, []string{"in software"}, "software: it computes in software"},
		{"software, named", []llama.GPUInfo{of(0, llama.SoftwareGPU)}, "0", false, -1, []string{"in software"}, "software: it computes in software"},
		{"software, demanded and named", []llama.GPUInfo{of(0, llama.SoftwareGPU)}, "0", true, 0, []string{""}, ""},
		{"software beside a card", []llama.GPUInfo{of(0, llama.SoftwareGPU), card(1, 2*gib)}, "-", true, 1, []string{"in software", ""}, ""},
		{"both named", []llama.GPUInfo{of(0, llama.SoftwareGPU), card(1, 2*gib)}, "0,1", true, 1, []string{"one GPU is used", ""}, ""},
		{"named", []llama.GPUInfo{card(0, 8*gib), card(1, 2*gib)}, " 1", false, 1, []string{"GGML_VK_VISIBLE_DEVICES leaves it out", ""}, ""},
		{"hidden", []llama.GPUInfo{card(0, 8*gib)}, "", false, -1, []string{"GGML_VK_VISIBLE_DEVICES leaves it out"}, "card: GGML_VK_VISIBLE_DEVICES leaves it out"},
		{"full", []llama.GPUInfo{card(0, 100<<20)}, "-", true, -1, []string{"too little memory: 100.0 MiB free of 24.0 GiB"}, "card: too little memory"},
		{"old", []llama.GPUInfo{old}, "-", true, -1, []string{"Vulkan 1.1 only"}, "card: its driver has Vulkan 1.1 only"},
		{"two that will not do", []llama.GPUInfo{old, of(1, llama.SoftwareGPU)}, "-", false, -1, []string{"1.1", "in software"}, "card: its driver has Vulkan 1.1 only, and 1.2 is needed; software: it computes"},
	} {
		c := gpuChoice{Demand: test.demand}
		c.choose(test.gpus, test.visible, test.visible != "-")
		got := -1
		if c.GPU != nil {
			got = c.GPU.Index
		}
		if got != test.want || !strings.HasPrefix(c.Why, test.why) || (c.Why == "") != (test.why == "") {
			t.Errorf("%s: chose %d, %q; want %d, %q", test.name, got, c.Why, test.want, test.why)
		}
		for i, r := range c.Reports {
			if want := test.reasons[i]; !strings.Contains(r.Reason, want) || (r.Reason == "") != (want == "") || r.Chosen != (i == test.want) {
				t.Errorf("%s: device %d: chosen %v, %q; want %q", test.name, i, r.Chosen, r.Reason, want)
			}
		}
	}
}
