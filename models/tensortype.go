package models

import "fmt"

// TensorType is the storage format of a tensor's weights, numbered as ggml_type.
type TensorType uint32

// The formats that WriteSynthetic can be asked for.
const (
	F32  TensorType = 0
	F16  TensorType = 1
	Q4_0 TensorType = 2
	Q8_0 TensorType = 8
)

// tensorTypes lists every ggml_type that a GGUF file may still hold: weights
// come in blocks of so many elements, each block taking so many bytes
// (ggml-common.h). Numbers missing here were withdrawn.
var tensorTypes = map[TensorType]struct {
	name         string
	block, bytes int64
}{
	F32:  {"F32", 1, 4},
	F16:  {"F16", 1, 2},
	Q4_0: {"Q4_0", 32, 18},
	3:    {"Q4_1", 32, 20},
	6:    {"Q5_0", 32, 22},
	7:    {"Q5_1", 32, 24},
	Q8_0: {"Q8_0", 32, 34},
	9:    {"Q8_1", 32, 36},
	10:   {"Q2_K", 256, 84},
	11:   {"Q3_K", 256, 110},
	12:   {"Q4_K", 256, 144},
	13:   {"Q5_K", 256, 176},
	14:   {"Q6_K", 256, 210},
	15:   {"Q8_K", 256, 292},
	16:   {"IQ2_XXS", 256, 66},
	17:   {"IQ2_XS", 256, 74},
	18:   {"IQ3_XXS", 256, 98},
	19:   {"IQ1_S", 256, 50},
	20:   {"IQ4_NL", 32, 18},
	21:   {"IQ3_S", 256, 110},
	22:   {"IQ2_S", 256, 82},
	23:   {"IQ4_XS", 256, 136},
	24:   {"I8", 1, 1},
	25:   {"I16", 1, 2},
	26:   {"I32", 1, 4},
	27:   {"I64", 1, 8},
	28:   {"F64", 1, 8},
	29:   {"IQ1_M", 256, 56},
	30:   {"BF16", 1, 2},
	34:   {"TQ1_0", 256, 54},
	35:   {"TQ2_0", 256, 66},
	39:   {"MXFP4", 32, 17},
	40:   {"NVFP4", 64, 36},
	41:   {"Q1_0", 128, 18},
	42:   {"Q2_0", 64, 18},
}

// String returns ggml's name of the format in capitals, such as "Q4_K".
func (t TensorType) String() string {
	if l, ok := tensorTypes[t]; ok {
		return l.name
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// ParseTensorType finds a type by the name that String gives it.
func ParseTensorType(name string) (t TensorType, ok bool) {
	for t, l := range tensorTypes {
		if l.name == name {
			return t, true
		}
	}
	return 0, false
}

// fileTypes are the mixtures of formats that llama.cpp's quantizer makes,
// numbered as llama_ftype and named as on its command line.
var fileTypes = map[uint64]string{
	0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1",
	10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M",
	16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S",
	22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M",
	28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0",
	37: "TQ2_0", 38: "MXFP4_MOE", 39: "NVFP4", 40: "Q1_0", 41: "Q2_0",
}

// FileType returns the name of the quantisation, such as "Q4_1" or "Q4_K_M":
// what general.file_type says, else the format that holds most weights. It is
// "" for a file without tensors that does not say.
func (g *GGUF) FileType() string {
	const guessed = 1024 // LLAMA_FTYPE_GUESSED, a flag beside the number
	if n, ok := g.Uint("general.file_type"); ok {
		if name, ok := fileTypes[n&^guessed]; ok {
			return name
		}
	}
	elements := map[TensorType]int64{}
	for _, t := range g.tensors {
		elements[t.Type] += t.Elements()
	}
	if len(elements) == 0 {
		return ""
	}
	var most TensorType
	for t, n := range elements {
		if n > elements[most] || n == elements[most] && t < most {
			most = t
		}
	}
	return most.String()
}
