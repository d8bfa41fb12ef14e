package main

import (
	"bytes"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestLoadReading has two threads want one CPU: each waits half of the time, which the kernel's counters show.
func TestLoadReading(t *testing.T) {
	if _, err := os.Stat("/proc/self/schedstat"); err != nil {
		t.Skip(err)
	}
	var mine unix.CPUSet
	if err := unix.SchedGetaffinity(0, &mine); err != nil {
		t.Fatal(err)
	}
	cpu := 0
	for !mine.IsSet(cpu) {
		cpu++
	}
	var ready, over sync.WaitGroup
	start := make(chan struct{})
	var stop atomic.Bool
	for range 2 {
		ready.Add(1)
		over.Go(func() {
			runtime.LockOSThread() // for good: the thread ends with the goroutine
			var one unix.CPUSet
			one.Set(cpu)
			if err := unix.SchedSetaffinity(0, &one); err != nil {
				t.Error(err)
			}
			ready.Done()
			<-start
			for !stop.Load() {
			}
		})
	}
	ready.Wait()
	before := readLoad()
	close(start)
	time.Sleep(500 * time.Millisecond)
	load := readLoad().since(before, 2)
	stop.Store(true)
	over.Wait()
	if load.WaitShare == nil || *load.WaitShare < 0.2 || !load.Noisy || load.busyLine() == "" {
		t.Errorf("two threads on one CPU: %s of the time was used, %s waited for, noisy %v", shareText(load.CPUShare), shareText(load.WaitShare), load.Noisy)
	}
	if load.CPUShare == nil || *load.CPUShare <= 0 || *load.CPUShare > 0.9 {
		t.Errorf("two threads on one CPU used %s of the time", shareText(load.CPUShare))
	}
}

// TestLoadShares: what of counters goes where.
func TestLoadShares(t *testing.T) {
	at := time.Now()
	before := loadReading{at: at, used: time.Second, threads: map[string]threadTimes{"1": {time.Second, time.Second}, "gone": {time.Hour, time.Hour}}, stolen: -1, pressure: time.Second}
	after := loadReading{at: at.Add(10 * time.Second), used: 9 * time.Second, threads: map[string]threadTimes{"1": {9 * time.Second, 1200 * time.Millisecond}, "new": {1500 * time.Millisecond, 100 * time.Millisecond}}, stolen: 5, pressure: 3 * time.Second}
	l := after.since(before, 2)
	if *l.CPUShare != 0.4 || shareText(l.WaitShare) != "3.1 %" || l.StealShare != nil || *l.CPUPressure != 0.2 || l.Noisy || l.busyLine() != "" {
		t.Errorf("%s used, %s waited for, %v", shareText(l.CPUShare), shareText(l.WaitShare), l)
	}
	after.threads["1"] = threadTimes{9 * time.Second, 3 * time.Second}
	l = after.since(before, 2)
	if want := "the machine was busy: for 18.1 % of the time that emospan wanted a CPU others had it; alone it is faster"; !l.Noisy || l.busyLine() != want {
		t.Errorf("noisy %v, %q, want %q", l.Noisy, l.busyLine(), want)
	}
	before.threads, after.threads = nil, nil
	if l := after.since(before, 2); l.WaitShare != nil || l.Noisy || shareText(l.WaitShare) != "unknown" {
		t.Errorf("without the kernel's word it says %v", l)
	}
}

// TestNoise: a report that is noise says so, in its own text and where two are compared.
func TestNoise(t *testing.T) {
	idle := &benchReport{Speeds: []benchSpeed{{Test: "pp512"}}, Runs: []benchRun{{Test: runTest}}}
	if idle.noise() != "" {
		t.Errorf("an idle machine: %q", idle.noise())
	}
	wait := 0.25
	busy := &benchReport{Speeds: []benchSpeed{{Test: "pp512"}}, Runs: []benchRun{{Test: runTest, machineLoad: machineLoad{WaitShare: &wait, Noisy: true}}}}
	const want = "1 of 2 measurements are noise: for up to 25.0 % of the time that a CPU was wanted other programs had it; measure again on a machine that does nothing else"
	var out bytes.Buffer
	busy.writeMarkdown(&out)
	if busy.noise() != want || !strings.Contains(out.String(), "\nWarning: "+want+".\n") || !strings.Contains(out.String(), "25.0 %") {
		t.Errorf("a busy machine: %q, in\n%s", busy.noise(), &out)
	}
	c := compareReports(idle, busy)
	if len(c.Differences) != 1 || c.Differences[0] != (difference{machineDifference, "idle", "busy"}) {
		t.Errorf("differences %+v", c.Differences)
	}
}
