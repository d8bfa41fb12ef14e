package tagger

import (
	"slices"
	"strings"
	"sync"

	"github.com/emospan/emospan/dataset"
)

// fakeVocab has a token for every byte, then longer pieces, then control tokens.
type fakeVocab struct {
	pieces  [][]byte
	ids     map[string]int32
	longest int
}

// The control tokens, counted from the end of the vocabulary.
const (
	stop      = 1 + iota // ends the generation
	stopToo              // another
	begin                // begins a chat
	system               // these three begin a turn
	user                 //
	assistant            //
	turnEnd
	controls = turnEnd
)

func newFakeVocab(pieces ...string) *fakeVocab {
	v := &fakeVocab{ids: map[string]int32{}}
	add := func(p string) {
		if _, ok := v.ids[p]; ok {
			return
		}
		v.ids[p] = int32(len(v.pieces))
		v.pieces = append(v.pieces, []byte(p))
		v.longest = max(v.longest, len(p))
	}
	for b := range 256 {
		add(string([]byte{byte(b)}))
	}
	for _, p := range pieces {
		add(p)
	}
	v.pieces = append(v.pieces, make([][]byte, controls)...)
	return v
}

// control is the id of a control token.
func (v *fakeVocab) control(which int) int32 { return int32(len(v.pieces) - which) }

// tokenize takes the longest token each time.
func (v *fakeVocab) tokenize(text string) []int32 {
	var ids []int32
	for len(text) > 0 {
		id := v.longestToken(text)
		ids = append(ids, id)
		text = text[len(v.pieces[id]):]
	}
	return ids
}

// longestToken is the longest that text begins with.
func (v *fakeVocab) longestToken(text string) int32 {
	for n := min(v.longest, len(text)); ; n-- {
		if id, ok := v.ids[text[:n]]; ok {
			return id
		}
	}
}

// bytes are the pieces of ids, one after the other.
func (v *fakeVocab) bytes(ids []int32) []byte {
	var b []byte
	for _, id := range ids {
		b = append(b, v.pieces[id]...)
	}
	return b
}

// englishVocab holds every prefix of its pieces, so that a text cut short is tokenized like the whole one up to its last token.
var englishVocab = sync.OnceValue(func() *fakeVocab { return newFakeVocab(englishPieces()...) })

// wordVocab has no pieces of both marks and letters: as the tokenizers of real models, it never makes a token of both.
var wordVocab = sync.OnceValue(func() *fakeVocab {
	return newFakeVocab(slices.DeleteFunc(englishPieces(), func(p string) bool {
		for i := 1; i < len(p); i++ {
			if isMark(p[i-1]) && isAlphanumeric(p[i]) {
				return true
			}
		}
		return false
	})...)
})

func englishPieces() []string {
	tax := dataset.Default()
	words := []string{`["neutral"]`, `","`, `"],"`, `"]]`, `"},{"`, `":"`, `":["`, `"O","O"`, `100]`, `10`, "95", " high", " cause", "...", "!!", "\\u0000", "\\n", "😂", "the the"}
	for _, e := range tax.Emotions() {
		words = append(words, e.Name, " "+e.Name, e.Subtype, `","`+e.Name+`"`)
	}
	for _, v := range tax.Attributes() {
		words = append(words, v.Name)
		words = append(words, v.Values...)
	}
	for _, w := range append(strings.Fields(strings.Join(fakeWords, " ")), tax.Pronouns()...) {
		words = append(words, w, " "+w)
	}
	var pieces []string
	for _, w := range words {
		for n := 2; n <= len(w); n++ {
			pieces = append(pieces, w[:n])
		}
	}
	return pieces
}
