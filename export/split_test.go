package export

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestParseSplits(t *testing.T) {
	parts, err := ParseSplits("train=0.8, dev=0.1,test=.1")
	if err != nil || fmt.Sprint(parts) != "[{train 0.8} {dev 0.1} {test 0.1}]" {
		t.Errorf("%v, %v", parts, err)
	}
	if parts, err := ParseSplits("a=0.333333,b=0.333333,c=0.333334"); err != nil || len(parts) != 3 {
		t.Errorf("%v, %v", parts, err)
	}
	for text, want := range map[string]string{
		"": "NAME=SHARE", "train": "NAME=SHARE", "=1": "NAME=SHARE", "a b=1": "NAME=SHARE", "../x=1": "NAME=SHARE", "é=1": "NAME=SHARE",
		"a=0,b=1": "above 0", "a=-1,b=2": "above 0", "a=x": "above 0", "a=NaN": "above 0", "a=Inf": "above 0", "a=80,b=20": "up to 1",
		"a=0.5,A=0.5": "twice", "a=0.8,b=0.1": "add up to 0.9;", "a=0.6,b=0.6": "add up to 1.2;",
	} {
		if _, err := ParseSplits(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestSplitsDeal has parts that Python computed: int.from_bytes(sha256(f"{seed}:{id}".encode()).digest()[:8], "big") / 2**64.
func TestSplitsDeal(t *testing.T) {
	parts, err := ParseSplits("train=0.8,dev=0.1,test=0.1")
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range splitsOfPython {
		for seed, part := range want {
			if got := (Splits{parts, uint64(seed)}).of(id); parts[got].Name != part {
				t.Errorf("%s by seed %d: %s, want %s", id, seed, parts[got].Name, part)
			}
		}
	}
	counts := make([]int, 3)
	moved := 0
	const n = 20_000
	for i := range n {
		id := fmt.Sprint("text-", i)
		at := (Splits{parts, 1}).of(id)
		counts[at]++
		if (Splits{parts, 2}).of(id) != at {
			moved++
		}
		for _, sentence := range []string{"#0", "#17"} {
			if got := (Splits{parts, 1}).of(id + sentence); got != at {
				t.Errorf("%s%s is in part %d, its text in %d", id, sentence, got, at)
			}
		}
	}
	for i, part := range parts {
		if sd := math.Sqrt(n * part.Share * (1 - part.Share)); math.Abs(float64(counts[i])-n*part.Share) > 4*sd {
			t.Errorf("%s has %d of %d", part.Name, counts[i], n)
		}
	}
	if moved < n/10 {
		t.Errorf("another seed moves %d of %d", moved, n)
	}
	for id, want := range map[string]string{"a#b": "a#b", "a#": "a#", "#3": "#3", "a#3": "a", "a#b#3": "a#b", "plain": "plain", "": ""} {
		if got := textID(id); got != want {
			t.Errorf("text of %q: %q, want %q", id, got, want)
		}
	}
}

var splitsOfPython = map[string][2]string{ // by the seeds 0 and 1
	"日本-0":  {"train", "train"},
	"l2_3":  {"dev", "train"},
	"日本-6":  {"train", "dev"},
	"日本-10": {"test", "train"},
	"日本-20": {"train", "test"},
	"日本-48": {"dev", "test"},
	"日本-62": {"test", "test"},
	"日本-76": {"test", "dev"},
	"l2_97": {"dev", "dev"},
}
