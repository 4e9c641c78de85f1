//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package standalone

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes an advisory lock that ends with the process.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	return err
}
