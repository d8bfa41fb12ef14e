package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// Where other programs run beside this one, a rate says as much about them as about the model. The kernel counts how long each thread
// was ready to run and waited for a CPU (schedstat). That is the evidence here: processor time alone would be low for threads that
// sleep, and high for threads that spin.

// A machineLoad is what a process got of its CPUs during a measurement. A field is missing where the kernel does not tell.
type machineLoad struct {
	CPUShare    *float64 `json:"cpu_share,omitempty"`    // of seconds times computing threads: processor time of the process, user and system
	WaitShare   *float64 `json:"wait_share,omitempty"`   // of the time in which its threads wanted a CPU: when they had none
	StealShare  *float64 `json:"steal_share,omitempty"`  // of seconds times all CPUs: what the host of a virtual machine gave to others
	CPUPressure *float64 `json:"cpu_pressure,omitempty"` // of the seconds: when some thread of the machine waited for a CPU
	Noisy       bool     `json:"noisy"`                  // others took so much that the figures are noise
}

// Above these shares a benchmark's figure is noise, and a run is called slowed down.
const (
	noisyShare = 0.05
	slowShare  = 0.1
)

// lost is the share of time that others took, as far as the kernel tells.
func (l *machineLoad) lost() float64 {
	had := 1.0
	for _, share := range []*float64{l.WaitShare, l.StealShare} {
		if share != nil {
			had *= 1 - *share
		}
	}
	return 1 - had
}

// A loadReading is the state of the kernel's counters.
type loadReading struct {
	at       time.Time
	used     time.Duration          // processor time
	threads  map[string]threadTimes // by the thread's file; nil where they are not known
	stolen   time.Duration          // negative where it is not known
	pressure time.Duration          // likewise
}

// threadTimes are how long a thread ran, and was ready to and waited.
type threadTimes struct{ ran, waited time.Duration }

func readLoad() loadReading {
	r := loadReading{at: time.Now(), stolen: -1, pressure: -1}
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		r.used = time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	tasks, _ := filepath.Glob("/proc/self/task/*/schedstat")
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		var t threadTimes
		if _, err := fmt.Sscan(string(text), &t.ran, &t.waited); err == nil {
			if r.threads == nil {
				r.threads = map[string]threadTimes{}
			}
			r.threads[task] = t
		}
	}
	if text, err := os.ReadFile("/proc/stat"); err == nil {
		const tick = time.Second / 100 // USER_HZ
		var user, nice, system, idle, iowait, irq, softirq, steal int64
		if _, err := fmt.Sscanf(string(text), "cpu %d %d %d %d %d %d %d %d", &user, &nice, &system, &idle, &iowait, &irq, &softirq, &steal); err == nil {
			r.stolen = time.Duration(steal) * tick
		}
	}
	if text, err := os.ReadFile("/proc/pressure/cpu"); err == nil {
		if _, total, ok := bytes.Cut(bytes.SplitN(text, []byte("\n"), 2)[0], []byte("total=")); ok {
			var micros int64
			if _, err := fmt.Sscan(string(total), &micros); err == nil {
				r.pressure = time.Duration(micros) * time.Microsecond
			}
		}
	}
	return r
}

// since is what came of so many computing threads since a reading.
func (r loadReading) since(before loadReading, threads int) (l machineLoad) {
	seconds := r.at.Sub(before.at).Seconds()
	share := func(spent time.Duration, of int) *float64 {
		s := ratio(max(0, spent.Seconds()), seconds*float64(of))
		return &s
	}
	l.CPUShare = share(r.used-before.used, threads)
	if r.threads != nil {
		var all threadTimes
		for task, t := range r.threads {
			all.ran += t.ran - before.threads[task].ran
			all.waited += t.waited - before.threads[task].waited
		}
		s := ratio(all.waited.Seconds(), (all.ran + all.waited).Seconds())
		l.WaitShare = &s
	}
	if r.stolen >= 0 && before.stolen >= 0 {
		l.StealShare = share(r.stolen-before.stolen, runtime.NumCPU())
	}
	if r.pressure >= 0 && before.pressure >= 0 {
		l.CPUPressure = share(r.pressure-before.pressure, 1)
	}
	l.Noisy = l.lost() > noisyShare
	return l
}

// loadAverage is the machine's of the last minute, nil where it is not known.
func loadAverage() *float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return nil
	}
	average := new(float64)
	if _, err := fmt.Sscan(string(text), average); err != nil {
		return nil
	}
	return average
}

// shareText writes a share that may not be known.
func shareText(share *float64) string {
	if share == nil {
		return "unknown"
	}
	return percent(*share)
}

// busyLine says how much of a run others took, "" where that is little.
func (l *machineLoad) busyLine() string {
	if l.lost() < slowShare {
		return ""
	}
	return fmt.Sprintf("the machine was busy: for %s of the time that emospan wanted a CPU others had it; alone it is faster", percent(l.lost()))
}
