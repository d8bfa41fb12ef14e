package models

// sizeLimit is more than any size of a model, and so little that no product of
// two and the number of layers leaves an int.
const sizeLimit = 1 << 18

// Dimensions are the sizes in a model's header from which the memory that it
// takes follows. One that the header lacks is 0.
type Dimensions struct {
	Layers      int
	Embedding   int // width of the residual stream
	FeedForward int // the widest layer's
	Vocabulary  int
	Heads       int // query heads of the layer that has most
	Queries     int // width of the queries, all heads, of the widest layer
	LayerKV     int // width of the keys and values, all heads together, of the widest layer
	KV          int // the same of all layers: the numbers that the cache keeps of a token
}

// Dimensions reads them. Where layers share keys and values, or some keep none,
// KV is more than the cache will hold. What cannot be read as whole numbers
// counts as 0: llama.cpp refuses it.
func (g *GGUF) Dimensions() Dimensions {
	arch := g.Architecture()
	size := func(key string) int {
		n, _ := g.Uint(arch + key)
		return int(min(n, sizeLimit))
	}
	d := Dimensions{Layers: size(".block_count"), Embedding: size(".embedding_length"), Vocabulary: g.VocabSize()}
	widths, _ := g.uints(arch + ".feed_forward_length")
	for _, n := range widths {
		d.FeedForward = max(d.FeedForward, int(min(n, sizeLimit)))
	}
	heads, _ := g.uints(arch + ".attention.head_count")
	shared, _ := g.uints(arch + ".attention.head_count_kv")
	if shared == nil {
		shared = heads
	}
	keyLength, valueLength := size(".attention.key_length"), size(".attention.value_length")
	for i := range d.Layers {
		q, kv := layerOf(heads, i), layerOf(shared, i)
		key, value := keyLength, valueLength
		if q > 0 {
			if key == 0 {
				key = d.Embedding / q
			}
			if value == 0 {
				value = d.Embedding / q
			}
		}
		d.Heads, d.Queries = max(d.Heads, q), max(d.Queries, q*key)
		d.LayerKV = max(d.LayerKV, kv*(key+value))
		d.KV += kv * (key + value)
	}
	return d
}

// layerOf picks a layer's number from a list that has one for each, or one for
// all of them.
func layerOf(list []uint64, layer int) int {
	switch {
	case len(list) == 1:
		layer = 0
	case layer >= len(list):
		return 0
	}
	return int(min(list[layer], sizeLimit))
}
