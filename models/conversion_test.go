package models

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestMake(t *testing.T) {
	ctx := t.Context()
	file := synthetic(t, smallShape, 1)
	write := func(b []byte) func(string) (Meta, error) {
		return func(path string) (Meta, error) {
			return Meta{Source: "source, converted", Converted: &Conversion{From: "source", Format: "F16", WeightError: 0.25}}, os.WriteFile(path, b, 0o600)
		}
	}
	s := Open(filepath.Join(t.TempDir(), "store"))
	var last, total int64
	e, err := s.Make(ctx, "made:f16", int64(len(file)), false, func(d, n int64) { last, total = d, n }, write(file))
	if err != nil {
		t.Fatal(err)
	}
	if e.SHA256 != hexSum(file) || e.Size != int64(len(file)) || total != e.Size || last > total {
		t.Errorf("made %+v, progress %d of %d", e, last, total)
	}
	if got, err := s.Get("made:f16"); err != nil || got.Converted == nil || *got.Converted != *e.Converted {
		t.Errorf("Get: %+v, %v", got, err)
	}
	if err := s.Verify(ctx, "made:f16"); err != nil {
		t.Error(err)
	}

	other := synthetic(t, smallShape, 2)
	if _, err := s.Make(ctx, "made:f16", 1, false, nil, write(other)); !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), "--force") {
		t.Errorf("a name that is taken: %v", err)
	}
	if e, err := s.Make(ctx, "made:f16", 1, true, nil, write(other)); err != nil || e.SHA256 != hexSum(other) {
		t.Errorf("replaced by %+v, %v", e, err)
	}

	before := files(t, s)
	stopped, cancel := context.WithCancel(ctx)
	fails := errors.New("the quantiser failed")
	for name, test := range map[string]struct {
		ctx   context.Context
		name  string
		free  int64
		write func(path string) (Meta, error)
		want  string
	}{
		"no name":     {ctx, "../x", 1 << 30, write(file), "not a model name"},
		"pinned":      {ctx, DefaultModel, 1 << 30, write(file), "is pinned"},
		"disk":        {ctx, "x", 4_000_000, write(file), "5 MB are needed and 4 MB are free: no space left on device; make room"},
		"write fails": {ctx, "x", 1 << 30, func(string) (Meta, error) { return Meta{}, fails }, "the quantiser failed"},
		"truncated":   {ctx, "x", 1 << 30, write(file[:len(file)-100]), "source, converted: tensor"},
		"unusable":    {ctx, "x", 1 << 30, write(vocabFile().bytes()), "vocabulary but no weights"},
		"interrupted": {stopped, "x", 1 << 30, func(path string) (Meta, error) { cancel(); return write(file)(path) }, "context canceled"},
	} {
		s.free = func(string) (int64, error) { return test.free, nil }
		if _, err := s.Make(test.ctx, test.name, 4_100_000, true, nil, test.write); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		} else if name == "disk" && !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v is not ENOSPC", name, err)
		}
		if after := files(t, s); !slices.Equal(after, before) {
			t.Errorf("%s left %q", name, after)
		}
	}
	if got, err := s.Get("made:f16"); err != nil || got.SHA256 != hexSum(other) {
		t.Errorf("the model that was there is %+v, %v", got, err)
	}
}

func TestFreeBytes(t *testing.T) {
	if n, err := freeBytes(t.TempDir()); err != nil || n <= 0 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := freeBytes(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there has room")
	}
}

func TestParseFormat(t *testing.T) {
	for _, f := range Formats() {
		for _, name := range []string{string(f), strings.ToLower(string(f))} {
			if got, err := ParseFormat(name); err != nil || got != f {
				t.Errorf("%s: %s, %v", name, got, err)
			}
		}
	}
	for _, name := range []string{"", "Q4_1", "F-16", "Q3_K_M"} {
		if _, err := ParseFormat(name); err == nil || !strings.Contains(err.Error(), "F16, Q8_0, Q4_K_M, Q4_0") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestParseTensorType(t *testing.T) {
	for kind, l := range tensorTypes {
		if got, ok := ParseTensorType(l.name); !ok || got != kind {
			t.Errorf("%s is %s, %v", l.name, got, ok)
		}
	}
	if kind, ok := ParseTensorType("Q4_2"); ok {
		t.Errorf("a withdrawn type is %s", kind)
	}
}

// TestConverted holds the types against what llama.cpp's quantizer is known to choose; a test of package llama compares
// them with what it makes.
func TestConverted(t *testing.T) {
	tensors := []Tensor{
		{Name: "token_embd.weight", Type: F16, Shape: []int64{256, 1000}},
		{Name: "output_norm.weight", Type: F32, Shape: []int64{256}},
		{Name: "blk.0.attn_v.weight", Type: F16, Shape: []int64{256, 64}},
		{Name: "blk.3.attn_v.weight", Type: F16, Shape: []int64{256, 64}},
		{Name: "blk.3.attn_q.weight", Type: F16, Shape: []int64{256, 256}},
		{Name: "blk.3.ffn_down.weight", Type: F16, Shape: []int64{96, 256}},
		{Name: "blk.3.ffn_up.weight", Type: F16, Shape: []int64{100, 256}},
		{Name: "blk.3.ffn_gate_inp.weight", Type: F32, Shape: []int64{256, 8}},
	}
	head := Tensor{Name: "output.weight", Type: F16, Shape: []int64{256, 1000}}
	key := func(n uint64) value { return value{key: "llama.block_count", kind: kindUint32, bits: n} }
	arch := value{key: "general.architecture", kind: kindString, text: "llama"}
	tied := &GGUF{tensors: tensors, keys: []value{arch, key(8)}, index: map[string]int{"general.architecture": 0, "llama.block_count": 1}, alignment: 32}
	untied := &GGUF{tensors: append(slices.Clone(tensors), head), keys: tied.keys, index: tied.index, alignment: 32}
	for _, test := range []struct {
		g      *GGUF
		format Format
		want   []string
	}{
		{tied, "F16", []string{"F16", "F32", "F16", "F16", "F16", "F16", "F16", "F32"}},
		{tied, "Q8_0", []string{"Q8_0", "F32", "Q8_0", "Q8_0", "Q8_0", "Q8_0", "F16", "F32"}},
		{tied, "Q4_0", []string{"Q6_K", "F32", "Q4_0", "Q4_0", "Q4_0", "Q4_0", "F16", "F32"}},
		{tied, "Q4_K_M", []string{"Q6_K", "F32", "Q6_K", "Q6_K", "Q4_K", "Q8_0", "F16", "F32"}},
		{untied, "Q4_K_M", []string{"Q4_K", "F32", "Q6_K", "Q6_K", "Q4_K", "Q8_0", "F16", "F32", "Q6_K"}},
		{untied, "Q4_0", []string{"Q4_0", "F32", "Q4_0", "Q4_0", "Q4_0", "Q4_0", "F16", "F32", "Q6_K"}},
	} {
		for i, got := range test.g.Converted(test.format) {
			if got.Type.String() != test.want[i] {
				t.Errorf("%s: %s is %s, want %s", test.format, got.Name, got.Type, test.want[i])
			}
			if layout := tensorTypes[got.Type]; got.packable() && got.Size != got.Elements()/layout.block*layout.bytes {
				t.Errorf("%s: %s has %d bytes", test.format, got.Name, got.Size)
			}
		}
	}
	var body []string
	for _, x := range untied.tensors {
		if x.BodyWeight() {
			body = append(body, x.Name)
		}
	}
	if len(body) != 5 || body[0] != "blk.0.attn_v.weight" || body[4] != "blk.3.ffn_up.weight" {
		t.Errorf("every token passes through %q", body)
	}
}

// unpack knows the types that need no arithmetic.
func unpack(kind TensorType, packed []byte, out []float32) error {
	for i := range out {
		switch kind {
		case F32:
			out[i] = math.Float32frombits(uint32(kindUint32.scalar(packed[4*i:])))
		case F16:
			out[i] = float32(halfToFloat(uint16(kindUint16.scalar(packed[2*i:]))))
		default:
			return errors.New("no such type")
		}
	}
	return nil
}

func TestWeightError(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	ctx := t.Context()
	shape := smallShape
	shape.Layers, shape.Embedding, shape.FeedForward = 1, 512, 2560 // the large matrices are read in part
	half := read(t, synthetic(t, shape, 3))
	shape.WeightType = F32
	full := read(t, synthetic(t, shape, 3))
	if off, err := WeightError(ctx, full, full, unpack); err != nil || off != 0 {
		t.Errorf("a copy is %g off, %v", off, err)
	}
	// Half precision keeps eleven bits: the error is uniform in half a last place either way.
	if off, err := WeightError(ctx, full, half, unpack); err != nil || off < 1e-4 || off > 3e-4 {
		t.Errorf("half precision is %g off, %v", off, err)
	}
	if off, err := WeightError(ctx, full, read(t, synthetic(t, shape, 4)), unpack); err != nil || math.Abs(off-math.Sqrt2) > 0.02 {
		t.Errorf("other weights of the same variance are %g off, %v, want the root of two", off, err)
	}

	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := WeightError(stopped, full, half, unpack); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	nan := func(kind TensorType, packed []byte, out []float32) error {
		out[0] = float32(math.NaN())
		return nil
	}
	changed := func(change func(*Shape)) *GGUF {
		s := shape
		change(&s)
		return read(t, synthetic(t, s, 3))
	}
	for name, test := range map[string]struct {
		result     *GGUF
		dequantize Dequantizer
		want       string
	}{
		"more layers":  {changed(func(s *Shape) { s.Layers = 2 }), unpack, "20 tensors, its source 11"},
		"other shape":  {changed(func(s *Shape) { s.FeedForward = 1024 }), unpack, `became one of`},
		"unknown type": {changed(func(s *Shape) { s.WeightType = Q8_0 }), unpack, `tensor "token_embd.weight": no such type`},
		"NaN":          {half, nan, "not finite"},
	} {
		if _, err := WeightError(ctx, full, test.result, test.dequantize); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}
