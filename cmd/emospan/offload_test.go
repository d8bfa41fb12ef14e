package main

import (
	"testing"

	"github.com/emospan/emospan/llama"
)

func TestFit(t *testing.T) {
	p := modelParts{layers: []int64{10, 20, 30}, head: 5, buffers: 100, passing: 7}
	for _, test := range []struct {
		room int64
		want offload
	}{
		{1 << 40, offload{4, 4, 165, 60}},
		{165, offload{4, 4, 165, 60}},
		{164, offload{3, 4, 162, 50}}, // with room for a copy of what stays behind
		{162, offload{3, 4, 162, 50}},
		{161, offload{2, 4, 142, 30}},
		{142, offload{2, 4, 142, 30}},
		{141, offload{Of: 4}}, // the head alone is not worth it
		{0, offload{Of: 4}},
		{-1, offload{Of: 4}},
	} {
		if got := p.fit(test.room); got != test.want {
			t.Errorf("fit(%d) = %+v, want %+v", test.room, got, test.want)
		}
	}
	if got, want := (modelParts{buffers: 1}).fit(1), (offload{1, 1, 1, 0}); got != want {
		t.Errorf("a model without layers: %+v, want %+v", got, want)
	}
}

// The parts are the whole: every byte of the weights is in a layer, in the head or in the embedding, which stays behind and, where the
// head shares it, is copied.
func TestPartsOf(t *testing.T) {
	g, err := openGGUF(fixtures.llama3)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	o := contextOptions(g.ContextLength(), oneRecord(1))
	p, e := partsOf(g, o), estimateMemory(g, o)
	var embedding, output, tensors, layers int64
	for _, tensor := range g.Tensors() {
		tensors += tensor.Size
		switch tensor.Name {
		case "token_embd.weight":
			embedding = tensor.Size
		case "output.weight":
			output = tensor.Size
		}
	}
	for _, n := range p.layers {
		layers += n
	}
	if embedding == 0 || len(p.layers) != g.Dimensions().Layers || len(p.layers) == 0 {
		t.Fatalf("embedding of %d bytes, %d layers", embedding, len(p.layers))
	}
	if output == 0 {
		tensors += embedding
	}
	kv := e.KV / int64(len(p.layers)) * int64(len(p.layers))
	if got, want := layers-kv+p.head, tensors-embedding; got != want {
		t.Errorf("layers and head come to %d bytes, want %d", got, want)
	}
	if p.passing == 0 || p.buffers < e.Compute {
		t.Errorf("largest tensor %d, buffers %d of at least %d", p.passing, p.buffers, e.Compute)
	}
}

func TestGPURoom(t *testing.T) {
	const gib = 1 << 30
	for _, test := range []struct {
		kind      llama.DeviceType
		free      uint64
		available int64
		want      int64
	}{
		{llama.GPU, 1 * gib, 100, 1*gib - gib/4},
		{llama.GPU, 16 * gib, 100, 15 * gib},
		{llama.IntegratedGPU, 16 * gib, 1 * gib, 1*gib - gib/4},
		{llama.SoftwareGPU, 16 * gib, 8 * gib, 8*gib - gib/2},
		{llama.GPU, 0, 100, -gib / 4},
	} {
		if got := gpuRoom(&llama.GPUInfo{Type: test.kind, MemoryFree: test.free}, test.available); got != test.want {
			t.Errorf("%s with %d free, %d available: %d, want %d", test.kind, test.free, test.available, got, test.want)
		}
	}
}

// What lies in a GPU's own memory is not asked of the machine's.
func TestMemoryBesideGPU(t *testing.T) {
	g, err := openGGUF(fixtures.llama3)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	sizes := oneRecord(1)
	all := estimateRun(g, sizes, 1<<40)
	sizes.gpu = &llama.GPUInfo{Type: llama.GPU, MemoryFree: 64 << 30}
	part := estimateRun(g, sizes, 1<<40)
	if part.GPU != offloaded(g, sizes, 1<<40).Moved || part.GPU <= 0 || part.here() != all.Total-part.GPU {
		t.Errorf("%d bytes here and %d on the GPU, of %d", part.here(), part.GPU, all.Total)
	}
	if _, err := checkMemory("x", g, sizes, part.here()); err != nil {
		t.Error(err)
	}
	if _, err := checkMemory("x", g, sizes, part.here()-1); err == nil {
		t.Error("a byte too little was enough")
	}
	sizes.gpu = &llama.GPUInfo{Type: llama.IntegratedGPU, MemoryFree: 64 << 30}
	if shared := estimateRun(g, sizes, 1<<40); shared.here() != all.Total {
		t.Errorf("a GPU in the machine's memory saves %d bytes of it", all.Total-shared.here())
	}
}
