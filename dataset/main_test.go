package dataset

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails where a goroutine is left over when all tests are done.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// long marks a test that computes much in one goroutine: the race detector's run, which is -short, leaves it out.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short")
	}
}
