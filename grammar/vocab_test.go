package grammar

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNewVocabError(t *testing.T) {
	a := []byte("a")
	tests := []struct {
		pieces [][]byte
		eog    []int32
		want   string
	}{
		{nil, nil, "grammar: vocabulary of 0 tokens; want 1 to 16777216"},
		{[][]byte{a}, []int32{1}, "grammar: end-of-generation token 1 in a vocabulary of 1 tokens"},
		{[][]byte{a}, []int32{-1}, "grammar: end-of-generation token -1 in a vocabulary of 1 tokens"},
		{[][]byte{a, make([]byte, 40_000)}, nil, "grammar: token 1 has 40000 bytes; want at most 32768"},
	}
	for _, test := range tests {
		if _, err := NewVocab(test.pieces, VocabOptions{EOG: test.eog}); err == nil || err.Error() != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
}

// The trie must give back each piece at its place, and each subtree its prefix.
func TestTrie(t *testing.T) {
	v := testVocab(t)
	var seen []int32
	var prefix []byte
	var ends []uint32
	for i, n := range v.nodes[:len(v.nodes)-1] {
		prefix = append(prefix[:n.depth-1], n.b)
		ends = append(ends[:n.depth-1], n.skip)
		for d, end := range ends {
			if uint32(i) >= end {
				t.Fatalf("node %d lies past the end of its ancestor at depth %d", i, d+1)
			}
		}
		if next := v.nodes[n.skip]; next.depth > n.depth {
			t.Fatalf("node %d skips into the subtree of another", i)
		}
		for _, id := range v.order[n.tokens:v.nodes[i+1].tokens] {
			if !bytes.Equal(v.piece(id), prefix) {
				t.Fatalf("node %d: token %d is %q, not %q", i, id, v.piece(id), prefix)
			}
			seen = append(seen, id)
		}
	}
	var want []int32
	for id := range int32(v.Len()) {
		if len(v.piece(id)) > 0 && !v.isEOG(id) {
			want = append(want, id)
		}
	}
	slices.Sort(seen)
	if !slices.Equal(seen, want) {
		t.Errorf("the trie holds %v, want %v", seen, want)
	}
}

// syntheticVocab imitates a byte-pair vocabulary of n tokens: the bytes, and pieces made
// of syllables, digits, punctuation and characters of several bytes, most after a blank.
func syntheticVocab(t testing.TB, n int) *Vocab {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	parts := []string{
		"a", "e", "i", "o", "u", "th", "er", "in", "st", "re", "on", "an", "ing", "ed", "ly", "tion", "sh", "br", "m", "p", "l", "k", "s", "T", "S",
		"An", "Qu", "é", "ß", "ж", "ни", "日", "本", "の", "\xe6\x97", "\xf0\x9f\x98", "😀",
	}
	marks := []string{"\"", "\",", "\":", "{", "}", "[", "]", "\n", "  ", "\t", "(", ")", ".", ",", "0", "12", "345", "\\", "\\n", "="}
	seen := map[string]bool{"": true}
	pieces := make([][]byte, 256, n)
	for b := range pieces {
		pieces[b] = []byte{byte(b)}
		seen[string(pieces[b])] = true
	}
	for len(pieces) < n-2 {
		var p []byte
		if rng.IntN(2) == 0 {
			p = append(p, ' ')
		}
		for range 1 + rng.IntN(5) {
			p = append(p, parts[rng.IntN(len(parts))]...)
		}
		if rng.IntN(8) == 0 {
			p = append(p, marks[rng.IntN(len(marks))]...)
		}
		if !seen[string(p)] {
			seen[string(p)] = true
			pieces = append(pieces, p)
		}
	}
	for _, word := range []string{"Stop", " it"} {
		pieces = append(pieces, []byte(word))
	}
	pieces = append(pieces, nil)
	v, err := NewVocab(pieces, VocabOptions{EOG: []int32{int32(len(pieces) - 1)}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}
