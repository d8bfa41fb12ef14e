package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/emospan/emospan/llama"
	"github.com/emospan/emospan/models"
)

// An offload says which part of a model a GPU computes.
type offload struct {
	Layers int   // from the last; the output head counts as one
	Of     int   // all layers and the head
	Bytes  int64 // of the GPU's memory: weights, cache and buffers
	Moved  int64 // of these, the weights and the cache of layers, which then need not be in the machine's
}

// A modelParts are the parts of a model that llama.cpp can put on a GPU, in bytes, with a context of it.
type modelParts struct {
	layers  []int64 // weights and cache of each
	head    int64   // the output head's weights
	buffers int64   // on the GPU as soon as anything is
	passing int64   // the largest tensor: where layers stay behind, large batches are computed on the GPU with a copy of their weights
}

// partsOf reads them from the header. Where the head shares the embedding's weights, the GPU gets a copy.
func partsOf(g *models.GGUF, o llama.ContextOptions) modelParts {
	e := estimateMemory(g, o)
	p := modelParts{layers: make([]int64, g.Dimensions().Layers), buffers: e.Compute + e.Output + 2*e.Scratch}
	for i := range p.layers {
		p.layers[i] = e.KV / int64(len(p.layers))
	}
	var embedding, output int64
	for _, t := range g.Tensors() {
		number, _, _ := strings.Cut(strings.TrimPrefix(t.Name, "blk."), ".")
		layer, err := strconv.Atoi(number)
		switch {
		case strings.HasPrefix(t.Name, "blk.") && err == nil && layer >= 0 && layer < len(p.layers):
			p.layers[layer] += t.Size
			p.passing = max(p.passing, t.Size)
		case t.Name == "token_embd.weight":
			embedding = t.Size
		case strings.HasPrefix(t.Name, "output"):
			if t.Name == "output.weight" {
				output = t.Size
			} else {
				p.head += t.Size
			}
		}
	}
	if output == 0 {
		output = embedding
	}
	p.head += output
	return p
}

// fit is as much as fits the bytes of a GPU: llama.cpp puts the head there first, then the layers from the last. Less than a layer
// and the head is nothing.
func (p modelParts) fit(room int64) offload {
	o := offload{Of: len(p.layers) + 1}
	used := p.buffers + p.head
	all := used
	for _, n := range p.layers {
		all += n
	}
	if all <= room {
		o.Layers, o.Bytes, o.Moved = o.Of, all, all-p.buffers-p.head
		return o
	}
	used += p.passing
	for i := len(p.layers) - 1; i >= 0 && used+p.layers[i] <= room; i-- {
		used += p.layers[i]
		o.Layers, o.Bytes, o.Moved = len(p.layers)-i+1, used, o.Moved+p.layers[i]
	}
	return o
}

// gpuRoom is what may be taken of a GPU's free memory: the driver takes some for itself, and so may other programs later. A GPU
// that has none of its own shares what is available of the machine's.
func gpuRoom(g *llama.GPUInfo, available int64) int64 {
	free := int64(min(g.MemoryFree, 1<<62))
	if !ownMemory(g) {
		free = min(free, available)
	}
	return free - max(256<<20, free/16)
}

// ownMemory reports whether the GPU's memory is not the machine's.
func ownMemory(g *llama.GPUInfo) bool { return g.Type == llama.GPU && llama.GPUBackend != "Metal" }

// offloaded is what goes to the GPU of the sizes, nothing where they name none.
func offloaded(g *models.GGUF, sizes engineSizes, available int64) offload {
	if sizes.gpu == nil {
		return offload{Of: g.Dimensions().Layers + 1}
	}
	return partsOf(g, contextOptions(g.ContextLength(), sizes)).fit(gpuRoom(sizes.gpu, available))
}

// onGPU follows a device's name where layers are on it.
func onGPU(layers int) string {
	if layers == 0 {
		return ""
	}
	return ", " + plural(layers, "layer")
}

func (o offload) String() string { return fmt.Sprintf("%d of %d layers", o.Layers, o.Of) }
