// Package negotiate keeps one pion PeerConnection for each other member of a
// Parley room: it makes the offers and answers, trickles the candidates, keeps
// both sides from offering at once, and restarts ICE when a connection failed or
// has been disconnected for some seconds.
//
// Start with [New] and [Negotiator.Run]; then read turn.go (who may offer),
// pair.go (one connection) and rebind.go (what becomes of it when a session is
// lost).
//
// pion can't roll an offer back, so a member that uses this package must join
// with the capability rollback unset, which is the client's default. Towards a
// peer that can roll back, this side is the impolite one and offers when it
// likes. Towards a peer that can't either, the earlier member owns the right to
// offer and lends it on request, see turn.go for the words of that.
//
// It promises that losing the WebSocket never closes a PeerConnection: when the
// session is lost with it, the connection goes on with the same identity's next
// membership, and what was on its way is said again. A peer gets another one only
// if it comes with another one itself. An answer or a candidate of a superseded
// negotiation never reaches pion. It never reads
// the clock but to wait before it repeats a refused signal or restarts ICE, and
// never looks into media.
package negotiate
