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

// TestIDSetMemory holds the bytes an id that the comment names, at sizes all over the way from one growth to the next, and
// that none of them are for the collector to double.
func TestIDSetMemory(t *testing.T) {
	const most = 1_000_000
	heap := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // what other tests left in a sync.Pool goes with the second
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc)
	}
	before := heap()
	s := new(IDSet)
	mapped := func() (n int) {
		for _, table := range s.tables {
			if table.memory != nil {
				n += len(table.memory.bytes)
			}
		}
		return n
	}
	next := 200_000
	for i := range most {
		if _, _, dup := s.Add(fmt.Sprintf("an id that is longer than what is kept of it %d", i), "f", i+1); dup {
			t.Fatalf("%d is new", i)
		}
		if i+1 == next {
			inHeap := heap() - before
			if inHeap > 1<<20 && mapped() > 0 {
				t.Errorf("%d ids: %d bytes in the heap", i+1, inHeap)
			}
			each := float64(inHeap+mapped()) / float64(i+1)
			t.Logf("%d ids: %.1f bytes each", i+1, each)
			if each < 16 || each > 22.5 {
				t.Errorf("%d ids: %.1f bytes each", i+1, each)
			}
			next += next / 12
		}
	}
	runtime.KeepAlive(s)
}

// TestIDSetGivesBack drops sets without a word: their memory is the system's again.
func TestIDSetGivesBack(t *testing.T) {
	var mappings []*mapping
	freed := make(chan int, idTables)
	func() {
		var s IDSet
		for i := range 200_000 {
			s.Add(fmt.Sprint(i), "f", i+1)
		}
		if !s.Has("7") || s.Has("200000") {
			t.Error("7 or 200000")
		}
		for i, table := range s.tables {
			if m := table.memory; m != nil {
				mappings = append(mappings, m)
				runtime.AddCleanup(m, func(i int) { freed <- i }, i)
			}
		}
	}()
	if len(mappings) == 0 {
		t.Skip("tables lie in the heap here")
	}
	n := len(mappings)
	mappings = nil
	for runtime.GC(); n > 0; n-- {
		<-freed
	}
}

func BenchmarkIDSet(b *testing.B) {
	s := new(IDSet)
	var id []byte
	for i := 0; b.Loop(); i++ {
		id = fmt.Appendf(id[:0], "id%d", i)
		s.Add(string(id), "f", i+1)
	}
}
