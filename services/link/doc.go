// Package link carries signals between two processes through the signal log.
//
// A link is an ordered pair of processes. Start with Links.Send: it queues a
// signal; the link commits what is queued as one entry, one entry in flight at
// a time, retried under one message id until it is in the log. Log knows the
// shards and reads entries back.
//
// It promises that the signals of one link are committed in the order of Send,
// each of them settled exactly once, and that a signal reported as settled is
// in the log or was refused for a named reason. It never delivers anything:
// receivers read the log themselves.
package link
