package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/emospan/emospan/dataset"
)

// TestSummaryFaster: a run says at its end what would have been faster, where that is known.
func TestSummaryFaster(t *testing.T) {
	for hint, want := range map[string]int{"": 0, "-m twin-f16 (F16, about 2.1x as fast, 10 MiB)": 1} {
		var said bytes.Buffer
		j := &job{stderr: &said, faster: hint, manifest: dataset.Manifest{Records: 2, Seconds: 1}}
		j.summary()
		if n := strings.Count(said.String(), "faster on this CPU: "+hint+"\n"); n != want || want == 0 && strings.Contains(said.String(), "faster") {
			t.Errorf("hint %q: %s", hint, said.String())
		}
	}
}
