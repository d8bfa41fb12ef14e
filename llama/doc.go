// Package llama runs GGUF models through llama.cpp, linked in by cgo.
//
// Call [Start] once: it chooses the CPU variant for this machine. Then [Load] a [Model], which also tokenizes, and make a
// [Context] from it to decode batches of tokens and read their logits.
//
// The package stays close to llama.cpp's C API; what to decode, and how a token is picked, is decided elsewhere. No C type
// is exported and C never calls into Go. Close methods are idempotent, and a Context keeps its Model alive. A Model may be
// shared by goroutines; a Context belongs to one at a time. An error carries the error lines that llama.cpp logged.
//
// GGML_ABORT ends the process, so arguments are checked here before they cross into C.
//
// Without cgo the package builds as a stub whose Start and Load return [ErrNoCgo].
package llama

import "errors"

// EnvVisibleGPUs names ggml's variable that lists the Vulkan devices to use, by number, with commas between.
const EnvVisibleGPUs = "GGML_VK_VISIBLE_DEVICES"

// ErrNoCgo is returned by everything that needs llama.cpp in a build without cgo.
var ErrNoCgo = errors.New("built without cgo: llama.cpp is not in this executable; build it with make")

// ErrNoGPUBackend is returned by [GPUs] and [StartGPU] where none was linked in.
var ErrNoGPUBackend = errors.New("this executable has no GPU back end: make GPU=vulkan builds one that has")

// Errors of [Context.Decode], and ErrAborted of [Load] too, that a caller may act on.
var (
	ErrNoRoom  = errors.New("no room left in the KV cache")
	ErrAborted = errors.New("loading or decoding was aborted")
	// ErrGPUFailed wraps what a GPU's driver reported. The context cannot be used further.
	ErrGPUFailed = errors.New("the GPU failed or was lost")
)

// ErrMappedFile is returned by [Load], [LoadFile], [NewContext] and [Context.Decode] once a page of a mapped file could not be read,
// as where somebody cuts a model's file short while it is in use. No later call in this process succeeds.
var ErrMappedFile = errors.New("a mapped file can no longer be read")

// A Device is something that ggml can compute on.
type Device struct {
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Type        DeviceType `json:"type"`
	MemoryFree  uint64     `json:"memory_free"`  // bytes
	MemoryTotal uint64     `json:"memory_total"` // bytes
}

// A DeviceType is the kind of a [Device].
type DeviceType string

// The kinds of device.
const (
	CPU           DeviceType = "cpu"
	GPU           DeviceType = "gpu"
	IntegratedGPU DeviceType = "igpu"
	OtherDevice   DeviceType = "other"
	SoftwareGPU   DeviceType = "software" // a GPU's interface, computed by the CPU
)

// A GPUInfo describes a device that the GPU back end's driver offers.
type GPUInfo struct {
	Index       int        `json:"index"` // from 0, as the driver counts
	Name        string     `json:"name"`
	Type        DeviceType `json:"type"`
	MemoryFree  uint64     `json:"memory_free"`  // bytes of its own memory, or of the machine's where it has none
	MemoryTotal uint64     `json:"memory_total"` // bytes
	Unfit       string     `json:"-"`            // why llama.cpp cannot compute on it, empty where it can
}

// A LogLine is one line that llama.cpp or ggml logged.
type LogLine struct {
	Level byte // 'D', 'I', 'W' or 'E'
	Text  string
}

// LoadOptions says how a model is loaded.
type LoadOptions struct {
	VocabOnly bool // the tokenizer alone, no weights
	NoMmap    bool // read the weights into memory rather than map the file
	GPULayers int  // how many layers, from the last, the output head counted as one, go to the GPU that StartGPU has chosen
}

// DefaultBatch is the most tokens in one Decode where [ContextOptions] do not say.
const DefaultBatch = 512

// ContextOptions sizes a [Context]. Zero values are replaced as each field says.
type ContextOptions struct {
	Size           int  // tokens that the KV cache holds, all sequences together (0: what the model was trained with)
	Batch          int  // most tokens in one Decode (0: DefaultBatch), one for each sequence at least
	Sequences      int  // most sequences (0: 1)
	Threads        int  // compute threads (0: 1)
	FlashAttention int  // -1 off, 0 as llama.cpp chooses, 1 on
	SplitKV        bool // one KV buffer for each sequence, rather than one for all
	KV             KVType

	// Layers are those after which the residual stream is kept for [Context.States], counted from 0. NewContext refuses a layer that
	// the model does not have, one that llama.cpp does not name in the model's architecture (DeepSeek 4's, PLaMo 2's), and one whose
	// states it computes for wanted rows alone: the last layer of most architectures, Llama, Gemma 1 to 3, Qwen 2 and 3 and Phi 3
	// among them. Each layer takes Batch * ModelInfo.Embedding * 4 bytes. With layers Batch is 4 at least.
	Layers []int
}

// A KVType is the number format of cached keys and values; the zero value is KVF16.
type KVType string

// The formats. With KVQ8 llama.cpp wants flash attention.
const (
	KVF16 KVType = "f16"
	KVQ8  KVType = "q8_0" // blocks of 32 with a scale: 8.5 bits a number
	KVF32 KVType = "f32"
)

// A Batch is a list of tokens to decode together. Row i is token Tokens[i] at position Positions[i] of sequence
// Sequences[i]; its logits are computed where Wanted[i] is not 0. A Batch is plain memory and may be reused after Reset.
type Batch struct {
	Tokens    []int32
	Positions []int32
	Sequences []int32
	Wanted    []int8
}

// Add appends a row and returns its index, by which [Context.Logits] finds its logits.
func (b *Batch) Add(token, position, sequence int32, logits bool) int {
	var want int8
	if logits {
		want = 1
	}
	b.Tokens = append(b.Tokens, token)
	b.Positions = append(b.Positions, position)
	b.Sequences = append(b.Sequences, sequence)
	b.Wanted = append(b.Wanted, want)
	return len(b.Tokens) - 1
}

// Len is the number of rows.
func (b *Batch) Len() int { return len(b.Tokens) }

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	b.Tokens, b.Positions, b.Sequences, b.Wanted = b.Tokens[:0], b.Positions[:0], b.Sequences[:0], b.Wanted[:0]
}

// ModelInfo holds a model's hyper-parameters.
type ModelInfo struct {
	Description string // architecture, size and quantisation in llama.cpp's words
	Size        uint64 // bytes of all tensors
	Parameters  uint64
	Layers      int
	Embedding   int // width of the residual stream
	Heads       int
	KVHeads     int
	TrainedSize int // tokens of context the model was trained with
	VocabSize   int
}
