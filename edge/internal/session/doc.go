// Package session holds what makes a client's frames count once: Sequence (which
// seq is next, which are settled, what may be acknowledged) and Watermarks (what
// was delivered already), which is a ByPeer, as all that is kept for each of some
// peers.
//
// It promises that the acknowledged seq rises without holes and never passes a
// frame that isn't settled. It does no I/O and has no clock; its owner
// serialises access.
package session
