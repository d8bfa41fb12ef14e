//go:build !cgo

package llama

import (
	"context"
	"os"
)

// The API of the cgo build, each call of which fails. See the files it stands in for.

// Revision is empty: no llama.cpp is linked in.
const Revision = ""

// GPUBackend is empty: no llama.cpp is linked in.
const GPUBackend = ""

// Model stands in for a model, of which there can be none.
type Model struct{}

// Context stands in for a context, of which there can be none.
type Context struct{}

// GrammarSampler stands in for a sampler, of which there can be none.
type GrammarSampler struct{}

func Start() (string, error)                                { return "", ErrNoCgo }
func Choices() []Choice                                     { return survey(Variants, lacking, Linked) }
func Linked(string) bool                                    { return false }
func Features() []string                                    { return nil }
func Devices() []Device                                     { return nil }
func TakeLog() []LogLine                                    { return nil }
func Load(string, LoadOptions) (*Model, error)              { return nil, ErrNoCgo }
func LoadFile(*os.File, int64, LoadOptions) (*Model, error) { return nil, ErrNoCgo }
func StopLoading(bool)                                      {}
func LoadProgress() float64                                 { return 0 }
func NewContext(*Model, ContextOptions) (*Context, error)   { return nil, ErrNoCgo }
func (*Model) Close() error                                 { return nil }
func (*Model) Info() ModelInfo                              { return ModelInfo{} }
func (*Model) Generates() bool                              { return false }
func (*Model) Metadata(string) (string, bool)               { return "", false }
func (*Model) Template() Template                           { return NoTemplate }
func (*Model) VocabSize() int                               { return 0 }
func (*Model) Tokenize(string, bool) ([]int32, error)       { return nil, ErrNoCgo }
func (*Model) Piece(int32) []byte                           { return nil }
func (*Model) MarkerText(int32) string                      { return "" }
func (*Model) IsEOG(int32) bool                             { return false }
func (*Model) BOS() (int32, bool)                           { return 0, false }
func (*Context) Close() error                               { return nil }
func (*Context) Model() *Model                              { return nil }
func (*Context) Size() int                                  { return 0 }
func (*Context) Options() ContextOptions                    { return ContextOptions{} }
func (*Context) BatchSize() int                             { return 0 }
func (*Context) Decode(*Batch) error                        { return ErrNoCgo }
func (*Context) Logits(int) []float32                       { return nil }
func (*Context) States(int, int) []float32                  { return nil }
func (*Context) ClearKV()                                   {}
func (*Context) RemoveKV(int32, int32, int32) error         { return ErrNoCgo }
func (*Context) CopyKV(int32, int32, int32, int32) error    { return ErrNoCgo }
func (*Context) Abort(bool)                                 {}

func Quantize(context.Context, string, string, string, int) error { return ErrNoCgo }
func Dequantize(uint32, []byte, []float32) error                  { return ErrNoCgo }
func MatrixSpeed(uint32) (float64, error)                         { return 0, ErrNoCgo }

func NewGrammarSampler(*Model, string) (*GrammarSampler, error) { return nil, ErrNoCgo }
func (*GrammarSampler) Close() error                            { return nil }
func (*GrammarSampler) Clone() (*GrammarSampler, error)         { return nil, ErrNoCgo }
func (*GrammarSampler) Reset() error                            { return ErrNoCgo }
func (*GrammarSampler) Allowed([]uint64) error                  { return ErrNoCgo }
func (*GrammarSampler) Accept(int32) error                      { return ErrNoCgo }
