package models

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strings"
	"testing"
)

func TestWriteSyntheticIsDeterministic(t *testing.T) {
	for _, test := range []struct {
		kind TensorType
		want string
	}{
		{F32, "87b4e38a499f5e5a7e2f122ea7032abf718a08c453efe6f928a885331e87c536"},
		{F16, "6b8ef00174c1f195bc4df2bfbedf7edee13acda6b78b58ff57a4b051e1ec21df"},
		{Q8_0, "b06176c613ab8be541f99136eabb343b884f0ccb3fcbc41c0d2ff308afa954c6"},
		{Q4_0, "f15e810a8f6501afebc2536e956badf2ebff922c7880ca675c81de9a6dc4d602"},
	} {
		shape := smallShape
		shape.WeightType = test.kind
		file := synthetic(t, shape, 7)
		if sum := sha256.Sum256(file); hex.EncodeToString(sum[:]) != test.want {
			t.Errorf("%s: sha256 %x, want %s", test.kind, sum, test.want)
		}
		g := read(t, file)
		if g.FileType() != test.kind.String() || g.Tensors()[0].Type != test.kind {
			t.Errorf("%s: file type %s, embedding of type %s", test.kind, g.FileType(), g.Tensors()[0].Type)
		}
		if err := g.Usable(); err != nil {
			t.Errorf("%s: %v", test.kind, err)
		}
	}
	if bytes.Equal(synthetic(t, smallShape, 7), synthetic(t, smallShape, 8)) {
		t.Error("two seeds gave the same file")
	}
}

func TestWriteSyntheticTokenizer(t *testing.T) {
	vocab := read(t, vocabFile().bytes())
	g := read(t, synthetic(t, smallShape, 1))
	for _, v := range vocab.keys {
		if !strings.HasPrefix(v.key, "tokenizer.ggml.") {
			continue
		}
		want, err := vocab.read(v.start, v.end)
		if err != nil {
			t.Fatal(err)
		}
		c := g.lookup(v.key)
		if c == nil {
			t.Errorf("key %q was not copied", v.key)
			continue
		}
		if got, err := g.read(c.start, c.end); err != nil || !bytes.Equal(got, want) {
			t.Errorf("key %q was changed (%v)", v.key, err)
		}
	}
	if n, ok := g.Uint("tokenizer.ggml.eot_token_id"); !ok || vocabTokens[n] != "<|eot_id|>" {
		t.Errorf("eot_token_id = %d, %v", n, ok)
	}
	for _, marker := range []string{"<|start_header_id|>", "<|eot_id|>"} {
		if !strings.Contains(g.ChatTemplate(), marker) {
			t.Errorf("chat template lacks %s", marker)
		}
	}
	if _, ok := g.String("general.license"); ok {
		t.Error("a key outside tokenizer.* was copied")
	}

	h := vocabFile()
	h.uint32("tokenizer.ggml.eot_token_id", 257)
	var b bytes.Buffer
	if err := WriteSynthetic(&b, read(t, h.bytes()), smallShape, 1); err != nil {
		t.Fatal(err)
	}
	if n, _ := read(t, b.Bytes()).Uint("tokenizer.ggml.eot_token_id"); n != 257 {
		t.Errorf("the vocabulary's own eot_token_id became %d", n)
	}
}

func TestWriteSyntheticWeights(t *testing.T) {
	shape := smallShape
	shape.WeightType = F32
	file := synthetic(t, shape, 3)
	for _, x := range read(t, file).Tensors() {
		var sum, squares float64
		for b := file[x.Offset : x.Offset+x.Size]; len(b) > 0; b = b[4:] {
			w := float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
			sum += w
			squares += w * w
		}
		n := float64(x.Elements())
		mean, deviation := sum/n, math.Sqrt(squares/n-sum*sum/(n*n))
		if len(x.Shape) == 1 {
			if mean != 1 || deviation != 0 {
				t.Errorf("norm %s: mean %g, deviation %g", x.Name, mean, deviation)
			}
			continue
		}
		want := 1 / math.Sqrt(float64(x.Shape[0]))
		if math.Abs(mean) > 4*want/math.Sqrt(n) || math.Abs(deviation-want) > 0.05*want {
			t.Errorf("%s: mean %g, deviation %g, want 0 and %g", x.Name, mean, deviation, want)
		}
	}
}

func TestWriteSyntheticRefuses(t *testing.T) {
	vocab := vocabFile().bytes()
	for name, test := range map[string]struct {
		vocab  []byte
		change func(s *Shape)
		want   string
	}{
		"no layers":      {vocab, func(s *Shape) { s.Layers = 0 }, "0 in the shape"},
		"negative":       {vocab, func(s *Shape) { s.Context = -1 }, "-1 in the shape"},
		"heads":          {vocab, func(s *Shape) { s.Heads = 5 }, "does not split into 5 heads"},
		"odd head":       {vocab, func(s *Shape) { s.Heads = 64 }, "even size"},
		"key-value":      {vocab, func(s *Shape) { s.KVHeads = 3 }, "3 key-value heads"},
		"type":           {vocab, func(s *Shape) { s.WeightType = 12 }, "type Q4_K cannot be written"},
		"blocks":         {vocab, func(s *Shape) { s.WeightType = Q8_0; s.FeedForward = 100 }, "blocks of 32"},
		"no vocabulary":  {(&header{}).bytes(), func(*Shape) {}, "vocabulary"},
		"empty of token": {func() []byte { h := &header{}; h.strings("tokenizer.ggml.tokens", nil); return h.bytes() }(), func(*Shape) {}, "no tokens"},
	} {
		shape := smallShape
		test.change(&shape)
		var b bytes.Buffer
		if err := WriteSynthetic(&b, read(t, test.vocab), shape, 1); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want %q", name, err, test.want)
		}
	}
}

func halfToFloat(h uint16) float64 {
	sign, exp, frac := 1.0, int(h>>10&31), float64(h&1023)
	if h>>15 == 1 {
		sign = -1
	}
	switch exp {
	case 0:
		return sign * frac / (1 << 24)
	case 31:
		return sign * math.Inf(1)
	}
	return sign * math.Ldexp(1+frac/1024, exp-15)
}

func TestFloat16(t *testing.T) {
	for h := range uint16(0x7c00) {
		for _, h := range []uint16{h, h | 0x8000} {
			if got := float16(float32(halfToFloat(h))); got != h {
				t.Fatalf("%#04x became %#04x", h, got)
			}
		}
		// Halfway to the next number the one with an even last bit wins; for the
		// last number the next is what would follow it, an infinity.
		next := halfToFloat(h + 1)
		if h == 0x7bff {
			next = 65536
		}
		even := h + h&1
		if got := float16(float32((halfToFloat(h) + next) / 2)); got != even {
			t.Fatalf("halfway from %#04x: got %#04x, want %#04x", h, got, even)
		}
	}
	if got := float16(float32(math.NaN())); got != 0x7e00 {
		t.Errorf("NaN became %#04x", got)
	}
	if got := float16(float32(math.Inf(-1))); got != 0xfc00 {
		t.Errorf("-Inf became %#04x", got)
	}
}

func TestQuantize(t *testing.T) {
	row := make([]float32, 64)
	for i := range 32 { // the second block is all zeros
		row[i] = float32(i-20) / 10
	}
	q8 := appendQ8_0(nil, row)
	q4 := appendQ4_0(nil, row)
	if len(q8) != 68 || len(q4) != 36 {
		t.Fatalf("%d and %d bytes, want 68 and 36", len(q8), len(q4))
	}
	for i, x := range row {
		b := q8[i/32*34:]
		scale := halfToFloat(binary.LittleEndian.Uint16(b))
		if got := scale * float64(int8(b[2+i%32])); math.Abs(got-float64(x)) > 0.51*2/127+1e-3 {
			t.Errorf("Q8_0 weight %d: %g, want %g", i, got, x)
		}
		b = q4[i/32*18:]
		scale = halfToFloat(binary.LittleEndian.Uint16(b))
		j := i % 32
		n := b[2+j%16] >> (j / 16 * 4) & 15
		if got := scale * float64(int(n)-8); math.Abs(got-float64(x)) > 0.51*2/8+1e-3 {
			t.Errorf("Q4_0 weight %d: %g, want %g", i, got, x)
		}
	}
}
