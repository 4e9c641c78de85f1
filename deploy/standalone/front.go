package standalone

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/parley-rtc/parley/authsvc"
	"github.com/parley-rtc/parley/roomsvc"
	"github.com/parley-rtc/parley/services/backend"
	"github.com/parley-rtc/parley/services/contract"
	"github.com/parley-rtc/parley/services/lifecycle"
)

// CheckFront is the check of readiness that every part can be reached.
const CheckFront = "front"

// The paths that the front knows.
const (
	pathSocket   = "/v1/ws"
	pathCheck    = "/v1/check"
	pathDevToken = "/dev/token"
)

// Front is the public address of a process: an http.Handler that gives each
// request to the part that answers it, in process, so that no byte is copied
// twice. The parts come and go by its methods Edge and Mount, which are what
// their configurations call Serve.
//
// The exported fields must not change once it serves.
type Front struct {
	// Page is what all other paths show; nil: nothing.
	Page http.Handler
	// DevToken answers POST /dev/token; nil: nobody does.
	DevToken http.Handler
	// Edges and Services are how many of each, by the number and by the path,
	// must be there before the check CheckFront is good.
	Edges    int
	Services []string
	// Health hears how the check stands.
	Health *lifecycle.Health

	turn atomic.Uint64 // whose turn it is among the edges

	mu       sync.RWMutex
	edges    []frontEdge // in the order of their ids
	services map[string]http.Handler
}

// frontEdge is an edge that serves.
type frontEdge struct {
	id      string
	handler http.Handler
}

// Edge gives WebSocket connections to an edge until ctx ends.
func (f *Front) Edge(ctx context.Context, id contract.Token, h http.Handler) error {
	mine := frontEdge{id.String(), h}
	f.change(func() {
		f.edges = append(f.edges, mine)
		slices.SortFunc(f.edges, func(a, b frontEdge) int { return cmp.Compare(a.id, b.id) })
	})
	<-ctx.Done()
	f.change(func() {
		f.edges = slices.DeleteFunc(f.edges, func(e frontEdge) bool { return e.id == mine.id })
	})
	return nil
}

// Mount returns what gives the requests for a path, and for what is below it,
// to a handler until ctx ends.
func (f *Front) Mount(path string) func(ctx context.Context, h http.Handler) error {
	return func(ctx context.Context, h http.Handler) error {
		f.change(func() {
			if f.services == nil {
				f.services = map[string]http.Handler{}
			}
			f.services[path] = h
		})
		<-ctx.Done()
		f.change(func() { delete(f.services, path) })
		return nil
	}
}

// change makes a change of the parts, and says what is still missing.
func (f *Front) change(apply func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	apply()
	if f.Health != nil {
		f.Health.Set(CheckFront, f.missing())
	}
}

// missing says which part isn't there; f.mu is held.
func (f *Front) missing() error {
	var faults []error
	if len(f.edges) < f.Edges {
		faults = append(faults, fmt.Errorf("%d of %d edges serve", len(f.edges), f.Edges))
	}
	for _, path := range f.Services {
		if f.services[path] == nil {
			faults = append(faults, fmt.Errorf("nobody serves %s", path))
		}
	}
	return errors.Join(faults...)
}

// EdgeIDs are the ids of the edges that serve.
func (f *Front) EdgeIDs() []string {
	f.mu.RLock()
	defer f.mu.RUnlock()
	ids := make([]string, 0, len(f.edges))
	for _, e := range f.edges {
		ids = append(ids, e.id)
	}
	return ids
}

// ServeHTTP gives the request to its part. Paths are compared as they came, so
// that a room with any name can stand in one.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case path == pathSocket:
		f.serve(w, r, f.pick(r.URL.Query().Get("edge"), 1), "no edge serves")
	case path == pathCheck:
		f.serve(w, r, f.pick(r.URL.Query().Get("edge"), 0), "no edge serves")
	case path == authsvc.TokensPath:
		f.serve(w, r, f.service(authsvc.TokensPath), "the authsvc doesn't serve")
	case path == roomsvc.RoomsPath || strings.HasPrefix(path, roomsvc.RoomsPath+"/"):
		f.serve(w, r, f.service(roomsvc.RoomsPath), "the roomsvc doesn't serve")
	case path == pathDevToken && f.DevToken != nil:
		f.DevToken.ServeHTTP(w, r)
	case f.Page != nil && path != "/v1" && !strings.HasPrefix(path, "/v1/") && !strings.HasPrefix(path, "/dev/"):
		f.Page.ServeHTTP(w, r)
	default:
		backend.Refuse(w, http.StatusNotFound, contract.Errorf(contract.CodeBadFrame, "there is nothing here; clients connect to %s", pathSocket))
	}
}

// partRetry is when to come again for a part that isn't there, in milliseconds.
const partRetry = 1000

// serve answers for a part that isn't there.
func (f *Front) serve(w http.ResponseWriter, r *http.Request, part http.Handler, missing string) {
	if part == nil {
		err := contract.Errorf(contract.CodeUnavailable, "%s at the moment: come again", missing)
		err.RetryAfter = partRetry
		backend.Refuse(w, 0, err)
		return
	}
	part.ServeHTTP(w, r)
}

// service returns what serves a path, nil if nobody does.
func (f *Front) service(path string) http.Handler {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.services[path]
}

// pick returns the edge with this id or, if none has it, the one whose turn it
// is; then the turn goes on by as many as the request counts.
func (f *Front) pick(id string, counts uint64) http.Handler {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, e := range f.edges {
		if e.id == id {
			return e.handler
		}
	}
	if len(f.edges) == 0 {
		return nil
	}
	turn := f.turn.Add(counts) - counts
	return f.edges[turn%uint64(len(f.edges))].handler
}
