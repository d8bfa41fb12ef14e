package dataset

import (
	"fmt"
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
