//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package writer

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes an exclusive lock on an open file if nobody has it, another
// opening of it by the same process included. It ends with the file's closing,
// so at the latest with the process.
func tryLock(file *os.File) (bool, error) {
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, syscall.EINTR):
			return err == nil, err
		}
	}
}
