// Package lease decides when an edge is out.
//
// Start with Observer. No clock is compared between machines: an observer
// counts, on its own clock, for how long it saw a lease unchanged while NATS
// answered it. After an outage, or when the observer itself stood still, every
// count starts again; a wait for longer than an edge's timeout keeps what was
// counted before. It has no clock of its own and does no I/O.
package lease
