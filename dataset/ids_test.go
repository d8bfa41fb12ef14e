package dataset

import (
	"fmt"
	"runtime"
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
	if s.Len() != 10_000 {
		t.Errorf("%d ids", s.Len())
	}
}

// TestIDSetMemory holds the bytes an id that the comment names, at sizes all over the way from one growth to the next.
func TestIDSetMemory(t *testing.T) {
	const most = 1_000_000
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	s := new(IDSet)
	next := 200_000
	for i := range most {
		if _, _, dup := s.Add(fmt.Sprintf("an id that is longer than what is kept of it %d", i), "f", i+1); dup {
			t.Fatalf("%d is new", i)
		}
		if i+1 == next {
			each := float64(heap()-before) / float64(i+1)
			t.Logf("%d ids: %.1f bytes each", i+1, each)
			if each < 16 || each > 22.5 {
				t.Errorf("%d ids: %.1f bytes each", i+1, each)
			}
			next += next / 12
		}
	}
	runtime.KeepAlive(s)
}

func BenchmarkIDSet(b *testing.B) {
	s := new(IDSet)
	var id []byte
	for i := 0; b.Loop(); i++ {
		id = fmt.Appendf(id[:0], "id%d", i)
		s.Add(string(id), "f", i+1)
	}
}
