package client

import (
	"cmp"
	"slices"

	"github.com/parley-rtc/parley/services/contract"
)

// roster is who else is in a room, at one revision of it. It is a value
// without a lock; the client's mutex guards it.
type roster struct {
	revision uint64
	peers    map[contract.Token]contract.Peer
}

// snapshot returns the peers by rising epoch.
func (r *roster) snapshot() []contract.Peer {
	peers := make([]contract.Peer, 0, len(r.peers))
	for _, p := range r.peers {
		peers = append(peers, p)
	}
	slices.SortFunc(peers, func(a, b contract.Peer) int { return cmp.Compare(a.Epoch, b.Epoch) })
	return peers
}

// reset takes a whole roster and returns what changed by it, departures first.
// Why a peer left can't be told from a snapshot.
func (r *roster) reset(revision uint64, peers []contract.Peer) []Event {
	old := r.peers
	r.revision, r.peers = revision, make(map[contract.Token]contract.Peer, len(peers))
	var left, changed []Event
	for _, p := range peers {
		if p.Peer.IsZero() {
			continue
		}
		before, known := old[p.Peer]
		switch {
		case !known:
			changed = append(changed, PeerJoined{Peer: p, Revision: revision})
		case before.Version >= p.Version:
			p.Presence, p.Version, p.State = before.Presence, before.Version, before.State
		default:
			changed = append(changed, PeerUpdated{Peer: p})
		}
		r.peers[p.Peer] = p
	}
	for id, p := range old {
		if _, still := r.peers[id]; !still {
			left = append(left, PeerLeft{Peer: p, Revision: revision})
		}
	}
	return append(left, changed...)
}

// join applies a peer-joined; false if it is known already.
func (r *roster) join(revision uint64, p contract.Peer) (Event, bool) {
	if revision <= r.revision || p.Peer.IsZero() {
		return nil, false
	}
	r.revision = revision
	r.peers[p.Peer] = p
	return PeerJoined{Peer: p, Revision: revision}, true
}

// leave applies a peer-left; false if it is known already.
func (r *roster) leave(revision uint64, id contract.Token, reason contract.LeaveReason) (Event, bool) {
	if revision <= r.revision {
		return nil, false
	}
	r.revision = revision
	p, known := r.peers[id]
	if !known {
		return nil, false
	}
	delete(r.peers, id)
	return PeerLeft{Peer: p, Revision: revision, Reason: reason}, true
}

// update applies a peer-updated; false if a version as new is known, or the
// peer isn't.
func (r *roster) update(u contract.PeerUpdate) (Event, bool) {
	p, known := r.peers[u.Peer]
	if !known || u.Version <= p.Version {
		return nil, false
	}
	p.Version = u.Version
	if u.Presence != nil {
		p.Presence = u.Presence
	}
	if u.State != "" {
		p.State = u.State
	}
	r.peers[u.Peer] = p
	return PeerUpdated{Peer: p}, true
}
