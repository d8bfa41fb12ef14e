package models

import (
	"math"
	"strings"
	"testing"
)

// modelHeader is the least that Usable accepts, with more keys from extra; an
// extra key replaces the one of the same name.
func modelHeader(arch string, extra func(h *header)) []byte {
	added := &header{}
	if extra != nil {
		extra(added)
	}
	h := &header{}
	unless := func(key string, add func()) {
		if !strings.Contains(string(added.keys), key) {
			add()
		}
	}
	h.string("general.architecture", arch)
	for key, n := range map[string]uint32{".block_count": 1, ".context_length": 64, ".embedding_length": 8, ".attention.head_count": 2} {
		unless(arch+key, func() { h.uint32(arch+key, n) })
	}
	unless("tokenizer.ggml.model", func() { h.string("tokenizer.ggml.model", "gpt2") })
	unless("tokenizer.ggml.tokens", func() { h.strings("tokenizer.ggml.tokens", []string{"a", "b", ""}) })
	h.keys = append(h.keys, added.keys...)
	h.nkeys += added.nkeys
	if added.count > 0 {
		h.tensors, h.count = added.tensors, added.count
	} else {
		h.tensor("t", F32, 8)
	}
	return append(h.bytes(), make([]byte, 512)...)
}

func TestUsable(t *testing.T) {
	for name, file := range map[string][]byte{
		"synthetic": synthetic(t, smallShape, 1),
		"least":     modelHeader("gemma3", nil),
		"gemma": modelHeader("gemma3", func(h *header) {
			h.uint32("gemma3.attention.key_length", 6)
			h.uint32("gemma3.attention.value_length", 6)
		}),
		"general.type":    modelHeader("qwen3", func(h *header) { h.string("general.type", "model") }),
		"causal":          modelHeader("qwen3", func(h *header) { h.bool("qwen3.attention.causal", true) }),
		"pooling none":    modelHeader("qwen3", func(h *header) { h.uint32("qwen3.pooling_type", 0) }),
		"experts":         modelHeader("q", func(h *header) { h.uint32("q.expert_count", 8); h.uint32("q.expert_used_count", 2) }),
		"one of one part": modelHeader("q", func(h *header) { h.uint32("split.count", 1) }),
	} {
		if err := read(t, file).Usable(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	for _, test := range []struct {
		name, arch string
		extra      func(h *header)
		want       string
	}{
		{"adapter", "llama", func(h *header) { h.string("general.type", "adapter") }, "llama-export-lora"},
		{"projector", "clip", func(h *header) { h.string("general.type", "mmproj") }, "use the text model"},
		{"importance matrix", "", func(h *header) { h.string("general.type", "imatrix") }, "importance matrix"},
		{"other type", "llama", func(h *header) { h.string("general.type", "poem") }, `holds a "poem"`},
		{"part", "llama", func(h *header) { h.uint32("split.count", 4) }, "one of the 4 files of a split model"},
		{"no architecture", "", nil, "does not name its architecture"},
		{"embedding", "nomic-bert", nil, `architecture "nomic-bert" is an embedding model`},
		{"encoder", "t5encoder", nil, "a text encoder"},
		{"encoder-decoder", "t5", nil, "encoder-decoder"},
		{"vision", "clip", nil, "an image encoder"},
		{"diffusion", "llada", nil, "diffusion"},
		{"image", "flux", nil, "an image generator"},
		{"not causal", "qwen3", func(h *header) { h.bool("qwen3.attention.causal", false) }, "attends in both directions"},
		{"pooling", "qwen3", func(h *header) { h.uint32("qwen3.pooling_type", 3) }, "pooling_type 3"},
		{"no layers", "q", func(h *header) { h.uint32("q.block_count", 0) }, `"q.block_count" is 0`},
		{"too many layers", "q", func(h *header) { h.uint32("q.block_count", 513) }, `expected 1 to 512`},
		{"context is text", "q", func(h *header) { h.string("q.context_length", "long") }, "missing or no number"},
		{"draft layers", "q", func(h *header) { h.uint32("q.nextn_predict_layers", 2) }, "more than the 1 layers"},
		{"experts", "q", func(h *header) { h.uint32("q.expert_count", 2000) }, "more than the 1024 possible"},
		{"experts unused", "q", func(h *header) { h.uint32("q.expert_count", 8) }, "0 of 8 experts"},
		{"experts from nowhere", "q", func(h *header) { h.uint32("q.expert_used_count", 2) }, "2 of 0 experts"},
		{"experts of a layer", "q", func(h *header) {
			h.uint32("q.expert_count", 8)
			h.array("q.expert_used_count", kindUint8, 2)
			h.keys = append(h.keys, 2, 9)
		}, "9 of 8 experts"},
		{"expert groups", "q", func(h *header) {
			h.uint32("q.expert_count", 8)
			h.uint32("q.expert_used_count", 2)
			h.uint32("q.expert_group_count", 3)
		}, "8 experts in 3 groups"},
		{"rope scaling", "q", func(h *header) { h.string("q.rope.scaling.type", "rubber") }, `is "rubber"`},
		{"heads", "q", func(h *header) { h.uint32("q.attention.head_count", 9); h.uint32("q.attention.head_count_kv", 4) }, "9 attention heads"},
		{"heads of a layer", "q", func(h *header) {
			h.uint32("q.block_count", 2)
			h.numbers("q.attention.head_count", 8, 9)
			h.numbers("q.attention.head_count_kv", 4, 4)
		}, "9 attention heads cannot share 4"},
		{"heads that differ", "llama", func(h *header) {
			h.uint32("llama.block_count", 2)
			h.numbers("llama.attention.head_count", 4, 2)
		}, "layer 1 of this llama model has 2 and 2 attention heads, the first 4 and 4"},
		{"no heads", "llama", func(h *header) { h.uint32("llama.attention.head_count", 0) }, "is missing or 0"},
		{"wide heads", "q", func(h *header) { h.uint32("q.attention.key_length", 1<<20) }, "heads of 1048576 and 4 numbers"},
		{"rotated beyond the head", "q", func(h *header) { h.uint32("q.rope.dimension_count", 6) }, "6 of the 4 numbers of a key are rotated"},
		{"rotated by halves", "q", func(h *header) { h.uint32("q.rope.dimension_count", 3) }, "it must be an even part"},
		{"partly rotated", "llama", func(h *header) { h.uint32("llama.rope.dimension_count", 2) }, "keys of 4 numbers, 2 of them rotated"},
		{"partly rotated, of another family", "exaone", func(h *header) { h.uint32("exaone.rope.dimension_count", 2) }, "keys of 4 numbers, 2 of them rotated"},
		{"narrow values", "gemma3", func(h *header) { h.uint32("gemma3.attention.value_length", 2) }, "and values of 2"},
		{"two widths", "gemma3", func(h *header) { h.uint32("gemma3.attention.key_length_swa", 8) }, "is 8 in some layers and 4 in others"},
		{"negative epsilon", "q", func(h *header) { h.float32("q.attention.layer_norm_rms_epsilon", -1e-5) }, "is -9.99"},
		{"no epsilon at all", "q", func(h *header) { h.float32("q.attention.layer_norm_epsilon", float32(math.NaN())) }, "is NaN"},
		{"other tokenizer", "q", func(h *header) { h.string("tokenizer.ggml.model", "bert") }, `a tokenizer of kind "bert"`},
		{"long token", "q", func(h *header) { h.strings("tokenizer.ggml.tokens", []string{"a", strings.Repeat("b", 1<<17)}) }, "token 1 has 131072 bytes"},
		{"tokens that C cuts to one", "q", func(h *header) { h.strings("tokenizer.ggml.tokens", []string{"a", "a\x00b"}) }, `tokens 0 and 1 are both "a"`},
		{"a token that C empties", "q", func(h *header) { h.strings("tokenizer.ggml.tokens", []string{"[EMPTY_1]", "\x00"}) }, `tokens 0 and 1 are both`},
		{"whole numbers for weights", "q", func(h *header) { h.tensor("blk.0.attn_q.weight", 25, 8, 2) }, "is of type I16"},
		{"ggml's own format", "q", func(h *header) { h.tensor("blk.0.attn_q.weight", 15, 256) }, "is of type Q8_K"},
		{"rows by number", "llama", func(h *header) { h.tensor("blk.0.attn_q.weight", 26, 8) }, "is of type I32"},
		{"packed vector", "q", func(h *header) { h.tensor("blk.0.attn_norm.weight", Q8_0, 32) }, "is a vector of type Q8_0"},
		{"packed vector of two dimensions", "q", func(h *header) { h.tensor("blk.0.attn_norm.weight", F16, 8, 1) }, "is a vector of type F16"},
		{"no tokenizer", "q", func(h *header) { h.string("tokenizer.ggml.model", "none") }, "no tokenizer"},
		{"no tokens", "q", func(h *header) { h.strings("tokenizer.ggml.tokens", nil) }, "empty vocabulary"},
		{"tokens twice", "q", func(h *header) { h.strings("tokenizer.ggml.tokens", []string{"a", "b", "a"}) }, `tokens 0 and 2 are both "a"`},
		{"name of an empty token", "q", func(h *header) { h.strings("tokenizer.ggml.tokens", []string{"", "[EMPTY_0]"}) }, `tokens 0 and 1`},
		{"no elements", "q", func(h *header) { h.tensor("hollow", F32, 8, 0) }, `"hollow" has no elements`},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := read(t, modelHeader(test.arch, test.extra)).Usable()
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	if err := read(t, vocabFile().bytes()).Usable(); err == nil || !strings.Contains(err.Error(), "a vocabulary but no weights") {
		t.Errorf("vocabulary only: %v", err)
	}
}
