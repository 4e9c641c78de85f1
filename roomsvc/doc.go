// Package roomsvc owns the rooms: who is a member, in which order, with which
// epoch. It also makes every bucket of Parley, and it is the only part that
// ends a membership whose edge is gone.
//
// Start with Run in service.go; then handle_change.go and api.go (what is asked), queue.go
// and commit.go (how it is stored), announce.go (how the edges hear of it) and
// leases.go (when an edge is out). The decisions stand in internal/room,
// internal/lease and internal/index.
//
// It promises that a request which was applied is never applied again, that an
// answer is given only when every edge of the room has the events in its log,
// and that several roomsvcs, each of which may die at any time, do together
// what one would. It is needed for no signal, no presence and no resume.
package roomsvc
