package sandbox

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// envEntered tells the program that is executed anew what its first self has put it under: its process id, which stays, and
// the ABI.
const envEntered = "EMOSPAN_SANDBOX"

// Supported tells what [Restrict] would put in force here. It changes nothing.
func Supported() State {
	var s State
	abi, err := landlockABI()
	if err != nil {
		s.because("no landlock: %v", err)
	}
	s.Landlock = abi
	if err := seccompSupported(); err != nil {
		s.because("no seccomp: %v", err)
	} else {
		s.Seccomp = true
	}
	return s
}

// Restrict puts the process under the policy, whichever thread calls it. It is to be called before the process has opened or read
// anything that must not be opened or read twice: where the kernel has Landlock, it executes program with the arguments args (the
// first of which is a name) in this process's place, and does not return; in the program that runs then, the same call
// sets the rest and returns what is in force. An empty program leaves Landlock out. What the kernel has not is left out and said
// in the State; an error means that the process is in no state to go on.
func Restrict(p Policy, program string, args []string) (State, error) {
	var s State
	if abi, ok := entered(); ok {
		s.Landlock = abi
	} else if program == "" {
		s.because("no landlock: this program cannot execute itself")
	} else if abi, err := landlockABI(); err != nil {
		s.because("no landlock: %v", err)
	} else if restricted, err := enter(p, abi, program, args); restricted {
		return s, err
	} else {
		s.because("no landlock: %v", err)
	}
	if err := loadFilter(); err != nil {
		s.because("no seccomp: %v", err)
	} else {
		s.Seccomp = true
	}
	return s, nil
}

// Entered reports whether this is the program that [Restrict] has executed, before it calls Restrict itself.
func Entered() bool {
	_, ok := firstSelf()
	return ok
}

// entered reads what the first self has left; the second one has no use for it further on.
func entered() (abi int, ok bool) {
	abi, ok = firstSelf()
	os.Unsetenv(envEntered)
	return abi, ok
}

func firstSelf() (abi int, ok bool) {
	pid, version, _ := strings.Cut(os.Getenv(envEntered), ":")
	abi, err := strconv.Atoi(version)
	return abi, err == nil && abi > 0 && pid == strconv.Itoa(os.Getpid())
}

// enter restricts this thread and executes the program on it. It returns only where it fails; the process can go on where the
// thread is not restricted yet.
func enter(p Policy, abi int, program string, args []string) (restricted bool, err error) {
	ruleset, err := newRuleset(abi)
	if err != nil {
		return false, err
	}
	defer unix.Close(ruleset)
	r := rules{ruleset: ruleset, handled: fileRights(abi)}
	for _, path := range p.Read {
		r.add(path, readFile|readDir)
	}
	for _, path := range p.Write {
		r.add(path, readFile|readDir|unix.LANDLOCK_ACCESS_FS_WRITE_FILE|unix.LANDLOCK_ACCESS_FS_MAKE_REG|
			unix.LANDLOCK_ACCESS_FS_REMOVE_FILE|unix.LANDLOCK_ACCESS_FS_TRUNCATE)
	}
	for _, path := range append(mappedFiles(), program) {
		r.add(path, readFile|unix.LANDLOCK_ACCESS_FS_EXECUTE)
	}
	r.add("/etc/ld.so.cache", readFile)
	if r.err != nil {
		return false, r.err
	}
	runtime.LockOSThread() // for good once it is restricted: nothing else may run on it
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		runtime.UnlockOSThread()
		return false, err
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(ruleset), 0, 0); errno != 0 {
		runtime.UnlockOSThread()
		return false, errno
	}
	env := append(os.Environ(), fmt.Sprintf("%s=%d:%d", envEntered, os.Getpid(), abi))
	return true, fmt.Errorf("%s cannot be executed under landlock: %w", program, unix.Exec(program, args, env))
}

// mappedFiles lists the executable and, where it is linked dynamically, the loader and the libraries.
func mappedFiles() []string {
	text, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil
	}
	var files []string
	seen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if at := strings.IndexByte(line, '/'); at >= 0 {
			if path := strings.TrimSuffix(line[at:], "\n"); !seen[path] {
				seen[path] = true
				files = append(files, path)
			}
		}
	}
	return files
}

const (
	readFile = unix.LANDLOCK_ACCESS_FS_READ_FILE
	readDir  = unix.LANDLOCK_ACCESS_FS_READ_DIR
	// onFiles are the rights that a rule for a file may have.
	onFiles = readFile | unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE
)

// fileRights are all that an ABI can take away.
func fileRights(abi int) uint64 {
	bits := 13
	for _, since := range []int{2, 3, 5, 9} { // refer, truncate, ioctl_dev, resolve_unix
		if abi >= since {
			bits++
		}
	}
	return 1<<bits - 1
}

func landlockABI() (int, error) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch {
	case errors.Is(errno, unix.ENOSYS):
		return 0, errors.New("this kernel is older than 5.13 or was built without it")
	case errors.Is(errno, unix.EOPNOTSUPP):
		return 0, errors.New("it is switched off at boot (the kernel's lsm= list)")
	case errno != 0:
		return 0, errno
	}
	return int(abi), nil
}

// newRuleset takes away every right that it is not given back: to files, to bind and connect, to signal other processes.
func newRuleset(abi int) (fd int, err error) {
	attr := unix.LandlockRulesetAttr{Handled_access_fs: fileRights(abi)}
	if abi >= 4 {
		attr.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if abi >= 6 {
		attr.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	return createRuleset(&attr)
}

type rules struct {
	ruleset int
	handled uint64
	err     error
}

// add allows rights beneath a path, or those of them that a file can have.
func (r *rules) add(path string, rights uint64) {
	if r.err != nil || path == "" {
		return
	}
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return // what is not there, or may not be seen, cannot be opened later either
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if r.err = unix.Fstat(fd, &stat); r.err != nil {
		return
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= onFiles
	}
	err = addRule(r.ruleset, &unix.LandlockPathBeneathAttr{Allowed_access: rights & r.handled, Parent_fd: int32(fd)})
	if err != nil && !errors.Is(err, unix.EBADFD) { // a pipe's, which Landlock leaves alone
		r.err = fmt.Errorf("%s: %w", path, err)
	}
}
