package tagger

import (
	"reflect"
	"testing"
)

// An alikeModel looks at what the arithmetic of a batch depends on.
type alikeModel struct {
	*narrowModel
	shapes map[int]int // rows of one sequence in a batch
	most   int         // sequences of a batch
}

func (m *alikeModel) Decode(rows []Row) error {
	m.t.Helper()
	clear(m.unread) // those of a row that was added are of no use
	wanted, first, last := 0, rows[0].Sequence, rows[0].Sequence
	count := map[int32]int{}
	for _, r := range rows {
		if count[r.Sequence]++; r.Logits {
			wanted++
		}
		if r.Sequence < last || r.Sequence > last+1 {
			m.t.Errorf("sequence %d behind %d", r.Sequence, last)
		}
		last = r.Sequence
	}
	if first == prefixSequence {
		return m.narrowModel.Decode(rows)
	}
	m.most = max(m.most, len(count))
	for _, n := range count {
		m.shapes[n]++
		if len(count) > 1 && n > 1 {
			m.t.Errorf("%d rows of one of %d sequences", n, len(count))
		}
	}
	if len(rows) < 2 || wanted == 1 {
		m.t.Errorf("%d rows, the logits of %d", len(rows), wanted)
	}
	return m.narrowModel.Decode(rows)
}

// TestRunAlike: with Alike results are as without, and batches are as decodeAlike says.
func TestRunAlike(t *testing.T) {
	long(t)
	for _, o := range []Options{{Decode: Compact}, {Decode: Aligned}} {
		_, want, _ := runAll(t, 1, 1<<16, o)
		for _, parallel := range []int{2, 5, 16} {
			for _, narrow := range []int{0, 120} {
				m := newNarrow(t, parallel, narrow)
				if m.wide = 300; o.Decode == Aligned {
					m.wide = 2000
				}
				if narrow == 0 {
					m.narrow, m.context = m.wide, m.wide
				}
				seen := &alikeModel{narrowModel: m, shapes: map[int]int{}}
				o.Alike = true
				got := tagAll(t, newTagger(t, seen, smallPrompt, o), false)
				for i := range want {
					if !reflect.DeepEqual(got[i].Record, want[i].Record) || !reflect.DeepEqual(got[i].Reject, want[i].Reject) {
						t.Fatalf("%d at a time: %q became %+v, %+v; want %+v, %+v", parallel, scheduleTexts[i], got[i].Record, got[i].Reject, want[i].Record, want[i].Reject)
					}
				}
				if m.left() > 0 {
					t.Errorf("%d at a time: %d tokens are left in the cache", parallel, m.left())
				}
				for n := range seen.shapes {
					if n > 1 && n <= oneAStep {
						t.Errorf("%d at a time: %d rows of a sequence, %d times", parallel, n, seen.shapes[n])
					}
				}
			}
		}
	}
}

// TestRunAlikeOneCache: where the prompt makes the model wide for good, and all sequences so share a cache, a text is alone in it but for
// the row that is never to be alone.
func TestRunAlikeOneCache(t *testing.T) {
	o := Options{Decode: Compact}
	_, want, _ := runAll(t, 1, 1<<16, o)
	o.Alike = true
	seen := &alikeModel{narrowModel: newNarrow(t, 5, 60), shapes: map[int]int{}}
	got := tagAll(t, newTagger(t, seen, smallPrompt, o), false)
	for i := range want {
		if !reflect.DeepEqual(got[i].Record, want[i].Record) || !reflect.DeepEqual(got[i].Reject, want[i].Reject) {
			t.Fatalf("%q became %+v, %+v; want %+v, %+v", scheduleTexts[i], got[i].Record, got[i].Reject, want[i].Record, want[i].Reject)
		}
	}
	if len(seen.changes) != 1 || seen.most > 2 {
		t.Errorf("made wide or narrow %d times, then %d sequences at a time", len(seen.changes), seen.most)
	}
}
