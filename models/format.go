package models

import (
	"fmt"
	"strings"
)

// Format is a mixture of tensor types that a model's weights can be converted
// to, named as llama.cpp's quantizer names it.
type Format string

// Formats lists the formats to convert to, the one that keeps most first.
func Formats() []Format { return []Format{"F16", "Q8_0", "Q4_K_M", "Q4_0"} }

// ParseFormat finds a format by its name, in whatever case.
func ParseFormat(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if strings.EqualFold(name, string(f)) {
			return f, nil
		}
		names = append(names, string(f))
	}
	return "", fmt.Errorf("weight format %q cannot be made: choose %s", name, strings.Join(names, ", "))
}

// ggml's numbers of further types that Converted tells of.
const (
	q5_0 TensorType = 6
	q5_1 TensorType = 7
	q4_K TensorType = 12
	q5_K TensorType = 13
	q6_K TensorType = 14
)

// Converted tells which tensors llama.cpp's quantizer makes of the model for a
// format: those of the file in its order with their types and sizes after it.
// Offsets are those of the file. It follows llama-quant.cpp for models of the
// Llama and Gemma families; for others some types may turn out otherwise.
func (g *GGUF) Converted(f Format) []Tensor {
	tied := true
	for _, t := range g.tensors {
		tied = tied && t.Name != "output.weight"
	}
	layers, _ := g.Uint(g.Architecture() + ".block_count")
	list := make([]Tensor, len(g.tensors))
	for i, t := range g.tensors {
		if t.packable() {
			t.Type = f.typeOf(t, tied, int(layers))
			layout := tensorTypes[t.Type]
			t.Size = t.Elements() / layout.block * layout.bytes
		}
		list[i] = t
	}
	return list
}

// ConvertedSize estimates the size in bytes of the file that Converted tells of.
func (g *GGUF) ConvertedSize(f Format) int64 {
	size := g.size
	for i, t := range g.Converted(f) {
		size += int64(padded(uint64(t.Size), defaultAlignment)) - int64(padded(uint64(g.tensors[i].Size), g.alignment))
	}
	return size
}

// packable reports whether the quantizer changes a tensor's type: it leaves
// vectors, norms and the small matrix that chooses experts.
func (t Tensor) packable() bool {
	dims := 0
	for i, n := range t.Shape {
		if n > 1 {
			dims = i + 1
		}
	}
	return dims >= 2 && strings.HasSuffix(t.Name, "weight") &&
		!strings.Contains(t.Name, "_norm.weight") && !strings.Contains(t.Name, "ffn_gate_inp.weight")
}

// BodyWeight reports whether the tensor is a matrix that every token passes
// through: neither the embeddings nor the output head.
func (t Tensor) BodyWeight() bool {
	return t.packable() && !strings.HasSuffix(t.Name, "token_embd.weight") && t.Name != "output.weight"
}

func (f Format) typeOf(t Tensor, tied bool, layers int) TensorType {
	rows := t.Shape[0]
	head := t.Name == "output.weight" || tied && strings.HasSuffix(t.Name, "token_embd.weight")
	kind := F16
	switch f {
	case "F16":
		return F16
	case "Q8_0":
		kind = Q8_0
	case "Q4_0":
		kind = Q4_0
	case "Q4_K_M":
		kind = q4_K
		switch {
		case head:
		case strings.Contains(t.Name, "attn_qkv.weight"):
			kind = q5_K
			fallthrough
		case strings.Contains(t.Name, "attn_v.weight"), strings.Contains(t.Name, "attn_kv_b.weight"), strings.Contains(t.Name, "ffn_down"):
			var layer int
			if _, err := fmt.Sscanf(t.Name, "blk.%d.", &layer); err == nil && moreBits(layer, layers) {
				kind = q6_K
			}
		}
	}
	switch {
	case !head:
	case rows%tensorTypes[kind].block != 0:
		kind = Q8_0
	case kind != Q8_0:
		kind = q6_K
	}
	if rows%tensorTypes[kind].block != 0 {
		// Blocks of 256 that do not fit are exchanged for ones of 32.
		switch kind {
		case q4_K:
			kind = q5_0
		case q5_K:
			kind = q5_1
		case q6_K:
			kind = Q8_0
		}
	}
	if rows%tensorTypes[kind].block != 0 {
		kind = F16
	}
	return kind
}

// moreBits tells the layers to which Q4_K_M gives more bits: the first and last
// eighth, and every third between.
func moreBits(layer, layers int) bool {
	return layer < layers/8 || layer >= 7*layers/8 || (layer-layers/8)%3 == 2
}
