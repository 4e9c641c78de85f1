package candidatefilter

import (
	"math"
	"strings"
	"sync"

	"github.com/parley-rtc/parley/candidatefilter/internal/abnf"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/link"
)

// maxRoutes bounds the links that are known, at about 400 bytes each. Sixty-four
// edges that all talk to each other have as many.
const maxRoutes = 4096

// route is what follows from the subject of an entry.
type route struct {
	subject string // of the link in the log
	names   string // "<from>.<to>.", with which its message ids begin
}

// isMessageID reports whether id is contract.MessageID of an entry of the link.
func (r *route) isMessageID(id string) bool {
	number, ok := strings.CutPrefix(id, r.names)
	if ok {
		_, ok = abnf.Number(number, math.MaxUint64)
	}
	return ok
}

// routes knows the routes of the links whose entries came.
type routes struct {
	log *link.Log

	mu    sync.RWMutex
	known map[string]route
}

// of returns the route of an entry by its subject, and forgets all when they are
// too many: whoever comes is soon known again.
func (t *routes) of(subject string) (route, error) {
	t.mu.RLock()
	r, known := t.known[subject]
	t.mu.RUnlock()
	if known {
		return r, nil
	}
	from, to, err := contract.ParseFilterSubject(subject)
	if err != nil {
		return route{}, err
	}
	r = route{subject: t.log.Subject(from, to), names: strings.TrimSuffix(contract.MessageID(from, to, 0), "0")}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil || len(t.known) == maxRoutes {
		t.known = make(map[string]route)
	}
	t.known[subject] = r
	return r, nil
}
