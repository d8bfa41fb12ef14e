package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// A mutant is a sound model with one to four faults, the same for the same seed and number.
func mutant(bases []*ggufFile, seed, number uint64) []byte {
	r := rand.New(rand.NewPCG(seed, number))
	f := pick(r, bases).clone()
	for range 1 + r.IntN(4) {
		pick(r, partFaults)(r, f)
	}
	if r.IntN(2) == 0 {
		f.keys, f.tensors = uint64(len(f.pairs)), uint64(len(f.table))
	}
	if r.IntN(2) == 0 {
		f.settle()
	}
	file := f.bytes()
	if r.IntN(5) == 0 {
		file = pick(r, byteFaults)(r, file)
	}
	return file
}

func pick[T any](r *rand.Rand, list []T) T { return list[r.IntN(len(list))] }

// odd are numbers at which sums, products and conversions go wrong.
var odd = []uint64{
	0, 1, 2, 3, 7, 8, 16, 31, 33, 64, 255, 256, 257, 511, 513, 1 << 15, 1 << 16, 1<<24 - 1, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<32 + 1,
	1 << 42, 1<<60 + 1, 1<<61 - 1, 1 << 61, 1 << 62, 1<<63 - 32, 1<<63 - 1, 1 << 63, math.MaxUint64 - 31, math.MaxUint64,
}

var oddFloats = []float32{0, float32(math.Copysign(0, -1)), -1, -1e-5, 1e-5, 1, 1e30, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN())}

// partFaults make one part of a file wrong.
var partFaults = []func(*rand.Rand, *ggufFile){
	func(r *rand.Rand, f *ggufFile) { // the header's own fields
		switch r.IntN(4) {
		case 0:
			f.version = uint32(pick(r, odd))
		case 1:
			f.keys = pick(r, []uint64{f.keys - 1, f.keys + 1, pick(r, odd)})
		case 2:
			f.tensors = pick(r, []uint64{f.tensors - 1, f.tensors + 1, pick(r, odd)})
		case 3:
			f.magic = pick(r, []string{"GGUf", "GGML", "\x00\x00\x00\x00", "FUGG"})
		}
	},
	func(r *rand.Rand, f *ggufFile) { // a key gone, twice, in another's place, by another name
		i, j := r.IntN(len(f.pairs)), r.IntN(len(f.pairs))
		switch r.IntN(5) {
		case 0:
			f.pairs = slices.Delete(f.pairs, i, i+1)
		case 1:
			f.pairs = append(f.pairs, f.pairs[i])
		case 2:
			f.pairs[i].value, f.pairs[j].value = f.pairs[j].value, f.pairs[i].value
			f.pairs[i].kind, f.pairs[j].kind = f.pairs[j].kind, f.pairs[i].kind
		case 3:
			f.pairs[i].key += pick(r, []string{"\x00", "x", "\n", strings.Repeat("k", 1<<16), strings.Repeat("k", 1<<14), "\x1b[2J"})
		case 4:
			f.pairs[i].key = f.pairs[j].key
		}
	},
	func(r *rand.Rand, f *ggufFile) { f.pairs[r.IntN(len(f.pairs))].kind = uint32(r.IntN(15)) },
	func(r *rand.Rand, f *ggufFile) { pick(r, f.pairs).shake(r) },
	func(r *rand.Rand, f *ggufFile) { pick(r, f.pairs).shake(r) },
	func(r *rand.Rand, f *ggufFile) { f.put(r, pick(r, modelKeys)) },
	func(r *rand.Rand, f *ggufFile) { f.put(r, pick(r, modelKeys)) },
	func(r *rand.Rand, f *ggufFile) { f.put(r, pick(r, tokenizerKeys)) },
	func(r *rand.Rand, f *ggufFile) { f.put(r, pick(r, generalKeys)) },
	func(r *rand.Rand, f *ggufFile) { f.vocabulary(r) },
	func(r *rand.Rand, f *ggufFile) { // another architecture, by all its keys
		arch := pick(r, architectures)
		for i := range f.pairs {
			if rest, ok := strings.CutPrefix(f.pairs[i].key, "llama."); ok {
				f.pairs[i].key = arch + "." + rest
			}
		}
		if p := f.find("general.architecture"); p != nil {
			p.kind, p.value = ggufString, ggufText(nil, arch)
		}
	},
	func(r *rand.Rand, f *ggufFile) { f.tensor(r) },
	func(r *rand.Rand, f *ggufFile) { f.tensor(r) },
	func(r *rand.Rand, f *ggufFile) { f.tensor(r) },
	func(r *rand.Rand, f *ggufFile) { // weights that are no numbers, or other ones
		for range 1 + r.IntN(1000) {
			if len(f.data) > 0 {
				f.data[r.IntN(len(f.data))] = pick(r, []byte{0, 0x7f, 0x80, 0xff, byte(r.Uint32())})
			}
		}
	},
}

// shake changes a value, within its type or its length.
func (p ggufPair) shake(r *rand.Rand) {
	switch {
	case len(p.value) == 0:
	case p.kind == ggufFloat32 && len(p.value) == 4:
		le.PutUint32(p.value, math.Float32bits(pick(r, oddFloats)))
	case p.kind == ggufString && len(p.value) > 8 && r.IntN(2) == 0:
		p.value[8+r.IntN(len(p.value)-8)] = byte(r.Uint32())
	case p.kind == ggufArray && len(p.value) > 12:
		switch r.IntN(3) {
		case 0:
			le.PutUint32(p.value, uint32(r.IntN(15)))
		case 1:
			le.PutUint64(p.value[4:], pick(r, []uint64{le.Uint64(p.value[4:]) - 1, le.Uint64(p.value[4:]) + 1, pick(r, odd)}))
		default:
			for range 1 + r.IntN(8) {
				p.value[12+r.IntN(len(p.value)-12)] = byte(r.Uint32())
			}
		}
	case len(p.value) >= 8:
		le.PutUint64(p.value, pick(r, odd))
	case len(p.value) == 4:
		le.PutUint32(p.value, uint32(pick(r, odd)))
	default:
		p.value[r.IntN(len(p.value))] = byte(r.Uint32())
	}
}

// modelKeys are what llama.cpp reads of a model behind its architecture's name; tokenizerKeys what it reads of a tokenizer;
// generalKeys of any file.
var (
	generalKeys = []string{
		"general.alignment", "general.type", "general.file_type", "general.architecture", "general.name", "split.count", "split.no", "split.tensors.count",
	}
	modelKeys = []string{
		"vocab_size", "context_length", "embedding_length", "embedding_length_out", "block_count", "leading_dense_block_count",
		"feed_forward_length", "expert_feed_forward_length", "use_parallel_residual", "expert_count", "expert_used_count", "expert_shared_count",
		"expert_group_count", "expert_group_used_count", "expert_weights_scale", "expert_gating_func", "nextn_predict_layers", "pooling_type",
		"logit_scale", "decoder_start_token_id", "attn_logit_softcapping", "final_logit_softcapping", "residual_scale", "embedding_scale",
		"attention.head_count", "attention.head_count_kv", "attention.max_alibi_bias", "attention.clamp_kqv", "attention.key_length",
		"attention.value_length", "attention.layer_norm_epsilon", "attention.layer_norm_rms_epsilon", "attention.causal", "attention.q_lora_rank",
		"attention.sliding_window", "attention.sliding_window_pattern", "attention.scale", "attention.key_length_swa", "attention.value_length_swa",
		"attention.key_length_mla", "attention.value_length_mla", "attention.temperature_length", "attention.shared_kv_layers",
		"rope.dimension_count", "rope.dimension_count_swa", "rope.dimension_sections", "rope.freq_base", "rope.freq_base_swa", "rope.scale_linear",
		"rope.scaling.type", "rope.scaling.factor", "rope.scaling.attn_factor", "rope.scaling.original_context_length", "rope.scaling.finetuned",
		"rope.scaling.yarn_log_multiplier", "ssm.conv_kernel", "ssm.inner_size", "ssm.state_size", "ssm.time_step_rank", "ssm.group_count",
		"wkv.head_size", "tensor_data_layout", "classifier.output_labels", "router_layer", "interleave_moe_layer_step",
	}
	tokenizerKeys = []string{
		"model", "pre", "token_type_count", "scores", "merges", "bos_token_id", "eos_token_id", "eot_token_id", "eom_token_id",
		"unknown_token_id", "seperator_token_id", "padding_token_id", "mask_token_id", "add_bos_token", "add_eos_token", "add_sep_token",
		"add_space_prefix", "remove_extra_whitespaces", "precompiled_charsmap", "fim_pre_token_id", "suppress_tokens", "normalizer.lowercase",
	}
	architectures = []string{
		"llama", "llama4", "deci", "falcon", "grok", "gpt2", "gptneox", "mpt", "starcoder", "refact", "bloom", "stablelm", "qwen", "qwen2", "qwen2moe",
		"qwen3", "qwen3moe", "qwen3next", "phi2", "phi3", "phimoe", "plamo", "orion", "internlm2", "minicpm", "minicpm3", "gemma", "gemma2", "gemma3",
		"gemma3n", "gemma4", "mamba", "mamba2", "jamba", "falcon-h1", "command-r", "cohere2", "dbrx", "olmo", "olmo2", "olmoe", "openelm", "arctic",
		"deepseek", "deepseek2", "chatglm", "glm4", "bitnet", "jais", "nemotron", "exaone", "exaone4", "rwkv6", "rwkv7", "granite", "granitemoe",
		"granitehybrid", "chameleon", "plm", "bailingmoe", "dots1", "arcee", "ernie4_5", "hunyuan-moe", "smollm3", "gpt-oss", "lfm2", "seed_oss",
		"apertus", "minimax-m2", "mistral3", "no such one", "",
	}
	oddTexts = []string{
		"", "none", "no_vocab", "bert", "t5", "rwkv", "gpt2", "llama", "plamo2", "test", "gemma4", "whitespace", "default", "llama-bpe", "qwen2", "tekken",
		"smollm", "linear", "yarn", "longrope", "%s%s%n", "\x00", "llama\x00", "\xff\xfe", "\x1b]0;owned\a", "adapter", strings.Repeat("A", 1<<16),
	}
)

// put sets a key that llama.cpp reads to something odd, of whatever type.
func (f *ggufFile) put(r *rand.Rand, name string) {
	key := "llama." + name
	switch {
	case slices.Contains(tokenizerKeys, name):
		key = "tokenizer.ggml." + name
	case slices.Contains(generalKeys, name):
		key = name
	}
	p := f.find(key)
	if p == nil {
		f.pairs = append(f.pairs, ggufPair{key: key})
		p = &f.pairs[len(f.pairs)-1]
	}
	switch r.IntN(6) {
	case 0, 1, 2:
		p.kind, p.value = ggufUint32, le.AppendUint32(nil, uint32(pick(r, odd)))
	case 3:
		p.kind, p.value = ggufFloat32, le.AppendUint32(nil, math.Float32bits(pick(r, oddFloats)))
	case 4:
		p.kind, p.value = ggufString, ggufText(nil, pick(r, oddTexts))
	case 5:
		p.kind, p.value = ggufArray, le.AppendUint32(nil, ggufUint32)
		n := pick(r, []int{0, 1, 2, 3, 4, 512, 513})
		p.value = le.AppendUint64(p.value, uint64(n))
		for range n {
			p.value = le.AppendUint32(p.value, uint32(pick(r, odd)))
		}
	}
}

// vocabulary makes entries of the vocabulary or of the merges wrong.
func (f *ggufFile) vocabulary(r *rand.Rand) {
	p := f.find(pick(r, []string{"tokenizer.ggml.tokens", "tokenizer.ggml.merges"}))
	if p == nil || p.kind != ggufArray || len(p.value) < 12 || le.Uint32(p.value) != ggufString {
		return
	}
	list := p.strings()
	for range 1 + r.IntN(5) {
		if len(list) == 0 {
			break
		}
		i := r.IntN(len(list))
		switch r.IntN(5) {
		case 0:
			list[i] = pick(r, list)
		case 1:
			list[i] = pick(r, oddTexts)
		case 2:
			list[i] += "\x00" + list[i]
		case 3:
			list = list[:i]
		case 4:
			list[i] = "<0x" + list[i] + ">"
		}
	}
	p.value = ggufStrings(list)
}

// tensor makes an entry of the tensor table wrong, or the table as a whole.
func (f *ggufFile) tensor(r *rand.Rand) {
	if len(f.table) == 0 {
		return
	}
	i := r.IntN(len(f.table))
	t := &f.table[i]
	dim := func() *uint64 {
		if len(t.shape) == 0 {
			t.shape = []uint64{1}
		}
		return &t.shape[r.IntN(len(t.shape))]
	}
	switch r.IntN(11) {
	case 0:
		t.kind = uint32(r.IntN(48))
	case 1:
		t.kind = uint32(pick(r, odd))
	case 2:
		*dim() = pick(r, odd)
	case 3:
		*dim() += pick(r, []uint64{1, 32, math.MaxUint64, 1 << 62})
	case 4:
		slices.Reverse(t.shape)
	case 5:
		t.shape = append(t.shape, pick(r, odd))
	case 6:
		t.shape = t.shape[:r.IntN(len(t.shape)+1)]
	case 7:
		t.name = pick(r, []string{"", pick(r, f.table).name, t.name + "\x00", strings.Repeat("n", 64), "blk.99999.attn_q.weight", "rope_freqs.weight", "output.weight"})
	case 8:
		t.offset = pick(r, []uint64{t.offset + 1, t.offset + 32, t.offset - 32, pick(r, odd)})
	case 9:
		f.table = slices.Delete(f.table, i, i+1)
	case 10:
		f.table = append(f.table, ggufTensor{name: pick(r, []string{"output.weight", "rope_freqs.weight", "blk.0.attn_q.bias", "blk.1.ffn_gate_inp.weight", t.name}),
			shape: slices.Clone(t.shape), kind: t.kind, offset: uint64(len(f.data))})
	}
}

// byteFaults make a file wrong wherever it may be.
var byteFaults = []func(*rand.Rand, []byte) []byte{
	func(r *rand.Rand, b []byte) []byte { return b[:r.IntN(len(b))] },
	func(r *rand.Rand, b []byte) []byte { return b[:r.IntN(min(len(b), 2000))] },
	func(r *rand.Rand, b []byte) []byte { // bits
		for range 1 + r.IntN(16) {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		return b
	},
	func(r *rand.Rand, b []byte) []byte { // a number
		le.PutUint64(b[r.IntN(min(len(b), 4000)-8):], pick(r, odd))
		return b
	},
	func(r *rand.Rand, b []byte) []byte { // a piece twice, or gone
		from := r.IntN(len(b))
		to := min(len(b), from+1+r.IntN(64))
		if r.IntN(2) == 0 {
			return slices.Delete(b, from, to)
		}
		return slices.Insert(b, from, slices.Clone(b[from:to])...)
	},
	func(r *rand.Rand, b []byte) []byte { return append(b, make([]byte, r.IntN(4096))...) },
}
