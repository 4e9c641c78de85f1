//go:build !unix

package conn

import (
	"net"
	"syscall"
)

// rawOf is nil: here sockets are read and written with waiting only.
func rawOf(net.Conn) syscall.RawConn { return nil }

func readNow(uintptr, []byte) (n int, ok bool, err error) {
	panic("conn: internal error: there is no raw socket")
}

func writeNow(uintptr, []byte) int { panic("conn: internal error: there is no raw socket") }
