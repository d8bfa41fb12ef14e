package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// A numaNode is a group of cores with memory of its own.
type numaNode struct {
	ID     int    `json:"id"`
	Cores  string `json:"cores"`  // as Linux lists them: 0-3,8-11
	Memory int64  `json:"memory"` // bytes
}

// numaNodes reads what the files under root say; it is empty where they say nothing.
func numaNodes(root string) []numaNode {
	nodes := []numaNode{}
	dirs, _ := filepath.Glob(filepath.Join(root, "sys/devices/system/node/node[0-9]*"))
	for _, dir := range dirs {
		id, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(dir), "node"))
		cores, cerr := os.ReadFile(filepath.Join(dir, "cpulist"))
		if err != nil || cerr != nil {
			continue
		}
		text, _ := os.ReadFile(filepath.Join(dir, "meminfo"))
		nodes = append(nodes, numaNode{id, strings.TrimSpace(string(cores)), memoryLine(string(text), "Node "+strconv.Itoa(id)+" MemTotal: %d kB")})
	}
	slices.SortFunc(nodes, func(a, b numaNode) int { return a.ID - b.ID })
	return nodes
}

// totalMemory is the machine's, in bytes, 0 where it is not known.
func totalMemory(root string) int64 {
	text, _ := os.ReadFile(filepath.Join(root, "proc/meminfo"))
	return memoryLine(string(text), "MemTotal: %d kB")
}

// memoryLine finds the line of a meminfo file that has the format and returns its bytes.
func memoryLine(text, format string) int64 {
	for line := range strings.Lines(text) {
		var kib int64
		if _, err := fmt.Sscanf(line, format, &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}

// onlineCores counts the machine's logical cores, or those that this process may use where that is all that is known.
func onlineCores(root string) int {
	text, err := os.ReadFile(filepath.Join(root, "sys/devices/system/cpu/online"))
	if err != nil {
		return runtime.NumCPU()
	}
	n := 0
	for part := range strings.SplitSeq(strings.TrimSpace(string(text)), ",") {
		from, to, several := strings.Cut(part, "-")
		first, err := strconv.Atoi(from)
		last := first
		if several && err == nil {
			last, err = strconv.Atoi(to)
		}
		if err != nil {
			return runtime.NumCPU()
		}
		n += last - first + 1
	}
	return n
}

// cpuLimit is how many cores' time the quota of this process's control group, or of one around it, comes to; 0 without one.
func cpuLimit(root string) (limit float64) {
	eachGroup(root, "cpu", func(dir, kind string) {
		var quota, period float64
		if kind == "cgroup2" {
			text, _ := os.ReadFile(filepath.Join(dir, "cpu.max"))
			fmt.Sscanf(string(text), "%f %f", &quota, &period) // "max 100000" is no number: no limit
		} else {
			q, _ := readNumber(filepath.Join(dir, "cpu.cfs_quota_us"))
			p, _ := readNumber(filepath.Join(dir, "cpu.cfs_period_us"))
			quota, period = float64(q), float64(p)
		}
		if quota > 0 && period > 0 && (limit == 0 || quota/period < limit) {
			limit = quota / period
		}
	})
	return limit
}
