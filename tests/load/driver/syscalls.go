//go:build linux

package driver

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The calls of the loop go around the run-time's bookkeeping for calls that may
// block: none of them does for longer than stepTimeout, and the bookkeeping is
// most of what the driver would use otherwise, on the processors that the servers
// need. A signal of the run-time still interrupts the wait.

func wait(epoll int, events []unix.EpollEvent) (int, error) {
	n, _, code := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])), //nolint:gosec // the kernel writes no further than it is told
		uintptr(len(events)), uintptr(stepTimeout.Milliseconds()), 0, 0)
	return result(n, code)
}

func read(fd int, p []byte) (int, error) {
	n, _, code := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p))) //nolint:gosec // the kernel writes no further than it is told
	return result(n, code)
}

func write(fd int, p []byte) (int, error) {
	n, _, code := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p))) //nolint:gosec // the kernel writes no further than it is told
	return result(n, code)
}

func result(n uintptr, code unix.Errno) (int, error) {
	if code != 0 {
		return 0, code
	}
	return int(n), nil
}
