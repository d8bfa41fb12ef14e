//go:build cgo

package llama

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emospan/emospan/models"
)

// A referenceModel computes the residual stream of a model of Llama's shape in float64, step by step as the papers have it.
type referenceModel struct {
	shape   models.Shape
	weights map[string][]float64 // by the tensors' names, without ".weight"
}

// referenceShape is large enough for several heads that share keys and values, and a head of several rotated pairs.
var referenceShape = models.Shape{Layers: 4, Embedding: 64, FeedForward: 96, Heads: 4, KVHeads: 2, Context: 512, WeightType: models.F32}

// newReferenceModel writes a model of random weights and returns its path, and the model read again.
func newReferenceModel(t *testing.T) (string, *referenceModel) {
	t.Helper()
	vocab, err := models.OpenGGUF(llama3Vocab(t))
	if err != nil {
		t.Fatal(err)
	}
	defer vocab.Close()
	path := filepath.Join(t.TempDir(), "reference.gguf")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := models.WriteSynthetic(f, vocab, referenceShape, 7); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	g, err := models.OpenGGUF(path)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := &referenceModel{shape: referenceShape, weights: map[string][]float64{}}
	for _, tensor := range g.Tensors() {
		if tensor.Type != models.F32 {
			t.Fatalf("%s is %s", tensor.Name, tensor.Type)
		}
		w := make([]float64, tensor.Elements())
		for i := range w {
			w[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[tensor.Offset+4*int64(i):])))
		}
		r.weights[strings.TrimSuffix(tensor.Name, ".weight")] = w
	}
	return path, r
}

// multiply is the matrix's product with x: one number for each of its rows.
func (r *referenceModel) multiply(name string, x []float64) []float64 {
	w := r.weights[name]
	y := make([]float64, len(w)/len(x))
	for i := range y {
		for j, v := range x {
			y[i] += w[i*len(x)+j] * v
		}
	}
	return y
}

func (r *referenceModel) norm(name string, x []float64) []float64 {
	squares := 0.0
	for _, v := range x {
		squares += v * v
	}
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = v / math.Sqrt(squares/float64(len(x))+1e-5) * r.weights[name][i]
	}
	return y
}

// rotate turns each pair of neighbours in each head by an angle that grows with the position.
func (r *referenceModel) rotate(x []float64, position int) {
	head := r.shape.Embedding / r.shape.Heads
	for i := 0; i < len(x); i += 2 {
		sin, cos := math.Sincos(float64(position) * math.Pow(500_000, -float64(i%head)/float64(head)))
		x[i], x[i+1] = x[i]*cos-x[i+1]*sin, x[i]*sin+x[i+1]*cos
	}
}

// states computes a sequence's residual stream after each layer: of layer, position, number.
func (r *referenceModel) states(tokens []int32) [][][]float64 {
	width, head := r.shape.Embedding, r.shape.Embedding/r.shape.Heads
	stream := make([][]float64, len(tokens))
	for p, id := range tokens {
		stream[p] = r.weights["token_embd"][int(id)*width : (int(id)+1)*width]
	}
	var all [][][]float64
	for layer := range r.shape.Layers {
		block := "blk." + string(rune('0'+layer)) + "."
		next := make([][]float64, len(tokens))
		var keys, values [][]float64 // of the positions so far
		for p, x := range stream {
			n := r.norm(block+"attn_norm", x)
			q, k := r.multiply(block+"attn_q", n), r.multiply(block+"attn_k", n)
			r.rotate(q, p)
			r.rotate(k, p)
			keys, values = append(keys, k), append(values, r.multiply(block+"attn_v", n))
			mixed := make([]float64, width)
			for h := range r.shape.Heads {
				group := h / (r.shape.Heads / r.shape.KVHeads) * head
				attend(mixed[h*head:(h+1)*head], q[h*head:(h+1)*head], keys, values, group)
			}
			sum := add(x, r.multiply(block+"attn_output", mixed))
			n = r.norm(block+"ffn_norm", sum)
			gate, up := r.multiply(block+"ffn_gate", n), r.multiply(block+"ffn_up", n)
			for i, v := range gate {
				gate[i] = v / (1 + math.Exp(-v)) * up[i]
			}
			next[p] = add(sum, r.multiply(block+"ffn_down", gate))
		}
		stream = next
		all = append(all, stream)
	}
	return all
}

// attend writes one head's mix of the values, whose numbers and the keys' begin at an offset.
func attend(out, query []float64, keys, values [][]float64, offset int) {
	scores, total := make([]float64, len(keys)), 0.0
	for i, k := range keys {
		for j, v := range query {
			scores[i] += v * k[offset+j]
		}
		scores[i] = math.Exp(scores[i] / math.Sqrt(float64(len(query))))
		total += scores[i]
	}
	for i, v := range values {
		for j := range out {
			out[j] += scores[i] / total * v[offset+j]
		}
	}
}

func add(a, b []float64) []float64 {
	sum := make([]float64, len(a))
	for i := range sum {
		sum[i] = a[i] + b[i]
	}
	return sum
}
