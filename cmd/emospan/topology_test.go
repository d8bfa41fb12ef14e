package main

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// tree makes files under a new folder.
func tree(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	for path, text := range files {
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestTopology(t *testing.T) {
	root := tree(t, map[string]string{
		"proc/meminfo":                               "MemTotal: 2000 kB\nMemAvailable: 1000 kB\n",
		"sys/devices/system/cpu/online":              "0-3,8-11,15\n",
		"sys/devices/system/node/node10/cpulist":     "8-11,15\n",
		"sys/devices/system/node/node10/meminfo":     "Node 10 MemTotal: 5 kB\n",
		"sys/devices/system/node/node2/cpulist":      "0-3\n",
		"sys/devices/system/node/node2/meminfo":      "Node 2 MemTotal:       7 kB\nNode 2 MemFree:   1 kB\n",
		"sys/devices/system/node/has_normal_memory":  "0",
		"sys/devices/system/node/node_odd/something": "",
	})
	want := []numaNode{{2, "0-3", 7 << 10}, {10, "8-11,15", 5 << 10}}
	if got := numaNodes(root); !reflect.DeepEqual(got, want) {
		t.Errorf("nodes %+v, want %+v", got, want)
	}
	if n := onlineCores(root); n != 9 {
		t.Errorf("%d cores, want 9", n)
	}
	if n := totalMemory(root); n != 2000<<10 {
		t.Errorf("%d bytes of memory", n)
	}
	empty := t.TempDir()
	if n, total, nodes := onlineCores(empty), totalMemory(empty), numaNodes(empty); n < 1 || total != 0 || nodes == nil || len(nodes) != 0 {
		t.Errorf("without files: %d cores, %d bytes, nodes %v", n, total, nodes)
	}
}

func TestCPULimit(t *testing.T) {
	const mount2 = "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
	for name, test := range map[string]struct {
		files map[string]string
		want  float64
	}{
		"nothing": {nil, 0},
		"version 2, the group around it has less": {map[string]string{
			"proc/self/cgroup": "0::/user/job\n", "proc/self/mountinfo": mount2,
			"sys/fs/cgroup/user/job/cpu.max": "400000 100000\n", "sys/fs/cgroup/user/cpu.max": "150000 100000\n",
		}, 1.5},
		"version 2, none": {map[string]string{
			"proc/self/cgroup": "0::/\n", "proc/self/mountinfo": mount2, "sys/fs/cgroup/cpu.max": "max 100000\n",
		}, 0},
		"version 1": {map[string]string{
			"proc/self/cgroup":                   "5:cpu,cpuacct:/docker/7\n4:memory:/docker/7\n",
			"proc/self/mountinfo":                "31 20 0:27 /docker/7 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "50000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
		}, 0.5},
		"version 1, none": {map[string]string{
			"proc/self/cgroup":                   "5:cpu,cpuacct:/\n",
			"proc/self/mountinfo":                "31 20 0:27 / /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu,cpuacct\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
		}, 0},
	} {
		if got := cpuLimit(tree(t, test.files)); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
