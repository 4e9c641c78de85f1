package edge

import (
	"sync"

	"github.com/parley-rtc/parley/edge/internal/conn"
)

// acks are the connections that were told, but not written, what is settled: an
// entry settles frames of many clients, and of one client many.
type acks struct {
	mu   sync.Mutex
	owed []*conn.Conn
	done []*conn.Conn // the memory of what was flushed before
}

// owe notes a connection that must be flushed.
func (a *acks) owe(c *conn.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.owed = append(a.owed, c)
}

// flush writes all of them.
func (a *acks) flush() {
	a.mu.Lock()
	owed := a.owed
	a.owed, a.done = a.done, nil
	a.mu.Unlock()
	for i, c := range owed {
		c.Flush()
		owed[i] = nil
	}
	a.mu.Lock()
	a.done = owed[:0]
	a.mu.Unlock()
}
