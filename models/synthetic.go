package models

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// Shape gives the size of a synthetic model in Llama's terms.
type Shape struct {
	Layers      int
	Embedding   int // length of a token's vector, a multiple of Heads
	FeedForward int
	Heads       int        // query heads, a multiple of KVHeads
	KVHeads     int        // key-value heads
	Context     int        // tokens
	WeightType  TensorType // of the matrices: F32, F16, Q8_0 or Q4_0; norms are F32
}

// TinyShape is a model for tests: 17 MB with Llama 3's vocabulary.
var TinyShape = Shape{Layers: 2, Embedding: 64, FeedForward: 128, Heads: 4, KVHeads: 2, Context: 2048, WeightType: Q8_0}

// syntheticTemplate is a chat template with Llama 3's markers, by which the
// template is recognised.
const syntheticTemplate = `{{ bos_token }}{% for m in messages %}<|start_header_id|>{{ m.role }}<|end_header_id|>

{{ m.content }}<|eot_id|>{% endfor %}{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>

{% endif %}`

// WriteSynthetic writes a GGUF file of Llama architecture to w: the tokenizer
// of vocab, every key of it byte for byte, a Llama 3 chat template in place of
// its own, and random weights for the shape. Input and output embeddings are
// tied. The same vocabulary, shape and seed give the same bytes everywhere.
//
// Weights are near normal with a variance of 1/fan-in, so that activations
// keep their scale; they say nothing, which is enough to measure speed and to
// test everything but what a model knows. They are streamed: a shape of any
// size takes little memory.
func WriteSynthetic(w io.Writer, vocab *GGUF, shape Shape, seed uint64) error {
	quantize, fileType, err := shape.check()
	if err != nil {
		return err
	}
	h := &header{}
	if err := h.describe(vocab, shape, fileType); err != nil {
		return err
	}
	tensors := shape.tensors(vocab.VocabSize())
	paddings := make([]int, len(tensors))
	for i, t := range tensors {
		if paddings[i], err = h.tensor(t.name, t.kind, t.shape...); err != nil {
			return err
		}
	}
	out := bufio.NewWriterSize(w, 1<<20)
	if _, err := h.WriteTo(out); err != nil {
		return err
	}
	var buf []byte
	for i, t := range tensors {
		row := make([]float32, t.shape[0])
		draw := normal{src: rand.NewPCG(seed, uint64(i)), scale: float32(1 / math.Sqrt(float64(t.shape[0])))}
		if len(t.shape) == 1 {
			for j := range row {
				row[j] = 1 // a norm
			}
			if _, err := out.Write(appendF32(buf[:0], row)); err != nil {
				return err
			}
		} else {
			for range t.shape[1] {
				draw.fill(row)
				buf = quantize(buf[:0], row)
				if _, err := out.Write(buf); err != nil {
					return err
				}
			}
		}
		if _, err := out.Write(make([]byte, paddings[i])); err != nil {
			return err
		}
	}
	return out.Flush()
}

// check returns the function that packs a row of weights and the number of the
// file type (llama_ftype).
func (s Shape) check() (quantize func([]byte, []float32) []byte, fileType uint32, err error) {
	const limit = 1 << 24
	for _, n := range []int{s.Layers, s.Embedding, s.FeedForward, s.Heads, s.KVHeads, s.Context} {
		if n <= 0 || n > limit {
			return nil, 0, fmt.Errorf("synthetic model: %d in the shape, every size must be between 1 and %d", n, limit)
		}
	}
	if s.Embedding%(2*s.Heads) != 0 || s.Heads%s.KVHeads != 0 {
		return nil, 0, fmt.Errorf("synthetic model: an embedding of %d does not split into %d heads of even size with %d key-value heads",
			s.Embedding, s.Heads, s.KVHeads)
	}
	switch s.WeightType {
	case F32:
		return appendF32, 0, nil
	case F16:
		return appendF16, 1, nil
	case Q4_0:
		return appendQ4_0, 2, nil
	case Q8_0:
		return appendQ8_0, 7, nil
	}
	return nil, 0, fmt.Errorf("synthetic model: weights of type %s cannot be written, only F32, F16, Q8_0 and Q4_0", s.WeightType)
}

func (h *header) describe(vocab *GGUF, s Shape, fileType uint32) error {
	const eot = "tokenizer.ggml.eot_token_id"
	tokens, err := vocab.Strings("tokenizer.ggml.tokens")
	if err != nil {
		return fmt.Errorf("vocabulary: %w", err)
	}
	if len(tokens) == 0 {
		return errors.New("vocabulary: no tokens")
	}
	h.string("general.architecture", "llama")
	h.string("general.type", "model")
	h.string("general.name", fmt.Sprintf("Synthetic Llama, %d layers of %d", s.Layers, s.Embedding))
	h.uint32("general.file_type", fileType)
	h.uint32("general.quantization_version", 2) // GGML_QNT_VERSION
	h.uint32("llama.vocab_size", uint32(len(tokens)))
	h.uint32("llama.context_length", uint32(s.Context))
	h.uint32("llama.embedding_length", uint32(s.Embedding))
	h.uint32("llama.block_count", uint32(s.Layers))
	h.uint32("llama.feed_forward_length", uint32(s.FeedForward))
	h.uint32("llama.attention.head_count", uint32(s.Heads))
	h.uint32("llama.attention.head_count_kv", uint32(s.KVHeads))
	h.float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
	h.uint32("llama.rope.dimension_count", uint32(s.Embedding/s.Heads))
	h.float32("llama.rope.freq_base", 500_000)
	for _, v := range vocab.keys {
		if !strings.HasPrefix(v.key, "tokenizer.") || v.key == "tokenizer.chat_template" {
			continue
		}
		pair, err := vocab.read(v.start, v.end)
		if err != nil {
			return fmt.Errorf("vocabulary: key %q: %w", v.key, err)
		}
		h.raw(pair)
	}
	if i := slices.Index(tokens, "<|eot_id|>"); i >= 0 && vocab.lookup(eot) == nil {
		h.uint32(eot, uint32(i))
	}
	h.string("tokenizer.chat_template", syntheticTemplate)
	return nil
}

type syntheticTensor struct {
	name  string
	kind  TensorType
	shape []int // (inputs) or (inputs, outputs)
}

// tensors lists what llama.cpp's llama architecture loads.
func (s Shape) tensors(vocab int) []syntheticTensor {
	kv := s.Embedding / s.Heads * s.KVHeads
	list := []syntheticTensor{
		{"token_embd.weight", s.WeightType, []int{s.Embedding, vocab}},
		{"output_norm.weight", F32, []int{s.Embedding}},
	}
	for i := range s.Layers {
		for _, t := range []syntheticTensor{
			{"attn_norm", F32, []int{s.Embedding}},
			{"attn_q", s.WeightType, []int{s.Embedding, s.Embedding}},
			{"attn_k", s.WeightType, []int{s.Embedding, kv}},
			{"attn_v", s.WeightType, []int{s.Embedding, kv}},
			{"attn_output", s.WeightType, []int{s.Embedding, s.Embedding}},
			{"ffn_norm", F32, []int{s.Embedding}},
			{"ffn_gate", s.WeightType, []int{s.Embedding, s.FeedForward}},
			{"ffn_up", s.WeightType, []int{s.Embedding, s.FeedForward}},
			{"ffn_down", s.WeightType, []int{s.FeedForward, s.Embedding}},
		} {
			t.name = fmt.Sprintf("blk.%d.%s.weight", i, t.name)
			list = append(list, t)
		}
	}
	return list
}

// normal draws numbers of mean 0 and standard deviation scale. The sum of four
// uniform 16-bit numbers (Irwin-Hall) is close enough to normal, and with one
// float operation per number the bytes do not depend on the processor.
type normal struct {
	src   *rand.PCG
	scale float32
}

func (d *normal) fill(row []float32) {
	const deviation = 37837.227 // of the sum: 65536 * sqrt(4/12)
	unit := d.scale / deviation
	for i := range row {
		u := d.src.Uint64()
		sum := int32(u&0xffff) + int32(u>>16&0xffff) + int32(u>>32&0xffff) + int32(u>>48) - 2*0xffff
		row[i] = float32(sum) * unit
	}
}
