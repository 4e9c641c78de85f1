package poll

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// These calls return at once, whatever the socket has, and so they go around
// what the run-time does for calls that may block.

func harvest(epoll int, events []unix.EpollEvent) (int, error) {
	n, _, code := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll), uintptr(unsafe.Pointer(&events[0])), //nolint:gosec // the kernel writes no further than it is told
		uintptr(len(events)), 0, 0, 0)
	return result(n, code)
}

func read(fd int, p []byte) (int, error) {
	n, _, code := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p))) //nolint:gosec // the kernel writes no further than it is told
	return result(n, code)
}

func write(fd int, p []byte) (int, error) {
	n, _, code := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(&p[0])), uintptr(len(p))) //nolint:gosec // the kernel only reads
	return result(n, code)
}

func result(n uintptr, code unix.Errno) (int, error) {
	if code != 0 {
		return 0, code
	}
	return int(n), nil
}
