package turn

import (
	"net"
	"sync"
)

// quota counts allocations. One is let in before it is made, so that as many
// more than the bound can be there as clients ask in the same instant.
type quota struct {
	most, mostOfUser int

	mu    sync.Mutex
	all   int
	users map[string]int
}

// free reports whether a user may have another one.
func (q *quota) free(user, _ string, _ net.Addr) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.all < q.most && q.users[user] < q.mostOfUser
}

func (q *quota) made(_, _ net.Addr, _, user, _ string, _ net.Addr, _ int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all++
	q.users[user]++
}

func (q *quota) ended(_, _ net.Addr, _, user, _ string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.all--
	if q.users[user]--; q.users[user] <= 0 {
		delete(q.users, user)
	}
}
