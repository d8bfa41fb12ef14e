package sandbox

import (
	"errors"
	"runtime"
	"unsafe"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

func createRuleset(attr *unix.LandlockRulesetAttr) (fd int, err error) {
	n, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(attr)), unsafe.Sizeof(*attr), 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

func addRule(ruleset int, attr *unix.LandlockPathBeneathAttr) error {
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(attr)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// refused are the system calls that no run of a model needs: those that make sockets (io_uring can too), execute programs, reach
// into other processes, change what the process may see, or talk to parts of the kernel that have often been attacked.
var refused = []string{
	"socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg",
	"io_uring_setup", "io_uring_enter", "io_uring_register",
	"execve", "execveat", "fork", "vfork",
	"ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp",
	"mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "move_mount", "fsopen", "fsconfig", "fsmount", "open_tree",
	"open_by_handle_at", "mknod", "mknodat", "link", "linkat", "symlink", "symlinkat",
	"bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "init_module", "finit_module", "delete_module",
	"kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff",
}

// filter refuses them with EPERM.
func filter() ([]bpf.Instruction, error) {
	machine, err := arch.GetInfo("")
	if err != nil {
		return nil, err
	}
	policy := seccomp.Policy{DefaultAction: seccomp.ActionAllow, Syscalls: []seccomp.SyscallGroup{{Action: seccomp.ActionErrno}}}
	for _, name := range refused {
		if _, known := machine.SyscallNames[name]; known { // arm64 has no fork, for one
			policy.Syscalls[0].Names = append(policy.Syscalls[0].Names, name)
		}
	}
	program, err := policy.Assemble()
	if err != nil {
		return nil, err
	}
	// The library lets calls of another architecture through, and a 64-bit program can make those of 32 bits.
	const archOffset = 4 // of struct seccomp_data
	return append([]bpf.Instruction{
		bpf.LoadAbsolute{Off: archOffset, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(machine.ID), SkipTrue: 1},
		bpf.RetConstant{Val: uint32(seccomp.ActionErrno) | uint32(unix.EPERM)},
	}, program...), nil
}

// loadFilter sets the filter for every thread that is and will be.
func loadFilter() error {
	program, err := filter()
	if err != nil {
		return err
	}
	raw, err := bpf.Assemble(program)
	if err != nil {
		return err
	}
	code := make([]unix.SockFilter, len(raw))
	for i, in := range raw {
		code[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	runtime.LockOSThread() // which the kernel takes the rest after
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]})))
	switch {
	case errno == unix.ENOSYS || errno == unix.EINVAL:
		return errNoFilter
	case errno != 0:
		return errno
	case thread != 0:
		return errors.New("a thread has a filter of its own")
	}
	return nil
}

var errNoFilter = errors.New("this kernel has no filters for all threads")

// seccompSupported asks for a filter that is not there: where filters are known, the address is what is wrong.
func seccompSupported() error {
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, 0)
	if errno == unix.EFAULT {
		return nil
	}
	return errNoFilter
}
