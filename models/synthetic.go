package models

import (
	"bytes"
	"errors"
	"fmt"
	"io"
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
	Untied      bool       // the output head has weights of its own, not those of the embeddings
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
// its own, and random weights for the shape. The output head is of the type
// that llama.cpp's quantizer gives it in a file of the weights' type. The same
// vocabulary, shape and seed give the same bytes everywhere.
//
// Weights have a variance of 1/fan-in, so that activations keep their scale
// through any number of layers; they say nothing, which is enough to measure
// speed and to test everything but what a model knows. They are streamed: a
// shape of any size takes little memory.
func WriteSynthetic(w io.Writer, vocab *GGUF, shape Shape, seed uint64) error {
	f, err := newSyntheticFile(vocab, shape)
	if err != nil {
		return err
	}
	return f.write(w, seed)
}

// syntheticFile is a file before its weights are drawn.
type syntheticFile struct {
	header  []byte
	tensors []syntheticTensor
	size    int64 // of the whole file, bytes
}

func newSyntheticFile(vocab *GGUF, shape Shape) (*syntheticFile, error) {
	fileType, err := shape.check()
	if err != nil {
		return nil, err
	}
	h := &header{}
	if err := h.describe(vocab, shape, fileType); err != nil {
		return nil, err
	}
	f := &syntheticFile{tensors: shape.tensors(vocab.VocabSize())}
	for i, t := range f.tensors {
		if f.tensors[i].padding, err = h.tensor(t.name, t.kind, t.shape...); err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	if _, err := h.WriteTo(&b); err != nil {
		return nil, err
	}
	f.header, f.size = b.Bytes(), int64(b.Len())+int64(h.next)
	return f, nil
}

func (f *syntheticFile) write(w io.Writer, seed uint64) error {
	if _, err := w.Write(f.header); err != nil {
		return err
	}
	for i, t := range f.tensors {
		if err := t.write(w, rand.NewPCG(seed, uint64(i))); err != nil {
			return err
		}
		if _, err := w.Write(make([]byte, t.padding)); err != nil {
			return err
		}
	}
	return nil
}

// check refuses shapes that cannot be, and returns the number of the file type
// (llama_ftype).
func (s Shape) check() (fileType uint32, err error) {
	const limit = 1 << 24
	for _, n := range []int{s.Layers, s.Embedding, s.FeedForward, s.Heads, s.KVHeads, s.Context} {
		if n <= 0 || n > limit {
			return 0, fmt.Errorf("synthetic model: %d in the shape, every size must be between 1 and %d", n, limit)
		}
	}
	if s.Embedding%(2*s.Heads) != 0 || s.Heads%s.KVHeads != 0 {
		return 0, fmt.Errorf("synthetic model: an embedding of %d does not split into %d heads of even size with %d key-value heads",
			s.Embedding, s.Heads, s.KVHeads)
	}
	switch s.WeightType {
	case F32:
		return 0, nil
	case F16:
		return 1, nil
	case Q4_0:
		return 2, nil
	case Q8_0:
		return 7, nil
	}
	return 0, fmt.Errorf("synthetic model: weights of type %s cannot be written, only F32, F16, Q8_0 and Q4_0", s.WeightType)
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
	name    string
	kind    TensorType
	shape   []int // (inputs) or (inputs, outputs)
	padding int   // bytes after its data
}

// tensors lists what llama.cpp's llama architecture loads.
func (s Shape) tensors(vocab int) []syntheticTensor {
	kv := s.Embedding / s.Heads * s.KVHeads
	head := s.WeightType
	if head != F32 {
		head = Format(head.String()).typeOf(Tensor{Name: "output.weight", Shape: []int64{int64(s.Embedding), int64(vocab)}}, false, s.Layers)
	}
	embeddings := head
	if s.Untied {
		embeddings = s.WeightType
	}
	var list []syntheticTensor
	add := func(name string, kind TensorType, shape ...int) {
		list = append(list, syntheticTensor{name: name + ".weight", kind: kind, shape: shape})
	}
	add("token_embd", embeddings, s.Embedding, vocab)
	add("output_norm", F32, s.Embedding)
	if s.Untied {
		add("output", head, s.Embedding, vocab)
	}
	for i := range s.Layers {
		block := fmt.Sprintf("blk.%d.", i)
		add(block+"attn_norm", F32, s.Embedding)
		add(block+"attn_q", s.WeightType, s.Embedding, s.Embedding)
		add(block+"attn_k", s.WeightType, s.Embedding, kv)
		add(block+"attn_v", s.WeightType, s.Embedding, kv)
		add(block+"attn_output", s.WeightType, s.Embedding, s.Embedding)
		add(block+"ffn_norm", F32, s.Embedding)
		add(block+"ffn_gate", s.WeightType, s.Embedding, s.FeedForward)
		add(block+"ffn_up", s.WeightType, s.Embedding, s.FeedForward)
		add(block+"ffn_down", s.WeightType, s.FeedForward, s.Embedding)
	}
	return list
}
