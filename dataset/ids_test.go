package dataset

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestIDSet(t *testing.T) {
	var s IDSet
	for i := range 10_000 {
		if _, _, dup := s.Add(fmt.Sprint(i), fmt.Sprintf("f%d", i/5000), i+1); dup {
			t.Fatalf("%d is new", i)
		}
	}
	for _, tt := range []struct {
		id, file string
		line     int
	}{{"0", "f0", 1}, {"4999", "f0", 5000}, {"5000", "f1", 5001}, {"9999", "f1", 10_000}} {
		if file, line, dup := s.Add(tt.id, "f2", 1); !dup || file != tt.file || line != tt.line {
			t.Errorf("%s: %s:%d, %v", tt.id, file, line, dup)
		}
	}
	if !s.Has("0") || !s.Has("9999") || s.Has("10000") || new(IDSet).Has("0") {
		t.Error("Has")
	}
	if s.Len() != 10_000 {
		t.Errorf("%d ids", s.Len())
	}
}

// TestIDSetPlaces holds the set against a plain map, over ids that count, in order and out of it, and ids that do not.
func TestIDSetPlaces(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	pool := []string{"", "x", "0", "00", "7", "007", "l2_", "l2_-1", "99999999999999999999", "l2_123456789012345678", "٣", "a\xff3"}
	for i := range 300 {
		pool = append(pool, fmt.Sprintf("p%d_%d", i%7, rng.IntN(50)), fmt.Sprintf("q%d_1", i), fmt.Sprintf("%x", rng.Uint64()), fmt.Sprintf("l2_0%d", i))
	}
	type where struct {
		file string
		line int
	}
	for round := range 40 {
		var s IDSet
		want := map[string]where{}
		add := func(id, file string, line int) {
			t.Helper()
			before, there := want[id]
			if s.Has(id) != there {
				t.Fatalf("%q: Has %v", id, !there)
			}
			gotFile, gotLine, dup := s.Add(id, file, line)
			if dup != there || dup && (where{gotFile, gotLine}) != before {
				t.Fatalf("round %d: %q: %s:%d %v, want %+v %v", round, id, gotFile, gotLine, dup, before, there)
			}
			if !there {
				want[id] = where{file, line}
			}
		}
		line := 0
		for range 30 { // stretches that count, by some step, with lines left out
			n, step := rng.IntN(400), 1+rng.IntN(3)
			file := fmt.Sprint("f", len(want)/100)
			for range rng.IntN(60) {
				if line++; rng.IntN(20) > 0 {
					add(fmt.Sprint("l2_", n), file, line)
					n += step
				}
				if rng.IntN(5) == 0 {
					line++
					add(pool[rng.IntN(len(pool))], file, line)
				}
			}
		}
		for id := range want {
			if !s.Has(id) {
				t.Errorf("%q is lost", id)
			}
		}
		if s.Len() != len(want) {
			t.Errorf("%d ids, want %d", s.Len(), len(want))
		}
	}
}

// TestIDSetCounting: ids that count cost no memory each, with a line missing here and there or not.
func TestIDSetCounting(t *testing.T) {
	var s IDSet
	for i := range 100_000 {
		s.Add(fmt.Sprint("llm_l2_", 4*i), "f", i+1+i/1000)
	}
	if len(s.seen) > 0 || len(s.series["llm_l2_"].runs) != 100 {
		t.Errorf("%d of them are kept one by one, the others in %d runs", len(s.seen), len(s.series["llm_l2_"].runs))
	}
}
