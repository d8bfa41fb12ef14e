//go:build cgo && linux

package llama

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"
)

// teamIDs is a batch long enough for several chunks of every matrix product.
func teamIDs(m *Model) []int32 {
	ids := make([]int32, 48)
	for i := range ids {
		ids[i] = int32(100+37*i) % int32(m.VocabSize())
	}
	return ids
}

// TestTeamSizes: a context computes the same bits on any number of threads, more of them than cores included.
func TestTeamSizes(t *testing.T) {
	m := load(t, tinyModel(t), LoadOptions{})
	var want []float32
	for _, threads := range []int{1, 2, 3, 8, 64} {
		t.Run(fmt.Sprint(threads), func(t *testing.T) {
			c := newContext(t, m, ContextOptions{Size: 128, Threads: threads})
			for range 3 {
				got := decode(t, c, 0, 0, teamIDs(m))
				if want == nil {
					want = got
				}
				if !slices.Equal(got, want) || slices.ContainsFunc(got, func(x float32) bool { return math.IsNaN(float64(x)) }) {
					t.Fatal("the logits are not those of one thread")
				}
				c.ClearKV()
			}
		})
	}
}

// TestTeamOfEachContext: contexts decode at once, each with its own threads, from goroutines that change.
func TestTeamOfEachContext(t *testing.T) {
	m := load(t, tinyModel(t), LoadOptions{})
	want := decode(t, newContext(t, m, ContextOptions{Size: 128, Threads: 1}), 0, 0, teamIDs(m))
	var done sync.WaitGroup
	for range 4 {
		c := newContext(t, m, ContextOptions{Size: 128, Threads: 3})
		done.Go(func() {
			for range 20 {
				got := make(chan []float32)
				go func() {
					var b Batch
					row := 0
					for i, id := range teamIDs(m) {
						row = b.Add(id, int32(i), 0, i == len(teamIDs(m))-1)
					}
					if err := c.Decode(&b); err != nil {
						t.Error(err)
					}
					got <- slices.Clone(c.Logits(row))
				}()
				if !slices.Equal(<-got, want) {
					t.Error("the logits are not those of a context by itself")
				}
				c.ClearKV()
			}
		})
	}
	done.Wait()
}

// TestTeamSleeps: between two batches the threads take no processor time, so that a machine's other programs have it.
func TestTeamSleeps(t *testing.T) {
	m := load(t, tinyModel(t), LoadOptions{})
	c := newContext(t, m, ContextOptions{Size: 128, Threads: 4})
	decode(t, c, 0, 0, teamIDs(m))
	before := processorTime(t)
	const pause = 500 * time.Millisecond
	time.Sleep(pause)
	if used := processorTime(t) - before; used > pause/2 {
		t.Errorf("%v of processor time in a pause of %v: the threads of the team spin", used, pause)
	}
}

func processorTime(t *testing.T) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
