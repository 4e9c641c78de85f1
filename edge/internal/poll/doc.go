// Package poll waits for many sockets at once, so that what comes within a
// moment on different sockets wakes the process once.
//
// Start with Start and Poller.Adopt: an adopted connection is a net.Conn whose
// Read waits for this poller instead of Go's own. While little comes, a socket
// is read as soon as it has something. The more comes the longer the poller
// waits before it looks again, up to a Tick, and it wakes all readers that have
// something together; Options.Begin and End surround what they do, so that it
// can travel together, too.
//
// It promises that nothing waits longer than a Tick, that a read that emptied
// its socket isn't followed by another system call, and that reads and writes
// don't pay for the run-time's bookkeeping of calls that may block: these never
// do. Where there is no epoll, and for connections that aren't plain TCP, Adopt
// gives the connection back as it is.
package poll
