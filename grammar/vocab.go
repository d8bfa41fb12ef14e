package grammar

import (
	"bytes"
	"fmt"
	"slices"
)

const (
	maxTokens = 1 << 24
	maxPiece  = 1 << 15 // bytes of one piece
	maxText   = 1 << 30 // bytes of all pieces
)

// Vocab is the vocabulary of a tokenizer: the bytes of each token, arranged as a trie. It
// is immutable; goroutines and Constraints may share it.
//
// The trie is flat, its nodes in depth-first order, and each node knows where its subtree
// ends, so that a walk skips what the grammar rules out (the toktrie of llguidance).
type Vocab struct {
	text    []byte   // all pieces
	offsets []uint32 // piece i is text[offsets[i]:offsets[i+1]]
	eog     []int32  // sorted
	lookup  func(string) (int32, bool)

	nodes    []trieNode // the last is a sentinel
	root     [256]int32 // node of each first byte, or -1
	below    []charSet  // characters that begin below each node
	height   []uint8    // how many, on the longest way down; tooHigh and more are one
	order    []int32    // token ids, sorted by piece
	maxDepth int
	chars    tokenChars
}

// trieNode is the end of a prefix of pieces. The tokens that end at node i are
// order[nodes[i].tokens:nodes[i+1].tokens].
type trieNode struct {
	skip   uint32 // first node after the subtree
	tokens uint32
	depth  uint16 // length of the prefix
	b      byte   // its last byte
}

// VocabOptions describes the tokens of a vocabulary that are not text.
type VocabOptions struct {
	// EOG holds the ids that end the generation. Their pieces are ignored.
	EOG []int32

	// Lookup returns the id of the token with that text, angle brackets included, for the
	// token terminals of a grammar such as <think>. nil if there are no such tokens. It
	// must be safe for concurrent use.
	Lookup func(name string) (id int32, ok bool)
}

// NewVocab returns the vocabulary whose token i stands for the bytes pieces[i]. A nil or
// empty piece is a token without text, such as a control token: only a token terminal
// admits it. Several tokens may have equal pieces. The pieces are copied.
func NewVocab(pieces [][]byte, opts VocabOptions) (*Vocab, error) {
	if len(pieces) == 0 || len(pieces) > maxTokens {
		return nil, fmt.Errorf("grammar: vocabulary of %d tokens; want 1 to %d", len(pieces), maxTokens)
	}
	v := &Vocab{
		offsets: make([]uint32, 1, len(pieces)+1),
		eog:     slices.Compact(slices.Sorted(slices.Values(opts.EOG))),
		lookup:  opts.Lookup,
		order:   make([]int32, 0, len(pieces)),
	}
	for _, id := range v.eog {
		if id < 0 || int(id) >= len(pieces) {
			return nil, fmt.Errorf("grammar: end-of-generation token %d in a vocabulary of %d tokens", id, len(pieces))
		}
	}
	size := 0
	for id, piece := range pieces {
		if len(piece) > maxPiece {
			return nil, fmt.Errorf("grammar: token %d has %d bytes; want at most %d", id, len(piece), maxPiece)
		}
		if size += len(piece); size > maxText {
			return nil, fmt.Errorf("grammar: vocabulary has more than %d bytes", maxText)
		}
	}
	v.text = make([]byte, 0, size)
	for id, piece := range pieces {
		v.text = append(v.text, piece...)
		v.offsets = append(v.offsets, uint32(len(v.text)))
		if len(piece) > 0 && !v.isEOG(int32(id)) {
			v.order = append(v.order, int32(id))
		}
	}
	slices.SortStableFunc(v.order, func(a, b int32) int { return bytes.Compare(v.piece(a), v.piece(b)) })
	v.buildTrie()
	return v, nil
}

// NewByteVocab returns a vocabulary with a token for each byte, its id, and no other: what
// follows text rather than the tokens of a model.
func NewByteVocab() *Vocab {
	pieces := make([][]byte, 256)
	for b := range pieces {
		pieces[b] = []byte{byte(b)}
	}
	v, err := NewVocab(pieces, VocabOptions{})
	if err != nil {
		panic(err) // 256 pieces of a byte are within every bound
	}
	return v
}

// Len returns the number of tokens.
func (v *Vocab) Len() int { return len(v.offsets) - 1 }

func (v *Vocab) piece(id int32) []byte { return v.text[v.offsets[id]:v.offsets[id+1]] }

func (v *Vocab) isEOG(id int32) bool {
	_, ok := slices.BinarySearch(v.eog, id)
	return ok
}

// buildTrie makes the nodes from the sorted pieces. Each piece shares a path with the one
// before and adds the nodes for the rest of its bytes.
func (v *Vocab) buildTrie() {
	var path []int // nodes above the next one
	closeTo := func(depth int) {
		for ; len(path) > depth; path = path[:len(path)-1] {
			v.nodes[path[len(path)-1]].skip = uint32(len(v.nodes))
		}
	}
	var previous []byte
	for i, id := range v.order {
		piece := v.piece(id)
		shared := 0
		for shared < min(len(previous), len(piece)) && previous[shared] == piece[shared] {
			shared++
		}
		closeTo(shared)
		for depth := shared; depth < len(piece); depth++ {
			path = append(path, len(v.nodes))
			// A node without tokens of its own is followed by its first child.
			v.nodes = append(v.nodes, trieNode{tokens: uint32(i), depth: uint16(depth + 1), b: piece[depth]})
		}
		v.maxDepth = max(v.maxDepth, len(piece))
		previous = piece
	}
	closeTo(0)
	v.nodes = append(v.nodes, trieNode{tokens: uint32(len(v.order))})
	for b := range v.root {
		v.root[b] = -1
	}
	for i := 0; i < len(v.nodes)-1; i = int(v.nodes[i].skip) {
		v.root[v.nodes[i].b] = int32(i)
	}
	v.collectBelow()
	v.collectChars()
}

// collectBelow fills v.below and v.height. Pieces count as texts that begin between two
// characters.
func (v *Vocab) collectBelow() {
	v.below = make([]charSet, len(v.nodes)-1)
	v.height = make([]uint8, len(v.nodes)-1)
	wrong := make([]bool, len(v.nodes)-1) // the node's byte does not go on with UTF-8
	readers := make([]utf8Reader, v.maxDepth+1)
	for i := range wrong {
		n := &v.nodes[i]
		r := readers[n.depth-1]
		wrong[i] = !r.read(n.b)
		readers[n.depth] = r
	}
	// Of the nodes of each depth whose parent is yet to come.
	below := make([]charSet, v.maxDepth+2)
	levels := make([]uint8, v.maxDepth+2)
	for i := range slices.Backward(v.below) {
		n := &v.nodes[i]
		v.below[i], v.height[i] = below[n.depth+1], levels[n.depth+1]
		below[n.depth+1], levels[n.depth+1] = charSet{}, 0
		below[n.depth].join(v.below[i])
		height := v.height[i]
		if isStart(n.b) {
			below[n.depth].add(n.b)
			height = min(height, tooHigh-1) + 1
		}
		if wrong[i] {
			below[n.depth].add(notUTF8)
		}
		levels[n.depth] = max(levels[n.depth], height)
	}
}

// find returns the node of a prefix of pieces.
func (v *Vocab) find(prefix []byte) (node int, ok bool) {
	if len(prefix) == 0 || v.root[prefix[0]] < 0 {
		return 0, false
	}
	i, end := int(v.root[prefix[0]]), len(v.nodes)-1
	for depth, b := range prefix {
		for i < end && v.nodes[i].b != b {
			i = int(v.nodes[i].skip)
		}
		if i >= end {
			return 0, false
		}
		if depth == len(prefix)-1 {
			return i, true
		}
		i, end = i+1, int(v.nodes[i].skip)
	}
	return 0, false
}
