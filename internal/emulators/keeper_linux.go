package emulators

import (
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"
)

// keeper is an operating system thread that starts children and outlives them
// unless the process ends. Two things hang on the thread itself: the kernel kills
// a child with Pdeathsig when the thread that forked it ends, and a network
// namespace belongs to a thread. So the goroutine keeps its thread for good.
type keeper struct {
	jobs chan func()
}

// newKeeper starts the thread; with private set it stands in a network namespace
// of its own, whose loopback is up and which reaches nothing else. The namespace
// ends with its last process: nothing is left to clean up.
func newKeeper(private bool) (*keeper, error) {
	k := &keeper{jobs: make(chan func())}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		if private {
			if err := enterNamespace(); err != nil {
				started <- err
				return
			}
		}
		started <- nil
		for job := range k.jobs {
			job()
		}
	}()
	return k, <-started
}

func enterNamespace() error {
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		return fmt.Errorf("make a network namespace, which takes root: %w", err)
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("bring up the loopback of the network namespace: %w", err)
	}
	return nil
}

// loopbackUp is `ip link set lo up` without iproute2.
func loopbackUp() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	var ifreq struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(ifreq.name[:], "lo")
	ifreq.flags = syscall.IFF_UP | syscall.IFF_RUNNING
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&ifreq)))
	if errno != 0 {
		return errno
	}
	return nil
}

// start starts the child on the keeper's thread.
func (k *keeper) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	done := make(chan error)
	k.jobs <- func() { done <- cmd.Start() }
	return <-done
}

// dial connects from the keeper's namespace. The address is a literal IPv4
// address, so that the socket is made on this thread.
func (k *keeper) dial(addr string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result)
	k.jobs <- func() {
		conn, err := net.Dial("tcp4", addr)
		done <- result{conn, err}
	}
	r := <-done
	return r.conn, r.err
}

func setXattr(path, name, value string) error {
	return syscall.Setxattr(path, name, []byte(value), 0)
}
