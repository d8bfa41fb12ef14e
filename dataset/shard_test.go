package dataset

import (
	"math/rand/v2"
	"strings"
	"testing"
)

func TestParseShard(t *testing.T) {
	for s, want := range map[string]Shard{"0/1": {0, 1}, "7/8": {7, 8}, "1048575/1048576": {1048575, 1048576}} {
		if got, err := ParseShard(s); err != nil || got != want || got.String() != s {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "/", "1", "0/0", "8/8", "-1/8", "+1/8", "1/-8", "0x1/8", "1/8/9", "1/ 8", "1 /8", "0/1048577", "0/99999999999999999999"} {
		if got, err := ParseShard(s); err == nil || !strings.Contains(err.Error(), "want I/N") {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
}

// TestShards: whatever the number of texts and of shards, each text has exactly one shard, and sizes are what was dealt.
func TestShards(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		texts, count := rng.IntN(200), 1+rng.IntN(40)
		dealt := 0
		for index := range count {
			s, size := Shard{index, count}, 0
			for number := range texts {
				if s.Has(number) {
					size++
				}
				if s.Has(number) != (number%count == index) {
					t.Fatalf("%v has %d: %v", s, number, s.Has(number))
				}
			}
			if s.Size(texts) != size {
				t.Fatalf("%v of %d texts: size %d, want %d", s, texts, s.Size(texts), size)
			}
			dealt += size
		}
		if dealt != texts {
			t.Fatalf("%d texts in %d shards: %d were dealt", texts, count, dealt)
		}
	}
	if whole := (Shard{}); !whole.Has(5) || whole.Size(9) != 9 || whole.String() != "" {
		t.Error("the zero value is not the whole input")
	}
}

// TestTextsDigest: equal where a reader's texts are, whatever their format; another where anything that a run uses differs.
func TestTextsDigest(t *testing.T) {
	tax := Default()
	digest := func(format Format, src string) string {
		var d TextsDigest
		labels := tax
		if format == FormatCSV {
			labels = nil // else the table must have a column of them
		}
		r, err := NewReader(strings.NewReader(src), "-", ReaderOptions{Format: format, Labels: labels})
		if err != nil {
			t.Fatal(err)
		}
		for {
			in, err := r.Next()
			bad, _ := err.(*LineError)
			if err != nil && bad == nil {
				break
			}
			d.Add(in, bad)
		}
		if d.Texts() != r.Index() {
			t.Errorf("%d texts of %d", d.Texts(), r.Index())
		}
		return d.Sum()
	}
	plain := digest(FormatTxt, "one\ntwo\n")
	for _, same := range []string{
		digest(FormatTxt, "\none\n\ntwo"),
		digest(FormatJSONL, `{"text":"one"}`+"\n"+`{"id":"l2_1","text":"two"}`),
		digest(FormatCSV, "text\none\n\"two\"\n"),
	} {
		if same != plain {
			t.Error("the same texts have another digest")
		}
	}
	seen := map[string]string{}
	for _, src := range []string{
		`{"text":"one"}`,
		`{"text":"one"}` + "\n" + `{"text":"two"}`,
		`{"text":"two"}` + "\n" + `{"text":"one"}`,
		`{"text":"on"}` + "\n" + `{"text":"etwo"}`,
		`{"id":"a","text":"one"}`,
		`{"text":"one","labels":["joy"]}`,
		`{"text":"one","labels":["joy","anger"]}`,
		`{"text":"one","labels":["none of these"]}`,
		`{"id":"a","text":1}`,
		``,
	} {
		sum := digest(FormatJSONL, src)
		if other, ok := seen[sum]; ok {
			t.Errorf("%s and %s have one digest", src, other)
		}
		seen[sum] = src
	}
}
