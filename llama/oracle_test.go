//go:build cgo

package llama

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/emospan/emospan/grammar"
)

var (
	oracleGrammars = flag.Int("oracle.grammars", 80, "random grammars that TestOracleRandom walks through, for each vocabulary")
	oracleSeed     = flag.Uint64("oracle.seed", 1, "seed of the first of them")
)

func TestGrammarSampler(t *testing.T) {
	v := llama3Vocabulary(t)
	for _, src := range []string{"", " \n", "root ::= \"a\x00\"", `root ::= "a`, `first ::= "a"`} {
		if s, err := NewGrammarSampler(v.model, src); err == nil {
			s.Close()
			t.Errorf("%q made a sampler", src)
		}
	}
	if _, err := NewGrammarSampler(v.model, `root ::= root "a" | "b"`); err == nil || !strings.Contains(err.Error(), "left recursion") {
		t.Errorf("left recursion: %v", err)
	}

	s, err := NewGrammarSampler(v.model, `root ::= "a"+ !<[5]>?`)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a, end := v.id(t, "a"), v.id(t, "<|end_of_text|>")
	mask := make(grammar.Mask, (v.Len()+63)/64)
	allowed := func(s *GrammarSampler, id int32) bool {
		t.Helper()
		if err := s.Allowed(mask); err != nil {
			t.Fatal(err)
		}
		return mask.Has(id)
	}
	if !allowed(s, a) || allowed(s, end) || allowed(s, v.id(t, "b")) {
		t.Errorf("%d tokens are allowed at the start", mask.Count())
	}
	for _, id := range []int32{end, v.id(t, "b"), v.id(t, "\x00"), -1, int32(v.Len())} {
		if err := s.Accept(id); err == nil {
			t.Errorf("token %d was accepted", id)
		}
	}
	if err := s.Accept(a); err != nil {
		t.Fatal(err)
	}
	clone, err := s.Clone()
	if err != nil {
		t.Fatal(err)
	}
	defer clone.Close()
	// llama.cpp allows it, as a and then another token than 5, and then does not accept it.
	ab := v.id(t, "ab")
	if err := s.Reset(); err != nil || !allowed(s, ab) {
		t.Errorf("%v; ab is not allowed", err)
	}
	if err := s.Accept(ab); err == nil {
		t.Error("ab was accepted")
	}
	if err := s.Allowed(mask); err == nil {
		t.Error("a sampler that failed goes on")
	}
	if err := s.Reset(); err != nil || allowed(s, end) {
		t.Errorf("after Reset: %v; or it is not at the start", err)
	}
	if !allowed(clone, end) {
		t.Error("the clone is not where it was made")
	}
	if err := clone.Accept(end); err != nil {
		t.Error(err)
	}
	if err := s.Allowed(mask[1:]); err == nil {
		t.Error("a mask that is too short was filled")
	}

	s.Close()
	s.Close()
	if s.Allowed(mask) == nil || s.Accept(a) == nil || s.Reset() == nil {
		t.Error("a closed sampler goes on")
	}
	if _, err := s.Clone(); err == nil {
		t.Error("a closed sampler was cloned")
	}
}

// TestOracleRandom walks at random through random grammars.
func TestOracleRandom(t *testing.T) {
	grammars := *oracleGrammars
	if testing.Short() {
		grammars = min(grammars, 5)
	}
	for _, v := range vocabularies(t) {
		t.Run(v.name, func(t *testing.T) {
			seen := map[string]int{}
			positions, refused := 0, 0
			for i := range grammars {
				seed := *oracleSeed + uint64(i)
				r := rand.New(rand.NewPCG(seed, 0))
				g := randomGrammar{Rand: r, vocab: v}
				src := fmt.Sprintf("# seed %d\n%s", seed, g.String())
				p, err := newPair(t, v, src)
				var theirs errTheirs
				if errors.As(err, &theirs) && g.repeated && strings.Contains(theirs.Error(), "left recursion") {
					refused++ // see TestKnownGrammarDifferences
					continue
				}
				if err != nil {
					t.Fatalf("%v\n%s", err, src)
				}
				for range 2 {
					p.reset(t)
					positions += p.walk(t, r, 8)
				}
				p.addTo(seen)
				p.close()
			}
			report(t, positions, seen)
			t.Logf("llama.cpp takes a repetition for left recursion in %d of %d grammars", refused, grammars)
		})
	}
}

// countedGrammars hold an output to numbers of repetitions.
var countedGrammars = []string{
	`root ::= "a"{3,40} "b"`,
	`root ::= ([ab]{2,3} ","){2,4} "."`,
	`root ::= [a-z]{5,10} [a-z0-9]{5,10} " "`,
	`root ::= ("a"{2} | "b"{3}){3,5}`,
	`root ::= (("a"{0,3} "b"?){2,5} "c"){1,3}`,
	`root ::= ([ab]{1,2} "a"{1,2}){4,6} "!"`,
	"root ::= (\"x\" (\"y\"{2,4} \"z\"?){2,3} rest){1,2} [0-9]{2}\nrest ::= \"(\" \"y\"{2} rest{0,2} \")\"",
	`root ::= .{20,25} "é"{2}`,
	`root ::= "\"" [^"\\]{1,60} "\""`,
	`root ::= ("日" | "日本" | "本"){10,12} | "日"{15}`,
	`root ::= "a"{1990,2000}`,
}

// TestOracleCounted walks through grammars with counted repetitions until they are over.
func TestOracleCounted(t *testing.T) {
	long(t)
	v := llama3Vocabulary(t)
	seen := map[string]int{}
	positions := 0
	for i, src := range countedGrammars {
		p, err := newPair(t, v, src)
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(uint64(i), 0))
		for range 2 {
			p.reset(t)
			positions += p.walk(t, r, 30)
		}
		p.addTo(seen)
		p.close()
	}
	report(t, positions, seen)
}

// report logs how many allowed sets were compared, and how many tokens differ in them for each known reason.
func report(t testing.TB, positions int, seen map[string]int) {
	t.Helper()
	t.Logf("%d allowed sets", positions)
	for _, reason := range slices.Sorted(maps.Keys(seen)) {
		t.Logf("%9d tokens differ as %s", seen[reason], reason)
	}
}

// records are texts, and for each an answer that its recordGrammar takes.
var records = []struct{ text, answer string }{
	{
		"The courier rang twice, left the parcel in the rain and never apologised.",
		`[["left the parcel in the rain","annoyance","high",87,"The courier"],["never apologised.","disappointment","med",64]]`,
	},
	{
		"Oma hat mir \"Glück\" gewünscht — ich könnte weinen vor Freude 😀!",
		`[["ich könnte weinen vor Freude","joy","high",100]]`,
	},
	{
		"お祭りの 花火は とても きれいだった。",
		`[["とても きれいだった。","admiration","med",9]]`,
	},
}

// recordGrammar is a grammar of records about a text, of the shape that package tagger decodes with: runs of the text's words in
// their order, each with an emotion and what belongs to it.
func recordGrammar(text string) string {
	words := strings.Fields(text)
	literal := func(s string) string { return grammar.Literal(strings.ReplaceAll(s, `"`, `\"`)) }
	var b strings.Builder
	fmt.Fprintf(&b, "root ::= \"[\" (\"[\\\"neutral\\\"]]\" | \"[\\\"\" p0)\n")
	for i, word := range words {
		from, more, next := "", `"]"`, ""
		if i+1 < len(words) {
			from = fmt.Sprintf(" | p%d", i+1)
			more = fmt.Sprintf(`("]" | ",[\"" p%d)`, i+1)
			next = fmt.Sprintf(" | \" \" t%d", i+1)
		}
		fmt.Fprintf(&b, "p%d ::= t%d%s\n", i, i, from)
		fmt.Fprintf(&b, "t%d ::= %s (attributes %s%s)\n", i, literal(word), more, next)
		target := ""
		if i+1 < len(words) {
			target = fmt.Sprintf(" (\" \" o%d)?", i+1)
		}
		fmt.Fprintf(&b, "o%d ::= %s%s\n", i, literal(word), target)
	}
	b.WriteString("attributes ::= \"\\\",\\\"\" emotion \"\\\",\\\"\" (\"low\" | \"med\" | \"high\") \"\\\",\" confidence (\",\\\"\" target \"\\\"\")? \"]\"\n")
	b.WriteString(`emotion ::= "admiration" | "amusement" | "anger" | "annoyance" | "disappointment" | "disapproval" | "disgust" | "joy" | "relief"` + "\n")
	b.WriteString(`confidence ::= "100" | [1-9] [0-9]? | "0"` + "\n")
	b.WriteString("target ::= \"I\" | \"you\"")
	for i := range words {
		fmt.Fprintf(&b, " | o%d", i)
	}
	b.WriteByte('\n')
	return b.String()
}

// follow walks along a text.
func (p *pair) follow(t testing.TB, text string) (positions int) {
	t.Helper()
	ids, err := p.vocab.model.Tokenize(text, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		p.compare(t)
		p.accept(t, id)
	}
	p.compare(t)
	if !p.ours.Done() {
		t.Errorf("%q is not complete", text)
	}
	return len(ids) + 1
}

// TestOracleRecords walks through grammars of the shape that the program decodes with.
func TestOracleRecords(t *testing.T) {
	long(t)
	for _, v := range vocabularies(t) {
		t.Run(v.name, func(t *testing.T) {
			seen := map[string]int{}
			positions := 0
			for i, record := range records {
				p, err := newPair(t, v, recordGrammar(record.text))
				if err != nil {
					t.Fatal(err)
				}
				positions += p.follow(t, record.answer)
				for range 2 {
					p.reset(t)
					positions += p.walk(t, rand.New(rand.NewPCG(uint64(i), 0)), 40)
				}
				p.addTo(seen)
				p.close()
			}
			report(t, positions, seen)
		})
	}
}

// TestOracleGrammarFiles walks through the grammars that llama.cpp comes with.
func TestOracleGrammarFiles(t *testing.T) {
	long(t)
	paths, err := filepath.Glob(tree(t, "grammars") + "/*.gbnf")
	if err != nil || len(paths) < len(grammarTexts) {
		t.Fatalf("%d grammars, %v; there were %d", len(paths), err, len(grammarTexts))
	}
	for _, v := range vocabularies(t) {
		t.Run(v.name, func(t *testing.T) {
			seen := map[string]int{}
			positions := 0
			for i, path := range paths {
				p, err := newPair(t, v, grammarFile(t, filepath.Base(path)))
				if err != nil {
					t.Fatalf("%s: %v", path, err)
				}
				for range 2 {
					p.reset(t)
					positions += p.walk(t, rand.New(rand.NewPCG(uint64(i), 0)), 20)
				}
				p.addTo(seen)
				p.close()
			}
			report(t, positions, seen)
		})
	}
}
