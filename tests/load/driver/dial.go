//go:build linux

package driver

import (
	"bufio"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"github.com/gobwas/ws"
	"golang.org/x/sys/unix"
)

// dialTimeout bounds each step of a handshake.
const dialTimeout = 20 * time.Second

// socket is a blocking socket until the handshake is done.
type socket int

func (s socket) Read(p []byte) (int, error)  { return again(unix.Read, int(s), p) }
func (s socket) Write(p []byte) (int, error) { return again(unix.Write, int(s), p) }

// again repeats a system call that a signal of the run-time interrupted.
func again(call func(fd int, p []byte) (int, error), fd int, p []byte) (int, error) {
	for {
		n, err := call(fd, p)
		if !errors.Is(err, unix.EINTR) {
			return max(n, 0), err
		}
	}
}

// dialed is a socket after the handshake.
type dialed struct {
	fd    int
	early []byte // what came with the end of the handshake
}

// dial connects and does the WebSocket handshake.
func dial(address, subprotocol string) (dialed, error) {
	u, err := url.Parse(address)
	if err != nil {
		return dialed{}, fmt.Errorf("connect: %w", err)
	}
	fd, err := connect(u.Host)
	if err != nil {
		return dialed{}, fmt.Errorf("connect to %s: %w", u.Host, err)
	}
	dialer := ws.Dialer{ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10}
	if subprotocol != "" {
		dialer.Protocols = []string{subprotocol}
	}
	br, _, err := dialer.Upgrade(socket(fd), u)
	if err != nil {
		_ = unix.Close(fd) // of no use
		return dialed{}, fmt.Errorf("handshake with %s: %w", u.Host, err)
	}
	return dialed{fd: fd, early: rest(br)}, nil
}

func connect(hostport string) (int, error) {
	address, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return 0, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	patience := unix.NsecToTimeval(dialTimeout.Nanoseconds())
	for _, set := range []func() error{
		func() error { return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) },
		func() error { return unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience) },
		func() error { return unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &patience) },
		func() error {
			to := &unix.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()}
			if err := unix.Connect(fd, to); !errors.Is(err, unix.EINTR) {
				return err
			}
			return connected(fd)
		},
	} {
		if err := set(); err != nil {
			_ = unix.Close(fd) // of no use
			return 0, err
		}
	}
	return fd, nil
}

// connected waits for the end of a connect that a signal interrupted: it goes on
// by itself (connect(2)).
func connected(fd int) error {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	for {
		n, err := unix.Poll(poll, int(dialTimeout.Milliseconds()))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return err
		case n == 0:
			return unix.ETIMEDOUT
		}
		code, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = unix.Errno(code)
		}
		return err
	}
}

// rest is what a reader of the handshake holds beyond it.
func rest(br *bufio.Reader) []byte {
	if br == nil || br.Buffered() == 0 {
		return nil
	}
	held, err := br.Peek(br.Buffered())
	if err != nil {
		return nil // can't be: they are buffered
	}
	return append([]byte(nil), held...)
}
