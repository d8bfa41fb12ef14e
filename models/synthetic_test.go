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
		{F32, "24b58380e28709babb7d8c8761bc0e0f7bda4612e3bdac28816d27ca1bd2a62e"},
		{F16, "df9c37c12ec0a9f3a899ef61ac1fb496e87e82048d151fce8c1a6bbc429cb465"},
		{Q8_0, "8abd5aec074e76f8fee145e87b97810f491333b51506f6f8d21b9ad3b9339bbf"},
		{Q4_0, "c1e11109072297f56c4c46b3789b8233cbc7b1f52b273b5525d5371daf143c50"},
	} {
		shape := smallShape
		shape.WeightType = test.kind
		file := synthetic(t, shape, 7)
		if sum := sha256.Sum256(file); hex.EncodeToString(sum[:]) != test.want {
			t.Errorf("%s: sha256 %x, want %s", test.kind, sum, test.want)
		}
		g := read(t, file)
		if g.FileType() != test.kind.String() || g.Tensors()[3].Type != test.kind {
			t.Errorf("%s: file type %s, %s of type %s", test.kind, g.FileType(), g.Tensors()[3].Name, g.Tensors()[3].Type)
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

// unpackBlocks unpacks weights of every type that WriteSynthetic writes.
func unpackBlocks(kind TensorType, b []byte) []float64 {
	var list []float64
	half := func(b []byte) float64 { return halfToFloat(binary.LittleEndian.Uint16(b)) }
	for layout := tensorTypes[kind]; len(b) > 0; b = b[layout.bytes:] {
		switch kind {
		case F32:
			list = append(list, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
		case F16:
			list = append(list, half(b))
		case Q8_0:
			for i := range 32 {
				list = append(list, half(b)*float64(int8(b[2+i])))
			}
		case Q4_0:
			for i := range 32 {
				list = append(list, half(b)*float64(int(b[2+i%16]>>(i/16*4)&15)-8))
			}
		case q6_K:
			for i := range 256 {
				// Numbers j, j+32, j+64 and j+96 of each half share the bytes of their parts.
				ql, qh, sc := b[i/128*64:], b[128+i/128*32:], b[192+i/128*8:]
				j, quarter := i%32, i%128/32
				q := int(ql[j+quarter%2*32]>>(quarter/2*4)&15) | int(qh[j]>>(2*quarter)&3)<<4
				list = append(list, half(b[208:])*float64(int8(sc[i%128/16]))*float64(q-32))
			}
		}
	}
	return list
}

func TestWriteSyntheticWeights(t *testing.T) {
	for _, kind := range []TensorType{F32, F16, Q8_0, Q4_0} {
		for _, untied := range []bool{false, true} {
			shape := smallShape
			shape.WeightType, shape.Untied, shape.Embedding = kind, untied, 256
			file := synthetic(t, shape, 3)
			tensors := read(t, file).Tensors()
			head := tensors[0]
			if untied {
				if head.Type != kind {
					t.Errorf("%s: embeddings of type %s", kind, head.Type)
				}
				head = tensors[2]
			}
			if head.Type != kind && !(kind == Q4_0 && head.Type == q6_K) || untied != (head.Name == "output.weight") {
				t.Errorf("%s, untied %v: the head is %s, of type %s", kind, untied, head.Name, head.Type)
			}
			for _, x := range tensors {
				var sum, squares float64
				for _, w := range unpackBlocks(x.Type, file[x.Offset:x.Offset+x.Size]) {
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
				if !(math.Abs(mean) <= 4*want/math.Sqrt(n)) || !(math.Abs(deviation-want) <= 0.05*want) {
					t.Errorf("%s as %s: mean %g, deviation %g, want 0 and %g", x.Name, x.Type, mean, deviation, want)
				}
			}
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
