package models

import (
	"encoding/binary"
	"math"
	"testing"
)

func TestDimensions(t *testing.T) {
	header := func(numbers map[string]uint32, lists map[string][]uint32) *GGUF {
		h := &header{}
		h.string("general.architecture", "llama")
		h.strings("tokenizer.ggml.tokens", []string{"a", "b", "c"})
		for key, n := range numbers {
			h.uint32("llama."+key, n)
		}
		for key, list := range lists {
			h.array("llama."+key, kindUint32, len(list))
			for _, n := range list {
				h.keys = binary.LittleEndian.AppendUint32(h.keys, n)
			}
		}
		return read(t, h.bytes())
	}
	for name, test := range map[string]struct {
		numbers map[string]uint32
		lists   map[string][]uint32
		want    Dimensions
	}{
		"shared heads": {
			map[string]uint32{"block_count": 3, "embedding_length": 64, "feed_forward_length": 100, "attention.head_count": 8, "attention.head_count_kv": 2}, nil,
			Dimensions{Layers: 3, Embedding: 64, FeedForward: 100, Vocabulary: 3, Heads: 8, Queries: 64, LayerKV: 32, KV: 96},
		},
		"own heads, of their own length": {
			map[string]uint32{"block_count": 3, "embedding_length": 64, "attention.head_count": 4, "attention.key_length": 32, "attention.value_length": 8}, nil,
			Dimensions{Layers: 3, Embedding: 64, Vocabulary: 3, Heads: 4, Queries: 128, LayerKV: 160, KV: 480},
		},
		"layers that differ, one without attention": {
			map[string]uint32{"block_count": 3, "embedding_length": 64},
			map[string][]uint32{"attention.head_count": {4, 8, 0}, "attention.head_count_kv": {4, 2, 0}, "feed_forward_length": {10, 30, 20}},
			Dimensions{Layers: 3, Embedding: 64, FeedForward: 30, Vocabulary: 3, Heads: 8, Queries: 64, LayerKV: 128, KV: 160},
		},
		"lists that are too short": {
			map[string]uint32{"block_count": 3, "embedding_length": 64}, map[string][]uint32{"attention.head_count": {4, 4}, "attention.head_count_kv": {2, 2}},
			Dimensions{Layers: 3, Embedding: 64, Vocabulary: 3, Heads: 4, Queries: 64, LayerKV: 64, KV: 128},
		},
		"nothing": {nil, nil, Dimensions{Vocabulary: 3}},
	} {
		if d := header(test.numbers, test.lists).Dimensions(); d != test.want {
			t.Errorf("%s: %+v, want %+v", name, d, test.want)
		}
	}
	d := header(map[string]uint32{
		"block_count": 512, "embedding_length": math.MaxUint32, "attention.head_count": math.MaxUint32,
		"attention.key_length": math.MaxUint32, "attention.value_length": math.MaxUint32,
	}, nil).Dimensions()
	if d.KV <= 0 || d.LayerKV <= 0 || d.Queries <= 0 {
		t.Errorf("absurd numbers wrap around: %+v", d)
	}
}
