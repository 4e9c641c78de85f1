// Package room decides who is in a room and in which order.
//
// Start with State.Apply: a room's state and a batch of requests give the next
// state, the events and each request's answer. Bodies cuts the events into the
// signals that carry them to the edges.
//
// It promises that the revision rises by one with every event, that a member's
// epoch is the revision of its joining and later than that of everyone before
// it, that a request applied once is recognised when it comes again and gets
// the same answer, and that an encoded state never exceeds Rules.MaxBytes. It
// never reads a clock, never does I/O and never changes the state it is given.
package room
