package sandbox

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// envProbe has the test's executable restrict itself and tell what it can still do in the folder that it names.
const envProbe = "EMOSPAN_SANDBOX_PROBE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(envProbe); dir != "" {
		probe(dir)
		return
	}
	os.Exit(m.Run())
}

// A finding is what one thread could do: the error of each attempt, "" where there was none.
type finding map[string]string

type findings struct {
	State   State
	Threads []finding
	Status  []string // Seccomp and NoNewPrivs of each thread, as the kernel has them
}

func probe(dir string) {
	// Threads that are there before, and more than one, are what the sandbox must hold for as well.
	const threads = 4
	var started sync.WaitGroup
	state, tell := make(chan struct{}), make(chan finding)
	for range threads {
		started.Add(1)
		go func() {
			runtime.LockOSThread()
			started.Done()
			<-state
			tell <- attempt(dir)
		}()
	}
	started.Wait()
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	p := Policy{Read: []string{"/proc", filepath.Join(dir, "in.txt"), filepath.Join(dir, "missing")}, Write: []string{filepath.Join(dir, "out")}}
	var f findings
	if f.State, err = Restrict(p, exe, os.Args); err != nil {
		panic(err)
	}
	close(state)
	for range threads {
		f.Threads = append(f.Threads, <-tell)
	}
	f.Status = threadStatus(os.Getpid())
	if err := json.NewEncoder(os.Stdout).Encode(f); err != nil {
		panic(err)
	}
}

func attempt(dir string) finding {
	f := finding{}
	did := func(what string, err error) {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		if f[what] = ""; err != nil {
			f[what] = err.Error()
		}
	}
	read := func(path string) error { _, err := os.ReadFile(path); return err }
	did("read input", read(filepath.Join(dir, "in.txt")))
	did("read other", read(filepath.Join(dir, "other.txt")))
	did("write input", os.WriteFile(filepath.Join(dir, "in.txt"), nil, 0o666))
	mine := filepath.Join(dir, "out", fmt.Sprint("file", unix.Gettid()))
	did("write output", os.WriteFile(mine, []byte("x"), 0o666))
	did("rename output", os.Rename(mine, mine+".new"))
	did("remove output", os.Remove(mine+".new"))
	did("make folder", os.Mkdir(mine, 0o777))
	did("write beside", os.WriteFile(filepath.Join(dir, "beside"), nil, 0o666))
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	did("socket", err)
	unix.Close(fd)
	fd, err = unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	did("local socket", err)
	unix.Close(fd)
	did("exec", unix.Exec("/bin/true", []string{"true"}, nil))
	_, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 1, 0, 0)
	did("io_uring", cond(errno))
	did("unshare", unix.Unshare(0))
	return f
}

func cond(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// threadStatus reads two lines of each thread's status.
func threadStatus(pid int) (list []string) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		panic(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		var of []string
		for line := range strings.Lines(string(text)) {
			if name, value, _ := strings.Cut(line, ":"); name == "Seccomp" || name == "NoNewPrivs" {
				of = append(of, name+" "+strings.TrimSpace(value))
			}
		}
		list = append(list, strings.Join(of, ", "))
	}
	return list
}

func TestRestrict(t *testing.T) {
	can := Supported()
	if can.Landlock == 0 || !can.Seccomp {
		t.Skipf("this kernel cannot: %s", can)
	}
	dir := t.TempDir()
	for _, name := range []string{"in.txt", "other.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("text"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "out"), 0o777); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envProbe+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var got findings
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got.State != can {
		t.Errorf("in force is %+v, supported %+v", got.State, can)
	}
	const no, denied = "operation not permitted", "permission denied"
	want := finding{
		"read input": "", "read other": denied, "write input": denied, "write output": "", "rename output": "", "remove output": "",
		"make folder": denied, "write beside": denied, "socket": no, "local socket": no, "exec": no, "io_uring": no, "unshare": no,
	}
	if len(got.Threads) != 4 {
		t.Errorf("%d threads told", len(got.Threads))
	}
	for i, thread := range got.Threads {
		for what, err := range want {
			if thread[what] != err {
				t.Errorf("thread %d: %s: %q, want %q", i, what, thread[what], err)
			}
		}
	}
	if len(got.Status) < 4 {
		t.Errorf("the status of %d threads", len(got.Status))
	}
	for _, status := range got.Status {
		if status != "NoNewPrivs 1, Seccomp 2" {
			t.Errorf("a thread has %s", status)
		}
	}
	if left, _ := os.ReadDir(filepath.Join(dir, "out")); len(left) != 0 {
		t.Errorf("left in out: %v", left)
	}
}

// The kernel's virtual machine and that of x/net/bpf differ in the order of bytes alone.
func TestFilter(t *testing.T) {
	program, err := filter()
	if err != nil {
		t.Fatal(err)
	}
	vm, err := bpf.NewVM(program)
	if err != nil {
		t.Fatal(err)
	}
	machine, err := arch.GetInfo("")
	if err != nil {
		t.Fatal(err)
	}
	const allow, eperm, enosys = 0x7fff0000, 0x50000 | int(unix.EPERM), 0x50000 | int(unix.ENOSYS)
	native := uint32(machine.ID)
	type call struct {
		name         string
		call, format uint32
		want         int
	}
	calls := []call{
		{"read", unix.SYS_READ, native, allow},
		{"openat", unix.SYS_OPENAT, native, allow},
		{"clone", unix.SYS_CLONE, native, allow},
		{"socket", unix.SYS_SOCKET, native, eperm},
		{"execve", unix.SYS_EXECVE, native, eperm},
		{"io_uring_setup", unix.SYS_IO_URING_SETUP, native, eperm},
		{"32 bits' socketcall", 102, uint32(arch.I386.ID), eperm},
		{"32 bits' read", 3, uint32(arch.I386.ID), eperm},
		{"ARM's 32 bits' socket", 281, uint32(arch.ARM.ID), eperm},
	}
	if runtime.GOARCH == "amd64" {
		calls = append(calls, call{"x32's socket", unix.SYS_SOCKET | 0x40000000, native, enosys}, call{"fork", 57, native, eperm})
	}
	for _, c := range calls {
		data := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, c.call), c.format)
		got, err := vm.Run(append(data, make([]byte, 56)...))
		if err != nil || got != c.want {
			t.Errorf("%s: %#x, %v, want %#x", c.name, got, err, c.want)
		}
	}
}

func TestState(t *testing.T) {
	for _, c := range []struct {
		s    State
		want string
	}{
		{State{}, "none"},
		{State{Landlock: 7, Seccomp: true}, "landlock 7, seccomp"},
		{State{Seccomp: true, Reason: "no landlock: off"}, "seccomp, no landlock: off"},
	} {
		if got := c.s.String(); got != c.want {
			t.Errorf("%+v is %q, want %q", c.s, got, c.want)
		}
	}
}
