package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/emospan/emospan/llama"
)

// availableMemory returns the bytes that this process can have without others being swapped out: what Linux reckons, or
// less where a control group's limit or one of the process's leaves less; else all that ggml says there is. Where nothing is known there is no limit.
func availableMemory() int64 {
	if n, ok := availableIn("/"); ok {
		return n
	}
	for _, d := range llama.Devices() {
		if d.Type == llama.CPU {
			return int64(d.MemoryTotal)
		}
	}
	return math.MaxInt64
}

// availableIn reads what the files under root, /proc and /sys, say.
func availableIn(root string) (n int64, ok bool) {
	text, err := os.ReadFile(filepath.Join(root, "proc/meminfo"))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "MemAvailable: %d kB", &kib); err == nil {
			n, ok = kib<<10, true
		}
	}
	for _, left := range append(groupsLeft(root), limitsLeft(root)...) {
		n = min(n, left)
	}
	return n, ok
}

// limitsLeft returns what the limits on this process's address space and data (ulimit -v and -d) leave.
func limitsLeft(root string) (left []int64) {
	limits, err := os.ReadFile(filepath.Join(root, "proc/self/limits"))
	if err != nil {
		return nil
	}
	sizes, err := os.ReadFile(filepath.Join(root, "proc/self/statm")) // in pages: all, resident, shared, text, 0, data and stack, 0
	used := strings.Fields(string(sizes))
	if err != nil || len(used) < 6 {
		return nil
	}
	for line := range strings.Lines(string(limits)) {
		for name, field := range map[string]int{"Max address space": 0, "Max data size": 5} {
			rest, ok := strings.CutPrefix(line, name)
			if !ok {
				continue
			}
			var limit int64
			if _, err := fmt.Sscan(rest, &limit); err != nil {
				continue // "unlimited"
			}
			if pages, err := strconv.ParseInt(used[field], 10, 64); err == nil {
				left = append(left, max(limit-pages*int64(os.Getpagesize()), 0))
			}
		}
	}
	return left
}

// controlFiles are where the two versions of control groups keep a group's limit, what it uses, and how much of that is
// file pages, which make room when it is needed.
var controlFiles = map[string]struct {
	limit, used string
	files       []string // lines of memory.stat
}{
	"cgroup":  {"memory.limit_in_bytes", "memory.usage_in_bytes", []string{"total_inactive_file", "total_active_file"}},
	"cgroup2": {"memory.max", "memory.current", []string{"inactive_file", "active_file"}},
}

// groupsLeft returns what is left under each limit that holds for this process: its control group's and those of the groups
// around it.
func groupsLeft(root string) (left []int64) {
	eachGroup(root, "memory", func(dir, kind string) {
		if n, ok := groupLeft(dir, kind); ok {
			left = append(left, n)
		}
	})
	return left
}

// eachGroup calls f with the folder of this process's control group, and of those around it, that shows a controller, and with
// the kind of its file system.
func eachGroup(root, controller string, f func(dir, kind string)) {
	groups := controlGroups(root, controller)
	text, err := os.ReadFile(filepath.Join(root, "proc/self/mountinfo"))
	if err != nil {
		return
	}
	for line := range strings.Lines(string(text)) {
		mount, filesystem, found := strings.Cut(strings.TrimSpace(line), " - ")
		where, what := strings.Fields(mount), strings.Fields(filesystem)
		if !found || len(where) < 5 || len(what) < 3 {
			continue
		}
		kind := what[0]
		group, ok := groups[kind]
		if !ok || kind == "cgroup" && !slices.Contains(strings.Split(what[2], ","), controller) {
			continue
		}
		// In a container the mount may show only the part of the tree that the container is in.
		inner, err := filepath.Rel(where[3], group)
		if err != nil || strings.HasPrefix(inner, "..") {
			inner = "."
		}
		for ; ; inner = filepath.Dir(inner) {
			f(filepath.Join(root, where[4], inner), kind)
			if inner == "." {
				break
			}
		}
	}
}

// controlGroups tells this process's control group by the file system that shows it.
func controlGroups(root, controller string) map[string]string {
	groups := map[string]string{}
	text, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return groups
	}
	for line := range strings.Lines(string(text)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		switch {
		case len(part) != 3:
		case part[0] == "0" && part[1] == "":
			groups["cgroup2"] = part[2]
		case slices.Contains(strings.Split(part[1], ","), controller):
			groups["cgroup"] = part[2]
		}
	}
	return groups
}

// groupLeft returns what a group's limit leaves; ok is false where it has none.
func groupLeft(dir, kind string) (n int64, ok bool) {
	names := controlFiles[kind]
	limit, ok := readNumber(filepath.Join(dir, names.limit))
	if !ok { // absent, or "max"
		return 0, false
	}
	used, ok := readNumber(filepath.Join(dir, names.used))
	if !ok {
		return 0, false
	}
	text, _ := os.ReadFile(filepath.Join(dir, "memory.stat"))
	for line := range strings.Lines(string(text)) {
		if field := strings.Fields(line); len(field) == 2 && slices.Contains(names.files, field[0]) {
			pages, _ := strconv.ParseInt(field[1], 10, 64)
			used -= pages
		}
	}
	return max(limit-max(used, 0), 0), true
}

func readNumber(path string) (int64, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}
