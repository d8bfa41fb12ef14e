package models

import "slices"

// plain are the architectures of chat models whose layers are all alike: the
// Llama, Qwen and Gemma families and their kin. Their graphs in llama.cpp end
// the process where a header says otherwise, so for them it is checked.
var plain = []string{
	"llama", "mistral3", "smollm3", "granite", "olmo2", "internlm2",
	"qwen2", "qwen2moe", "qwen3", "qwen3moe", "gemma", "gemma2", "gemma3",
}

// square are the architectures whose graphs assert that whole heads are
// rotated and that values are as wide as keys.
var square = []string{
	"apertus", "arcee", "arctic", "baichuan", "chameleon", "codeshell", "cogvlm", "cohere2moe", "dbrx",
	"deepseek", "dots1", "ernie4_5", "ernie4_5-moe", "exaone", "exaone-moe", "exaone4", "falcon",
	"granite", "granite_swa", "graniteswitch", "grok", "grovemoe", "hunyuan-moe", "hunyuan_vl",
	"hy_v3", "internlm2", "jais2", "llama", "llama4", "maincoder", "mellum", "mistral3", "olmo",
	"olmo2", "olmoe", "orion", "paddleocr", "pangu-embedded", "plamo", "qwen2", "qwen2moe", "qwen2vl",
	"qwen3", "qwen3moe", "qwen3vl", "qwen3vlmoe", "seed_oss", "smallthinker", "smollm3", "starcoder2",
	"talkie", "xverse",
}

// maxHead is far above the width of any model's attention heads.
const maxHead = 1 << 14

// checkAttention mirrors what llama.cpp's graphs, and the cache of keys and
// values, assert about heads.
func (g *GGUF) checkAttention() error {
	arch := g.Architecture()
	layers, _ := g.Uint(arch + ".block_count")
	heads, err := g.uints(arch + ".attention.head_count")
	if err != nil {
		return damaged("%w", err)
	}
	shared, err := g.uints(arch + ".attention.head_count_kv")
	if err != nil {
		return damaged("%w", err)
	}
	if shared == nil {
		shared = heads
	}
	isPlain := slices.Contains(plain, arch)
	for i := range int(layers) {
		q, kv := layerOf(heads, i), layerOf(shared, i)
		if kv > 0 && q%kv != 0 {
			return damaged("%d attention heads cannot share %d key-value heads", q, kv)
		}
		if isPlain && (q != layerOf(heads, 0) || kv != layerOf(shared, 0)) {
			return damaged("layer %d of this %s model has %d and %d attention heads, the first %d and %d",
				i, arch, q, kv, layerOf(heads, 0), layerOf(shared, 0))
		}
	}
	embedding, _ := g.Uint(arch + ".embedding_length")
	first := uint64(layerOf(heads, 0))
	if first == 0 {
		if isPlain {
			return damaged("key %.80q is missing or 0", arch+".attention.head_count")
		}
		return nil // a model without attention
	}
	width := func(key string, otherwise uint64) uint64 {
		if n, ok := g.Uint(arch + key); ok {
			return n
		}
		return otherwise
	}
	key := width(".attention.key_length", embedding/first)
	value := width(".attention.value_length", embedding/first)
	rotated := width(".rope.dimension_count", key)
	switch {
	case key > maxHead || value > maxHead:
		return damaged("attention heads of %d and %d numbers, at most %d are expected", key, value, maxHead)
	case rotated > key || rotated%2 != 0:
		return damaged("%d of the %d numbers of a key are rotated: it must be an even part of them", rotated, key)
	case (isPlain || slices.Contains(square, arch)) && value != key, slices.Contains(square, arch) && rotated != key:
		return damaged("keys of %d numbers, %d of them rotated, and values of %d: in a %s model they are as many", key, rotated, value, arch)
	}
	for _, same := range []struct {
		key  string
		want uint64
	}{
		{".attention.key_length_swa", key}, {".attention.value_length_swa", value}, {".rope.dimension_count_swa", rotated},
	} {
		if n := width(same.key, same.want); isPlain && n != same.want {
			return damaged("key %.80q is %d in some layers and %d in others", arch+same.key, n, same.want)
		}
	}
	return nil
}

// checkNorms refuses what is added to a variance where it is not a small
// positive number: ggml asserts that it is not negative.
func (g *GGUF) checkNorms() error {
	for _, name := range []string{"layer_norm_rms_epsilon", "layer_norm_epsilon", "group_norm_epsilon"} {
		key := g.Architecture() + ".attention." + name
		if x, ok := g.Float(key); ok && !(x >= 0 && x <= 1) { // so that not a number is refused too
			return damaged("key %.80q is %v, expected 0 to 1", key, x)
		}
	}
	return nil
}

// checkWeights refuses tensors that llama.cpp would load, and then end the
// process over when it computes with them.
func (g *GGUF) checkWeights() error {
	const i32 TensorType = 26
	// Whole numbers and what only ggml itself makes; F64 has no product either.
	weightless := []TensorType{9, 15, 24, 25, 27, 28}
	for _, t := range g.tensors {
		switch {
		case t.Elements() == 0:
			return damaged("tensor %.80q has no elements", t.Name)
		case slices.Contains(weightless, t.Type), t.Type == i32 && slices.Contains(plain, g.Architecture()):
			return damaged("tensor %.80q is of type %s, which weights are not kept in", t.Name, t.Type)
		case t.vector() && t.Type != F32 && t.Type != i32:
			return damaged("tensor %.80q is a vector of type %s, expected F32", t.Name, t.Type)
		}
	}
	return nil
}

// vector reports whether a tensor has a single dimension above 1, or none.
func (t Tensor) vector() bool {
	widest := int64(1)
	for _, d := range t.Shape {
		widest = max(widest, d)
	}
	return widest == t.Elements()
}
