// Package edge is Parley's door: it turns the frames of WebSocket clients into
// signals on NATS, and the signal log back into frames.
//
// Start with Run in service.go. A connection's frames arrive in connection.go
// and go to one handle_<verb>.go each; session.go keeps what a client must not
// lose with its socket; room.go keeps what the edge knows of a room and decides
// where a signal goes; reader.go follows the log and deliver.go hands its
// entries to members. A session that comes back is brought up to date by
// replay.go, or by arrival.go if its members have been elsewhere: adopt.go takes
// those over, and moves.go follows them.
//
// It promises that a frame it acknowledged is in the log or was answered by an
// error, that a member gets each signal once and in its sender's order, and
// that a slow or broken client harms nobody else. It holds no truth: all but
// the open sockets can be read again from JetStream.
//
// Locks, in the order in which they may be taken: reader.mu, room.mu, Edge.mu,
// clientSession.mu. A recorder's, a link's and a connection's own locks are
// inside all of them.
package edge
