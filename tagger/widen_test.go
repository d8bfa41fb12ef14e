package tagger

import (
	"errors"
	"reflect"
	"testing"
)

// A narrowModel has small sequences until it is made wide.
type narrowModel struct {
	*fakeModel
	narrow, wide int
	changes      []bool
	failing      int // this change fails
}

var errWiden = errors.New("no memory")

func (m *narrowModel) WideSize() int { return m.wide }

func (m *narrowModel) Widen(wide bool) error {
	if len(m.changes) == m.failing {
		return errWiden
	}
	m.context, m.cells = m.narrow, [32][]int32{}
	if wide {
		m.context = m.wide
	}
	m.changes = append(m.changes, wide)
	return nil
}

// newNarrow is a model with so many sequences of so many tokens.
func newNarrow(t *testing.T, parallel, narrow int) *narrowModel {
	m := &narrowModel{fakeModel: newFakeModel(t, noise(5)), narrow: narrow, wide: 300, failing: -1}
	m.parallel, m.context, m.cache = parallel, narrow, 1<<16
	return m
}

// tagAll tags scheduleTexts and returns what became of them.
func tagAll(t *testing.T, tagger *Tagger, live bool) []Result {
	t.Helper()
	var results []Result
	if err := tagger.Run(items(scheduleTexts), live, func(item Item, res Result) error {
		if item.Bad == nil {
			results = append(results, res)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return results
}

// TestRunWiden: what becomes of a text does not depend on whether its sequence had room for it from the beginning.
func TestRunWiden(t *testing.T) {
	_, want, _ := runAll(t, 1, 1<<16, Options{Decode: Compact})
	for _, parallel := range []int{1, 5, 16} {
		for _, live := range []bool{false, true} {
			m := newNarrow(t, parallel, 120)
			got := tagAll(t, newTagger(t, m, smallPrompt, Options{Decode: Compact}), live)
			for i := range want {
				if !reflect.DeepEqual(got[i].Record, want[i].Record) || !reflect.DeepEqual(got[i].Reject, want[i].Reject) || got[i].Counts != want[i].Counts {
					t.Fatalf("%d at a time: %q became %+v, %+v; with room %+v, %+v", parallel, scheduleTexts[i], got[i].Record, got[i].Reject, want[i].Record, want[i].Reject)
				}
			}
			if n := len(m.changes); n < 2 || n > 2*len(want) || m.context != m.narrow {
				t.Errorf("%d at a time: made wide or narrow %d times, at last %d", parallel, n, m.context)
			}
			if m.left() > 0 {
				t.Errorf("%d at a time: %d tokens are left in the cache", parallel, m.left())
			}
		}
	}
}

// TestWidenForGood: a prompt that takes most of a narrow sequence makes the model wide before any text.
func TestWidenForGood(t *testing.T) {
	m := newNarrow(t, 4, 60)
	tagger := newTagger(t, m, smallPrompt, Options{Decode: Compact})
	if len(m.changes) != 1 || !m.changes[0] || 2*tagger.PrefixTokens() < m.narrow {
		t.Errorf("%v for a prefix of %d in %d", m.changes, tagger.PrefixTokens(), m.narrow)
	}
	if err := tagger.Run(items(scheduleTexts), false, func(Item, Result) error { return nil }); err != nil || len(m.changes) != 1 {
		t.Errorf("changes %v, %v", m.changes, err)
	}
}

// TestWidenFails: the run ends with the model's error, and where emit ended it the model is narrow again.
func TestWidenFails(t *testing.T) {
	for failing := range 2 {
		m := newNarrow(t, 4, 120)
		tagger := newTagger(t, m, smallPrompt, Options{Decode: Compact})
		m.failing = failing
		if err := tagger.Run(items(scheduleTexts), false, func(Item, Result) error { return nil }); !errors.Is(err, errWiden) {
			t.Errorf("change %d: %v", failing, err)
		}
	}
	m := newNarrow(t, 4, 120)
	tagger := newTagger(t, m, smallPrompt, Options{Decode: Compact})
	full := errors.New("disk full")
	err := tagger.Run(items(scheduleTexts), false, func(Item, Result) error {
		if m.context == m.wide {
			return full
		}
		return nil
	})
	if !errors.Is(err, full) || m.context != m.narrow {
		t.Errorf("%v; sequences of %d", err, m.context)
	}
}
