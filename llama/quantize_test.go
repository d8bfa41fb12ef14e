//go:build cgo

package llama

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/models"
)

// syntheticModel writes a model of the tiny shape, but with rows that blocks of 256 fit into for some of the matrices.
func syntheticModel(t *testing.T, kind models.TensorType) string {
	t.Helper()
	vocab, err := models.OpenGGUF(tree(t, "models", "ggml-vocab-llama-spm.gguf"))
	if err != nil {
		t.Fatal(err)
	}
	defer vocab.Close()
	shape := models.TinyShape
	shape.Layers, shape.FeedForward, shape.WeightType = 8, 256, kind
	path := filepath.Join(t.TempDir(), "source.gguf")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := models.WriteSynthetic(f, vocab, shape, 5); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func openGGUF(t *testing.T, path string) *models.GGUF {
	t.Helper()
	g, err := models.OpenGGUF(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	if err := g.Usable(); err != nil {
		t.Fatal(err)
	}
	return g
}

func quantize(t *testing.T, source, format string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), format+".gguf")
	if err := Quantize(t.Context(), source, out, format, 1); err != nil {
		t.Fatal(err)
	}
	return out
}

// sameTensors checks that the file holds what models foretells of it: that is what sizes and speeds are reckoned from.
func sameTensors(t *testing.T, source, result *models.GGUF, format models.Format) {
	t.Helper()
	got := map[string]models.Tensor{}
	for _, x := range result.Tensors() {
		got[x.Name] = x
	}
	for _, want := range source.Converted(format) {
		x := got[want.Name]
		if x.Type != want.Type || x.Size != want.Size || !slices.Equal(x.Shape, want.Shape) {
			t.Errorf("%s: %s is %s of %v in %d bytes, want %s of %v in %d", format, want.Name, x.Type, x.Shape, x.Size, want.Type, want.Shape, want.Size)
		}
	}
	if len(got) != len(source.Tensors()) || result.FileType() != string(format) {
		t.Errorf("%s: %d tensors of %d, file type %s", format, len(got), len(source.Tensors()), result.FileType())
	}
	if size := source.ConvertedSize(format); math.Abs(float64(size-result.Size())) > 4096 {
		t.Errorf("%s: %d bytes, foretold %d", format, result.Size(), size)
	}
}

func dequantizer(kind models.TensorType, packed []byte, out []float32) error {
	return Dequantize(uint32(kind), packed, out)
}

func lastLogits(t *testing.T, path string) []float32 {
	t.Helper()
	c := newContext(t, load(t, path, LoadOptions{}), ContextOptions{Size: 64})
	return decode(t, c, 0, 0, []int32{1, 300, 4000, 9000, 77, 12000, 31000, 2})
}

// distance is the root mean square of the differences, relative to that of a.
func distance(a, b []float32) float64 {
	var d, n float64
	for i := range a {
		d += math.Pow(float64(b[i]-a[i]), 2)
		n += math.Pow(float64(a[i]), 2)
	}
	return math.Sqrt(d / n)
}

func TestQuantizeSynthetic(t *testing.T) {
	for _, from := range []models.TensorType{models.F32, models.F16, models.Q8_0, models.Q4_0} {
		source := syntheticModel(t, from)
		g := openGGUF(t, source)
		want := lastLogits(t, source)
		for format, limits := range map[models.Format]struct{ weights, logits float64 }{
			"F16": {0.0005, 0.05}, "Q8_0": {0.01, 0.05}, "Q4_K_M": {0.09, 0.3}, "Q4_0": {0.12, 0.4},
		} {
			if g.FileType() == string(format) {
				continue
			}
			out := quantize(t, source, string(format))
			result := openGGUF(t, out)
			sameTensors(t, g, result, format)
			off, err := models.WeightError(t.Context(), g, result, dequantizer)
			if err != nil {
				t.Fatal(err)
			}
			logits := distance(want, lastLogits(t, out))
			if off > limits.weights || logits > limits.logits {
				t.Errorf("%s to %s: weights %.4f off, logits %.4f; limits %v", from, format, off, logits, limits)
			}
			// Logits are off too where only the arithmetic changes: ggml multiplies with packed weights in eight bits.
			if off == 0 && from == models.F32 {
				t.Errorf("%s to %s: no weight was rounded", from, format)
			}
		}
	}
}

// The default model in half precision does what it does in its own format.
func TestQuantizeDefaultModel(t *testing.T) {
	m := defaultModel(t)
	g := openGGUF(t, m.path)
	out := quantize(t, m.path, "F16")
	sameTensors(t, g, openGGUF(t, out), "F16")
	half := load(t, out, LoadOptions{})
	if half.Template() != m.Template() {
		t.Errorf("template %v", half.Template())
	}
	same, all := 0, 0
	for _, text := range []string{
		"The capital of France is Paris, and the capital of Italy is Rome. Both cities are known for their food and their museums.",
		"She opened the letter with trembling hands, because she had waited for it all summer and feared what it would say.",
		"To make bread you need flour, water, yeast and salt. Mix them, let the dough rise for an hour and bake it.",
	} {
		ids, err := m.Tokenize(text, false)
		if err != nil {
			t.Fatal(err)
		}
		a, b := choices(t, m, ids), choices(t, half, ids)
		for i := range a {
			if all++; a[i] == b[i] {
				same++
			}
		}
	}
	t.Logf("the same choice %d of %d times", same, all)
	if share := float64(same) / float64(all); share < 0.95 {
		t.Errorf("F16 makes the same choice as %s %d of %d times", g.FileType(), same, all)
	}
}

// choices returns the likeliest token after each of ids.
func choices(t *testing.T, m *Model, ids []int32) []int32 {
	t.Helper()
	c := newContext(t, m, ContextOptions{Size: 256, FlashAttention: -1})
	var b Batch
	for i, id := range ids {
		b.Add(id, int32(i), 0, true)
	}
	if err := c.Decode(&b); err != nil {
		t.Fatal(err)
	}
	var list []int32
	for i := range ids {
		list = append(list, argmax(c.Logits(i)))
	}
	return list
}

func TestQuantizeErrors(t *testing.T) {
	source := syntheticModel(t, models.F16)
	dir := t.TempDir()
	text := filepath.Join(dir, "text.gguf")
	if err := os.WriteFile(text, []byte("hello"), 0o666); err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(dir, "nan.gguf")
	data, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	g := openGGUF(t, source)
	copy(data[g.Tensors()[0].Offset:], "\xff\xff\xff\xff")
	if err := os.WriteFile(broken, data, 0o666); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ in, out, format, want string }{
		"format":     {source, filepath.Join(dir, "a"), "Q3_K_S", `weight format "Q3_K_S" cannot be made`},
		"lower case": {source, filepath.Join(dir, "a"), "q8_0", `"q8_0" cannot be made`},
		"no source":  {filepath.Join(dir, "none"), filepath.Join(dir, "a"), "Q8_0", "No such file"},
		"no model":   {text, filepath.Join(dir, "a"), "Q8_0", "failed to quantize"},
		"no folder":  {source, filepath.Join(dir, "none", "a"), "Q8_0", "failed to quantize"},
		"full disk":  {source, "/dev/full", "Q8_0", "failed to quantize"},
		"NaN":        {broken, filepath.Join(dir, "a"), "Q8_0", "invalid data"},
		"NUL":        {source, "a\x00b", "Q8_0", "NUL"},
	} {
		err := Quantize(t.Context(), test.in, test.out, test.format, 1)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	// What failed leaves nothing behind that the next conversion would stumble over.
	quantize(t, source, "Q8_0")
}

func TestQuantizeStops(t *testing.T) {
	m := defaultModel(t)
	ctx, cancel := context.WithCancel(t.Context())
	out := filepath.Join(t.TempDir(), "out.gguf")
	go func() {
		for { // until the first tensors are there, with most of them to come
			if info, err := os.Stat(out); err == nil && info.Size() > 8<<20 || ctx.Err() != nil {
				cancel()
				return
			}
		}
	}()
	err := Quantize(ctx, m.path, out, "Q4_K_M", 1)
	cancel()
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the conversion ended with %v", err)
	}
	info, err := os.Stat(out)
	if err != nil || info.Size() >= openGGUF(t, m.path).ConvertedSize("Q4_K_M") {
		t.Errorf("a stopped conversion wrote all of its file: %v, %v", info, err)
	}
	if err := Quantize(ctx, m.path, out, "Q8_0", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context cancelled before: %v", err)
	}
	TakeLog()
	quantize(t, syntheticModel(t, models.F16), "Q8_0")
	if len(TakeLog()) == 0 {
		t.Error("the log is no longer kept")
	}
}

func TestDequantize(t *testing.T) {
	for name, test := range map[string]struct {
		kind   models.TensorType
		packed []byte
		want   []float32
	}{
		"F32":  {models.F32, []byte{0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0}, []float32{1, -2}},
		"F16":  {models.F16, []byte{0, 0x3c, 0, 0xc0, 0, 0x38}, []float32{1, -2, 0.5}},
		"Q8_0": {models.Q8_0, append([]byte{0, 0x38}, slices.Repeat([]byte{3, 0xfe}, 16)...), slices.Repeat([]float32{1.5, -1}, 16)},
		"Q4_0": {models.Q4_0, append([]byte{0, 0x3c}, slices.Repeat([]byte{0x9f}, 16)...), slices.Concat(slices.Repeat([]float32{7}, 16), slices.Repeat([]float32{1}, 16))},
	} {
		got := make([]float32, len(test.want))
		if err := dequantizer(test.kind, test.packed, got); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, test.want)
		}
		if err := dequantizer(test.kind, test.packed, got[:len(got)-1]); err == nil {
			t.Errorf("%s: a part of the weights was unpacked", name)
		}
	}
	out := make([]float32, 32)
	for name, kind := range map[string]uint32{"withdrawn": 4, "past the last": 9999, "integers": 26} {
		if err := Dequantize(kind, make([]byte, 128), out); err == nil {
			t.Errorf("%s: type %d was unpacked", name, kind)
		}
	}
	if err := Dequantize(0, nil, nil); err == nil {
		t.Error("nothing was unpacked")
	}
}

func TestMatrixSpeed(t *testing.T) {
	for _, kind := range []uint32{0, 1, 30, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 20, 23} {
		if speed, err := MatrixSpeed(kind); err != nil || !(speed > 0.01 && speed < 1e5) {
			t.Errorf("type %d: %g, %v", kind, speed, err)
		}
	}
	for _, kind := range []uint32{4, 16, 26, 9999} {
		if _, err := MatrixSpeed(kind); err == nil {
			t.Errorf("type %d was measured", kind)
		}
	}
}
