package tagger

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// scheduleTexts are of very different lengths, so that answers end in another order than they begin in.
var scheduleTexts = func() []string {
	texts := []string{"", " ", "I love it", "\xff"}
	for i := range 40 {
		text := "So glad"
		for range i * 7 % 23 {
			text += " that it is over"
		}
		texts = append(texts, text+"!")
	}
	return texts
}()

// items gives texts, and a bad line after each seventh.
func items(texts []string) <-chan Item {
	list := make(chan Item, 2*len(texts))
	for i, text := range texts {
		list <- Item{Input: dataset.Input{ID: fmt.Sprint(i), Text: text}}
		if i%7 == 6 {
			list <- Item{Bad: &dataset.LineError{ID: fmt.Sprint(i, "b")}}
		}
	}
	close(list)
	return list
}

// runAll tags texts so many at a time.
func runAll(t *testing.T, parallel, cache int, o Options) (ids []string, results []Result, s *session) {
	t.Helper()
	m := newFakeModel(t, noise(5))
	m.parallel, m.context, m.cache = parallel, 300, cache
	if o.Decode == Aligned {
		m.context = 2000
	}
	s = newSession(t, m, smallPrompt, o)
	err := s.Run(items(scheduleTexts), true, func(item Item, res Result) error {
		if item.Bad != nil {
			ids = append(ids, item.Bad.ID)
			return nil
		}
		ids, results = append(ids, item.ID), append(results, res)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	m.allRead()
	if m.left() > 0 {
		t.Errorf("%d tokens of records are left in the cache", m.left())
	}
	return ids, results, s
}

// TestRunParallel: what becomes of a text, and where in the output, does not depend on how many are tagged at a time.
func TestRunParallel(t *testing.T) {
	for _, o := range []Options{{Decode: Compact}, {Decode: Compact, Sampling: Sampling{Temperature: 1, Seed: 3}}, {Decode: Aligned}} {
		ids, want, one := runAll(t, 1, 1<<16, o)
		if len(ids) < len(scheduleTexts)+5 {
			t.Fatalf("%d items came out", len(ids))
		}
		for _, parallel := range []int{2, 5, 16, -16} {
			cache := 1 << 16
			if parallel < 0 { // one that is full before all sequences are at work
				parallel, cache = -parallel, 0
			}
			gotIDs, got, s := runAll(t, parallel, cache, o)
			if most, size := s.model.mostCells, s.model.CacheSize(); cache == 0 && most < size*7/8 {
				t.Errorf("%d at a time: only %d tokens in a cache for %d", parallel, most, size)
			}
			if !slices.Equal(gotIDs, ids) {
				t.Errorf("%d at a time: order %v, want %v", parallel, gotIDs, ids)
			}
			for i := range want {
				if !reflect.DeepEqual(got[i].Record, want[i].Record) || !reflect.DeepEqual(got[i].Reject, want[i].Reject) || got[i].Counts != want[i].Counts {
					t.Fatalf("%d at a time: %q became %+v, %+v; alone %+v, %+v", parallel, scheduleTexts[i], got[i].Record, got[i].Reject, want[i].Record, want[i].Reject)
				}
			}
			if s.Totals() != one.Totals() {
				t.Errorf("%d at a time: totals %v, want %v", parallel, s.Totals(), one.Totals())
			}
		}
	}
}

// TestRunWindow: a slow text holds back those behind it, and Run pulls only so many.
func TestRunWindow(t *testing.T) {
	m := newFakeModel(t, noise(5))
	m.parallel = 3
	s := newSession(t, m, smallPrompt, Options{Decode: Compact})
	long := scheduleTexts[len(scheduleTexts)-1]
	for range 9 {
		long += long[:min(len(long), 200)]
	}
	source := make(chan Item, 200)
	for i := range 200 {
		text := "I love it"
		if i == 0 {
			text = long
		}
		source <- Item{Input: dataset.Input{ID: fmt.Sprint(i), Text: text}}
	}
	close(source)
	emitted, most := 0, 0
	err := s.Run(source, false, func(Item, Result) error {
		most = max(most, 200-len(source)-emitted)
		emitted++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if emitted != 200 || most > 3*window+1 {
		t.Errorf("%d texts came out, up to %d were on their way", emitted, most)
	}
}

// TestRunStops: an error of emit ends the run and leaves nothing behind; what comes next is as ever.
func TestRunStops(t *testing.T) {
	m := newFakeModel(t, noise(5))
	m.parallel = 4
	s := newSession(t, m, smallPrompt, Options{Decode: Compact})
	full := errors.New("disk full")
	n := 0
	err := s.Run(items(scheduleTexts), true, func(Item, Result) error {
		if n++; n == 9 {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || n != 9 {
		t.Errorf("%v after %d", err, n)
	}
	m.unread = map[int]bool{}
	if m.left() > 0 {
		t.Errorf("%d tokens of records are left in the cache", m.left())
	}
	if res, err := s.Tag(dataset.Input{ID: "x", Text: "I love it"}); err != nil || res.Record == nil {
		t.Errorf("%+v, %v", res, err)
	}
}

// TestRunWaits: Run goes on with what is on its way while no item is there, and waits where nothing is.
func TestRunWaits(t *testing.T) {
	m := newFakeModel(t, noise(5))
	m.parallel = 4
	s := newSession(t, m, smallPrompt, Options{Decode: Compact})
	source, results := make(chan Item), make(chan Result)
	done := make(chan error)
	go func() {
		done <- s.Run(source, true, func(_ Item, r Result) error { results <- r; return nil })
	}()
	for range 3 {
		source <- Item{Input: dataset.Input{ID: "a", Text: "I love it"}}
		if r := <-results; r.Record == nil {
			t.Errorf("%+v", r)
		}
	}
	close(source)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
