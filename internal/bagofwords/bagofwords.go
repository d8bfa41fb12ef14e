// Package bagofwords turns a text into numbers of its words and word pairs, or of the characters that stand in a row in it: TF-IDF
// (Spärck Jones 1972) with sublinear counts, of length 1.
package bagofwords

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/emospan/emospan/internal/linear"
	"github.com/go-json-experiment/json"
)

// word finds words with their apostrophes, placeholders such as [NAME], runs of ! and ?, and symbols such as emoji one by one.
var word = regexp.MustCompile(`\[\pL+\]|[\pL\pN_]+(?:['’][\pL]+)*|[!?]+|[\p{So}\p{Sk}]|[:;=]-?[)(DPp/\\|]|<3`)

// separator stands between the words of a pair; no word holds it.
const separator = " "

// The number of characters in a row that count. Longer rows told no more.
const (
	fewestCharacters = 2
	mostCharacters   = 4
)

// each gives what counts in a text.
func each(kind Kind, text string, do func(w string)) {
	if kind == Characters {
		eachRow(text, do)
	} else {
		eachWord(text, do)
	}
}

// eachRow gives the characters in a row of each word, which has a space on either side. So spellings that no
// vocabulary of words has are told by their parts.
func eachRow(text string, do func(row string)) {
	var begins []int // of the characters
	for _, w := range strings.Fields(strings.ToLower(text)) {
		w = separator + w + separator
		begins = begins[:0]
		for i := range w {
			begins = append(begins, i)
		}
		begins = append(begins, len(w))
		for n := fewestCharacters; n <= mostCharacters; n++ {
			for i := 0; i+n < len(begins); i++ {
				do(w[begins[i]:begins[i+n]])
			}
		}
	}
}

// eachWord gives the words and word pairs of a text.
func eachWord(text string, do func(w string)) {
	last := ""
	for _, w := range word.FindAllString(strings.ToLower(text), -1) {
		w = strings.ReplaceAll(w, "’", "'")
		if len(w) > 3 && (w[0] == '!' || w[0] == '?') {
			w = w[:3]
		}
		do(w)
		if last != "" {
			do(last + separator + w)
		}
		last = w
	}
}

// A Kind says what of a text counts.
type Kind string

const (
	Words      Kind = "words"      // words and word pairs
	Characters Kind = "characters" // two to four characters in a row within a word
)

// A Counter counts in how many texts words, or rows of characters, stand. In what follows a word is either.
type Counter struct {
	kind   Kind
	texts  int
	counts map[string]int
}

// NewCounter is an empty Counter.
func NewCounter(kind Kind) *Counter { return &Counter{kind: kind, counts: map[string]int{}} }

// Add counts the words of a text.
func (c *Counter) Add(text string) {
	c.texts++
	seen := map[string]bool{}
	each(c.kind, text, func(w string) {
		if !seen[w] {
			seen[w] = true
			c.counts[strings.Clone(w)]++
		}
	})
}

// Options say what a Vocabulary holds.
type Options struct {
	MinCount int // texts in which a word stands
	MaxWords int // the most frequent; 0 for all
}

// A Vocabulary has the words that count, in order of their text. It may be used by several goroutines at once.
type Vocabulary struct {
	kind   Kind
	words  []string
	weight []float32 // inverse document frequency
	index  map[string]int32
}

// Vocabulary is that of the texts counted.
func (c *Counter) Vocabulary(o Options) *Vocabulary {
	words := slices.Sorted(maps.Keys(c.counts))
	words = slices.DeleteFunc(words, func(w string) bool { return c.counts[w] < o.MinCount })
	slices.SortStableFunc(words, func(a, b string) int { return cmp.Compare(c.counts[b], c.counts[a]) })
	if o.MaxWords > 0 {
		words = words[:min(len(words), o.MaxWords)]
	}
	slices.Sort(words)
	v := &Vocabulary{kind: c.kind, words: words}
	for _, w := range words {
		idf := math.Log(float64(1+c.texts)/float64(1+c.counts[w])) + 1
		v.weight = append(v.weight, float32(math.Round(idf*1e3)/1e3))
	}
	v.makeIndex()
	return v
}

func (v *Vocabulary) makeIndex() {
	v.index = make(map[string]int32, len(v.words))
	for i, w := range v.words {
		v.index[w] = int32(i)
	}
}

// Len is the number of words.
func (v *Vocabulary) Len() int { return len(v.words) }

// Index is a word's number in Features.
func (v *Vocabulary) Index(word string) (int32, bool) {
	i, ok := v.index[word]
	return i, ok
}

// Features puts the numbers of a text into dst, which grows as needed, in order of their index.
func (v *Vocabulary) Features(text string, dst []linear.Term) []linear.Term {
	dst = dst[:0]
	counts := map[int32]int{}
	each(v.kind, text, func(w string) {
		if i, ok := v.index[w]; ok {
			counts[i]++
		}
	})
	sum := 0.0
	for _, i := range slices.Sorted(maps.Keys(counts)) {
		x := (1 + math.Log(float64(counts[i]))) * float64(v.weight[i])
		sum += x * x
		dst = append(dst, linear.Term{Index: i, Value: float32(x)})
	}
	for i := range dst {
		dst[i].Value /= float32(math.Sqrt(sum))
	}
	return dst
}

// vocabularyFile is a Vocabulary in JSON.
type vocabularyFile struct {
	Kind    Kind      `json:"kind"`
	Words   string    `json:"words"` // a line each
	Weights []float32 `json:"weights"`
}

// MarshalJSON writes the words as lines of one string.
func (v *Vocabulary) MarshalJSON() ([]byte, error) {
	return json.Marshal(vocabularyFile{v.kind, strings.Join(v.words, "\n"), v.weight})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Vocabulary) UnmarshalJSON(data []byte) error {
	var f vocabularyFile
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	if f.Kind != Words && f.Kind != Characters {
		return fmt.Errorf("words: there is no kind %q; want %s or %s", f.Kind, Words, Characters)
	}
	words := strings.Split(f.Words, "\n")
	if len(words) != len(f.Weights) || !slices.IsSorted(words) {
		return fmt.Errorf("words: %d with %d weights, or not in order", len(words), len(f.Weights))
	}
	for i, w := range words {
		if w == "" || i > 0 && words[i-1] == w {
			return fmt.Errorf("words: %q is empty or stands twice", w)
		}
	}
	for _, x := range f.Weights {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) || x <= 0 {
			return fmt.Errorf("words: a weight is not above 0")
		}
	}
	v.kind, v.words, v.weight = f.Kind, words, f.Weights
	v.makeIndex()
	return nil
}
